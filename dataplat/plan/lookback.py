"""The old remedy for late rows: whatever is loaded, the partitions just before it are read again with it.

Kept for those who insist. ``plan.drift`` asks which partitions changed and reads just those: eight days that
did not change cost one count instead of eight days of rows, and one that changed on the ninth day is found by
asking further back, which costs next to nothing.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from dataplat.plan.grains import Grain, next_wall_start, partition_key, wall_start
from dataplat.plan.windows import partition_exists


def with_lookback(
    keys: Sequence[str], grain: Grain, lookback: timedelta, *, first: date, zone: ZoneInfo
) -> tuple[str, ...]:
    """Return partitions and those before each that end within ``lookback`` of its end, in order of time.

    On the wall clock, so eight days are eight days where clocks change. None before the table's first.

    >>> with_lookback(["2026-03-02"], "day", timedelta(days=3), first=date(2026, 1, 1), zone=ZoneInfo("UTC"))
    ('2026-02-28', '2026-03-01', '2026-03-02')
    """
    begin = wall_start(partition_key(first, grain), grain)
    walls = {wall_start(key, grain) for key in keys}
    for key in keys:
        wall = wall_start(key, grain)
        reached = next_wall_start(wall, grain) - lookback
        while wall >= begin and next_wall_start(wall, grain) > reached:
            if partition_exists(wall, grain, zone):
                walls.add(wall)
            wall = wall_start(partition_key(wall - timedelta(hours=1), grain), grain)
    return tuple(partition_key(wall, grain) for wall in sorted(walls))
