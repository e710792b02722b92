"""The body of a table's asset: a load becomes events, and an error a failure that may be retried."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from dataplat.audit.outcome import NOT_HELD
from dataplat.errors import DataplatError
from dataplat.lifecycle.holds import hold_outcomes
from dataplat.lifecycle.load import load_partitions
from dataplat.lifecycle.model import make_partitions
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.report import Listener, LoadReport, PartitionReport, Progress, Step, Verdict
from dataplat.lifecycle.stations import RunInfo
from dataplat.orchestration.events import Event, PartitionResult, failure_events, publish_events
from dataplat.orchestration.observer import INTERRUPTED, Observer, current_observer
from dataplat.orchestration.rejection import rejection_error
from dataplat.specs import AnyTable, ModelSpec


def materialize_table(
    context: dg.AssetExecutionContext,
    spec: AnyTable,
    key: dg.AssetKey,
    checks: Sequence[dg.AssetCheckSpec],
) -> Iterator[Event]:
    """Load or make the run's partitions and yield what Dagster is to know of them.

    Raises:
        Failure: With the whole message of what went wrong; retries are allowed where one may help.
            Partitions that were published before are told first.
    """
    platform: Platform = context.resources.platform
    observer = current_observer()
    run = RunInfo(context.run.run_id, platform.settings.actor, observer.command, observer.wait_seconds)
    results: list[PartitionResult] = []

    def told() -> list[PartitionResult]:
        return _with_holds(platform, spec, results)

    rejected: list[PartitionReport] = []
    try:
        for report in _reports(platform, spec, context.partition_keys, run, _listener(context, observer)):
            observer.report(report)
            results += [_result(report, item) for item in report.partitions]
            rejected += report.rejected
            _log(context, report)
    except DataplatError as error:
        yield from failure_events(context, key, checks, told())
        observer.failed(error)
        may_retry = observer.may_retry(error)
        if may_retry and context.retry_number < spec.retries.count:
            observer.again(error, spec.retries.delay_seconds * (2 ** (context.retry_number + 1) - 1))
        messages = [rejection_error(spec, rejected), error] if rejected else [error]
        raise dg.Failure("\n\n".join(map(str, messages)), allow_retries=may_retry) from error
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError) as interrupt:
        # Dagster would wait and try again, also for somebody who pressed Ctrl-C or Terminate.
        yield from failure_events(context, key, checks, told())
        raise dg.Failure(INTERRUPTED, allow_retries=False) from interrupt
    if rejected:
        yield from failure_events(context, key, checks, told())
        rejection = rejection_error(spec, rejected)
        raise dg.Failure(str(rejection), allow_retries=False) from rejection
    yield from publish_events(context, key, checks, told())


def _listener(context: dg.AssetExecutionContext, observer: Observer) -> Listener:
    """Tell the observer everything, and the run's log what is waited for: a daemon's has no other voice."""

    def listen(progress: Progress) -> None:
        observer.progress(progress)
        if progress.step is Step.WAIT:
            context.log.info("waiting %s", progress.detail)

    return listen


def _reports(
    platform: Platform, spec: AnyTable, keys: Sequence[str], run: RunInfo, listen: Listener
) -> Iterator[LoadReport]:
    if isinstance(spec, ModelSpec):
        return make_partitions(platform, spec, keys, run, listen)
    return load_partitions(platform, spec, keys, run, listen)


def _with_holds(
    platform: Platform, spec: AnyTable, results: Sequence[PartitionResult]
) -> list[PartitionResult]:
    """Add who holds each partition, as late as it can be known: somebody may have held it meanwhile."""
    held = hold_outcomes(platform.ledger, spec.table, [result.partition for result in results])
    return [
        replace(result, outcomes={**result.outcomes, NOT_HELD: held[result.partition]}) for result in results
    ]


def _result(report: LoadReport, item: PartitionReport) -> PartitionResult:
    columns = [dg.TableColumn(name, kind) for name, kind in report.columns]
    metadata: dict[str, Any] = {
        "dagster/partition_row_count": item.rows,
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "rows": item.rows,
        "files": item.files,
        "bytes": item.bytes,
        "source_before": item.source_before,
        "source_after": item.source_after,
        "seconds": round(report.seconds.get("total", 0.0), 3),
        "version": item.version,
        "location": dg.MetadataValue.path(item.location),
        "sql": dg.MetadataValue.md("```sql\n" + "\n\n".join(report.sql[:3]) + "\n```"),
        "published_at": dg.MetadataValue.timestamp(datetime.now(UTC)),
    }
    told = {name: value for name, value in metadata.items() if value is not None}
    outcomes = {outcome.check: outcome for outcome in item.outcomes}
    return PartitionResult(item.partition, item.verdict is Verdict.PUBLISHED, told, outcomes)


def _log(context: dg.AssetExecutionContext, report: LoadReport) -> None:
    for item in report.partitions:
        context.log.info(
            "%s[%s] %s: source %s, files %d rows in %d files, version %s",
            report.table,
            item.partition,
            item.verdict,
            item.source_before,
            item.rows,
            item.files,
            item.version,
        )
