"""What every backend promises about pauses, arrivals and lateness."""

from datetime import timedelta

from dataplat.ledger import Arrival, Lateness, Ledger
from dataplat_tests.unit.ledger.behaviour.gate import all_at_once
from dataplat_tests.unit.ledger.builders import DAY, NEXT_DAY, ORDERS, FrozenClock, begin, load

LOGS = "logs.t_step_log"


def arrived(clock: FrozenClock, **changes: object) -> Arrival:
    facts = {"table": LOGS, "partition": DAY, "ready": True, "landed_at": clock.now, "evidence": "2 rows"}
    return Arrival(**(facts | changes))  # type: ignore[arg-type]


def missed(clock: FrozenClock, partition: str = DAY) -> Lateness:
    deadline = clock.now - timedelta(hours=1)
    return Lateness(
        table=ORDERS, partition=partition, deadline=deadline, raised_at=clock.now, reason="absent"
    )


class AutomationBehaviour:
    def test_a_paused_table_is_told_until_it_is_resumed(self, ledger: Ledger, clock: FrozenClock) -> None:
        ledger.pause(ORDERS, "the source moves", "ann")
        (pause,) = ledger.pauses()
        assert (pause.table, pause.reason, pause.actor, pause.paused_at) == (
            ORDERS,
            "the source moves",
            "ann",
            clock.now,
        )
        clock.move(hours=1)
        ended = ledger.resume(ORDERS, "bob")
        assert ended is not None
        assert (ended.reason, ended.resumed_by, ended.resumed_at) == ("the source moves", "bob", clock.now)
        assert ledger.pauses() == ()

    def test_resuming_what_is_not_paused_says_so(self, ledger: Ledger) -> None:
        assert ledger.resume(ORDERS, "bob") is None

    def test_pausing_again_changes_the_reason_and_not_since_when(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        first = ledger.pause(ORDERS, "a", "ann")
        clock.move(hours=1)
        again = ledger.pause(ORDERS, "b", "bob")
        assert (again.id, again.reason, again.actor, again.paused_at) == (
            first.id,
            "b",
            "bob",
            first.paused_at,
        )
        assert ledger.pauses() == (again,)

    def test_a_table_can_be_paused_again_after_it_was_resumed(self, ledger: Ledger) -> None:
        first = ledger.pause(ORDERS, "a", "ann")
        ledger.resume(ORDERS, "ann")
        assert ledger.pause(ORDERS, "b", "ann").id != first.id

    def test_of_four_who_pause_at_once_there_is_one_pause(self, ledger: Ledger) -> None:
        all_at_once(lambda who: ledger.pause(ORDERS, who, who))
        assert len(ledger.pauses()) == 1

    def test_an_arrival_is_new_once_and_new_again_when_it_changes(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        waiting = arrived(clock, ready=False, landed_at=None, evidence="0 rows")
        assert ledger.record_arrival(waiting)
        assert ledger.record_arrival(arrived(clock))
        first = clock.now
        clock.move(minutes=1)
        landed = ledger.arrivals(LOGS)[DAY].landed_at
        assert not ledger.record_arrival(arrived(clock, landed_at=landed, evidence="3 rows"))
        known = ledger.arrivals(LOGS, [DAY, NEXT_DAY])
        assert set(known) == {DAY}
        assert (known[DAY].changed_at, known[DAY].evidence) == (first, "3 rows")
        assert ledger.record_arrival(arrived(clock))
        assert ledger.arrivals(LOGS)[DAY].changed_at == clock.now

    def test_a_partition_is_late_once(self, ledger: Ledger, clock: FrozenClock) -> None:
        assert ledger.raise_lateness(missed(clock))
        assert not ledger.raise_lateness(missed(clock))
        assert ledger.raise_lateness(missed(clock, NEXT_DAY))
        assert [row.partition for row in ledger.lateness(ORDERS)] == [DAY, NEXT_DAY]

    def test_of_four_who_raise_it_at_once_one_does(self, ledger: Ledger, clock: FrozenClock) -> None:
        assert sorted(all_at_once(lambda _: ledger.raise_lateness(missed(clock)))) == [False] * 3 + [True]

    def test_what_landed_late_is_no_longer_open_and_not_forgotten(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        ledger.raise_lateness(missed(clock))
        assert ledger.end_lateness(ORDERS, DAY, clock.move(hours=2))
        assert not ledger.end_lateness(ORDERS, DAY, clock.move(hours=2))
        assert ledger.lateness(open_only=True) == ()
        (row,) = ledger.lateness(ORDERS, [DAY])
        assert row.landed_at == clock.now - timedelta(hours=2)
        assert not ledger.raise_lateness(missed(clock)), "one event for a partition, for ever"

    def test_what_was_not_late_has_no_end(self, ledger: Ledger, clock: FrozenClock) -> None:
        assert not ledger.end_lateness(ORDERS, DAY, clock.now)

    def test_a_partition_landed_when_it_was_first_visible(self, ledger: Ledger, clock: FrozenClock) -> None:
        load(ledger, "v1", [DAY])
        first = clock.now
        clock.move(hours=5)
        load(ledger, "v2", [DAY, NEXT_DAY])
        begin(ledger, "v3", ["2026-03-03"])
        assert ledger.first_published(ORDERS, [DAY, NEXT_DAY, "2026-03-03"]) == {
            DAY: first,
            NEXT_DAY: clock.now,
        }
        assert ledger.latest_landings(ORDERS, 1) == {NEXT_DAY: clock.now}
