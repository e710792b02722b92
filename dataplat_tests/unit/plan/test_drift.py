"""Which partitions are asked again, and which of them changed."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.plan.drift import (
    Holds,
    ShardDrift,
    Standing,
    Taken,
    closed_partitions,
    compare_partition,
    compare_values,
)
from dataplat.plan.grains import Grain
from dataplat.plan.windows import first_instant, partition_window

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
FIRST = date(2020, 1, 1)


def closed(grain: Grain, now: str, days: int, zone: ZoneInfo = SHANGHAI) -> list[str]:
    moment = datetime.fromisoformat(now).replace(tzinfo=zone)
    return closed_partitions(grain, first=FIRST, now=moment, zone=zone, days=days)


def test_eight_days_are_the_last_eight_that_are_over() -> None:
    found = closed("day", "2026-03-05T09:00", 8)
    assert (len(found), found[0], found[-1]) == (8, "2026-02-25", "2026-03-04")


def test_at_midnight_the_day_is_over_and_a_moment_before_it_is_not() -> None:
    assert closed("day", "2026-03-05T00:00", 1) == ["2026-03-04"]
    assert closed("day", "2026-03-04T23:59:59", 1) == ["2026-03-03"]


def test_an_hourly_table_is_asked_about_the_hours_of_those_days_and_todays() -> None:
    found = closed("hour", "2026-03-05T02:30", 2)
    assert (len(found), found[0], found[-1]) == (50, "2026-03-03-00:00", "2026-03-05-01:00")


def test_a_monthly_table_is_asked_about_its_last_month_all_month_long() -> None:
    assert closed("month", "2026-03-05T09:00", 8) == ["2026-02"]
    assert closed("month", "2026-03-25T09:00", 8) == ["2026-02"]
    assert closed("month", "2026-03-05T09:00", 40) == ["2026-01", "2026-02"]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-30", 23), ("2026-10-26", 25 - 1)])
def test_hours_that_the_clock_skips_or_repeats(day: str, hours: int) -> None:
    # The hour that occurs twice is one partition of two hours.
    assert len(closed("hour", f"{day}T00:00", 1, BERLIN)) == hours


def test_nothing_before_the_first_partition() -> None:
    now = datetime.fromisoformat("2026-03-05T09:00+08:00")
    assert closed_partitions("day", first=date(2026, 3, 3), now=now, zone=SHANGHAI, days=8) == [
        "2026-03-03",
        "2026-03-04",
    ]
    assert closed_partitions("day", first=date(2026, 3, 5), now=now, zone=SHANGHAI, days=8) == []


@given(
    st.integers(1_704_067_200, 1_798_761_600).map(lambda second: datetime.fromtimestamp(second, UTC)),
    st.sampled_from(["hour", "day"]),
    st.integers(1, 9),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
)
def test_they_are_exactly_those_that_ended_after_the_midnight_so_many_days_ago(
    now: datetime, grain: Grain, days: int, name: str
) -> None:
    zone = ZoneInfo(name)
    found = closed_partitions(grain, first=FIRST, now=now, zone=zone, days=days)
    midnight = datetime.combine(now.astimezone(zone).date() - timedelta(days=days), datetime.min.time())
    begin = first_instant(midnight, zone).timestamp()
    windows = [partition_window(key, grain, zone) for key in found]
    assert windows[0].start.timestamp() == begin
    assert windows[-1].end.timestamp() <= now.timestamp()
    assert now.timestamp() - windows[-1].end.timestamp() < windows[-1].duration.total_seconds() + 7200
    assert all(one.end.timestamp() == other.start.timestamp() for one, other in pairwise(windows))
    if grain == "day":
        assert len(found) == days


def test_another_number_of_rows_is_a_change() -> None:
    found = compare_partition("2026-03-04", Taken("v1", 10), Holds(12))
    assert (found.standing, found.then, found.now, found.difference) == (Standing.CHANGED, 10, 12, 2)


def test_the_same_number_is_none() -> None:
    assert compare_partition("2026-03-04", Taken("v1", 10), Holds(10)).standing is Standing.SAME


def test_what_was_never_published_is_missing_and_has_no_difference() -> None:
    found = compare_partition("2026-03-04", None, Holds(10), "never loaded")
    assert (found.standing, found.difference, found.note) == (Standing.MISSING, None, "never loaded")


def test_shards_that_change_places_are_a_change_though_the_sum_is_the_same() -> None:
    found = compare_partition("d", Taken("v1", 10, {"a": 4, "b": 6}), Holds(10, {"a": 5, "b": 5}))
    assert found.standing is Standing.CHANGED
    assert found.shards == (ShardDrift("a", 4, 5), ShardDrift("b", 6, 5))


def test_a_shard_that_is_gone_is_named_and_an_empty_one_is_not_missed() -> None:
    taken = Taken("v1", 10, {"a": 10, "b": 0, "c": 0})
    found = compare_partition("d", taken, Holds(0, {"c": 0, "d": 0}))
    assert found.shards == (ShardDrift("a", 10, None),)
    assert compare_partition("d", taken, Holds(10, {"a": 10})).standing is Standing.SAME


def test_a_new_shard_with_rows_is_a_change() -> None:
    found = compare_partition("d", Taken("v1", 10, {"a": 10}), Holds(12, {"a": 10, "b": 2}))
    assert found.shards == (ShardDrift("b", 0, 2),)


def test_a_shard_that_changed_while_it_was_read_tells_nothing_by_itself() -> None:
    taken = Taken("v1", 10, {"a": None, "b": 6})
    assert compare_partition("d", taken, Holds(10, {"a": 4, "b": 6})).standing is Standing.SAME
    assert compare_partition("d", taken, Holds(11, {"a": 5, "b": 6})).standing is Standing.CHANGED


def test_a_version_whose_shards_nobody_counted_is_compared_as_a_whole() -> None:
    assert compare_partition("d", Taken("v1", 10), Holds(10, {"a": 4, "b": 6})).standing is Standing.SAME


@pytest.mark.parametrize(("now", "standing"), [("1f", Standing.SAME), ("2e", Standing.CHANGED)])
def test_with_checksums_other_values_are_a_change_too(now: str, standing: Standing) -> None:
    counted = compare_partition("d", Taken("v1", 3), Holds(3))
    found = compare_values(counted, "1f", now)
    assert (found.standing, found.values_differ) == (standing, standing is Standing.CHANGED)
