"""Making an earlier version of a partition visible again: one metastore call, after a re-count.

A superseded version was proven once, and its files have lain untouched since. That is checked, not
believed: its footers are counted again and compared with what the ledger recorded, before anything moves.
The version that was visible becomes superseded, so a rollback can be rolled back, by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dataplat.errors import VersionError
from dataplat.ledger import LockOwner, TableVersion, VersionState
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.publish import publish_version, recover_partitions
from dataplat.lifecycle.stations import RunInfo
from dataplat.plan.partitions import partition_columns
from dataplat.specs import AnyTable
from dataplat.storage import FooterCount, count_partitions, exists

_UNCHANGED = "nothing was changed: what is visible stays visible"


@dataclass(frozen=True)
class RollbackReport:
    """What a rollback did.

    Attributes:
        table: The table.
        partition: Its partition.
        version: What is visible now, with the rows that were counted again.
        rolled_back_from: The version that was visible before; empty if none was.
        files: Files of the visible version, as counted again.
    """

    table: str
    partition: str
    version: TableVersion
    rolled_back_from: str
    files: FooterCount


def choose_version(
    table: str, key: str, history: Sequence[TableVersion], to_version: str | None
) -> TableVersion:
    """Return the version that a rollback would make visible. Pure.

    Without a name it is the newest proven one that began before the visible one, so that a second
    rollback goes further back instead of returning. With nothing visible it is the newest proven one.

    Args:
        table: For the message.
        key: The partition.
        history: All its versions, the one begun last first.
        to_version: A version by name, older or newer than the visible one.

    Raises:
        VersionError: There is no such version, or it cannot be made visible.
    """
    visible = next((row for row in history if row.state is VersionState.PUBLISHED), None)
    proven = [row for row in history if row.state is VersionState.SUPERSEDED]
    if to_version is not None:
        return _named(table, key, history, to_version, proven)
    began = history.index(visible) if visible else -1
    earlier = [row for row in history[began + 1 :] if row.state is VersionState.SUPERSEDED]
    if earlier:
        return earlier[0]
    facts = [("visible", visible.version if visible else "none")]
    if proven:
        facts.append(("newer", ", ".join(row.version for row in proven)))
    raise VersionError(
        f"{table}[{key}]",
        "there is no earlier version to roll back to",
        facts=facts,
        effect=_UNCHANGED,
        next_steps=[f"dataplat versions {table} {key}", f"dataplat load {table} --date {key}"],
    )


def rollback_partition(
    platform: Platform, spec: AnyTable, key: str, to_version: str | None, run: RunInfo
) -> RollbackReport:
    """Make an earlier version of one partition visible again.

    Raises:
        LoadInProgressError: A load holds the partition. Nothing was changed.
        VersionError: No version to go back to, or its files are not what the ledger recorded. Nothing
            was changed.
        EngineError: The metastore refused. The partition shows its old or its new version entirely; the
            ledger records which.
    """
    ledger, table = platform.ledger, spec.table
    values = partition_columns(key, spec.window.grain, spec.partition)
    owner = LockOwner.current(run_id=run.run_id, command=run.command)
    with ledger.lock_partitions(table, [key], owner, wait_seconds=run.wait_seconds) as locks:
        store = platform.partitions(spec.engine)
        recover_partitions(ledger, store, locks, table, {key: values})
        history = ledger.history(table, key, limit=None)
        chosen = choose_version(table, key, history, to_version)
        files = _recount(spec, chosen)
        visible = next((row.version for row in history if row.state is VersionState.PUBLISHED), "")
        reason = f"rolled back from {visible}" if visible else "rolled back"
        publish_version(
            ledger,
            store,
            locks,
            table,
            chosen.version,
            {key: (values, chosen.location)},
            reason=reason,
            actor=run.actor,
        )
    return RollbackReport(table, key, ledger.visible(table, [key])[key], visible, files)


def _named(
    table: str,
    key: str,
    history: Sequence[TableVersion],
    to_version: str,
    proven: Sequence[TableVersion],
) -> TableVersion:
    found = next((row for row in history if row.version == to_version), None)
    if found is not None and found.state is VersionState.SUPERSEDED:
        return found
    if found is None:
        problem = f"there is no version {to_version}"
    elif found.state is VersionState.PUBLISHED:
        problem = f"version {to_version} is visible already"
    else:
        problem = f"version {to_version} cannot be made visible: it is {found.state}"
    facts = [("expected", ", ".join(row.version for row in proven) or "none: no earlier version is kept")]
    if found is not None and found.reason:
        facts.append(("reason", found.reason))
    raise VersionError(
        f"{table}[{key}]",
        problem,
        facts=facts,
        effect=_UNCHANGED,
        next_steps=[f"dataplat versions {table} {key}"],
    )


def _recount(spec: AnyTable, chosen: TableVersion) -> FooterCount:
    counts, _ = count_partitions(chosen.location, [""], spec.format)
    files = counts[""]
    if files.rows == chosen.rows and not files.broken and (files.files or exists(chosen.location)):
        return files
    found = f"{files.rows:,} rows in {files.files:,} files"
    if not files.files and not exists(chosen.location):
        found = "its folder is gone"
    elif files.broken:
        name, problem = files.broken[0]
        found = f"{name} cannot be read: {problem}"
    raise VersionError(
        f"{spec.table}[{chosen.partition}]",
        f"the files of version {chosen.version} are not what was recorded",
        facts=[
            ("expected", f"{chosen.rows or 0:,} rows in {chosen.files or 0:,} files"),
            ("found", found),
            ("location", chosen.location),
        ],
        effect=_UNCHANGED,
        next_steps=[
            f"dataplat rollback {spec.table} {chosen.partition} --to VERSION",
            f"dataplat load {spec.table} --date {chosen.partition}",
        ],
    )
