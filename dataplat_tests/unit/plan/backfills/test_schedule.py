"""Which run may begin next: never before what it waits for, never more at a source than it allows."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from dataplat.plan.backfills.schedule import Ended, Ending, Schedule, Work, left_to_do
from dataplat_tests.services.effort import repetitions

A, B, C = Work("ods.a", ("1", "2")), Work("ods.b", ("1",)), Work("dw.c", ("1", "2"))
WAITS = {("dw.c", "1"): (("ods.a", "1"), ("ods.b", "1")), ("dw.c", "2"): (("ods.a", "2"),)}
PUBLISHED = Ended(Ending.PUBLISHED)


def schedule(*works: Work, places: int = 2) -> Schedule:
    return Schedule(list(works), WAITS, {"ods.a": ("s",), "ods.b": ("s",)}, {"s": places})


def published(work: Work) -> dict[str, Ended]:
    return dict.fromkeys(work.keys, PUBLISHED)


def test_a_run_begins_when_all_that_it_waits_for_has_ended_well_or_not() -> None:
    plan = schedule(A, B, C)
    assert (plan.next(), plan.next(), plan.next()) == (A, B, None)
    plan.end(A, published(A))
    assert plan.next() is None
    plan.end(B, {"1": Ended(Ending.FAILED, "no")})
    assert plan.next() == C
    assert plan.made == {("ods.a", "1"): True, ("ods.a", "2"): True, ("ods.b", "1"): False}


def test_a_source_is_read_by_no_more_runs_than_it_allows() -> None:
    plan = schedule(A, B, Work("dw.free", ("1",)), places=1)
    assert (plan.next(), plan.next(), plan.next()) == (A, Work("dw.free", ("1",)), None)
    plan.end(A, published(A))
    assert plan.next() == B


def test_what_a_gate_holds_has_ended_and_the_rest_of_its_run_goes_on() -> None:
    plan = schedule(C)
    plan.ended |= dict.fromkeys([("ods.a", "1"), ("ods.a", "2"), ("ods.b", "1")], PUBLISHED)
    begun = plan.next()
    assert begun == C
    assert plan.without(begun, {"1": "closed"}) == Work("dw.c", ("2",))
    assert plan.ended["dw.c", "1"] == Ended(Ending.HELD, "closed")
    assert plan.count(Ending.HELD) == 1
    other = schedule(B)
    assert other.without(other.next() or C, {"1": "closed"}) is None
    assert other.under_way == []


def test_a_run_that_broke_as_a_whole_is_tried_again_in_halves_before_anything_else() -> None:
    wide, last = Work("ods.a", ("1", "2", "3", "4", "5")), Work("ods.z", ("1",))
    plan = schedule(wide, last)
    assert plan.next() == wide
    plan.end(wide, {"1": PUBLISHED})
    assert [plan.next(), plan.next()] == [Work("ods.a", ("2", "3")), Work("ods.a", ("4", "5"))]


def test_what_is_done_is_no_part_of_a_run() -> None:
    assert left_to_do([A, B], [("ods.a", "1"), ("ods.b", "1")]) == [Work("ods.a", ("2",))]


@st.composite
def backfills(draw: st.DrawFn) -> Schedule:
    """Some levels of tables, each partition waiting for some of the levels above."""
    works: list[Work] = []
    waits: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
    for level in range(draw(st.integers(1, 4))):
        above = [place for work in works for place in work.places]
        for number in range(draw(st.integers(1, 2))):
            table = f"l{level}.t{number}"
            keys = tuple(map(str, range(draw(st.integers(1, 4)))))
            works.append(Work(table, keys))
            for key in keys:
                chosen = draw(st.lists(st.sampled_from(above), max_size=3)) if above else []
                waits[table, key] = tuple(chosen)
    pools = {work.table: ("s",) for work in works if work.table.startswith("l0")}
    return Schedule(works, waits, pools, {"s": draw(st.integers(1, 2))})


@settings(max_examples=repetitions(150), deadline=None)
@given(plan=backfills(), choose=st.data())
def test_every_partition_ends_once_and_after_what_it_waits_for(plan: Schedule, choose: st.DataObject) -> None:
    expected = sorted(place for work in plan.waiting for place in work.places)
    ended: list[tuple[str, str]] = []
    while True:
        while work := plan.next():
            assert all(other in ended for place in work.places for other in plan.waits[place])
            assert sum(1 for one in plan.under_way if one.table in plan.pools) <= plan.places["s"]
        if not plan.under_way:
            break
        work = choose.draw(st.sampled_from(plan.under_way))
        endings = choose.draw(st.sampled_from(sorted(Ending)))
        told: Mapping[str, Ended] = {key: Ended(endings) for key in work.keys}
        if len(work.keys) > 1 and choose.draw(st.booleans()):
            told = {}
        plan.end(work, told)
        ended += [(work.table, key) for key in told]
    assert sorted(ended) == expected == sorted(plan.ended)
    assert plan.waiting == []
