"""Connections of a source, counted over all runs and processes that share the ledger.

A process asks for some connections with a *ticket*: a row that waits until enough of the source's budget
is free, and whose turn comes in the order of asking, so that a large wish is not overtaken for ever by
small ones. Whoever holds connections never asks for more of the same source, so nobody waits in a circle.

A holder that is gone gives back at once: its row is taken away by whoever asks next. What it was running
at the source may still run there, so its token travels to the one who took the row away
(``inherited``), who ends those queries first. A process of another machine counts as gone when its lease
has run out; one of this machine as long as it lives, however slow it is, counts as there.
"""

import random
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dataplat.errors import LedgerError
from dataplat.ledger.database import Clock, Database, in_utc
from dataplat.ledger.lock_rows import LockOwner, is_this_host
from dataplat.ledger.locks import LEASE, POLL_SECONDS, RENEW
from dataplat.ledger.tables import source_connection as t

Waiting = Callable[["Sequence[ConnectionTicket]"], None]


@dataclass(frozen=True, kw_only=True)
class ConnectionTicket:
    """A row of ``source_connection``: who holds, or waits for, how many connections of a source."""

    number: int
    source: str
    token: str
    connections: int
    purpose: str
    owner: LockOwner
    asked_at: datetime
    granted_at: datetime | None
    expires_at: datetime

    def is_stale(self, now: datetime) -> bool:
        """Whether its process is gone, as far as can be known from here."""
        return self.owner.is_gone() if is_this_host(self.owner) else self.expires_at <= now

    def describe(self) -> str:
        """Return who it is, in the words of every message about it."""
        run = f", run {self.owner.run_id}" if self.owner.run_id else ""
        since = in_utc(self.granted_at or self.asked_at)
        return f"{self.purpose} (pid {self.owner.pid} on {self.owner.host}{run}, since {since})"


class HeldConnections:
    """Connections that may be opened until this is released; a context manager.

    Attributes:
        token: Names them, and every query that is sent over them.
        inherited: Tokens of holders that are gone, whose queries may still run.
    """

    def __init__(self, database: Database, clock: Clock, source: str, count: int, token: str) -> None:
        self._database, self._clock = database, clock
        self.source, self.count, self.token = source, count, token
        self.inherited: tuple[str, ...] = ()
        self._released = threading.Event()
        self._renewer = threading.Thread(target=self._keep_renewing, name=f"lease {source}", daemon=True)

    def release(self) -> None:
        """Give the connections back; safe to call again. Never raises: a row of a dead process is taken."""
        if self._released.is_set():
            return
        self._released.set()
        try:
            self._database.write(
                lambda connection: connection.execute(t.delete().where(t.c.token == self.token))
            )
        except LedgerError:
            return

    def renew(self) -> None:
        """Prolong the lease now. Normally the thread does it."""
        update = t.update().where(t.c.token == self.token).values(expires_at=self._clock() + LEASE)
        self._database.write(lambda connection: connection.execute(update))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _keep_renewing(self) -> None:
        while not self._released.wait(RENEW.total_seconds()):
            try:
                self.renew()
            except LedgerError:
                continue  # the lease outlives three failures


