"""One connection pool to the ledger's database, with the same promises on SQLite and on MySQL.

A write is a function that gets a connection and runs in one transaction. It may run more than once:
MySQL picks a victim when two transactions deadlock, and the victim is expected to try again. SQLite
takes its write lock at the beginning (``BEGIN IMMEDIATE``), because a transaction that begins as a
reader and then writes fails at once, without waiting, if anybody wrote in between.
"""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from dataplat.errors import LedgerError
from dataplat.ledger.troubles import explain, is_deadlock

T = TypeVar("T")
Clock = Callable[[], datetime]
BUSY_SECONDS = 30
DEADLOCK_TRIES = 8
IN_CHUNK = 500


def utc_now() -> datetime:
    """Return the time the ledger writes when no other clock was given to it."""
    return datetime.now(UTC)


def in_utc(moment: datetime) -> str:
    """Return a time as messages show it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut ``items`` so that each piece fits into one IN list on every backend."""
    for start in range(0, len(items), IN_CHUNK):
        yield items[start : start + IN_CHUNK]


def parse_url(url: str) -> URL:
    """Return ``url`` as SQLAlchemy reads it.

    Raises:
        LedgerError: If it is no URL, or of a database that the ledger does not run on.
    """
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        found = "something that is no database URL"
    else:
        if parsed.drivername in ("sqlite", "mysql+pymysql", "mariadb+pymysql"):
            return parsed
        found = f"{parsed.drivername}://…"
    raise LedgerError(
        "ledger",
        "the URL cannot be used",
        facts=[
            ("expected", "sqlite:///path/ledger.db or mysql+pymysql://user:password@host:port/database"),
            ("found", found),
            ("declared", "platform.yaml: ledger"),
        ],
        effect="the ledger was not opened",
        next_steps=["dataplat check"],
    )


class Database:
    """The ledger's database, or that of results. Nothing is connected until it is first used.

    Every method raises LedgerError, with the password masked, if the database cannot be reached or
    refuses; then the transaction has not happened.
    """

    def __init__(self, url: URL, name: str = "ledger") -> None:
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"
        shown = url.set(query={}).render_as_string(hide_password=True)
        self.subject = f"{name} " + (f"sqlite:///{url.database or ''}" if self.is_sqlite else shown)
        self.path = Path(url.database) if self.is_sqlite and url.database else None
        if self.is_sqlite and (self.path is None or url.database == ":memory:"):
            raise LedgerError(
                self.subject,
                "a ledger in memory would forget everything",
                facts=[("expected", "sqlite:///path/ledger.db"), ("declared", "platform.yaml: ledger")],
                effect="the ledger was not opened",
                next_steps=["name a file in platform.yaml: ledger"],
            )
        self.engine = _sqlite_engine(url) if self.is_sqlite else _mysql_engine(url)
        self._writer = self.engine.execution_options(ledger_write=True)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in one read transaction: everything it reads is as of one moment."""
        try:
            with self.engine.connect() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise explain(self.subject, error) from error

    def write(self, work: Callable[[Connection], T], *, again_on_conflict: bool = False) -> T:
        """Run ``work`` in one transaction, again if it was a deadlock's victim; commit, or change nothing.

        ``again_on_conflict`` runs it again too if it inserted a key that somebody else had just inserted.
        It is for work that looks first: MySQL does not lock rows that are not there.
        """
        for attempt in range(1, DEADLOCK_TRIES + 1):
            try:
                with self._writer.begin() as connection:
                    return work(connection)
            except SQLAlchemyError as error:
                again = is_deadlock(error) or (again_on_conflict and isinstance(error, IntegrityError))
                if attempt == DEADLOCK_TRIES or not again:
                    raise explain(self.subject, error) from error
            time.sleep(random.uniform(0.005, 0.02) * attempt)  # noqa: S311 - spreads the victims, no secret
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Give back every connection. The next use connects again."""
        self.engine.dispose()


def _sqlite_engine(url: URL) -> Engine:
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _hand_transactions_to_sqlalchemy(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _take_the_write_lock_first(connection: Connection) -> None:
        write = connection.get_execution_options().get("ledger_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _mysql_engine(url: URL) -> Engine:
    engine = sa.create_engine(
        url if "charset" in url.query else url.update_query_dict({"charset": "utf8mb4"}),
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 10,
            "init_command": "SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',STRICT_ALL_TABLES')",
        },
    )

    @event.listens_for(engine, "begin")
    def _read_as_of_one_moment(connection: Connection) -> None:
        # Writers want what is committed now and no gap locks; readers of many statements want one snapshot.
        if not connection.get_execution_options().get("ledger_write", False):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    return engine
