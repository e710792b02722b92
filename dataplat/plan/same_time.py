"""Which partitions of another table have the time of a partition: the day's 24 hours, an hour's day."""

from datetime import datetime
from zoneinfo import ZoneInfo

from dataplat.plan.grains import Grain, next_wall_start, partition_key, wall_start
from dataplat.plan.windows import partition_exists


def keys_at_same_time(key: str, grain: Grain, other: Grain, zone: ZoneInfo) -> tuple[str, ...]:
    """Return the partitions of a table of grain ``other`` that hold, or lie in, one of grain ``grain``.

    An hour that the zone's clock skipped is no partition, and left out.

    >>> keys_at_same_time("2026-01-09-05:00", "hour", "day", ZoneInfo("Asia/Shanghai"))
    ('2026-01-09',)
    >>> len(keys_at_same_time("2026-01-09", "day", "hour", ZoneInfo("Asia/Shanghai")))
    24
    """
    start = wall_start(key, grain)
    end = next_wall_start(start, grain)
    first: datetime = wall_start(partition_key(start, other), other)
    keys: list[str] = []
    while first < end:
        if partition_exists(first, other, zone):
            keys.append(partition_key(first, other))
        first = next_wall_start(first, other)
    return tuple(keys)
