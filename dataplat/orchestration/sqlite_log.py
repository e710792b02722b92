"""Dagster's event log in SQLite, its default on one machine, with connections that are kept.

What arrives: everything that Dagster is told. 336 hours with five checks are 336 materializations and 1,680
evaluations, and an evaluation is three transactions.

What surprises, measured: Dagster makes a new engine for each transaction. So each opens the file, compiles
its statements anew, and, closing the file for the last time, folds the write-ahead log back into it; and
every commit waits for the disk. 100 partitions with five checks: 6.8 s so, 1.9 s with what is kept here.

What is kept: the engine and one connection of the index and of the runs written last. Dagster lets one thread
at a time use a connection of this log, so one is enough.

What we give up: a power failure may cost Dagster its events of the last seconds, never the file. The ledger,
which says what is visible and why, waits for the disk as before.

A new home's ``dagster.yaml`` names this class. Whoever keeps Dagster's storage elsewhere does not meet it.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS

_RUNS_KEPT = 4


class _QuickConnection(sqlite3.Connection):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.execute("PRAGMA synchronous = NORMAL")


class KeptSqliteEventLog(SqliteEventLogStorage):
    """Dagster's own SQLite event log; only how it connects is different."""

    _engines: OrderedDict[str, Any]  # of SQLAlchemy

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines = OrderedDict()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "KeptSqliteEventLog":
        """Return the log of an instance. Called by Dagster."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Any]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def wipe(self) -> None:
        """Forget everything. Called by Dagster."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Close what is open. Called by Dagster."""
        self._close()
        super().dispose()

    def _engine(self, shard: str) -> Any:
        if shard not in self._engines:
            # One connection is kept; what _initdb opens beside it is not.
            arguments = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "factory": _QuickConnection}
            self._engines[shard] = create_engine(
                self.conn_string_for_shard(shard), pool_size=1, connect_args=arguments
            )
            runs = [kept for kept in self._engines if kept != INDEX_SHARD_NAME]
            for old in runs[:-_RUNS_KEPT]:
                self._engines.pop(old).dispose()
        self._engines.move_to_end(shard)
        return self._engines[shard]

    def _close(self) -> None:
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()
