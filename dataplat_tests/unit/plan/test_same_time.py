from zoneinfo import ZoneInfo

import pytest

from dataplat.plan.grains import Grain
from dataplat.plan.same_time import keys_at_same_time

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("key", "grain", "other", "first", "last", "count"),
    [
        ("2026-01-09", "day", "day", "2026-01-09", "2026-01-09", 1),
        ("2026-01-09", "day", "hour", "2026-01-09-00:00", "2026-01-09-23:00", 24),
        ("2026-01-09-05:00", "hour", "day", "2026-01-09", "2026-01-09", 1),
        ("2026-01-09-05:00", "hour", "month", "2026-01", "2026-01", 1),
        ("2026-02", "month", "day", "2026-02-01", "2026-02-28", 28),
        ("2026-02-28", "day", "month", "2026-02", "2026-02", 1),
    ],
)
def test_a_partition_meets_those_that_hold_it_or_lie_in_it(
    key: str, grain: Grain, other: Grain, first: str, last: str, count: int
) -> None:
    keys = keys_at_same_time(key, grain, other, SHANGHAI)

    assert (keys[0], keys[-1], len(keys)) == (first, last, count)


def test_an_hour_that_the_clock_skipped_is_not_waited_for() -> None:
    keys = keys_at_same_time("2026-03-08", "day", "hour", NEW_YORK)

    assert len(keys) == 23
    assert "2026-03-08-02:00" not in keys
