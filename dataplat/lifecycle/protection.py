"""What one piece of work may take from its sources, and that nothing of it stays behind.

Before anything is asked, connections are taken from the budget of each source, which all runs and
processes share through the ledger. Every query carries the token of what was taken. However the work
ends, its queries end too: ``end_queries`` after an error or Ctrl-C, the watchdog after ``kill -9``.

Sources are taken in the order of their names, so that two loads of several sources never wait for each other.
"""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from dataplat.ledger import ConnectionTicket, HeldConnections, Ledger, LockOwner
from dataplat.lifecycle.replica_wait import wait_for_replica
from dataplat.sources.guard import guarded_by
from dataplat.sources.query_tag import query_tag
from dataplat.sources.running_queries import Account, end_queries
from dataplat.sources.watching import forget, watch
from dataplat.specs import SecretResolver, SourceSpec

_SHOWN = 3


@dataclass(frozen=True)
class _Taken:
    held: HeldConnections
    account: Account
    tag: str


class Protection:
    """Connections of some sources, from ``take`` to ``release``. Safe to use from several threads."""

    def __init__(
        self,
        sources: Sequence[SourceSpec],
        secrets: SecretResolver,
        ledger: Ledger | None,
        *,
        purpose: str,
        owner: LockOwner,
        say: Callable[[str], None],
    ) -> None:
        self._sources = sorted(sources, key=lambda source: source.name)
        self._secrets = secrets
        self._ledger = ledger
        self._purpose = purpose
        self._owner = owner
        self._say = say
        self._taken: dict[str, _Taken] = {}

    @classmethod
    def none(cls) -> "Protection":
        """Return one of no source, for work that is not counted: it takes nothing and tags nothing."""
        nobody = LockOwner.current()
        return cls((), SecretResolver({}), None, purpose="", owner=nobody, say=lambda _: None)

    @contextmanager
    def held(self) -> Iterator["Protection"]:
        """Give it for the block; an error or Ctrl-C ends its queries, and everything is given back."""
        try:
            yield self
        except BaseException:
            self.end_queries()
            raise
        finally:
            self.release()

    def take(self, connections: int | None = None) -> None:
        """Wait until each source has connections left for this work, and take them.

        Args:
            connections: How many of each; without it those of a load.

        Raises:
            MissingSecretError: The password of a source is nowhere. Nothing was sent.
            LedgerError: The ledger could not be asked.
        """
        assert self._ledger is not None, "work that is not counted takes nothing"
        for source in self._sources:
            password = source.password.reveal(self._secrets)
            account = Account(source.host, source.port, source.user, password)
            held = self._ledger.take_connections(
                source.name,
                connections or source.budget.connections_a_load,
                self._owner,
                limit=source.budget.connections,
                purpose=self._purpose,
                waiting=partial(self._tell, source, connections),
            )
            tag = query_tag(
                held.token,
                self._purpose,
                run_id=self._owner.run_id,
                host=socket.gethostname(),
                pid=os.getpid(),
            )
            self._taken[source.name] = _Taken(held, account, tag)
            watch(account, held.token)
            end_queries(account, held.inherited)

    def _tell(self, source: SourceSpec, wanted: int | None, ahead: Sequence[ConnectionTicket]) -> None:
        self._say(describe_waiting(source, ahead, wanted))

    def wait_for_replicas(self) -> None:
        """Return when no source is further behind than its budget allows; asked before each read.

        Raises:
            SourceBehindError: One has not caught up in ``lag_wait_seconds``. Nothing was read.
            SourceError: It does not say how far it is behind.
        """
        for source in self._sources:
            wait_for_replica(source, self._secrets, self.tag(source.name), self._say)

    def tag(self, source: str) -> str:
        """Return what every query to a source begins with; empty while nothing is taken."""
        taken = self._taken.get(source)
        return taken.tag if taken else ""

    def end_queries(self) -> None:
        """End what runs at the sources in the name of this work. Never raises."""
        for taken in self._taken.values():
            end_queries(taken.account, [taken.held.token])

    def release(self) -> None:
        """Give everything back; safe to call again. Nothing may run any more."""
        while self._taken:
            _, taken = self._taken.popitem()
            forget(taken.held.token)
            taken.held.release()

    @contextmanager
    def threads(self, count: int) -> Iterator[ThreadPoolExecutor]:
        """Give threads that ask the sources; an error or Ctrl-C ends their queries first."""
        with ThreadPoolExecutor(max_workers=count) as pool:
            try:
                yield pool
            except BaseException:
                self.end_queries()
                raise


@contextmanager
def guarded_sources(
    ledger: Callable[[], Ledger],
    secrets: SecretResolver,
    *,
    purpose: str,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[None]:
    """Count every source that is opened in the block, in this thread, and end its queries with the block.

    Args:
        ledger: Opened when a source is.
        secrets: Of the sources.
        purpose: What for, as a server's process list and whoever has to wait are told.
        say: Hears what is waited for.
    """
    tags: dict[str, str] = {}

    @contextmanager
    def guard(source: SourceSpec, connections: int) -> Iterator[str]:
        if source.name in tags:  # opened inside itself: waiting for more would be waiting for oneself
            yield tags[source.name]
            return
        owner = LockOwner.current(command=purpose)
        with Protection([source], secrets, ledger(), purpose=purpose, owner=owner, say=say).held() as taken:
            taken.take(connections)
            tags[source.name] = taken.tag(source.name)
            try:
                yield tags[source.name]
            finally:
                del tags[source.name]

    with guarded_by(guard):
        yield


def describe_waiting(source: SourceSpec, ahead: Sequence[ConnectionTicket], wanted: int | None = None) -> str:
    """Return what a load says that waits for connections of a source; ``ahead`` are those in front of it."""
    wanted = min(wanted or source.budget.connections_a_load, source.budget.connections)
    holders = [one for one in ahead if one.granted_at is not None]
    first = len(ahead) - len(holders)
    shown = "; ".join(one.describe() for one in holders[:_SHOWN])
    more = f" and {len(holders) - _SHOWN} more" if len(holders) > _SHOWN else ""
    held = sum(one.connections for one in holders)
    text = f"for {wanted} of {source.budget.connections} connections of {source.name}"
    if holders:
        text += f"; {held} are held by {shown}{more}"
    return text + (f"; {first} asked before" if first else "")
