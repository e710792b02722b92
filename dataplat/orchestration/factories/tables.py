"""One asset for each source table: partitioned, checked, and materialized only after publishing."""

import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from dataplat.audit.outcome import FILES, PLACEMENT, ROW_COUNT
from dataplat.errors import DataplatError
from dataplat.lifecycle.load import MAX_PARTITIONS_A_READ, load_partitions
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.report import LoadReport, PartitionReport, Verdict
from dataplat.lifecycle.stations import RunInfo
from dataplat.orchestration.events import Event, PartitionResult, failure_events, publish_events
from dataplat.orchestration.instance import pool_name
from dataplat.orchestration.observer import current_observer
from dataplat.orchestration.partitions import partitions_of
from dataplat.orchestration.rejection import rejection_error
from dataplat.specs import Catalog, TableSpec

_BUILT_IN = {
    ROW_COUNT: "The files hold as many rows as the source had during the read.",
    FILES: "Every file has a readable footer, and they add up to what the engine wrote.",
    PLACEMENT: "Every row lies in the partition of its window.",
}


def build_table_asset(catalog: Catalog, spec: TableSpec) -> dg.AssetsDefinition:
    """Return the asset of one source table."""
    with warnings.catch_warnings():
        # Known and pinned: partitions on checks, and code references, are not final in Dagster 1.13.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        warnings.simplefilter("ignore", dg.BetaWarning)
        return _build(catalog, spec)


def _build(catalog: Catalog, spec: TableSpec) -> dg.AssetsDefinition:
    key = dg.AssetKey(spec.asset_path)
    partitions = partitions_of(catalog, spec)
    checks = _check_specs(spec, key, partitions)
    asset = dg.AssetSpec(
        key,
        partitions_def=partitions,
        description=spec.description or None,
        group_name=spec.group or spec.source,
        kinds={"mysql", "hive", "spark"},
        owners=list(spec.owner),
        tags={"dataplat/layer": spec.layer, **spec.tags},
        code_version=catalog.sha(spec),
        metadata=_static_metadata(spec),
    )

    @dg.multi_asset(
        name="__".join(spec.asset_path),
        specs=[asset],
        check_specs=checks,
        backfill_policy=dg.BackfillPolicy.multi_run(MAX_PARTITIONS_A_READ),
        pool=pool_name(spec.source),
        required_resource_keys={"platform"},
        retry_policy=dg.RetryPolicy(
            max_retries=spec.retries.count,
            delay=spec.retries.delay_seconds,
            backoff=dg.Backoff.EXPONENTIAL,
        ),
    )
    def load_table(context: dg.AssetExecutionContext) -> Iterator[Event]:
        yield from _load(context, context.resources.platform, spec, key, checks)

    return load_table


def _check_specs(spec: TableSpec, key: dg.AssetKey, partitions: Any) -> list[dg.AssetCheckSpec]:
    built_in = [
        dg.AssetCheckSpec(name, asset=key, blocking=True, partitions_def=partitions, description=text)
        for name, text in _BUILT_IN.items()
    ]
    declared = [
        dg.AssetCheckSpec(
            check.name,
            asset=key,
            blocking=check.blocking,
            partitions_def=partitions,
            description=f"{check.kind}, declared at {spec.check_at(check.name)}",
        )
        for check in spec.checks
    ]
    return built_in + declared


def _static_metadata(spec: TableSpec) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/table_name": spec.table,
        "dagster/code_references": dg.CodeReferencesMetadataValue(
            code_references=[
                dg.LocalFileCodeReference(
                    file_path=str(spec.declared.path), line_number=spec.declared.line("table")
                )
            ]
        ),
        "source": f"{spec.source}: {spec.read_from.database}",
        "load": spec.load,
    }
    return metadata


def _load(
    context: dg.AssetExecutionContext,
    platform: Platform,
    spec: TableSpec,
    key: dg.AssetKey,
    checks: Sequence[dg.AssetCheckSpec],
) -> Iterator[Event]:
    observer = current_observer()
    run = RunInfo(context.run_id, platform.settings.actor, observer.command, observer.wait_seconds)
    results: list[PartitionResult] = []
    rejected: list[PartitionReport] = []
    try:
        for report in load_partitions(platform, spec, context.partition_keys, run, observer.progress):
            observer.report(report)
            results += [_result(report, item) for item in report.partitions]
            rejected += report.rejected
            _log(context, report)
    except DataplatError as error:
        yield from failure_events(context, key, checks, results)
        may_retry = observer.may_retry(error)
        if may_retry and context.retry_number < spec.retries.count:
            observer.again(error, spec.retries.delay_seconds * (2 ** (context.retry_number + 1) - 1))
        raise dg.Failure(str(error), allow_retries=may_retry) from error
    if rejected:
        yield from failure_events(context, key, checks, results)
        rejection = rejection_error(spec, rejected)
        raise dg.Failure(str(rejection), allow_retries=False) from rejection
    yield from publish_events(context, key, checks, results)


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
    outcomes = {outcome.check: outcome for outcome in item.outcomes}
    return PartitionResult(item.partition, item.verdict is Verdict.PUBLISHED, metadata, outcomes)


def _log(context: dg.AssetExecutionContext, report: LoadReport) -> None:
    for item in report.partitions:
        context.log.info(
            "%s[%s] %s: source %d, files %d rows in %d files, version %s",
            report.table,
            item.partition,
            item.verdict,
            item.source_before,
            item.rows,
            item.files,
            item.version,
        )
