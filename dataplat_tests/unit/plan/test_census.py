"""What a partition should be read from, and what a census says about what is there."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.plan.census import (
    Census,
    Expectation,
    expand_range,
    expected_by_history,
    expected_by_rule,
    like_pattern,
    range_problem,
    take_census,
)
from dataplat.plan.sql import PhysicalTable
from dataplat.specs import FromSpec

MONTHLY = "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 't_%_$[yyyy_MM]'"
LAST_MONTH = MONTHLY.replace("$[yyyy_MM]", "$[yyyy_MM-1_M]")


def origin(**shards: Any) -> FromSpec:
    keys = {"pattern": "t%"} | shards
    if "discover" in shards:
        del keys["pattern"]
    return FromSpec.model_validate({"database": "shop", "shards": keys})


def tables(*names: str) -> tuple[PhysicalTable, ...]:
    return tuple(PhysicalTable("shop", name) for name in names)


def names(shards: Sequence[PhysicalTable] | None) -> list[str]:
    return [shard.name for shard in shards or ()]


def at(day: str) -> datetime:
    return datetime.fromisoformat(day)


def followed(source: FromSpec, earlier: str, shards: Sequence[str], day: str) -> list[str]:
    before = (earlier, at(earlier), tables(*shards))
    expected = expected_by_history(source, {day: at(day)}, {}, {}, before)
    assert expected[day].because == f"history: {earlier}"
    return names(expected[day].shards)


def test_a_list_may_hold_ranges_and_dates_of_the_partition() -> None:
    found = expected_by_rule(origin(expect=["t_{00..02}_$[yyyy_MM]", "other.t_x"]), at("2026-02-03"))
    assert found is not None
    assert list(map(str, found.shards or ())) == [
        *("other.t_x", "shop.t_00_2026_02", "shop.t_01_2026_02", "shop.t_02_2026_02")
    ]


def test_a_name_without_a_database_is_expected_in_each_of_them() -> None:
    several = FromSpec.model_validate(
        {"databases": ["a", "b"], "shards": {"pattern": "t%", "expect": ["t_{0..1}"]}}
    )
    found = expected_by_rule(several, at("2026-01-01"))
    assert found is not None
    assert list(map(str, found.shards or ())) == ["a.t_0", "a.t_1", "b.t_0", "b.t_1"]


def test_a_name_without_an_instance_is_expected_on_each_of_them() -> None:
    spread = origin(expect=["t_0", "s2/t_1", "s1/other.t_2"])
    found = expected_by_rule(spread, at("2026-01-01"), ("s1", "s2"))
    assert found is not None
    assert sorted(map(str, found.shards or ())) == [
        "s1/other.t_2",
        "s1/shop.t_0",
        "s2/shop.t_0",
        "s2/shop.t_1",
    ]


def test_history_follows_the_dates_of_shards_on_each_instance() -> None:
    known = tuple(PhysicalTable("shop", "t_0_2025_12", source) for source in ("s1", "s2"))
    found = expected_by_history(
        origin(discover=[MONTHLY], expect="history"),
        {"2026-01-01": at("2026-01-01")},
        {},
        {},
        ("2025-12-31", at("2025-12-31"), known),
    )
    names = [str(shard) for shard in found["2026-01-01"].shards or ()]
    assert names == ["s1/shop.t_0_2026_01", "s2/shop.t_0_2026_01"]
    assert [PhysicalTable.parse(name).source for name in names] == ["s1", "s2"]


def test_without_an_expectation_only_nothing_at_all_is_too_few() -> None:
    assert expected_by_rule(origin(), at("2026-01-01")) is None
    assert take_census("2026-01-01", (), Expectation()).lacking == 1
    census = take_census("2026-01-01", tables("t_1"), Expectation())
    assert (census.lacking, census.new) == (0, ())


def test_a_number_says_how_many_and_not_which() -> None:
    found = expected_by_rule(origin(expect=3), at("2026-01-01"))
    assert found is not None
    census = take_census("2026-01-01", tables("t_1", "t_2"), found)
    assert (census.lacking, census.missing, census.new) == (1, (), ())
    assert take_census("2026-01-01", tables("t_1", "t_2", "t_3", "t_4"), found).lacking == 0


def test_one_of_64_that_is_gone_is_named() -> None:
    all_of_them = tables(*expand_range("t_{00..63}"))
    census = take_census("2026-01-01", [t for t in all_of_them if t.name != "t_17"], Expectation(all_of_them))
    assert (names(census.missing), census.lacking, census.new) == (["t_17"], 1, ())


@pytest.mark.parametrize(
    ("earlier", "shards", "day", "expected"),
    [
        # the same month, the next month, and the month after a gap
        ("2026-01-08", ["t_0_2026_01", "t_0_2025_12"], "2026-01-09", ["t_0_2025_12", "t_0_2026_01"]),
        ("2026-01-31", ["t_0_2026_01", "t_0_2025_12"], "2026-02-01", ["t_0_2026_01", "t_0_2026_02"]),
        ("2025-12-31", ["t_9_2025_12", "t_9_2025_11"], "2026-03-01", ["t_9_2026_02", "t_9_2026_03"]),
        # no date in the name, and one that is part of a longer number
        ("2026-01-31", ["t_all"], "2026-02-01", ["t_all"]),
        ("2026-01-31", ["t_92026_01"], "2026-02-01", ["t_92026_01"]),
    ],
)
def test_history_follows_the_dates_in_the_names(
    earlier: str, shards: list[str], day: str, expected: list[str]
) -> None:
    assert followed(origin(discover=[MONTHLY, LAST_MONTH]), earlier, shards, day) == expected


def test_a_year_and_a_month_that_stand_apart_move_together() -> None:
    """The statement whose dates explain most of a name is the one that found it."""
    this = "SELECT table_name FROM t WHERE table_name LIKE 't_$[yyyy]_x_$[MM]'"
    last = "SELECT table_name FROM t WHERE table_name LIKE 't_$[yyyy-1_M]_x_$[MM-1_M]'"
    both = origin(discover=[this, last])
    assert followed(both, "2026-03-31", ["t_2026_x_03", "t_2026_x_02"], "2026-04-01") == [
        *("t_2026_x_03", "t_2026_x_04")
    ]


def test_dates_elsewhere_in_a_statement_do_not_matter() -> None:
    sql = f"{MONTHLY} AND create_time < '$[yyyy-MM-dd+1]'"
    assert followed(origin(discover=[sql]), "2026-01-31", ["t_1_2026_01"], "2026-02-01") == ["t_1_2026_02"]


def test_a_pattern_expects_what_was_there_before() -> None:
    assert followed(origin(expect="history"), "2026-01-31", ["t_1", "t_2"], "2026-02-01") == ["t_1", "t_2"]


def test_what_is_retired_is_not_expected_any_more() -> None:
    source = origin(discover=[MONTHLY], retired=[r"t\_1\_%", "shop.t_2%"])
    shards = ["t_0_2026_01", "t_1_2026_01", "t_2_2026_01"]
    assert followed(source, "2026-01-31", shards, "2026-02-01") == ["t_0_2026_02"]


def test_what_a_partition_was_last_made_of_counts_before_its_neighbour() -> None:
    expected = expected_by_history(
        origin(expect="history"),
        {"2026-01-02": at("2026-01-02")},
        {},
        {"2026-01-02": tables("t_1")},
        ("2026-01-01", at("2026-01-01"), tables("t_1", "t_2")),
    )
    assert names(expected["2026-01-02"].shards) == ["t_1"]
    assert expected["2026-01-02"].because == "history: 2026-01-02 itself"


def test_the_first_partition_ever_expects_nothing() -> None:
    expected = expected_by_history(origin(), {"2026-01-01": at("2026-01-01")}, {}, {}, None)
    assert expected == {"2026-01-01": Expectation()}


def test_days_of_one_load_are_history_for_each_other_and_what_is_missing_stays_missing() -> None:
    days = ["2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02"]
    january, february = tables("t_0_2026_01", "t_1_2026_01"), tables("t_0_2026_02")
    found = {days[0]: january, days[1]: january, days[2]: february, days[3]: february}
    source = origin(discover=[MONTHLY], expect="history")
    expected = expected_by_history(source, {day: at(day) for day in days}, found, {}, None)
    censuses = [take_census(day, found[day], expected[day]) for day in days]
    assert [names(census.missing) for census in censuses] == [[], [], ["t_1_2026_02"], ["t_1_2026_02"]]


PARTS = st.sets(st.integers(0, 30), min_size=1, max_size=8)
DAYS = st.dates(datetime(2024, 1, 1).date(), datetime(2027, 12, 31).date())  # noqa: DTZ001


@given(parts=PARTS, days=st.lists(DAYS, min_size=2, max_size=6, unique=True))
def test_a_source_that_loses_no_shard_never_misses_one(parts: set[int], days: list[Any]) -> None:
    """Each month has the same parts, and every day finds those of its month and of the month before."""
    source = origin(discover=[MONTHLY, LAST_MONTH], expect="history")
    for earlier, later in pairwise(sorted(days)):
        there = {day: found_on(parts, day) for day in (earlier, later)}
        assert followed(source, str(earlier), there[earlier], str(later)) == sorted(set(there[later]))


def found_on(parts: set[int], day: Any) -> list[str]:
    months = [(day.year, day.month), (day.year - (day.month == 1), (day.month - 2) % 12 + 1)]
    return [f"t_{part}_{year}_{month:02}" for part in parts for year, month in months]


@given(found=st.sets(st.sampled_from("abcdef")), expected=st.none() | st.sets(st.sampled_from("abcdef")))
def test_every_shard_is_found_missing_or_both_known_and_there(
    found: set[str], expected: set[str] | None
) -> None:
    known = None if expected is None else tables(*expected)
    census: Census = take_census("2026-01-01", tables(*found), Expectation(known))
    assert set(names(census.missing)) == (expected or set()) - found
    assert set(names(census.new)) == (set() if expected is None else found - expected)
    assert set(names(census.found)) == found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("t_{0..63}_{00..11}", None),
        ("t_plain", None),
        ("t_{9..1}", "the range {9..1} ends before it begins"),
        ("t_{0..999}_{0..99}", "100,000 names are more than the 20,000 that can be expected"),
        ("t_{0-63}", "a range is written {0..63} or {00..63}"),
    ],
)
def test_a_range_that_cannot_be_meant_is_a_problem(text: str, problem: str | None) -> None:
    assert range_problem(text) == problem


def test_like_knows_its_two_wildcards_and_the_escape() -> None:
    matching = {
        text: bool(like_pattern(text).fullmatch("t_a.b")) for text in ("t%", "T_A_B", r"t\_a.b", "t.a")
    }
    assert matching == {"t%": True, "T_A_B": True, r"t\_a.b": True, "t.a": False}
