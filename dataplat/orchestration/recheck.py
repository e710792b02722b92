"""The body of the job ``recheck``: what is published is checked again, and Dagster is told."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from dataplat.errors import AuditFailedError, DataplatError
from dataplat.lifecycle.holds import hold_outcomes
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.recheck import RecheckReport, Standing, recheck_partitions
from dataplat.lifecycle.stations import RunInfo
from dataplat.orchestration.observer import current_observer
from dataplat.orchestration.record import outcome_events
from dataplat.plan.partitions import select_partitions
from dataplat.specs import AnyTable


def recheck_table(
    context: dg.OpExecutionContext, table: str, dates: str
) -> Iterator[dg.AssetCheckEvaluation | dg.Output[Any]]:
    """Check partitions of a table again and yield the answers.

    Raises:
        Failure: A partition is held now, or was not published; or a message of why nothing could be asked.
            The answers that were found are told first.
    """
    platform: Platform = context.resources.platform
    reports: list[RecheckReport] = []
    try:
        spec = platform.catalog.any_table(table)
        for batch in _batches(context, platform, spec, dates):
            reports += batch
            yield from _events(context, platform, spec, batch)
    except DataplatError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    bad = [report for report in reports if report.standing in (Standing.HELD, Standing.ABSENT)]
    if bad:
        raise dg.Failure(str(recheck_error(spec, bad)), allow_retries=False)
    yield dg.Output(None)


def _batches(
    context: dg.OpExecutionContext, platform: Platform, spec: AnyTable, dates: str
) -> Iterator[list[RecheckReport]]:
    keys = select_partitions(
        dates,
        spec.window.grain,
        first=spec.window.start or platform.catalog.platform.start,
        now=platform.now(),
        zone=platform.catalog.platform.zone,
        subject=spec.table,
    )
    observer = current_observer()
    run = RunInfo(context.run.run_id, platform.settings.actor, observer.command, observer.wait_seconds)
    for batch in recheck_partitions(platform, spec, keys, run):
        for report in batch:
            observer.rechecked(report)
            context.log.info("%s[%s] %s", report.table, report.partition, report.standing)
        yield batch


def _events(
    context: dg.OpExecutionContext, platform: Platform, spec: AnyTable, batch: Sequence[RecheckReport]
) -> Iterator[dg.AssetCheckEvaluation]:
    published = [report for report in batch if report.version]
    held = hold_outcomes(platform.ledger, spec.table, [report.partition for report in published])
    yield from outcome_events(
        context.instance,
        spec,
        {report.partition: [*report.outcomes, held[report.partition]] for report in published},
    )


def recheck_error(spec: AnyTable, bad: Sequence[RecheckReport]) -> AuditFailedError:
    """Return the error for partitions that are held now or were not there; the first is told in full."""
    first = bad[0]
    subject = f"{spec.table}[{first.partition}]"
    also = [("also", ", ".join(report.partition for report in bad[1:]))] if len(bad) > 1 else []
    ask, load = (f"dataplat {word} {spec.table}" for word in ("ledger", "load"))
    if first.standing is Standing.ABSENT:
        return AuditFailedError(
            subject,
            "there is nothing to check: the partition is not published",
            facts=also,
            effect="nothing was changed",
            next_steps=[f"{ask} {first.partition}", f"{load} --date {first.partition}"],
        )
    failures = [outcome for outcome in first.outcomes if outcome.blocks]
    names = ", ".join(outcome.check for outcome in failures)
    facts = [
        (outcome.check, f"{outcome.message} ({outcome.declared or spec.declared.at('table')})")
        for outcome in failures
    ]
    return AuditFailedError(
        subject,
        f"checked again, and failed: {names}",
        facts=[*facts, *also],
        effect=f"held: version {first.version} stays visible, and nothing is built on it",
        next_steps=[
            f"{ask} {first.partition}",
            f"{load} --date {first.partition}",
            f"dataplat release {spec.table} {first.partition} --reason …",
        ],
    )
