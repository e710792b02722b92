"""Selections, runs of partitions, and the columns that a partition becomes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.errors import SelectionError
from dataplat.plan.partitions import (
    Grain,
    contiguous_runs,
    ends_at,
    hive_path,
    latest_partition,
    partition_columns,
    partition_key,
    select_partitions,
)
from dataplat.specs import PartitionFormatSpec

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
FIRST = date(2026, 1, 1)
NOW = datetime(2026, 11, 20, 20, 48, tzinfo=SHANGHAI)


def select(
    text: str, grain: Grain = "day", zone: ZoneInfo = SHANGHAI, now: datetime = NOW
) -> tuple[str, ...]:
    return select_partitions(text, grain, first=FIRST, now=now, zone=zone, subject="ods.orders")


def refusal(text: str, grain: Grain = "day", zone: ZoneInfo = SHANGHAI, now: datetime = NOW) -> str:
    with pytest.raises(SelectionError) as refused:
        select(text, grain, zone, now)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("20260109", ("2026-01-09",)),
        ("2026-02-27~20260301", ("2026-02-27", "2026-02-28", "2026-03-01")),
        ("20260109~20260109", ("2026-01-09",)),
        ("20260109, 20260105", ("2026-01-05", "2026-01-09")),
        (
            "2026-01-05~2026-01-07,2026-01-06~2026-01-08",
            ("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"),
        ),
        (" 20260101 ~ 20260102 ", ("2026-01-01", "2026-01-02")),
        ("2026-11-19", ("2026-11-19",)),
        ("", ("2026-11-19",)),
        ("  ", ("2026-11-19",)),
    ],
)
def test_a_selection_is_its_partitions_in_order_and_each_once(text: str, keys: tuple[str, ...]) -> None:
    assert select(text) == keys


def test_a_day_of_an_hourly_table_is_its_24_hours() -> None:
    assert select("20260109", "hour") == tuple(f"2026-01-09-{hour:02d}:00" for hour in range(24))
    assert len(select("20260109~20260110", "hour")) == 48
    assert select("2026010922~2026-01-10 01", "hour") == (
        "2026-01-09-22:00",
        "2026-01-09-23:00",
        "2026-01-10-00:00",
        "2026-01-10-01:00",
    )
    assert len(select("2026-01-09 12~2026-01-10", "hour")) == 36


def test_months_are_selected_across_the_year() -> None:
    assert select_partitions("202511~2026-02", "month", first=date(2025, 1, 15), now=NOW, zone=SHANGHAI) == (
        "2025-11",
        "2025-12",
        "2026-01",
        "2026-02",
    )


def test_a_month_that_holds_the_tables_first_day_is_its_first_partition() -> None:
    assert select_partitions("202501", "month", first=date(2025, 1, 15), now=NOW, zone=SHANGHAI) == (
        "2025-01",
    )


def test_a_day_has_23_hours_in_spring_and_24_partitions_in_autumn() -> None:
    spring, autumn = select("2026-03-08", "hour", NEW_YORK), select("2026-11-01", "hour", NEW_YORK)
    assert len(spring) == 23
    assert "2026-03-08-02:00" not in spring
    assert len(autumn) == len(set(autumn)) == 24


def test_both_of_dagsters_keys_for_the_repeated_hour_are_one_partition() -> None:
    assert select("2026-11-01-01:00,2026-11-01-01:00-0500", "hour", NEW_YORK) == ("2026-11-01-01:00",)


def test_a_skipped_hour_that_is_named_alone_is_refused() -> None:
    assert refusal("2026030802", "hour", NEW_YORK) == (
        "ods.orders: 2026-03-08-02:00 does not exist in America/New_York: its clock jumped over it\n"
        "  jumped to   2026-03-08T03:00:00-04:00\n"
        "  effect      nothing was read"
    )


def test_an_unreadable_part_is_refused_with_the_table() -> None:
    assert refusal("20260109,2026-13-01") == (
        "ods.orders: '2026-13-01' is no partition that can be read\n"
        "  expected   a day: YYYYMMDD or YYYY-MM-DD\n"
        "  found      '2026-13-01': month must be in 1..12\n"
        "  effect     nothing was read"
    )


def test_an_hourly_table_expects_an_hour_or_a_day() -> None:
    assert refusal("202601", "hour") == (
        "ods.orders: '202601' is no partition that can be read\n"
        "  expected   an hour: YYYYMMDDHH or YYYY-MM-DD HH; or a day, for its hours\n"
        "  found      '202601', which is a month\n"
        "  effect     nothing was read"
    )


@pytest.mark.parametrize("part", ["20260101~", "~20260101", "~", "20260101~20260102~20260103"])
def test_a_range_needs_two_ends(part: str) -> None:
    assert refusal(f"20260109,{part}") == (
        f"ods.orders: '{part}' is no selection that can be read\n"
        "  expected   D, D1~D2 or D1,D2, where D is a day: YYYYMMDD or YYYY-MM-DD\n"
        "  effect     nothing was read"
    )


@pytest.mark.parametrize("text", ["20260109,", ",20260109", "20260109,,20260110", ","])
def test_an_empty_part_of_a_list_is_refused(text: str) -> None:
    assert refusal(text).startswith("ods.orders: '' is no selection that can be read\n")


def test_a_range_that_ends_before_it_starts_is_refused_with_the_range_that_was_meant() -> None:
    assert refusal("20260110~20260101") == (
        "ods.orders: the range 2026-01-10~2026-01-01 ends before it starts\n"
        "  effect   nothing was read\n"
        "  next     dataplat load ods.orders --date 20260101~20260110"
    )


def test_a_partition_before_the_tables_first_is_refused() -> None:
    assert refusal("20251230~20260105") == (
        "ods.orders: 2025-12-30 lies before the table's first partition\n"
        "  first    2026-01-01\n"
        "  effect   nothing was read\n"
        "  next     dataplat load ods.orders --date 2026-01-01   or   set window.start in the table's YAML"
    )


def test_a_partition_whose_window_is_not_over_does_not_exist_yet() -> None:
    assert refusal("20261118~20261122") == (
        "ods.orders: 2026-11-20 does not exist yet: it ends at 2026-11-21T00:00:00+08:00, in 3 h 12 min\n"
        "  latest   2026-11-19\n"
        "  effect   nothing was read\n"
        "  next     dataplat load ods.orders --date 2026-11-19"
    )


def test_without_a_table_the_next_step_is_the_option_alone() -> None:
    with pytest.raises(SelectionError) as refused:
        select_partitions("20261120", "day", first=FIRST, now=NOW, zone=SHANGHAI)
    assert str(refused.value) == (
        "partition: 2026-11-20 does not exist yet: it ends at 2026-11-21T00:00:00+08:00, in 3 h 12 min\n"
        "  latest   2026-11-19\n"
        "  effect   nothing was read\n"
        "  next     --date 2026-11-19"
    )


@pytest.mark.parametrize(
    ("text", "grain", "left"),
    [("20261120", "day", "3 h 12 min"), ("20261122", "day", "2 d 3 h"), ("2026112020", "hour", "12 min")],
)
def test_the_time_left_is_told_in_its_two_largest_units(text: str, grain: Grain, left: str) -> None:
    assert refusal(text, grain).splitlines()[0].endswith(f", in {left}")


def test_a_partition_exists_from_the_very_instant_its_window_ends() -> None:
    midnight = datetime(2026, 11, 21, tzinfo=SHANGHAI)
    assert select("20261120", now=midnight) == ("2026-11-20",)
    assert refusal("20261120", now=midnight - timedelta(seconds=1)).splitlines()[0].endswith(", in 1 min")
    assert select("20261120", now=midnight.astimezone(UTC)) == ("2026-11-20",)


def test_the_repeated_hour_exists_only_after_its_second_pass() -> None:
    after_first_pass = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert latest_partition("hour", now=after_first_pass, zone=NEW_YORK) == "2026-11-01-00:00"
    assert refusal("2026110101", "hour", NEW_YORK, after_first_pass).splitlines()[0].endswith(", in 30 min")
    assert select("2026110101", "hour", NEW_YORK, after_first_pass + timedelta(minutes=30))


@pytest.mark.parametrize(
    ("grain", "key"), [("hour", "2026-11-20-19:00"), ("day", "2026-11-19"), ("month", "2026-10")]
)
def test_the_latest_partition_is_the_last_that_has_ended(grain: Grain, key: str) -> None:
    assert latest_partition(grain, now=NOW, zone=SHANGHAI) == key


@pytest.mark.parametrize("now", ["2011-12-30T23:30:00+00:00", "2011-12-30T10:00:00+00:00"])
def test_a_day_that_was_skipped_is_never_the_latest(now: str) -> None:
    assert (
        latest_partition("day", now=datetime.fromisoformat(now), zone=ZoneInfo("Pacific/Apia"))
        == "2011-12-29"
    )


@given(
    st.datetimes(
        datetime.fromisoformat("2026-02-01"), datetime.fromisoformat("2029-01-01"), timezones=st.just(UTC)
    ),
    st.sampled_from(["hour", "day", "month"]),
    st.sampled_from([SHANGHAI, NEW_YORK, ZoneInfo("Australia/Lord_Howe")]),
)
def test_the_empty_selection_is_the_latest_partition_and_it_has_just_ended(
    now: datetime, grain: Grain, zone: ZoneInfo
) -> None:
    (key,) = select("", grain, zone, now)
    longest = {"hour": timedelta(hours=2), "day": timedelta(hours=25), "month": timedelta(days=31, hours=1)}
    assert timedelta() <= now - ends_at(key, grain, zone).astimezone(UTC) < longest[grain]


@given(
    st.sampled_from(["hour", "day", "month"]),
    st.sets(st.integers(0, 400), max_size=60),
    st.randoms(use_true_random=False),
)
def test_runs_hold_every_key_once_and_break_exactly_at_gaps(grain: Grain, numbers: set[int], random) -> None:
    def key(number: int) -> str:
        start = datetime.fromisoformat("2026-01-01")
        if grain == "month":
            return f"{2000 + number // 12}-{number % 12 + 1:02d}"
        return partition_key(start + timedelta(**{f"{grain}s": number}), grain)

    shuffled = [key(number) for number in numbers] * 2
    random.shuffle(shuffled)
    runs = contiguous_runs(shuffled, grain)
    assert [one for run in runs for one in run] == [key(number) for number in sorted(numbers)]
    assert len(runs) == sum(number - 1 not in numbers for number in numbers)


def test_a_skipped_hour_breaks_a_run_only_without_its_zone() -> None:
    hours = select("2026-03-08", "hour", NEW_YORK)
    assert [len(run) for run in contiguous_runs(hours, "hour", NEW_YORK)] == [23]
    assert [len(run) for run in contiguous_runs(hours, "hour")] == [2, 21]


@pytest.mark.parametrize(
    ("key", "grain", "fmt", "path"),
    [
        ("2026-01-09", "day", {}, "ds=2026-01-09"),
        ("2026-01-09", "day", {"column": "data_date", "format": "yyyyMMdd"}, "data_date=20260109"),
        ("2026-01-09-05:00", "hour", {}, "ds=2026-01-09/hr=05"),
        ("2026-01-09-23:00", "hour", {"format": "yyyyMMdd", "hour_column": "hh"}, "ds=20260109/hh=23"),
        ("2026-01", "month", {}, "ds=2026-01"),
        ("2026-01", "month", {"column": "dt", "month_format": "yyyyMM"}, "dt=202601"),
    ],
)
def test_a_partition_becomes_the_columns_that_its_format_says(
    key: str, grain: Grain, fmt: dict[str, str], path: str
) -> None:
    assert hive_path(partition_columns(key, grain, PartitionFormatSpec(**fmt))) == path


def test_columns_are_made_of_canonical_keys_only() -> None:
    with pytest.raises(ValueError):
        partition_columns("20260109", "day", PartitionFormatSpec())
