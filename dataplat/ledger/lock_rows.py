"""Who holds which partition, as rows; and the fence that a publish asks.

A process number means nothing on another machine or in another container, so "this machine" is the
boot and the process namespace, not the name. A process number is used again after a while, so the time
at which the process started is compared too, with a tolerance: that time is computed from the wall
clock, which may be corrected while the process runs.
"""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import psutil
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dataplat.errors import LostLockError
from dataplat.ledger.database import chunks, in_utc
from dataplat.ledger.tables import partition_lock as t

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
        if not is_this_host(self):
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


def is_this_host(owner: LockOwner) -> bool:
    """Whether an owner's process is, or was, on this machine, so that it can be looked at."""
    return owner.host_id == _this_host_id()


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


def refuse_lost(
    connection: Connection, table: str, token: str, partitions: Sequence[str], *, lock: bool = True
) -> None:
    """Return if ``token`` holds every one of ``partitions``; with ``lock`` it does until commit.

    Raises:
        LostLockError: If it does not. The caller must not have changed anything yet.
    """
    held = {row.partition: row for row in held_locks(connection, table, partitions, lock=lock)}
    for partition in partitions:
        row = held.get(partition)
        if row is None or row.token != token:
            raise _lost(table, partition, row)


def _lost(table: str, partition: str, now_held: HeldLock | None) -> LostLockError:
    found = "nobody holds it now" if now_held is None else describe_holder(now_held)
    return LostLockError(
        f"{table}[{partition}]",
        "this load no longer holds the partition",
        facts=[("expected", "the lock that this load took"), ("found", found)],
        effect="nothing was published by this load",
        next_steps=[f"dataplat ledger {table} {partition}"],
    )


def describe_holder(lock: HeldLock) -> str:
    """Return who holds a lock, in the words of every message about it."""
    run = f", run {lock.owner.run_id}" if lock.owner.run_id else ""
    return f"pid {lock.owner.pid} on {lock.owner.host}{run}, since {in_utc(lock.acquired_at)}"


def held_locks(
    connection: Connection, table: str | None, keys: Sequence[str] | None, *, lock: bool = False
) -> tuple[HeldLock, ...]:
    """Return the locks as they are written, in order; with ``lock`` they stay so until commit."""
    query = sa.select(t).order_by(t.c.table_name, t.c.partition_key)
    if table is not None:
        query = query.where(t.c.table_name == table)
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
