"""Locks on partitions: one load at a time makes and publishes a partition.

A lock is a row with a *token* and a *lease*. Its holder renews the lease from a daemon thread. Another
load takes the row over, at once if the holder was a process of this machine that is gone, otherwise
when the lease has run out (a machine that died, a process that was stopped). The first holder may
still be alive then and not know it, so the row is also a fence: ``Ledger.publish`` looks for the token
in its own transaction.

What surprises: leases are compared with the clock of whoever asks, so machines that share a ledger
must agree on the time to within ``LEASE`` minus ``RENEW``. A process number means nothing on another
machine or in another container, so "this machine" is the boot and the process namespace, not the name.
"""

import os
import random
import secrets
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dataplat.errors import LedgerError, LoadInProgressError, LostLockError
from dataplat.ledger.database import Clock, Database, chunks
from dataplat.ledger.tables import partition_lock as t

LEASE = timedelta(seconds=60)
RENEW = timedelta(seconds=15)
POLL_SECONDS = (0.05, 2.0)
SAME_START_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class LockOwner:
    """Who holds a lock. ``current`` describes the calling process."""

    host: str
    host_id: str
    pid: int
    pid_started: float
    run_id: str = ""
    command: str = ""

    @classmethod
    def current(cls, *, run_id: str = "", command: str = "") -> "LockOwner":
        """Describe this process. ``command`` is shown to whoever has to wait; it must hold no secret."""
        return cls(
            host=socket.gethostname(),
            host_id=_this_host_id(),
            pid=os.getpid(),
            pid_started=psutil.Process().create_time(),
            run_id=run_id,
            command=command,
        )

    def is_gone(self) -> bool:
        """Whether the process is known to have ended. False for a process of another machine."""
        if self.host_id != _this_host_id():
            return False
        try:
            process = psutil.Process(self.pid)
            if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
                return True
            return abs(process.create_time() - self.pid_started) > SAME_START_SECONDS
        except psutil.NoSuchProcess:
            return True
        except psutil.AccessDenied:
            return False


@cache
def _this_host_id() -> str:
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    parts = [socket.gethostname()]
    if boot.exists():
        parts.append(boot.read_text().strip())
    if namespace.is_symlink():
        parts.append(str(namespace.readlink()))
    return " ".join(parts)


@dataclass(frozen=True, kw_only=True)
class HeldLock:
    """A row of ``partition_lock``: who holds a partition, since when, until when."""

    table: str
    partition: str
    token: str
    owner: LockOwner
    acquired_at: datetime
    expires_at: datetime


class PartitionLocks:
    """Held locks of one table; a context manager that releases them.

    Leaving it never raises: a lock that cannot be released runs out by itself.
    """

    def __init__(
        self, database: Database, clock: Clock, table: str, partitions: tuple[str, ...], token: str
    ) -> None:
        self._database, self._clock = database, clock
        self.table, self.partitions, self.token = table, partitions, token
        self._released = threading.Event()
        self._lost = False
        self._renewer = threading.Thread(target=self._keep_renewing, name=f"lease {table}", daemon=True)

    def check(self) -> None:
        """Return if all the locks are still held, by asking the ledger.

        Raises:
            LostLockError: If one was taken over or released.
        """
        self._database.read(lambda connection: refuse_lost(connection, self, self.partitions, lock=False))

    @property
    def lost(self) -> bool:
        """Whether a renewal has found a lock gone. Cheap, and up to one renewal late; see ``check``."""
        return self._lost

    def release(self) -> None:
        """Give the locks back; safe to call again, and after they were lost."""
        self._released.set()
        self._database.write(lambda connection: connection.execute(t.delete().where(t.c.token == self.token)))
        if self._renewer.is_alive() and self._renewer is not threading.current_thread():
            self._renewer.join()

    def renew(self) -> None:
        """Prolong the leases now. Normally the thread does it; notes a lost lock in ``lost``."""
        until = self._clock() + LEASE
        update = t.update().where(t.c.token == self.token).values(expires_at=until)
        renewed = self._database.write(lambda connection: connection.execute(update).rowcount)
        if renewed < len(self.partitions) and not self._released.is_set():
            self._lost = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.release()
        except LedgerError:
            return

    def _keep_renewing(self) -> None:
        while not self._lost and not self._released.wait(RENEW.total_seconds()):
            try:
                self.renew()
            except LedgerError:
                continue  # the lease outlives three failures; after that the fence decides


