"""A stand-in for a MySQL source: SQLite in memory, which is sent the very statements a server would be.

It understands what the counting statements are made of (quoted names, half-open windows, ``CASE``,
``GROUP BY``, ``UNION ALL``) and keeps times as text, so windows mean the same. It is no MySQL: types,
collations, time zones and plans are tested on a real server.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import pytest

from dataplat.errors import SourceUnavailableError
from dataplat.lifecycle.recount import Recounter
from dataplat.sources.mysql import InstanceConnections, SourceConnection
from dataplat.specs import TableSpec


class StandInSource:
    """Databases of tables ``(id, at, note)`` and what was sent.

    Attributes:
        sent: Every statement, in order.
        down: Names of sources that cannot be reached.
        breaks: What is said instead of counting a table, by its name.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        self.sent: list[str] = []
        self.down: set[str] = set()
        self.breaks: dict[str, str] = {}

    def make(self, database: str, *tables: str, column: str = "at") -> None:
        """Make empty tables; the databases must be new or the same as before."""
        known = {row[1] for row in self._db.execute("PRAGMA database_list")}
        if database not in known:
            self._db.execute(f"ATTACH ':memory:' AS {database}")
        for table in tables:
            self._db.execute(f"CREATE TABLE {database}.{table} (id INTEGER, {column} TEXT, note TEXT)")

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Carry out a statement as the application that writes would."""
        return self._db.execute(sql, parameters).fetchall()

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self._db.executemany(sql, rows)

    @contextmanager
    def connect(self, recounter: Recounter, spec: TableSpec) -> Iterator[InstanceConnections]:
        """In place of ``Recounter.connect``; all instances are this one."""
        instances = recounter.catalog.instances_of(spec)
        for source in instances.values():
            if source.name in self.down:
                raise SourceUnavailableError(
                    f"source {source.name}", "the server cannot be reached", effect="nothing was read"
                )
        connections = {name: _Connection(self) for name in instances}
        yield InstanceConnections(cast("dict[str, SourceConnection]", connections))

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let everything that counts again ask this instead of a server."""
        monkeypatch.setattr(Recounter, "connect", lambda recounter, spec: self.connect(recounter, spec))


class _Connection:
    """As much of ``SourceConnection`` as counting needs."""

    def __init__(self, stand_in: StandInSource) -> None:
        self._stand_in = stand_in

    def rows(self, sql: str, *, subject: str = "") -> list[tuple[Any, ...]]:
        self._stand_in.sent.append(sql)
        for table, problem in self._stand_in.breaks.items():
            if f"`{table}`" in sql:
                raise SourceUnavailableError(subject, problem)
        return self._stand_in.run(sql)

    def records(self, sql: str, *, subject: str = "") -> list[dict[str, Any]]:
        """Answer the one question that discovery asks: which tables are LIKE this."""
        self._stand_in.sent.append(sql)
        found = re.search(r"table_schema='(\w+)'.*LIKE '([^']+)'", sql, re.IGNORECASE)
        assert found, f"the stand-in cannot read {sql}"
        like = found[2].replace("%", ".*")
        names = self._stand_in.run(f"SELECT name FROM {found[1]}.sqlite_master ORDER BY name")
        return [{"table_name": name} for (name,) in names if re.fullmatch(like, name)]
