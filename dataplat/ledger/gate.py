"""Holds close a published partition to downstreams; waivers let one build pass a closed gate, once.

The ledger answers what *is*; which upstream partitions a downstream needs, and what to do when the
answer is no, is decided elsewhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from dataplat.errors import LedgerError
from dataplat.ledger.database import Clock, Database, chunks, in_utc
from dataplat.ledger.rows import Hold, PartitionStatus, TableVersion, Waiver
from dataplat.ledger.rows import VersionState as S
from dataplat.ledger.states import JUDGED
from dataplat.ledger.tables import hold as h
from dataplat.ledger.tables import table_version as v
from dataplat.ledger.tables import waiver as w
from dataplat.ledger.versions import by_age, version_rows

_NAMES = {"table": "table_name", "partition": "partition_key", "check": "check_name"}


class GateBook:
    """Part of ``Ledger``: what the gate, ``why``, ``hold`` and ``waive`` ask and record."""

    _database: Database
    _clock: Clock

    def hold(self, table: str, partition: str, reason: str, actor: str, *, check: str = "") -> Hold:
        """Hold a partition; a hold of the same check that is active gets the new reason and actor.

        Holding says nothing about the partition's version: it stays visible to readers.
        """
        now = self._clock()
        key = {"table_name": table, "partition_key": partition, "check_name": check}

        def work(connection: Connection) -> Hold:
            query = sa.select(h).filter_by(**key).where(h.c.released_at.is_(None)).with_for_update()
            found = connection.execute(query).mappings().first()
            said = {"reason": reason, "actor": actor}
            if found is not None:
                connection.execute(h.update().where(h.c.id == found["id"]).values(said))
                return _hold(dict(found) | said)
            values = (
                key | said | {"held_at": now, "released_at": None, "released_by": "", "release_reason": ""}
            )
            result = connection.execute(h.insert().values(values))
            return _hold(values | {"id": _new_id(result)})

        return self._database.write(work, again_on_conflict=True)

    def release_hold(
        self, table: str, partition: str, actor: str, *, reason: str = "", check: str | None = None
    ) -> tuple[Hold, ...]:
        """Release the active holds of a partition (of one check, or all) and return them; may be none."""
        now = self._clock()
        done = {"released_at": now, "released_by": actor, "release_reason": reason}

        def work(connection: Connection) -> tuple[Hold, ...]:
            query = _active_holds([table], [partition]).with_for_update()
            if check is not None:
                query = query.where(h.c.check_name == check)
            found = connection.execute(query).mappings().all()
            ids = [row["id"] for row in found]
            connection.execute(h.update().where(h.c.id.in_(ids)).values(done))
            return tuple(_hold(dict(row) | done) for row in found)

        return self._database.write(work)

    def holds(
        self, table: str | None, partitions: Iterable[str] | None = None, *, released: bool = False
    ) -> tuple[Hold, ...]:
        """Return active holds, or with ``released`` all that ever were. ``table=None`` is all tables."""
        query = sa.select(h).order_by(h.c.table_name, h.c.partition_key, h.c.id)
        if table is not None:
            query = query.where(h.c.table_name == table)
        if not released:
            query = query.where(h.c.released_at.is_(None))
        return tuple(_hold(row) for row in self._of_partitions(query, h, partitions))

    def waive(
        self, table: str, partition: str, *, reason: str, actor: str, until: datetime, check: str = ""
    ) -> Waiver:
        """Allow one build to pass the gate of a partition before ``until``.

        Raises:
            LedgerError: If ``until`` is over. Nothing was recorded.
        """
        now = self._clock()
        if until <= now:
            raise LedgerError(
                f"{table}[{partition}]",
                "a waiver must end in the future",
                facts=[("until", in_utc(until)), ("now", in_utc(now))],
                effect="the gate stays closed",
                next_steps=[f"dataplat waive {table} {partition} --reason … --until …"],
            )
        values: dict[str, Any] = {
            "table_name": table,
            "partition_key": partition,
            "check_name": check,
            "reason": reason,
            "actor": actor,
            "created_at": now,
            "until": until,
            "used_at": None,
            "used_by": "",
        }
        new_id = self._database.write(
            lambda connection: _new_id(connection.execute(w.insert().values(values)))
        )
        return _waiver(values | {"id": new_id})

    def waivers(
        self, table: str | None, partitions: Iterable[str] | None = None, *, open_only: bool = True
    ) -> tuple[Waiver, ...]:
        """Return the waivers that can still be used, or all that ever were; the oldest first."""
        query = sa.select(w).order_by(w.c.id)
        if table is not None:
            query = query.where(w.c.table_name == table)
        if open_only:
            query = query.where(w.c.used_at.is_(None), w.c.until > self._clock())
        return tuple(_waiver(row) for row in self._of_partitions(query, w, partitions))

    def use_waiver(self, table: str, partition: str, by: str) -> Waiver | None:
        """Use up the open waiver that ends first, and return it; None if there is none.

        Of two callers at once, one waiver lets exactly one pass.
        """
        now = self._clock()

        def work(connection: Connection) -> Waiver | None:
            query = sa.select(w).where(
                w.c.table_name == table,
                w.c.partition_key == partition,
                w.c.used_at.is_(None),
                w.c.until > now,
            )
            query = query.order_by(w.c.until, w.c.id).limit(1).with_for_update()
            found = connection.execute(query).mappings().first()
            if found is None:
                return None
            used = {"used_at": now, "used_by": by}
            connection.execute(w.update().where(w.c.id == found["id"]).values(used))
            return _waiver(dict(found) | used)

        return self._database.write(work)

    def statuses(self, table: str, partitions: Iterable[str]) -> dict[str, PartitionStatus]:
        """Return what is visible, begun last and held, for each partition asked, as of one moment."""
        return self.statuses_of({table: tuple(partitions)})[table]

    def statuses_of(self, asked: Mapping[str, Iterable[str]]) -> dict[str, dict[str, PartitionStatus]]:
        """Return the statuses of partitions of many tables, as of one moment, by few questions.

        Args:
            asked: Partitions by table. Tables with equal partitions share a question.

        Returns:
            By table and partition; every partition asked for is there.
        """
        keys = {table: tuple(dict.fromkeys(partitions)) for table, partitions in asked.items()}
        together: dict[tuple[str, ...], list[str]] = {}
        for table, partitions in keys.items():
            together.setdefault(partitions, []).append(table)

        def work(connection: Connection) -> tuple[list[TableVersion], list[Hold]]:
            versions: list[TableVersion] = []
            holds: list[Hold] = []
            for partitions, tables in together.items():
                for names in chunks(tables):
                    versions += version_rows(connection, None, partitions, v.c.table_name.in_(names))
                    for some in chunks(partitions):
                        found = connection.execute(_active_holds(names, some)).mappings()
                        holds += map(_hold, found)
            return versions, holds

        versions, holds = self._database.read(work)
        latest: dict[tuple[str, str], TableVersion] = {}
        published: dict[tuple[str, str], TableVersion] = {}
        judged: dict[tuple[str, str], TableVersion] = {}
        for row in sorted(versions, key=by_age):
            latest[row.table, row.partition] = row
            if row.state is S.PUBLISHED:
                published[row.table, row.partition] = row
            if row.state in JUDGED:
                judged[row.table, row.partition] = row
        rejected = {place: row for place, row in judged.items() if row.state is S.REJECTED}
        held: dict[tuple[str, str], list[Hold]] = {}
        for hold in holds:
            held.setdefault((hold.table, hold.partition), []).append(hold)
        return {
            table: {
                key: PartitionStatus(
                    table=table,
                    partition=key,
                    published=published.get((table, key)),
                    latest=latest.get((table, key)),
                    holds=tuple(held.get((table, key), ())),
                    rejected=rejected.get((table, key)),
                )
                for key in partitions
            }
            for table, partitions in keys.items()
        }

    def _of_partitions(
        self, query: sa.Select[Any], t: sa.Table, partitions: Iterable[str] | None
    ) -> list[RowMapping]:
        keys = None if partitions is None else tuple(dict.fromkeys(partitions))

        def work(connection: Connection) -> list[RowMapping]:
            if keys is None:
                return list(connection.execute(query).mappings())
            found: list[RowMapping] = []
            for chunk in chunks(keys):
                found += connection.execute(query.where(t.c.partition_key.in_(chunk))).mappings()
            return found

        return self._database.read(work)


def _active_holds(tables: Sequence[str], partitions: Sequence[str]) -> sa.Select[Any]:
    query = sa.select(h).where(h.c.table_name.in_(tables), h.c.partition_key.in_(partitions))
    return query.where(h.c.released_at.is_(None)).order_by(h.c.id)


def _new_id(result: sa.CursorResult[Any]) -> int:
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def _hold(row: Mapping[str, Any] | RowMapping) -> Hold:
    return Hold(**{name: row[_NAMES.get(name, name)] for name in Hold.__dataclass_fields__})


def _waiver(row: Mapping[str, Any] | RowMapping) -> Waiver:
    return Waiver(**{name: row[_NAMES.get(name, name)] for name in Waiver.__dataclass_fields__})
