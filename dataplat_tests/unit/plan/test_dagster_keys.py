"""Keys agree with the partitions definitions that Dagster builds, and where they cannot, how they differ."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from dataplat.errors import SelectionError
from dataplat.plan.partition_names import parse_partition
from dataplat.plan.windows import partition_window

NOW = datetime(2026, 12, 1, tzinfo=UTC)
FIXED_ZONES = ["UTC", "Asia/Shanghai", "Asia/Kolkata"]


def hourly_keys(zone: str, first: str, count: int) -> list[str]:
    hours = dg.HourlyPartitionsDefinition(start_date=f"{first}-00:00", timezone=zone)
    return list(hours.get_partition_keys(current_time=NOW))[:count]


@pytest.mark.parametrize("zone", [*FIXED_ZONES, "America/New_York", "Australia/Lord_Howe"])
def test_day_keys_and_windows_are_dagsters(zone: str) -> None:
    days = dg.DailyPartitionsDefinition(start_date="2026-01-01", timezone=zone)
    for key in days.get_partition_keys(current_time=NOW):
        theirs, ours = days.time_window_for_partition_key(key), partition_window(key, "day", ZoneInfo(zone))
        assert parse_partition(key, "day") == key
        assert (theirs.start.timestamp(), theirs.end.timestamp()) == (
            ours.start.timestamp(),
            ours.end.timestamp(),
        )


@pytest.mark.parametrize("zone", FIXED_ZONES)
def test_hour_keys_and_windows_are_dagsters_where_clocks_do_not_change(zone: str) -> None:
    hours = dg.HourlyPartitionsDefinition(start_date="2026-03-01-00:00", timezone=zone)
    for key in hourly_keys(zone, "2026-03-01", 100):
        theirs, ours = hours.time_window_for_partition_key(key), partition_window(key, "hour", ZoneInfo(zone))
        assert parse_partition(key, "hour") == key
        assert (theirs.start, theirs.end) == (ours.start, ours.end)


def test_month_keys_are_dagsters_only_with_the_format_named() -> None:
    months = dg.MonthlyPartitionsDefinition(start_date="2026-01", timezone="Asia/Shanghai", fmt="%Y-%m")
    keys = list(months.get_partition_keys(current_time=NOW))
    assert [parse_partition(key, "month") for key in keys] == keys
    left_alone = dg.MonthlyPartitionsDefinition(start_date="2026-01-01", timezone="Asia/Shanghai")
    assert left_alone.get_first_partition_key() == "2026-01-01"


@pytest.mark.parametrize(
    ("zone", "day"), [("America/New_York", "2026-11-01"), ("Europe/London", "2026-10-25")]
)
def test_dagsters_two_keys_of_the_repeated_hour_name_one_partition(zone: str, day: str) -> None:
    keys = [key for key in hourly_keys(zone, day, 30) if key.startswith(day)]
    assert len(keys) == 25
    ours = [parse_partition(key, "hour") for key in keys]
    assert [a for a, b in pairwise(ours) if a == b] == [f"{day}-01:00"]


def test_dagster_does_not_name_the_skipped_hour_either() -> None:
    keys = hourly_keys("America/New_York", "2026-03-08", 4)
    assert keys == ["2026-03-08-00:00", "2026-03-08-01:00", "2026-03-08-03:00", "2026-03-08-04:00"]
    windows = [partition_window(key, "hour", ZoneInfo("America/New_York")) for key in keys]
    assert all(a.end.timestamp() == b.start.timestamp() for a, b in pairwise(windows))


def test_dagsters_keys_that_drift_by_half_an_hour_are_refused() -> None:
    drifted = [key for key in hourly_keys("Australia/Lord_Howe", "2026-04-05", 4) if ":30" in key]
    assert drifted == ["2026-04-05-01:30+1030", "2026-04-05-02:30"]
    for key in drifted:
        with pytest.raises(SelectionError):
            parse_partition(key, "hour")
