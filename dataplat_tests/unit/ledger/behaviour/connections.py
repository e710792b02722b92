"""What every backend promises about the connections of a source."""

import threading
from datetime import timedelta

import pytest

from dataplat.ledger import ConnectionTicket, HeldConnections, Ledger, LockOwner
from dataplat.ledger.locks import LEASE
from dataplat_tests.unit.ledger.behaviour.locks import ended_process
from dataplat_tests.unit.ledger.builders import FrozenClock, someone, someone_else


def take(
    ledger: Ledger, count: int, owner: LockOwner | None = None, *, limit: int = 4, source: str = "market"
) -> HeldConnections:
    def refuse(ahead: object) -> None:
        raise TimeoutError(ahead)

    return ledger.take_connections(
        source, count, owner or someone(), limit=limit, purpose="load of ods.orders", waiting=refuse
    )


class Waiter(threading.Thread):
    """Asks for connections in a thread; ``told`` is set once it must wait."""

    def __init__(self, ledger: Ledger, count: int, limit: int = 4) -> None:
        super().__init__(daemon=True)
        self._ledger, self._count, self._limit = ledger, count, limit
        self.told = threading.Event()
        self.heard: list[list[str]] = []
        self.held: HeldConnections | None = None
        self.start()

    def run(self) -> None:
        def waiting(ahead: "tuple[ConnectionTicket, ...]") -> None:
            self.heard.append([one.describe() for one in ahead])
            self.told.set()

        self.held = self._ledger.take_connections(
            "market", self._count, LockOwner.current(), limit=self._limit, purpose="late", waiting=waiting
        )

    def taken(self) -> HeldConnections:
        self.join(20)
        assert self.held is not None
        return self.held


class ConnectionBehaviour:
    def test_connections_are_held_until_they_are_released(self, ledger: Ledger, clock: FrozenClock) -> None:
        with take(ledger, 2) as held:
            (ticket,) = ledger.connections("market")
            assert (ticket.token, ticket.connections, ticket.owner) == (held.token, 2, someone())
            assert ticket.granted_at == clock.now
            assert ticket.describe() == (
                "load of ods.orders (pid 4711 on etl-7, run r1, since 2026-03-02 02:01:09 UTC)"
            )
        assert ledger.connections() == ()
        held.release()

    def test_the_budget_is_shared_by_all_and_each_source_has_its_own(self, ledger: Ledger) -> None:
        with take(ledger, 2), take(ledger, 2, someone_else()), take(ledger, 4, source="logistics"):
            with pytest.raises(TimeoutError):
                take(ledger, 1)
            assert len(ledger.connections("market")) == 2  # whoever gave up has left the queue

    def test_a_wish_beyond_the_budget_is_the_whole_budget(self, ledger: Ledger) -> None:
        with take(ledger, 9) as held:
            assert held.count == 4

    def test_who_asked_first_is_served_first(self, ledger: Ledger) -> None:
        first = take(ledger, 3)
        large = Waiter(ledger, 4)
        assert large.told.wait(20)
        with pytest.raises(TimeoutError):
            take(ledger, 1, someone_else())  # one is free, but the large wish was there before
        first.release()
        with large.taken() as held:
            assert held.count == 4
        assert large.heard == [[large.heard[0][0]]]
        assert "load of ods.orders (pid 4711 on etl-7" in large.heard[0][0]

    def test_a_dead_process_gives_back_at_once_and_its_token_is_handed_on(self, ledger: Ledger) -> None:
        dead = take(ledger, 4, ended_process())
        with take(ledger, 2) as held:
            assert held.inherited == (dead.token,)
        with take(ledger, 2) as held:
            assert held.inherited == ()

    def test_another_machine_gives_back_when_its_lease_has_run_out(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        gone = take(ledger, 4, someone())
        clock.move(seconds=LEASE.total_seconds() - 1)
        with pytest.raises(TimeoutError):
            take(ledger, 1, someone_else())
        gone.renew()
        clock.move(seconds=LEASE.total_seconds() - 1)
        with pytest.raises(TimeoutError):
            take(ledger, 1, someone_else())
        clock.move(seconds=1)
        with take(ledger, 1, someone_else()) as held:
            assert held.inherited == (gone.token,)

    def test_a_slow_process_of_this_machine_keeps_what_it_holds(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        with take(ledger, 4, LockOwner.current()):
            clock.move(seconds=timedelta(days=1).total_seconds())
            with pytest.raises(TimeoutError):
                take(ledger, 1)

    def test_many_at_once_never_hold_more_than_the_budget(self, ledger: Ledger) -> None:
        most: list[int] = []

        def work() -> None:
            for _ in range(3):
                with ledger.take_connections("market", 2, LockOwner.current(), limit=4, purpose="w"):
                    rows = ledger.connections("market")
                    most.append(sum(row.connections for row in rows if row.granted_at is not None))

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(most) == 18
        assert 2 <= max(most) <= 4
        assert ledger.connections() == ()
