"""What automation remembers: paused tables, arrivals of external partitions, and lateness.

A pause stops what would be launched by itself, and nothing that runs or that a person launches. An arrival is
the newest answer of a readiness probe. A lateness is raised once for a partition, however often it is asked,
and ends when the partition lands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from dataplat.ledger.database import Clock, Database, chunks
from dataplat.ledger.tables import arrival as a
from dataplat.ledger.tables import lateness as late
from dataplat.ledger.tables import pause as p
from dataplat.ledger.tables import table_version as v


@dataclass(frozen=True, kw_only=True)
class Pause:
    """A table that nothing launches by itself until somebody resumes it."""

    id: int
    table: str
    reason: str
    actor: str
    paused_at: datetime
    resumed_at: datetime | None = None
    resumed_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """The newest answer about one partition of an external table.

    Attributes:
        ready: Whether it may be read.
        landed_at: When it came, as the probe found; None if that is not known or it has not come.
        changed_at: When the answer last changed.
        evidence: What was asked and found, in words for people.
    """

    table: str
    partition: str
    ready: bool
    landed_at: datetime | None
    changed_at: datetime | None = None
    evidence: str = ""


@dataclass(frozen=True, kw_only=True)
class Lateness:
    """A partition that was not there at its deadline.

    Attributes:
        landed_at: When it came all the same; None while it is missing.
        reason: Why it was not there, as far as was known when it was raised.
    """

    table: str
    partition: str
    deadline: datetime
    raised_at: datetime
    landed_at: datetime | None = None
    reason: str = ""


class AutomationBook:
    """Part of ``Ledger``: what sensors and schedules ask and record."""

    _database: Database
    _clock: Clock

    def pause(self, table: str, reason: str, actor: str) -> Pause:
        """Pause a table; a pause that is active gets the new reason and actor."""
        now = self._clock()

        def work(connection: Connection) -> Pause:
            query = sa.select(p).where(p.c.table_name == table, p.c.resumed_at.is_(None)).with_for_update()
            found = connection.execute(query).mappings().first()
            said = {"reason": reason, "actor": actor}
            if found is not None:
                connection.execute(p.update().where(p.c.id == found["id"]).values(said))
                return _pause(dict(found) | said)
            values = said | {"table_name": table, "paused_at": now, "resumed_at": None, "resumed_by": ""}
            key = connection.execute(p.insert().values(values)).inserted_primary_key
            assert key is not None
            return _pause(values | {"id": int(key[0])})

        return self._database.write(work, again_on_conflict=True)

    def resume(self, table: str, actor: str) -> Pause | None:
        """End the pause of a table and return it; None if it was not paused."""
        done = {"resumed_at": self._clock(), "resumed_by": actor}

        def work(connection: Connection) -> Pause | None:
            query = sa.select(p).where(p.c.table_name == table, p.c.resumed_at.is_(None)).with_for_update()
            found = connection.execute(query).mappings().first()
            if found is None:
                return None
            connection.execute(p.update().where(p.c.id == found["id"]).values(done))
            return _pause(dict(found) | done)

        return self._database.write(work)

    def pauses(self) -> tuple[Pause, ...]:
        """Return the pauses that are active, by table."""
        query = sa.select(p).where(p.c.resumed_at.is_(None)).order_by(p.c.table_name)
        return tuple(
            self._database.read(lambda connection: [_pause(row) for row in _mappings(connection, query)])
        )

    def record_arrival(self, found: Arrival) -> bool:
        """Keep the newest answer about an external partition; return whether it differs from the last one.

        What was asked and found may differ without the answer being another: then only that is kept.
        """
        key = {"table_name": found.table, "partition_key": found.partition}
        answer = {"ready": int(found.ready), "landed_at": found.landed_at}

        def work(connection: Connection) -> bool:
            row = connection.execute(sa.select(a).filter_by(**key).with_for_update()).mappings().first()
            new = row is None or any(row[name] != value for name, value in answer.items())
            values = answer | {"evidence": found.evidence} | ({"changed_at": self._clock()} if new else {})
            statement = a.update().filter_by(**key) if row is not None else a.insert()
            connection.execute(statement.values(values if row is not None else key | values))
            return new

        return self._database.write(work, again_on_conflict=True)

    def arrivals(self, table: str, partitions: Iterable[str] | None = None) -> dict[str, Arrival]:
        """Return what is known of an external table's partitions, of those asked; absent was never asked."""
        rows = self._rows(a, table, partitions)
        return {row["partition_key"]: _arrival(row) for row in rows}

    def raise_lateness(self, missed: Lateness) -> bool:
        """Record that a partition is late; return False, and change nothing, if that is known already."""
        key = {"table_name": missed.table, "partition_key": missed.partition}
        values = {name: getattr(missed, name) for name in ("deadline", "raised_at", "landed_at", "reason")}

        def work(connection: Connection) -> bool:
            if connection.execute(sa.select(late).filter_by(**key)).first() is not None:
                return False
            connection.execute(late.insert().values(key | values))
            return True

        return self._database.write(work, again_on_conflict=True)

    def end_lateness(self, table: str, partition: str, landed_at: datetime) -> bool:
        """Record when a late partition came; return False if it was not late, or its end is known."""
        where = (late.c.table_name == table, late.c.partition_key == partition, late.c.landed_at.is_(None))
        return self._database.write(
            lambda connection: (
                connection.execute(late.update().where(*where).values(landed_at=landed_at)).rowcount > 0
            )
        )

    def lateness(
        self, table: str | None = None, partitions: Iterable[str] | None = None, *, open_only: bool = False
    ) -> tuple[Lateness, ...]:
        """Return what was ever late, or with ``open_only`` what still is; ``table=None`` is all tables."""
        rows = self._rows(late, table, partitions)
        return tuple(_lateness(row) for row in rows if not (open_only and row["landed_at"] is not None))

    def first_published(self, table: str, partitions: Iterable[str]) -> dict[str, datetime]:
        """Return when each of some partitions was first visible; absent if it never was."""
        keys = tuple(dict.fromkeys(partitions))
        seen = sa.func.min(v.c.published_at, type_=v.c.published_at.type)
        query = sa.select(v.c.partition_key, seen.label("at")).where(
            v.c.table_name == table, v.c.published_at.is_not(None)
        )

        def work(connection: Connection) -> dict[str, datetime]:
            found: dict[str, datetime] = {}
            for chunk in chunks(keys):
                asked = query.where(v.c.partition_key.in_(chunk)).group_by(v.c.partition_key)
                found |= {row.partition_key: row.at for row in connection.execute(asked)}
            return found

        return self._database.read(work)

    def latest_landings(self, table: str, limit: int) -> dict[str, datetime]:
        """Return when the latest partitions of a table were first visible, for those that ever were."""
        query = sa.select(v.c.partition_key).where(v.c.table_name == table, v.c.published_at.is_not(None))
        query = query.distinct().order_by(v.c.partition_key.desc()).limit(limit)
        keys = self._database.read(lambda connection: list(connection.execute(query).scalars()))
        return self.first_published(table, keys)

    def _rows(self, t: sa.Table, table: str | None, partitions: Iterable[str] | None) -> list[RowMapping]:
        query = sa.select(t).order_by(t.c.table_name, t.c.partition_key)
        if table is not None:
            query = query.where(t.c.table_name == table)
        if partitions is None:
            return self._database.read(lambda connection: _mappings(connection, query))
        keys = tuple(dict.fromkeys(partitions))

        def work(connection: Connection) -> list[RowMapping]:
            found: list[RowMapping] = []
            for chunk in chunks(keys):
                found += _mappings(connection, query.where(t.c.partition_key.in_(chunk)))
            return found

        return self._database.read(work)


def _mappings(connection: Connection, query: sa.Select[Any]) -> list[RowMapping]:
    return list(connection.execute(query).mappings())


def _pause(row: Mapping[str, Any] | RowMapping) -> Pause:
    return Pause(
        table=row["table_name"], **{name: row[name] for name in Pause.__dataclass_fields__ if name != "table"}
    )


def _arrival(row: RowMapping) -> Arrival:
    return Arrival(
        table=row["table_name"],
        partition=row["partition_key"],
        ready=bool(row["ready"]),
        **{name: row[name] for name in ("landed_at", "changed_at", "evidence")},
    )


def _lateness(row: RowMapping) -> Lateness:
    return Lateness(
        table=row["table_name"],
        partition=row["partition_key"],
        **{name: row[name] for name in ("deadline", "raised_at", "landed_at", "reason")},
    )