class ConnectionBook:
    """Part of ``Ledger``: hand out the connections of sources."""

    _database: Database
    _clock: Clock

    def take_connections(
        self,
        source: str,
        count: int,
        owner: LockOwner,
        *,
        limit: int,
        purpose: str,
        waiting: Waiting = lambda _: None,
    ) -> HeldConnections:
        """Return ``count`` connections of a source as soon as fewer than ``limit`` others are held.

        Args:
            source: Its name.
            count: How many; more than ``limit`` is taken as ``limit``.
            owner: Who asks.
            limit: The source's budget.
            purpose: What for, as others read it who have to wait.
            waiting: Hears who is in front, whenever that has changed.
        """
        count = min(count, limit)
        held = HeldConnections(self._database, self._clock, source, count, secrets.token_hex(8))
        try:
            held.inherited = self._wait(held, owner, limit, purpose, waiting)
        except BaseException:
            held.release()
            raise
        held._renewer.start()
        return held

    def connections(self, source: str | None = None) -> tuple[ConnectionTicket, ...]:
        """Return who holds or waits for connections, in the order of asking; stale ones too."""
        return self._database.read(lambda connection: _tickets(connection, source))

    def _wait(
        self, held: HeldConnections, owner: LockOwner, limit: int, purpose: str, waiting: Waiting
    ) -> tuple[str, ...]:
        now = self._clock()
        row = vars(owner) | {"source_name": held.source, "token": held.token, "purpose": purpose[:255]}
        row |= {"connections": held.count, "asked_at": now, "expires_at": now + LEASE}
        self._database.write(lambda connection: connection.execute(t.insert(), [row]))
        told: tuple[int, ...] = ()
        pause, renewed = POLL_SECONDS[0], time.monotonic()
        gone: list[str] = []
        while True:
            ahead, stale = self._try_to_take(held, row, limit)
            gone += stale
            if not ahead:
                return tuple(gone)
            numbers = tuple(ticket.number for ticket in ahead)
            if numbers != told:
                told = numbers
                waiting(ahead)
            time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads the waiting, no secret
            pause = min(pause * 2, POLL_SECONDS[1] / 2)
            if time.monotonic() - renewed > RENEW.total_seconds():
                held.renew()
                renewed = time.monotonic()

    def _try_to_take(
        self, held: HeldConnections, row: Mapping[str, object], limit: int
    ) -> tuple[tuple[ConnectionTicket, ...], tuple[str, ...]]:
        """Return who keeps us waiting, and the tokens of those who are gone; nobody: it is ours now.

        Tickets are committed before anybody takes, so of two who try at once one waits for the other's rows.
        """
        looked = self._database.read(lambda connection: _tickets(connection, held.source))
        if (ahead := _ahead(looked, held, limit, self._clock())) and not any(
            ticket.is_stale(self._clock()) for ticket in looked
        ):
            return ahead, ()

        def work(connection: Connection) -> tuple[tuple[ConnectionTicket, ...], tuple[str, ...]]:
            now = self._clock()
            found = _tickets(connection, held.source, lock=True)
            stale = tuple(one.token for one in found if one.token != held.token and one.is_stale(now))
            if stale:
                connection.execute(t.delete().where(t.c.token.in_(stale)))
            ahead = _ahead(found, held, limit, now)
            if not ahead:
                granted = {"granted_at": now, "expires_at": now + LEASE}
                mine = t.update().where(t.c.token == held.token)
                if not connection.execute(mine.values(granted)).rowcount:  # taken for gone while it waited
                    connection.execute(t.insert(), [{**row, **granted}])
            return ahead, stale

        return self._database.write(work)


def _ahead(
    found: Sequence[ConnectionTicket], held: HeldConnections, limit: int, now: datetime
) -> tuple[ConnectionTicket, ...]:
    others = [one for one in found if one.token != held.token and not one.is_stale(now)]
    own = next((one.number for one in found if one.token == held.token), 0)
    holders = tuple(one for one in others if one.granted_at is not None)
    before = tuple(one for one in others if one.granted_at is None and one.number < own)
    free = limit - sum(one.connections for one in holders)
    return () if free >= held.count and not before else (*holders, *before)


def _tickets(
    connection: Connection, source: str | None, *, lock: bool = False
) -> tuple[ConnectionTicket, ...]:
    query = sa.select(t).order_by(t.c.id)
    if source is not None:
        query = query.where(t.c.source_name == source)
    if lock:
        query = query.with_for_update()
    return tuple(_ticket(row) for row in connection.execute(query).mappings())


def _ticket(row: sa.RowMapping) -> ConnectionTicket:
    return ConnectionTicket(
        number=row["id"],
        source=row["source_name"],
        token=row["token"],
        connections=row["connections"],
        purpose=row["purpose"],
        owner=LockOwner(**{name: row[name] for name in LockOwner.__dataclass_fields__}),
        asked_at=row["asked_at"],
        granted_at=row["granted_at"],
        expires_at=row["expires_at"],
    )
