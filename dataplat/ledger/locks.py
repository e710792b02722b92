"""Locks on partitions: one load at a time makes and publishes a partition.

A lock is a row with a *token* and a *lease*. Its holder renews the lease from a daemon thread. Another
load takes the row over, at once if the holder was a process of this machine that is gone, otherwise
when the lease has run out (a machine that died, a process that was stopped). The first holder may
still be alive then and not know it, so the row is also a fence: ``Ledger.publish`` looks for the token
in its own transaction.

What surprises: leases are compared with the clock of whoever asks, so machines that share a ledger
must agree on the time to within ``LEASE`` minus ``RENEW``.
"""

import random
import secrets
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from sqlalchemy.engine import Connection

from dataplat.errors import LedgerError, LoadInProgressError
from dataplat.ledger.database import Clock, Database, chunks
from dataplat.ledger.lock_rows import HeldLock, LockOwner, describe_holder, held_locks, refuse_lost
from dataplat.ledger.tables import partition_lock as t

LEASE = timedelta(seconds=60)
RENEW = timedelta(seconds=15)
POLL_SECONDS = (0.05, 2.0)


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
        self._database.read(
            lambda connection: refuse_lost(connection, self.table, self.token, self.partitions, lock=False)
        )

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

    def locks(self, table: str | None, partitions: Iterable[str] | None = None) -> tuple[HeldLock, ...]:
        """Return the locks as they are written, stale ones too. ``table=None`` is all tables."""
        keys = None if partitions is None else tuple(dict.fromkeys(partitions))
        return self._database.read(lambda connection: held_locks(connection, table, keys))

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
            found = held_locks(connection, table, keys, lock=True)
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


def _in_progress(holders: Sequence[HeldLock], waited: float) -> LoadInProgressError:
    first = holders[0]
    facts = [("holder", describe_holder(first))]
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


def _is_stale(lock: HeldLock, now: datetime) -> bool:
    return lock.expires_at <= now or lock.owner.is_gone()
