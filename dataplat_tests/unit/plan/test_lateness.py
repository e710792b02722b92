"""Deadlines on the wall clock, and what is learned from when partitions came."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dataplat.plan.grains import Grain
from dataplat.plan.lateness import deadline, freshness_cron, usual_landing
from dataplat.specs import FreshSpec

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("fresh", "grain", "key", "zone", "at"),
    [
        ({"by": "08:00"}, "day", "2026-01-09", SHANGHAI, "2026-01-10T08:00"),
        ({"by": "00:00"}, "day", "2026-01-09", SHANGHAI, "2026-01-10T00:00"),
        ({"by": "08:00"}, "day", "2026-03-28", BERLIN, "2026-03-29T08:00"),
        ({"by": "08:00"}, "month", "2026-01", SHANGHAI, "2026-02-01T08:00"),
        ({"by": "08:00"}, "hour", "2026-01-09-06:00", SHANGHAI, "2026-01-09T08:00"),
        ({"by": "08:00"}, "hour", "2026-01-09-08:00", SHANGHAI, "2026-01-10T08:00"),
        ({"within": "30m"}, "hour", "2026-01-09-06:00", SHANGHAI, "2026-01-09T07:30"),
        ({"within": "2d"}, "day", "2026-01-09", SHANGHAI, "2026-01-12T00:00"),
    ],
)
def test_a_deadline_is_counted_from_the_end_of_the_partition(
    fresh: dict[str, str], grain: Grain, key: str, zone: ZoneInfo, at: str
) -> None:
    spec = FreshSpec.model_validate(fresh)
    assert deadline(spec, key, grain, zone) == datetime.fromisoformat(at).replace(tzinfo=zone)


def test_one_slow_day_in_twenty_is_not_usual_and_few_days_teach_nothing() -> None:
    usual = [timedelta(hours=2)] * 19
    assert usual_landing([*usual, timedelta(hours=20)]) == timedelta(hours=2)
    assert usual_landing(usual[:2]) is None


@pytest.mark.parametrize(
    ("fresh", "grain", "cron"),
    [
        ({"by": "08:30"}, "day", ("30 8 * * *", timedelta(hours=8, minutes=30))),
        ({"by": "00:00"}, "day", ("0 0 * * *", timedelta(days=1))),
        ({"by": "08:30"}, "month", ("30 8 1 * *", timedelta(hours=8, minutes=30))),
        ({"by": "08:30"}, "hour", None),
        ({"within": "20m"}, "hour", ("20 * * * *", timedelta(minutes=20))),
        ({"within": "2h"}, "hour", None),
        ({"within": "90m"}, "day", ("30 1 * * *", timedelta(minutes=90))),
        ({"within": "2d"}, "day", None),
    ],
)
def test_the_badge_has_the_same_deadline_where_cron_can_say_it(
    fresh: dict[str, str], grain: Grain, cron: tuple[str, timedelta] | None
) -> None:
    assert freshness_cron(FreshSpec.model_validate(fresh), grain) == cron
