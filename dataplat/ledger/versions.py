"""The versions of partitions: which are being made, which answers readers, which are left to collect.

Every method takes or returns rows of one table. Each changing method is one transaction: it changes
all the partitions that it was given, or none.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from dataplat.errors import LedgerError
from dataplat.ledger.database import Clock, Database, chunks, in_utc
from dataplat.ledger.lock_rows import refuse_lost
from dataplat.ledger.locks import PartitionLocks
from dataplat.ledger.rows import TableVersion, VersionCounts
from dataplat.ledger.rows import VersionState as S
from dataplat.ledger.states import ENDED, refuse_illegal
from dataplat.ledger.tables import table_version as t

_RENAMED = {
    "table": "table_name",
    "partition": "partition_key",
    "rows": "rows_count",
    "files": "files_count",
    "bytes": "bytes_count",
}
_COLUMNS = [t.c[_RENAMED.get(name, name)].label(name) for name in TableVersion.__dataclass_fields__]
_SELECT = sa.select(*_COLUMNS)


class VersionBook:
    """Part of ``Ledger``: begin, advance, publish and look up versions."""

    _database: Database
    _clock: Clock

    def begin(self, versions: Iterable[TableVersion]) -> tuple[TableVersion, ...]:
        """Record that these partitions are being made, and return the rows as recorded.

        Raises:
            LedgerError: If one of them has begun before. None was recorded.
        """
        now = self._clock()
        rows = tuple(
            replace(v, state=S.STAGING, created_at=v.created_at or now, changed_at=now) for v in versions
        )

        def work(connection: Connection) -> None:
            for version in {(row.table, row.version) for row in rows}:
                _refuse_begun(connection, [row for row in rows if (row.table, row.version) == version])
            connection.execute(t.insert(), [_values(row) for row in rows])

        if rows:
            self._database.write(work)
        return rows

    def advance(
        self,
        table: str,
        version: str,
        partitions: Iterable[str],
        to: S,
        *,
        reason: str = "",
        actor: str = "",
        counts: Mapping[str, VersionCounts] | None = None,
        locks: PartitionLocks | None = None,
    ) -> None:
        """Move a version of these partitions to the state ``to``, with what was counted on the way.

        ``counts`` is by partition; a partition without an entry keeps the counts it has. With ``locks``
        nothing changes unless they are still held on all the partitions.

        Raises:
            LedgerError: If a partition has no such version, or ``to`` may not follow its state.
                Nothing was changed.
            LostLockError: If a lock was taken over. Nothing was changed.
            ValueError: If ``to`` is published: that is what ``publish`` is for.
        """
        if to is S.PUBLISHED:
            raise ValueError("only publish() makes a version visible")
        keys = tuple(dict.fromkeys(partitions))
        now = self._clock()

        def work(connection: Connection) -> None:
            if locks is not None:
                refuse_lost(connection, table, locks.token, keys)
            _check_states(connection, table, version, keys, to)
            changes = {"state": to, "changed_at": now, "changed_by": actor, "reason": reason}
            _change(connection, table, version, keys, changes | _times(to, now))
            _write_counts(connection, table, version, {key: (counts or {}).get(key) for key in keys})

        self._database.write(work)

    def publish(
        self,
        table: str,
        version: str,
        partitions: Iterable[str],
        locks: PartitionLocks,
        *,
        reason: str = "",
        actor: str = "",
    ) -> tuple[str, ...]:
        """Make a version the visible one of these partitions; what was visible becomes superseded.

        Call it when the metastore points to the version. Returns the partitions for which an older
        version was superseded.

        Raises:
            LostLockError: If a lock was taken over by another load. Nothing was changed.
            LedgerError: If a partition's version is not in the state publishing. Nothing was changed.
        """
        keys = tuple(dict.fromkeys(partitions))
        now = self._clock()

        def work(connection: Connection) -> tuple[str, ...]:
            refuse_lost(connection, table, locks.token, keys)
            _check_states(connection, table, version, keys, S.PUBLISHED)
            older = tuple(
                row.partition for row in version_rows(connection, table, keys, t.c.state == S.PUBLISHED)
            )
            changes: dict[str, Any] = {"changed_at": now, "changed_by": actor}
            out = {"state": S.SUPERSEDED, "ended_at": now, "reason": f"superseded by {version}"}
            for chunk in chunks(keys):
                was_visible = (
                    t.c.table_name == table,
                    t.c.partition_key.in_(chunk),
                    t.c.state == S.PUBLISHED,
                )
                connection.execute(t.update().where(*was_visible).values(changes | out))
            seen = sa.func.coalesce(t.c.published_at, sa.bindparam("now", now, t.c.published_at.type))
            into = {"state": S.PUBLISHED, "ended_at": None, "published_at": seen, "reason": reason}
            _change(connection, table, version, keys, changes | into)
            return older

        return self._database.write(work)

    def forget_files(self, table: str, version: str, partition: str, locks: PartitionLocks) -> None:
        """Record that the files of a version are deleted, and keep everything else that is known of it.

        Raises:
            LostLockError: If the lock was taken over. Nothing was changed.
        """

        def work(connection: Connection) -> None:
            refuse_lost(connection, table, locks.token, [partition])
            _change(connection, table, version, [partition], {"location": ""})

        self._database.write(work)

    def visible(self, table: str, partitions: Iterable[str] | None = None) -> dict[str, TableVersion]:
        """Return the published version by partition, in partition order; unpublished ones are absent."""
        rows = self.in_state(table, {S.PUBLISHED}, partitions)
        return {row.partition: row for row in rows}

    def visible_before(self, table: str, partition: str, *, limit: int) -> tuple[TableVersion, ...]:
        """Return the published versions of the last partitions before this one, newest partition first."""
        query = (
            _SELECT.where(t.c.table_name == table, t.c.state == S.PUBLISHED, t.c.partition_key < partition)
            .order_by(t.c.partition_key.desc())
            .limit(limit)
        )
        return self._database.read(lambda connection: _rows(connection.execute(query)))

    def history(
        self, table: str, partition: str | None = None, *, limit: int | None = 100
    ) -> tuple[TableVersion, ...]:
        """Return versions in any state, the one begun last first."""
        query = _SELECT.where(t.c.table_name == table)
        if partition is not None:
            query = query.where(t.c.partition_key == partition)
        query = query.order_by(t.c.created_at.desc(), t.c.version.desc(), t.c.partition_key.desc()).limit(
            limit
        )
        return self._database.read(lambda connection: _rows(connection.execute(query)))

    def in_state(
        self, table: str | None, states: Collection[S], partitions: Iterable[str] | None = None
    ) -> tuple[TableVersion, ...]:
        """Return the versions in one of ``states``, by partition and age. ``table=None`` is all tables."""
        keys = None if partitions is None else tuple(dict.fromkeys(partitions))
        condition = t.c.state.in_(sorted(states))
        rows = self._database.read(lambda connection: version_rows(connection, table, keys, condition))
        return tuple(sorted(rows, key=by_age))


def by_age(row: TableVersion) -> tuple[str, str, str, str]:
    """Sort key: by table and partition, the version begun last at the end."""
    return row.table, row.partition, row.created_at.isoformat() if row.created_at else "", row.version


def _refuse_begun(connection: Connection, rows: Sequence[TableVersion]) -> None:
    table, version = rows[0].table, rows[0].version
    found = version_rows(connection, table, [row.partition for row in rows], t.c.version == version)
    if not found:
        return
    began = found[0].created_at
    assert began is not None, "every recorded version has one"
    raise LedgerError(
        f"{table}[{found[0].partition}]",
        f"version {version} has begun before",
        facts=[("found", f"state {found[0].state}, begun {in_utc(began)}")],
        effect="the ledger was not changed",
        next_steps=[f"dataplat ledger {table} {found[0].partition}"],
    )


def _check_states(connection: Connection, table: str, version: str, keys: Sequence[str], to: S) -> None:
    found = {
        row.partition: row for row in version_rows(connection, table, keys, t.c.version == version, lock=True)
    }
    for key in keys:
        if key not in found:
            raise LedgerError(
                f"{table}[{key}]",
                f"the ledger knows no version {version}",
                effect="the ledger was not changed",
                next_steps=[f"dataplat versions {table} {key}"],
            )
        refuse_illegal(table, key, version, found[key].state, to)


def _times(to: S, now: datetime) -> dict[str, Any]:
    if to in ENDED:
        return {"ended_at": now}
    return {} if to is S.COLLECTED else {"ended_at": None}


def _change(
    connection: Connection, table: str, version: str, keys: Sequence[str], changes: Mapping[str, Any]
) -> None:
    for chunk in chunks(keys):
        where = (t.c.table_name == table, t.c.version == version, t.c.partition_key.in_(chunk))
        connection.execute(t.update().where(*where).values(changes))


def _write_counts(
    connection: Connection, table: str, version: str, counts: Mapping[str, VersionCounts | None]
) -> None:
    rows = [{"b_key": key, **{f"b_{k}": v for k, v in asdict(c).items()}} for key, c in counts.items() if c]
    if not rows:
        return
    where = (t.c.table_name == table, t.c.version == version, t.c.partition_key == sa.bindparam("b_key"))
    values = {
        t.c[f"{name}_count"]: sa.func.coalesce(
            sa.bindparam(f"b_{name}", type_=sa.BigInteger), t.c[f"{name}_count"]
        )
        for name in ("rows", "files", "bytes")
    }
    connection.execute(t.update().where(*where).values(values), rows)


def version_rows(
    connection: Connection,
    table: str | None,
    keys: Sequence[str] | None,
    condition: sa.ColumnElement[bool],
    *,
    lock: bool = False,
) -> tuple[TableVersion, ...]:
    """Return the versions that fit, in no order; with ``lock`` they stay as they are until commit."""
    query = _SELECT.where(condition)
    if table is not None:
        query = query.where(t.c.table_name == table)
    if lock:
        query = query.with_for_update()
    if keys is None:
        return _rows(connection.execute(query))
    found: list[TableVersion] = []
    for chunk in chunks(keys):
        found += _rows(connection.execute(query.where(t.c.partition_key.in_(chunk))))
    return tuple(found)


def _values(row: TableVersion) -> dict[str, Any]:
    return {_RENAMED.get(name, name): value for name, value in vars(row).items()}


def _rows(result: Iterable[Row[Any]]) -> tuple[TableVersion, ...]:
    return tuple(TableVersion(**{**row._mapping, "state": S(row.state)}) for row in result)
