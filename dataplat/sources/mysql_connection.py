"""Connections to a MySQL or MariaDB source: opened for a piece of work, always closed after it.

Every error of the driver leaves here as a ``SourceError``; nothing above sees SQLAlchemy or pymysql.
Statements are sent as they are: a ``%`` in ``DATE_FORMAT(…, '%Y')`` needs no doubling.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import pymysql
from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from dataplat.errors import SourceUnavailableError
from dataplat.plan.sql import PhysicalTable
from dataplat.sources.guard import ask_guard
from dataplat.sources.mysql_errors import explain_error
from dataplat.sources.mysql_session import CONNECT_TIMEOUT_SECONDS, session_statement
from dataplat.specs import SecretResolver, SourceSpec

READ_TIMEOUT_SECONDS = 2000
WAIT_SECONDS = 2000
_GRACE_SECONDS = 30

Row = tuple[Any, ...]


class SourceConnection:
    """One connection to a source, read-only, in the source's time zone, each statement on its own.

    Statements begin with the tag, if there is one, so that the server's process list says whose they are.
    """

    def __init__(self, source: SourceSpec, connection: Connection, tag: str = "") -> None:
        self.source = source
        self._connection = connection
        self._lead = f"{tag} " if tag else ""

    def rows(self, sql: str, *, subject: str = "") -> list[Row]:
        """Return all rows of one statement; none if it is of a kind that has no result.

        Raises:
            SourceError: If the server refuses it; the message shows the place in the statement.
            SourceUnavailableError: If the server cannot be reached or drops the connection.
        """
        with _explained(self.source, subject, sql):
            result = self._connection.exec_driver_sql(self._lead + sql)
            return [tuple(row) for row in result] if result.returns_rows else []

    def records(self, sql: str, *, subject: str = "") -> list[dict[str, Any]]:
        """Return all rows of one statement by column name, in lower case."""
        with _explained(self.source, subject, sql):
            result = self._connection.exec_driver_sql(self._lead + sql)
            names = [name.lower() for name in result.keys()]  # noqa: SIM118 - a result is no mapping
            return [dict(zip(names, row, strict=True)) for row in result]

    def fields(self, sql: str, *, subject: str = "") -> list[Any]:
        """Return what the server says about the columns of a result, as the driver's field packets.

        The public description has neither the unsigned flag nor the character set, and both decide types.
        """
        with _explained(self.source, subject, sql):
            result = self._connection.exec_driver_sql(self._lead + sql)
            fields = list(result.cursor._result.fields)
            result.close()
            return fields


class OpenSource:
    """A source that is in use: hands out connections, several at once up to its budget."""

    def __init__(self, source: SourceSpec, engine: Engine, tag: str = "") -> None:
        self.source = source
        self._engine = engine
        self._tag = tag

    @contextmanager
    def connect(self) -> Iterator[SourceConnection]:
        """Give one connection for the ``with`` block; beyond the budget it waits for another to end."""
        with _explained(self.source, "", ""):
            connection = self._engine.connect()
        try:
            yield SourceConnection(self.source, connection.execution_options(no_parameters=True), self._tag)
        finally:
            connection.close()


@contextmanager
def open_source(
    source: SourceSpec, secrets: SecretResolver, tag: str = "", connections: int | None = None
) -> Iterator[OpenSource]:
    """Open a source for the ``with`` block. All its connections are closed afterwards, whatever happens.

    Args:
        source: The server.
        secrets: Where its password is.
        tag: The comment that every statement begins with (``query_tag``), of somebody who has taken the
            connections already. Without it they are taken here, if there is a guard.
        connections: How many at most; without it those of a load.

    Raises:
        MissingSecretError: If the password is nowhere. Nothing was sent.
    """
    count = connections or source.budget.connections_a_load
    with nullcontext(tag) if tag else ask_guard(source, count) as tag_now:
        engine = _engine(source, secrets, count)
        try:
            yield OpenSource(source, engine, tag_now)
        finally:
            engine.dispose()


def _engine(source: SourceSpec, secrets: SecretResolver, connections: int) -> Engine:
    seconds = source.budget.max_execution_seconds
    return create_engine(
        URL.create("mysql+pymysql", source.user, source.password.reveal(secrets), source.host, source.port),
        isolation_level="AUTOCOMMIT",
        pool_pre_ping=True,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
        hide_parameters=True,
        connect_args={
            "charset": "utf8mb4",
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "read_timeout": seconds + _GRACE_SECONDS if seconds else READ_TIMEOUT_SECONDS,
            "init_command": session_statement(source),
        },
    )


class InstanceConnections:
    """One connection to each instance that a logical table is on."""

    def __init__(self, by_name: Mapping[str, SourceConnection]) -> None:
        self.by_name = by_name

    def to(self, table: PhysicalTable) -> SourceConnection:
        """Return the connection to the instance of a physical table."""
        return self.by_name[table.source]


@contextmanager
def connect_instances(
    instances: Mapping[str, SourceSpec], secrets: SecretResolver, tag_of: Callable[[str], str] = lambda _: ""
) -> Iterator[InstanceConnections]:
    """Give one connection to each instance, by name, for the ``with`` block.

    Args:
        instances: By what the physical tables call theirs.
        secrets: Where their passwords are.
        tag_of: The comment that every statement to a source begins with, by the source's name.
    """
    with ExitStack() as opened:
        yield InstanceConnections(
            {
                name: opened.enter_context(connect_source(one, secrets, tag_of(one.name)))
                for name, one in instances.items()
            }
        )


@contextmanager
def connect_source(source: SourceSpec, secrets: SecretResolver, tag: str = "") -> Iterator[SourceConnection]:
    """Open a source and give one connection for the ``with`` block."""
    with open_source(source, secrets, tag, 1) as opened, opened.connect() as connection:
        yield connection


@contextmanager
def _explained(source: SourceSpec, subject: str, sql: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        cause = error.orig or error
        raise explain_error(source, cause, subject=subject, sql=sql) from cause
    except pymysql.Error as error:
        raise explain_error(source, error, subject=subject, sql=sql) from error
    except NoFreeConnection as error:
        raise SourceUnavailableError(
            subject or f"source {source.name}",
            "all connections of the budget are in use",
            facts=[
                ("expected", f"one of {source.budget.connections_a_load} to become free"),
                ("declared", source.declared.at("budget")),
            ],
            effect="nothing was read",
            next_steps=["raise budget.connections"],
        ) from error
