"""When a partition has to be there, and when it usually is. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from dataplat.plan.grains import Grain
from dataplat.plan.partitions import ends_at
from dataplat.specs import FreshSpec

_FEW = 3
_DAY = timedelta(days=1)


def deadline(fresh: FreshSpec, key: str, grain: Grain, zone: ZoneInfo) -> datetime:
    """Return the instant at which a partition has to be there.

    >>> at = deadline(FreshSpec(by="08:00"), "2026-01-09", "day", ZoneInfo("Asia/Shanghai"))
    >>> at.isoformat()
    '2026-01-10T00:00:00+00:00'
    """
    end = ends_at(key, grain, zone)
    if fresh.within is not None:
        return end.astimezone(UTC) + fresh.within
    assert fresh.by is not None, "the spec requires one of them"
    there = end.astimezone(zone)
    day = there.date() + (_DAY if there.time() > fresh.by else timedelta())
    return datetime.combine(day, fresh.by, zone).astimezone(UTC)


def usual_landing(delays: Sequence[timedelta]) -> timedelta | None:
    """Return how long after its end a partition has come in 95 of 100 cases; none from fewer than three.

    >>> usual_landing([timedelta(minutes=minute) for minute in range(1, 101)])
    datetime.timedelta(seconds=5700)
    """
    if len(delays) < _FEW:
        return None
    return sorted(delays)[ceil(0.95 * len(delays)) - 1]


def freshness_cron(fresh: FreshSpec, grain: Grain) -> tuple[str, timedelta] | None:
    """Return the deadlines as five cron fields, and how long before each a partition may come.

    For the badge in the UI. None where cron cannot say it: later than the end of the next partition.
    """
    if fresh.by is not None:
        if grain == "hour":
            return None
        since = timedelta(hours=fresh.by.hour, minutes=fresh.by.minute) or _DAY
        return f"{fresh.by.minute} {fresh.by.hour} {'1' if grain == 'month' else '*'} * *", since
    assert fresh.within is not None, "the spec requires one of them"
    minutes = int(fresh.within.total_seconds() // 60)
    if grain == "hour" and 0 < minutes < 60:
        return f"{minutes} * * * *", fresh.within
    if grain != "hour" and 0 < minutes < 24 * 60:
        return f"{minutes % 60} {minutes // 60} {'1' if grain == 'month' else '*'} * *", fresh.within
    return None
