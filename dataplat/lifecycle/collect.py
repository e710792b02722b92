"""Deleting the files of versions that nobody needs any more.

What may go: superseded versions beyond ``retention.versions`` *and* longer superseded than
``retention.grace``, and rejected or abandoned ones longer ended than ``grace``. "Longer" is a
comparison of ages, never of equal dates, so a night without a collection is made up for by the next.

What never goes: a version to which the metastore points, asked under the partition's lock right before
deleting; a version of which any partition is still being made; a partition about which the metastore
and the ledger disagree. Readers that opened a version before it was superseded have had ``grace`` to end.

A rejected version that was judged last keeps the gate of its partition closed, and goes on doing so without
its files: only they are deleted, and the ledger's record stays as long as no later version is judged.

Files go first, then the ledger's record: after a crash between the two the next collection does it again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dataplat.engine.hive import PartitionStore
from dataplat.errors import LoadInProgressError
from dataplat.ledger import JUDGED, UNFINISHED, LockOwner, TableVersion, VersionState, by_age
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.publish import same_location
from dataplat.lifecycle.stations import RunInfo
from dataplat.plan.partitions import partition_columns
from dataplat.plan.versions import version_location
from dataplat.specs import AnyTable, RetentionSpec
from dataplat.storage import delete_tree

_FAILED = (VersionState.REJECTED, VersionState.ABANDONED)


@dataclass(frozen=True)
class Collected:
    """One partition of one version, and why it may go or was kept after all (``kept``).

    ``files_only`` says that the ledger goes on holding what it knows of it.
    """

    version: TableVersion
    reason: str
    kept: str = ""
    files_only: bool = False


def plan_collection(
    history: Iterable[TableVersion], retention: RetentionSpec, now: datetime
) -> tuple[Collected, ...]:
    """Return which versions of one table may be collected, by partition and age. Pure.

    The visible version counts as one of ``retention.versions``, and is never in the answer.
    """
    rows = list(history)
    unfinished = {row.version for row in rows if row.state in UNFINISHED}
    by_partition: dict[str, list[TableVersion]] = {}
    for row in rows:
        by_partition.setdefault(row.partition, []).append(row)
    planned = [
        item for key in sorted(by_partition) for item in _of_partition(by_partition[key], retention, now)
    ]
    return tuple(item for item in planned if item.version.version not in unfinished)


def _of_partition(
    rows: Sequence[TableVersion], retention: RetentionSpec, now: datetime
) -> Iterator[Collected]:
    visible = any(row.state is VersionState.PUBLISHED for row in rows)
    superseded = sorted(
        (row for row in rows if row.state is VersionState.SUPERSEDED), key=_ended_at, reverse=True
    )
    kept = retention.versions - (1 if visible else 0)
    candidates = [(row, f"more than {retention.versions} versions") for row in superseded[kept:]]
    candidates += [(row, str(row.state)) for row in rows if row.state in _FAILED]
    closing = _closes_the_gate(rows)
    for row, reason in sorted(candidates, key=lambda item: _ended_at(item[0])):
        done = row is closing and not row.location
        if now - _ended_at(row) > retention.grace and not done:
            yield Collected(row, reason, files_only=row is closing)


def _closes_the_gate(rows: Iterable[TableVersion]) -> TableVersion | None:
    judged = max((row for row in rows if row.state in JUDGED), key=by_age, default=None)
    return judged if judged is not None and judged.state is VersionState.REJECTED else None


def _ended_at(row: TableVersion) -> datetime:
    ended = row.ended_at or row.changed_at or row.created_at
    assert ended is not None, "every recorded version has a time"
    return ended


def collect(platform: Platform, spec: AnyTable, run: RunInfo) -> Iterator[Collected]:
    """Delete the files of one table's old versions, yielding each partition of a version as it is done.

    What turns out to be visible, or is being loaded, is kept, and the answer says so.

    Raises:
        StorageError: The file system refused. What was yielded before is collected, nothing else is.
        EngineError: The metastore could not be asked. Nothing further was deleted.
    """
    history = platform.ledger.history(spec.table, limit=None)
    planned = plan_collection(history, spec.retention, platform.now())
    if not planned:
        return
    known = platform.hive(spec.engine).columns(spec.table) is not None
    store = platform.partitions(spec.engine) if known else None
    by_partition: dict[str, list[Collected]] = {}
    for item in planned:
        by_partition.setdefault(item.version.partition, []).append(item)
    left = {(row.version, row.partition) for row in history if _has_files(row)}
    for key, items in by_partition.items():
        for item in _collect_partition(platform, spec, store, key, items, run):
            if not item.kept:
                left.discard((item.version.version, key))
            yield item
    still_there = {version for version, _ in left}
    for version in sorted({item.version.version for item in planned} - still_there):
        delete_tree(version_location(platform.table_location(spec.table), version))


def _collect_partition(
    platform: Platform,
    spec: AnyTable,
    store: PartitionStore | None,
    key: str,
    items: Sequence[Collected],
    run: RunInfo,
) -> Iterator[Collected]:
    ledger, table = platform.ledger, spec.table
    owner = LockOwner.current(run_id=run.run_id, command=run.command)
    values = partition_columns(key, spec.window.grain, spec.partition)
    try:
        locks = ledger.lock_partitions(table, [key], owner, wait_seconds=run.wait_seconds)
    except LoadInProgressError:
        yield from (replace(item, kept="the partition is being loaded") for item in items)
        return
    with locks:
        points_to = store.locations(table, [values]).get(values, "") if store is not None else ""
        now = {row.version: row for row in ledger.history(table, key, limit=None)}
        for item in items:
            version, reason = item.version.version, _why_not(item.version, points_to, now)
            if reason:
                yield replace(item, kept=reason)
                continue
            locks.check()
            if _has_files(item.version):
                delete_tree(item.version.location)
            if item.files_only:
                ledger.forget_files(table, version, key, locks)
            else:
                state = VersionState.COLLECTED
                ledger.advance(table, version, [key], state, reason=item.reason, actor=run.actor, locks=locks)
            yield item


def _has_files(row: TableVersion) -> bool:
    return row.state is not VersionState.COLLECTED and bool(row.location)


def _why_not(planned: TableVersion, points_to: str, now: Mapping[str, TableVersion]) -> str:
    if now[planned.version].state is not planned.state:
        return f"it is {now[planned.version].state} meanwhile"
    if planned.location and same_location(points_to, planned.location):
        return "the metastore shows it: it is visible"
    published = next((row for row in now.values() if row.state is VersionState.PUBLISHED), None)
    if published is not None and not same_location(points_to, published.location):
        shown = points_to or "nothing"
        return f"the ledger says {published.version} is visible, the metastore shows {shown}"
    return ""
