"""Ending what still runs at a source in our name.

A server does not notice that a client is gone while a query returns nothing: a count goes on for hours
after its process was killed, and so does a read whose first row is far away. Every query carries its
token (``query_tag``), and an account may see and kill its own threads without any further right.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from dataplat.sources.query_tag import tag_pattern

CONNECT_SECONDS = 5
POLL_SECONDS = 0.1
_NO_SUCH_THREAD = 1094
_BUSY = ((1040,), (1203,), (1226,))


@dataclass(frozen=True)
class Account:
    """Where and as whom queries were sent. The password stays out of ``repr``."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)

    def connect(self) -> "Connection[Cursor]":
        """Log in, as ``open_source`` does. Raises pymysql.Error."""
        return pymysql.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=CONNECT_SECONDS,
            autocommit=True,
        )


def end_queries(
    account: Account,
    tokens: Collection[str],
    *,
    patience_seconds: float = 5,
    quiet_seconds: float = 0,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """End the queries of some tokens and return how many connections were closed; never raises.

    Returns once the server shows none of them any more and has shown none for ``quiet_seconds``: an engine
    that has not heard of the end begins a failed read again. A server that cannot be reached runs nothing
    that could be ended from here, so it is asked again only if quiet is asked for; one that has no connection
    left is asked again in any case, until ``patience_seconds`` are over.
    """
    closed: set[int] = set()
    begun = quiet_since = time.monotonic()
    while tokens and time.monotonic() - begun < patience_seconds:
        try:
            found = _end_once(account, tokens)
        except (pymysql.Error, OSError) as error:
            if not quiet_seconds and error.args[:1] not in _BUSY:
                break
            quiet_since = time.monotonic()
            sleep(1)
            continue
        if found:
            closed |= found
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since >= quiet_seconds:
            break
        sleep(POLL_SECONDS if found else max(POLL_SECONDS, min(quiet_seconds, 1)))
    return len(closed)


def _end_once(account: Account, tokens: Collection[str]) -> set[int]:
    with account.connect() as connection, connection.cursor() as cursor:
        running = _running(cursor, tokens)
        for number in running:
            _kill(cursor, number)
        return set(running)


def _running(cursor: Cursor, tokens: Collection[str]) -> list[int]:
    like = " OR ".join(["INFO LIKE %s"] * len(tokens))
    cursor.execute(
        f"SELECT ID FROM information_schema.PROCESSLIST WHERE ({like}) AND ID <> CONNECTION_ID()",
        [tag_pattern(token) for token in tokens],
    )
    return [int(row[0]) for row in cursor.fetchall()]


def _kill(cursor: Cursor, number: int) -> None:
    try:
        cursor.execute(f"KILL {number}")
    except pymysql.Error as error:
        if error.args[0] != _NO_SUCH_THREAD:
            raise