class LockBook:
    """Part of ``Ledger``: take and look up locks on partitions."""

    _database: Database
    _clock: Clock

    def lock_partitions(
        self, table: str, partitions: Iterable[str], owner: LockOwner, *, wait_seconds: float = 0
    ) -> PartitionLocks:
        """Lock all these partitions together, or none of them.

        Other loads are waited for at most ``wait_seconds``; whoever waits longest has no precedence.

        Raises:
            LoadInProgressError: If another load still holds one of them after ``wait_seconds``.
        """
        keys = tuple(sorted(set(partitions)))
        token = secrets.token_hex(16)
        deadline = time.monotonic() + wait_seconds
        pause = POLL_SECONDS[0]
        while True:
            holders = self._try_to_lock(table, keys, owner, token)
            if not holders:
                locks = PartitionLocks(self._database, self._clock, table, keys, token)
                locks._renewer.start()
                return locks
            left = deadline - time.monotonic()
            if left <= 0:
                raise _in_progress(holders, wait_seconds)
            time.sleep(min(left, pause * random.uniform(0.5, 1)))  # noqa: S311 - spreads the waiting, no secret
            pause = min(pause * 2, POLL_SECONDS[1])

    def locks(self, table: str, partitions: Iterable[str] | None = None) -> tuple[HeldLock, ...]:
        """Return the locks of a table as they are written, stale ones too, by partition."""
        keys = None if partitions is None else tuple(dict.fromkeys(partitions))
        return self._database.read(lambda connection: _held(connection, table, keys))

    def _try_to_lock(
        self, table: str, keys: Sequence[str], owner: LockOwner, token: str
    ) -> tuple[HeldLock, ...]:
        now = self._clock()
        rows = [
            vars(owner)
            | {"table_name": table, "partition_key": key, "token": token}
            | {"acquired_at": now, "expires_at": now + LEASE}
            for key in keys
        ]

        def work(connection: Connection) -> tuple[HeldLock, ...]:
            found = _held(connection, table, keys, lock=True)
            holders = tuple(lock for lock in found if not _is_stale(lock, now))
            if holders:
                return holders
            for chunk in chunks([lock.partition for lock in found]):
                stale = (t.c.table_name == table, t.c.partition_key.in_(chunk))
                connection.execute(t.delete().where(*stale))
            if rows:
                connection.execute(t.insert(), rows)
            return ()

        return self._database.write(work, again_on_conflict=True)


def refuse_lost(
    connection: Connection, locks: PartitionLocks, partitions: Sequence[str], *, lock: bool = True
) -> None:
    """Return if ``locks`` holds every one of ``partitions``; the rows stay as they are until commit.

    Raises:
        LostLockError: If it does not. The caller must not have changed anything yet.
    """
    held = {row.partition: row for row in _held(connection, locks.table, partitions, lock=lock)}
    for partition in partitions:
        row = held.get(partition)
        if row is None or row.token != locks.token:
            raise _lost(locks.table, partition, row)


def _lost(table: str, partition: str, now_held: HeldLock | None) -> LostLockError:
    found = "nobody holds it now" if now_held is None else _holder(now_held)
    return LostLockError(
        f"{table}[{partition}]",
        "this load no longer holds the partition",
        facts=[("expected", "the lock that this load took"), ("found", found)],
        effect="nothing was published by this load",
        next_steps=[f"dataplat ledger {table} {partition}"],
    )


def _in_progress(holders: Sequence[HeldLock], waited: float) -> LoadInProgressError:
    first = holders[0]
    facts = [("holder", _holder(first))]
    if first.owner.command:
        facts.append(("command", first.owner.command))
    if len(holders) > 1:
        facts.append(("also", f"{len(holders) - 1} more of the asked partitions are held"))
    if waited:
        facts.append(("waited", f"{waited:g} s"))
    return LoadInProgressError(
        f"{first.table}[{first.partition}]",
        "another load holds the partition",
        facts=facts,
        effect="nothing was read",
        next_steps=[f"dataplat ledger {first.table} {first.partition}", "try again when it has ended"],
    )


def _holder(lock: HeldLock) -> str:
    run = f", run {lock.owner.run_id}" if lock.owner.run_id else ""
    return f"pid {lock.owner.pid} on {lock.owner.host}{run}, since {lock.acquired_at:%Y-%m-%d %H:%M:%S} UTC"


def _is_stale(lock: HeldLock, now: datetime) -> bool:
    return lock.expires_at <= now or lock.owner.is_gone()


def _held(
    connection: Connection, table: str, keys: Sequence[str] | None, *, lock: bool = False
) -> tuple[HeldLock, ...]:
    query = sa.select(t).where(t.c.table_name == table).order_by(t.c.partition_key)
    if lock:
        query = query.with_for_update()
    if keys is None:
        return tuple(_row(row) for row in connection.execute(query).mappings())
    found: list[HeldLock] = []
    for chunk in chunks(keys):
        result = connection.execute(query.where(t.c.partition_key.in_(chunk)))
        found += [_row(row) for row in result.mappings()]
    return tuple(found)


def _row(row: sa.RowMapping) -> HeldLock:
    return HeldLock(
        table=row["table_name"],
        partition=row["partition_key"],
        token=row["token"],
        owner=LockOwner(**{name: row[name] for name in LockOwner.__dataclass_fields__}),
        acquired_at=row["acquired_at"],
        expires_at=row["expires_at"],
    )
