"""Wall clocks that a load stores as others, because no clock ever showed them.

Two kinds: what the clock of the source's zone jumped over, and the ten days that the driver's calendar never
had (1582-10-05 to 14). A comparison of source and Hive has to expect what a load makes of them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dataplat.plan.windows import STEADY_YEARS, clock_change

_FIRST_YEAR = 1850  # no zone's clock changed before
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class MovedWalls:
    """Wall clocks ``start <= w < end`` are stored ``seconds`` later. Naive, because they are no instants."""

    start: str
    end: str
    seconds: int


NEVER_IN_THE_CALENDAR = MovedWalls("1582-10-05 00:00:00", "1582-10-15 00:00:00", 10 * 24 * 3600)


@lru_cache
def skipped_walls(zone: ZoneInfo) -> tuple[MovedWalls, ...]:
    """Return what the clock of a zone jumped over before it became steady, in order of time.

    >>> skipped_walls(ZoneInfo("Asia/Tokyo"))[-1]
    MovedWalls(start='1951-05-06 00:00:00', end='1951-05-06 01:00:00', seconds=3600)
    """
    found = []
    day = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    last = datetime(STEADY_YEARS[0], 1, 2, tzinfo=UTC)
    before = _offset(day, zone)
    while day < last:
        after = _offset(day + timedelta(days=1), zone)
        if after > before:
            jump = clock_change(day, day + timedelta(days=1), zone).replace(tzinfo=None)
            found.append(MovedWalls(str(jump + before), str(jump + after), int((after - before) / _SECOND)))
        day, before = day + timedelta(days=1), after
    return tuple(found)


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()
