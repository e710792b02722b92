"""Checking what is published once more: the files against the ledger, the rows against the declared checks.

A partition that was proven may be wrong all the same: a file was damaged, a check was added later, a table it
refers to was repaired. A re-check reads the published version where readers read it, through the metastore,
and changes nothing that is visible. A check that fails and blocks all downstreams *holds* the partition, in
its own name; one that passes ends the hold that an earlier re-check made.

The lock of a load is taken: a version that is being replaced is not worth judging, and an answer about it
would be told for the next one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from dataplat.audit.counts import compare_with_record
from dataplat.audit.declared import evaluate_checks
from dataplat.audit.kinds import StagedPartition
from dataplat.audit.named_columns import require_named_columns
from dataplat.audit.outcome import Outcome
from dataplat.engine.aggregate import PublishedRows
from dataplat.ledger import LockOwner, TableVersion
from dataplat.lifecycle.audit import check_results
from dataplat.lifecycle.holds import release_answered_holds
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.publish import recover_partitions, same_location
from dataplat.lifecycle.records import LedgerRecords
from dataplat.lifecycle.stations import RunInfo
from dataplat.plan.partitions import partition_columns
from dataplat.plan.splits import MAX_PARTITIONS_A_READ
from dataplat.plan.windows import partition_window
from dataplat.specs import AnyTable
from dataplat.storage import FooterCount, count_partitions


class Standing(StrEnum):
    """How a partition stands after it was checked again."""

    PASSED = "passed"
    WARNED = "warned"
    HELD = "held"
    ABSENT = "not published"


@dataclass(frozen=True)
class RecheckReport:
    """One partition that was checked again.

    Attributes:
        table: The table.
        partition: Its key.
        standing: ``held`` if a check failed that blocks all, ``warned`` if any other failed.
        version: What is visible; empty if nothing is.
        rows: Rows by the footers of its files.
        outcomes: Every check that was answered. Without readable files the declared ones are not asked.
    """

    table: str
    partition: str
    standing: Standing
    version: str = ""
    rows: int | None = None
    outcomes: tuple[Outcome, ...] = ()

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The checks that failed, warnings too."""
        return tuple(outcome for outcome in self.outcomes if not outcome.passed)


def recheck_partitions(
    platform: Platform, spec: AnyTable, keys: Sequence[str], run: RunInfo
) -> Iterator[list[RecheckReport]]:
    """Check published partitions again, and yield what was found of each batch of them.

    Raises:
        LoadInProgressError: A load holds one of the partitions. Batches yielded before are recorded.
        SpecError: A check names a column that the table does not have.
        EngineError: Spark or the metastore refused. Nothing of this batch was recorded.
    """
    for start in range(0, len(keys), MAX_PARTITIONS_A_READ):
        batch = keys[start : start + MAX_PARTITIONS_A_READ]
        owner = LockOwner.current(run_id=run.run_id, command=run.command)
        locks = platform.ledger.lock_partitions(spec.table, batch, owner, wait_seconds=run.wait_seconds)
        with locks:
            values = {key: partition_columns(key, spec.window.grain, spec.partition) for key in batch}
            store = platform.partitions(spec.engine)
            recover_partitions(platform.ledger, store, locks, spec.table, values)
            visible = platform.ledger.visible(spec.table, batch)
            found = _answers(platform, spec, visible)
            locks.check()
            _record(platform, spec, visible, found, run)
        yield [_report(spec, key, visible.get(key), found.get(key)) for key in batch]


@dataclass(frozen=True)
class _Answer:
    files: FooterCount
    outcomes: tuple[Outcome, ...]


def _answers(platform: Platform, spec: AnyTable, visible: Mapping[str, TableVersion]) -> dict[str, _Answer]:
    if not visible:
        return {}
    values = {key: partition_columns(key, spec.window.grain, spec.partition) for key in visible}
    shown = platform.partitions(spec.engine).locations(spec.table, list(values.values()))
    found = {}
    for key, version in visible.items():
        counts, _ = count_partitions(version.location, [""], spec.format)
        outcome = compare_with_record(counts[""], version.rows)
        location = shown.get(values[key], "")
        if not same_location(location, version.location):
            message = f"the metastore shows {location or 'no partition'}, the ledger says {version.location}"
            outcome = replace(outcome, passed=False, message=message)
        found[key] = _Answer(counts[""], (outcome,))
    whole = [key for key, answer in found.items() if answer.outcomes[0].passed]
    for key, outcomes in (_declared(platform, spec, whole, found) if whole and spec.checks else {}).items():
        found[key] = replace(found[key], outcomes=(*found[key].outcomes, *outcomes))
    return found


def _declared(
    platform: Platform, spec: AnyTable, keys: Sequence[str], answers: Mapping[str, _Answer]
) -> dict[str, list[Outcome]]:
    grain, zone = spec.window.grain, platform.catalog.platform.zone
    partitions = []
    for key in keys:
        window, values = partition_window(key, grain, zone), partition_columns(key, grain, spec.partition)
        partitions.append(StagedPartition(key, values, answers[key].files.rows, window.start, window.end))
    names = [name for name, _ in partitions[0].values]
    columns = platform.hive(spec.engine).columns(spec.table) or ()
    require_named_columns(spec, [column.name for column in columns], names)
    subject = f"{spec.table}[{keys[0] if len(keys) == 1 else f'{keys[0]}~{keys[-1]}'}]"
    rows = PublishedRows(
        platform.engine(spec.engine).session_with(platform.udfs.called_by_checks(spec), subject),
        spec.table,
        [partition.values for partition in partitions],
        subject=subject,
    )
    with rows as published:
        records = LedgerRecords(platform.catalog, platform.ledger, spec)
        return evaluate_checks(spec, partitions, published, records)


def _record(
    platform: Platform,
    spec: AnyTable,
    visible: Mapping[str, TableVersion],
    found: Mapping[str, _Answer],
    run: RunInfo,
) -> None:
    """Record the answers, hold what failed, and end the holds of checks that do not fail any more."""
    ledger, table = platform.ledger, spec.table
    ledger.record(
        checks=[
            result
            for key, answer in found.items()
            for result in check_results(table, key, visible[key].version, answer.outcomes)
        ]
    )
    for key, answer in found.items():
        for outcome in answer.outcomes:
            if outcome.blocks:
                ledger.hold(table, key, outcome.message, run.actor, check=outcome.check)
    whole = {key: answer.outcomes for key, answer in found.items() if answer.outcomes[0].passed}
    release_answered_holds(ledger, table, whole, actor=run.actor, reason="checked again, and passed")


def _report(spec: AnyTable, key: str, version: TableVersion | None, answer: _Answer | None) -> RecheckReport:
    if version is None or answer is None:
        return RecheckReport(spec.table, key, Standing.ABSENT)
    standing = Standing.PASSED
    if any(not outcome.passed for outcome in answer.outcomes):
        held = any(outcome.blocks for outcome in answer.outcomes)
        standing = Standing.HELD if held else Standing.WARNED
    return RecheckReport(spec.table, key, standing, version.version, answer.files.rows, answer.outcomes)
