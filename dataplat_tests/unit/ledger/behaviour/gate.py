"""What every backend promises about holds, waivers and what the gate asks."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

import pytest

from dataplat.errors import LedgerError
from dataplat.ledger import Ledger
from dataplat.ledger import VersionState as S
from dataplat_tests.unit.ledger.builders import DAY, NEXT_DAY, ORDERS, FrozenClock, begin, bring, load

R = TypeVar("R")


def all_at_once(work: Callable[[str], R]) -> list[R]:
    """Run ``work`` in four threads that start together, and return what each got."""
    barrier = threading.Barrier(4)

    def start_together(number: int) -> R:
        barrier.wait(timeout=30)
        return work(f"run {number}")

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(start_together, range(4)))


class GateBehaviour:
    def test_a_published_partition_is_proven(self, ledger: Ledger) -> None:
        load(ledger, "v1")
        status = ledger.statuses(ORDERS, [DAY])[DAY]
        assert status.is_proven
        assert status.published == status.latest
        assert status.published is not None
        assert status.published.version == "v1"

    def test_a_partition_that_nobody_loaded_is_not_proven(self, ledger: Ledger) -> None:
        status = ledger.statuses(ORDERS, [DAY])[DAY]
        assert (status.is_proven, status.published, status.latest, status.holds) == (False, None, None, ())

    def test_a_rejected_reload_leaves_the_partition_proven_and_is_told(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        load(ledger, "v1")
        clock.move(minutes=1)
        begin(ledger, "v2")
        bring(ledger, "v2", S.REJECTED)
        status = ledger.statuses(ORDERS, [DAY])[DAY]
        assert status.is_proven
        assert status.latest is not None
        assert (status.latest.version, status.latest.state) == ("v2", S.REJECTED)

    def test_a_held_partition_is_visible_and_not_proven(self, ledger: Ledger, clock: FrozenClock) -> None:
        load(ledger, "v1", [DAY, NEXT_DAY])
        held = ledger.hold(ORDERS, DAY, "money does not add up", "audit", check="fan_out_ods_t_account")
        statuses = ledger.statuses(ORDERS, [DAY, NEXT_DAY])
        assert (statuses[DAY].is_proven, statuses[NEXT_DAY].is_proven) == (False, True)
        assert statuses[DAY].published is not None
        assert statuses[DAY].holds == (held,) == ledger.holds(ORDERS, [DAY])
        assert (held.reason, held.actor, held.check, held.held_at) == (
            "money does not add up",
            "audit",
            "fan_out_ods_t_account",
            clock.now,
        )

    def test_statuses_come_for_every_partition_asked_and_no_other(self, ledger: Ledger) -> None:
        load(ledger, "v1", [DAY, NEXT_DAY])
        assert list(ledger.statuses(ORDERS, [NEXT_DAY, "2030-01-01"])) == [NEXT_DAY, "2030-01-01"]

    def test_holding_again_for_the_same_check_renews_the_reason(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        first = ledger.hold(ORDERS, DAY, "213 missing", "audit", check="c")
        clock.move(hours=1)
        again = ledger.hold(ORDERS, DAY, "214 missing", "ann", check="c")
        assert (again.id, again.held_at, again.reason, again.actor) == (
            first.id,
            first.held_at,
            "214 missing",
            "ann",
        )
        assert ledger.holds(ORDERS) == (again,)

    def test_a_partition_is_held_until_every_hold_is_released(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        ledger.hold(ORDERS, DAY, "r", "audit", check="a")
        ledger.hold(ORDERS, DAY, "r", "ann")
        at = clock.move(hours=1)
        (released,) = ledger.release_hold(ORDERS, DAY, "bob", check="a", reason="repaired")
        assert (released.released_at, released.released_by, released.release_reason) == (
            at,
            "bob",
            "repaired",
        )
        assert [hold.check for hold in ledger.holds(ORDERS)] == [""]
        assert len(ledger.release_hold(ORDERS, DAY, "bob")) == 1
        assert ledger.holds(None) == ()
        assert [hold.check for hold in ledger.holds(ORDERS, released=True)] == ["a", ""]

    def test_a_released_hold_can_be_put_again(self, ledger: Ledger) -> None:
        for _ in range(3):
            ledger.hold(ORDERS, DAY, "r", "audit", check="a")
            ledger.release_hold(ORDERS, DAY, "bob")
        assert len(ledger.holds(ORDERS, [DAY], released=True)) == 3

    def test_releasing_what_is_not_held_releases_nothing(self, ledger: Ledger) -> None:
        ledger.hold(ORDERS, NEXT_DAY, "r", "audit")
        assert ledger.release_hold(ORDERS, DAY, "bob") == ()
        assert len(ledger.holds(ORDERS)) == 1

    def test_a_waiver_opens_the_gate_once(self, ledger: Ledger, clock: FrozenClock) -> None:
        until = clock.now + timedelta(days=1)
        given = ledger.waive(ORDERS, DAY, reason="known late shard", actor="ann", until=until)
        assert ledger.waivers(ORDERS, [DAY]) == (given,)
        used = ledger.use_waiver(ORDERS, DAY, by="run 7 of dw.account_day")
        assert used is not None
        assert (used.id, used.used_at, used.used_by) == (given.id, clock.now, "run 7 of dw.account_day")
        assert ledger.use_waiver(ORDERS, DAY, by="run 8") is None
        assert ledger.waivers(ORDERS) == ()
        assert ledger.waivers(None, open_only=False) == (used,)

    def test_a_waiver_ends_at_its_time(self, ledger: Ledger, clock: FrozenClock) -> None:
        ledger.waive(ORDERS, DAY, reason="r", actor="ann", until=clock.now + timedelta(hours=1))
        clock.move(hours=1)
        assert ledger.waivers(ORDERS) == ()
        assert ledger.use_waiver(ORDERS, DAY, by="run 7") is None
        assert len(ledger.waivers(ORDERS, open_only=False)) == 1

    def test_the_waiver_that_ends_first_is_used_first(self, ledger: Ledger, clock: FrozenClock) -> None:
        for hours in (3, 1, 2):
            until = clock.now + timedelta(hours=hours)
            ledger.waive(ORDERS, DAY, reason=f"{hours} h", actor="ann", until=until)
        used = [ledger.use_waiver(ORDERS, DAY, by="run") for _ in range(4)]
        assert [waiver and waiver.reason for waiver in used] == ["1 h", "2 h", "3 h", None]

    def test_a_waiver_that_is_over_before_it_begins_is_refused(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        with pytest.raises(LedgerError) as error:
            ledger.waive(ORDERS, DAY, reason="r", actor="ann", until=clock.now - timedelta(seconds=1))
        assert str(error.value) == (
            "ods.orders[2026-03-01]: a waiver must end in the future\n"
            "  until    2026-03-02 02:01:08 UTC\n"
            "  now      2026-03-02 02:01:09 UTC\n"
            "  effect   the gate stays closed\n"
            "  next     dataplat waive ods.orders 2026-03-01 --reason … --until …"
        )
        assert ledger.waivers(ORDERS, open_only=False) == ()

    def test_one_waiver_lets_one_of_many_pass(self, ledger: Ledger, clock: FrozenClock) -> None:
        for number in range(10):
            day = f"2026-03-{number + 1:02}"
            ledger.waive(ORDERS, day, reason="r", actor="ann", until=clock.now + timedelta(hours=1))
            used = all_at_once(lambda name, day=day: ledger.use_waiver(ORDERS, day, by=name))
            assert len([waiver for waiver in used if waiver is not None]) == 1

    def test_holding_from_many_threads_holds_once(self, ledger: Ledger) -> None:
        for number in range(10):
            day = f"2026-03-{number + 1:02}"
            holds = all_at_once(lambda name, day=day: ledger.hold(ORDERS, day, "r", name))
            assert len({hold.id for hold in holds}) == 1
            assert len(ledger.holds(ORDERS, [day])) == 1

    def test_the_statuses_of_many_tables_are_those_of_each(self, ledger: Ledger) -> None:
        tables = [f"ods.t_{number}" for number in range(600)]  # more than fit into one question
        for table in tables[::7]:
            begin(ledger, "20260302T020109-aaaaaa", [DAY], table)
        load(ledger, "20260302T020109-bbbbbb", [DAY, NEXT_DAY])
        ledger.hold("ods.t_3", NEXT_DAY, "r", "ann")
        ledger.hold(ORDERS, DAY, "r", "ann", check="unique_id")
        asked = {table: [DAY, NEXT_DAY] for table in tables} | {ORDERS: [NEXT_DAY, DAY, DAY], "ods.none": []}
        found = ledger.statuses_of(asked)
        assert list(found) == list(asked)
        assert found == {table: ledger.statuses(table, keys) for table, keys in asked.items()}
        assert [key for key, status in found[ORDERS].items() if status.published] == [NEXT_DAY, DAY]
        assert [hold.check for hold in found[ORDERS][DAY].holds] == ["unique_id"]
        assert sum(status.latest is not None for one in found.values() for status in one.values()) == 86 + 2
