"""Telling Dagster what a command did: its partition bar and its checks show what is true.

Each command becomes a run of one step that does nothing but tell, so that the UI's list of runs says who did
it and when.

What surprises: an event without a run would be simpler, and Dagster 1.13 takes it for a materialization. A
second evaluation of one check and partition without a run breaks a unique key of its storage.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import dagster as dg
from dagster import DagsterInstance

from dataplat.audit.outcome import ALIKE, DIRTY, FILES, PLACEMENT, ROW_COUNT, SHARDS, Outcome
from dataplat.ledger import CheckResult, Hold, Ledger
from dataplat.lifecycle.holds import hold_outcomes
from dataplat.lifecycle.rollback import RollbackReport
from dataplat.orchestration.events import evaluations
from dataplat.specs import AnyTable

Told = dg.AssetMaterialization | dg.AssetCheckEvaluation

_BUILT_IN = frozenset({ROW_COUNT, FILES, PLACEMENT, SHARDS, ALIKE, DIRTY})


def record_hold(instance: DagsterInstance, ledger: Ledger, spec: AnyTable, hold: Hold) -> None:
    """Record that a partition is held: the check ``not_held``, which automation waits for, fails."""
    key = hold.partition
    standing = hold_outcomes(ledger, spec.table, [key])[key]
    _run(instance, spec, "hold", hold.actor, lambda: outcome_events(instance, spec, {key: [standing]}))


def record_release(
    instance: DagsterInstance, ledger: Ledger, spec: AnyTable, key: str, ended: Sequence[Hold]
) -> None:
    """Record that somebody ended the holds of a partition, so that automation goes on.

    A check that had failed when it was asked again would hold automation back by itself. Who releases the
    partition has decided about it: it is told as passed, with who said so and what it had found. The
    ledger keeps what it found.
    """
    declared = _BUILT_IN | {check.name for check in spec.checks}
    outcomes = [Outcome(one.check, True, message=_overruled(one)) for one in ended if one.check in declared]
    outcomes += hold_outcomes(ledger, spec.table, [key]).values()
    actor = ended[0].released_by
    _run(instance, spec, "release", actor, lambda: outcome_events(instance, spec, {key: outcomes}))


def _overruled(hold: Hold) -> str:
    return f"released by {hold.released_by}: {hold.release_reason}; it had failed: {hold.reason}"


def record_rollback(
    instance: DagsterInstance, ledger: Ledger, spec: AnyTable, report: RollbackReport
) -> None:
    """Record a materialization for a partition that shows an earlier version again, and its checks.

    A check's answer counts in Dagster until the next materialization, so those of the earlier version are
    told again: as the ledger has them, from when it was made or last checked again.
    """
    key, version = report.partition, report.version
    known = ledger.checks(spec.table, key, version.version)
    standing = hold_outcomes(ledger, spec.table, [key])[key]

    def events() -> Iterator[Told]:
        yield _materialization(spec, report)
        yield from outcome_events(instance, spec, {key: [*map(_outcome, known), standing]})

    _run(instance, spec, "rollback", version.changed_by, events)


def outcome_events(
    instance: DagsterInstance, spec: AnyTable, outcomes: Mapping[str, Sequence[Outcome]]
) -> Iterator[dg.AssetCheckEvaluation]:
    """Yield the answers of checks about what is visible of partitions now. None of them fails a step."""
    answers = {key: [(outcome, False) for outcome in some] for key, some in outcomes.items()}
    yield from evaluations(instance, dg.AssetKey(spec.asset_path), answers)


def _materialization(spec: AnyTable, report: RollbackReport) -> dg.AssetMaterialization:
    metadata: dict[str, dg.MetadataValue] = {
        "version": dg.MetadataValue.text(report.version.version),
        "rows": dg.MetadataValue.int(report.files.rows),
        "dagster/partition_row_count": dg.MetadataValue.int(report.files.rows),
        "files": dg.MetadataValue.int(report.files.files),
        "bytes": dg.MetadataValue.int(report.files.bytes),
        "location": dg.MetadataValue.path(report.version.location),
        "rolled_back_from": dg.MetadataValue.text(report.rolled_back_from),
        "rolled_back_by": dg.MetadataValue.text(report.version.changed_by),
    }
    return dg.AssetMaterialization(
        dg.AssetKey(spec.asset_path),
        partition=report.partition,
        description=report.version.reason,
        metadata=metadata,
    )


def _run(
    instance: DagsterInstance,
    spec: AnyTable,
    command: str,
    actor: str,
    events: Callable[[], Iterator[Told]],
) -> None:
    @dg.op(name=f"tell_{command}")
    def tell() -> Iterator[Told | dg.Output[None]]:
        yield from events()
        yield dg.Output(None)

    @dg.job(name=command)
    def job() -> None:
        tell()

    job.execute_in_process(
        instance=instance,
        tags={"dataplat/table": spec.table, "dataplat/actor": actor},
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )


def _outcome(result: CheckResult) -> Outcome:
    numbers = {name: value for name, value in result.numbers.items() if name != "sample"}
    severity: Literal["error", "warn"] = "warn" if result.severity == "warn" else "error"
    return Outcome(result.check, result.passed, severity, numbers, result.message)
