"""What the old trailing re-read reads: eight days are the day and the seven before it, whatever clocks do."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from dataplat.plan.grains import Grain
from dataplat.plan.lookback import with_lookback

FIRST = date(2026, 1, 1)


def reads(*keys: str, grain: Grain = "day", zone: str = "Asia/Shanghai", **back: int) -> tuple[str, ...]:
    return with_lookback(keys, grain, timedelta(**back), first=FIRST, zone=ZoneInfo(zone))


def test_eight_days_are_the_day_and_the_seven_before_it() -> None:
    found = reads("2026-03-05", days=8)
    assert (len(found), found[0], found[-1]) == (8, "2026-02-26", "2026-03-05")


def test_nothing_is_read_from_before_the_first_partition() -> None:
    assert reads("2026-01-02", days=8) == ("2026-01-01", "2026-01-02")


def test_hours_and_months_count_in_their_own_length() -> None:
    assert reads("2026-03-05-01:00", grain="hour", hours=3) == (
        *("2026-03-04-23:00", "2026-03-05-00:00", "2026-03-05-01:00"),
    )
    assert reads("2026-03", grain="month", days=32) == ("2026-02", "2026-03")
    assert reads("2026-03", grain="month", days=31) == ("2026-03",)


@pytest.mark.parametrize("key", ["2026-03-30", "2026-10-26"])
def test_eight_days_are_eight_days_where_clocks_change(key: str) -> None:
    assert len(reads(key, zone="Europe/Berlin", days=8)) == 8


def test_an_hour_that_the_clock_skips_is_not_read() -> None:
    assert reads("2026-03-29-04:00", grain="hour", zone="Europe/Berlin", hours=4) == (
        *("2026-03-29-01:00", "2026-03-29-03:00", "2026-03-29-04:00"),
    )


def test_partitions_that_overlap_are_read_once() -> None:
    assert reads("2026-03-05", "2026-03-06", "2026-03-01", days=2) == (
        *("2026-02-28", "2026-03-01", "2026-03-04", "2026-03-05", "2026-03-06"),
    )
