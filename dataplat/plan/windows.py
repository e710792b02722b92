"""The span of time that a partition holds, and how to say it to a source.

Partitions are wall-clock things, sources are asked with instants or with wall-clock literals, and where
clocks change the two disagree. One rule decides all of it:

    **A partition begins at the first instant at which its zone's wall clock has reached its beginning.**

That instant exists and is unique for every wall time and only moves forward, so the windows of a grain
tile the time line: no row is in two partitions and none falls between them. What follows from it:

- Autumn: the hour that occurs twice is *one* partition of two hours, its day has 25.
- Spring: the hour that the clock skips has no instants and is no partition; its day has 23.
- A day that begins inside a skipped hour begins when the clock has jumped.

**Naive source columns.** A ``DATETIME`` says what the wall clock of the writer showed, and during the
hour that occurs twice it does not say which time. ``wall_clock`` gives the literals to cut at. They tile
as well, and a row whose time is ambiguous is in the later of the partitions that could hold it, because
only that one is loaded after the row can have been written. When the table's zone is the source's zone
and its clock changes by an hour or less, that is the partition of that hour, as one expects. A time that
the clock skipped but a writer stored nevertheless lies in the partition before the jump.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dataplat.errors import SelectionError
from dataplat.plan.grains import Grain, next_wall_start, wall_start

STEADY_YEARS = (1992, 2045)  # within these, ``steady_offset`` holds
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open span of time, ``start <= t < end``. Never empty, always aware.

    Do not subtract or compare its ends directly: between two datetimes of one zone Python compares wall
    clocks, and is an hour wrong where clocks change. ``duration`` and ``holds`` do it through UTC.

    Raises:
        ValueError: If an end is naive, or ``end`` is not after ``start``.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs aware datetimes")
        if self.duration <= timedelta(0):
            raise ValueError(f"a window ends after it starts: {self.start} .. {self.end}")

    @property
    def duration(self) -> timedelta:
        """Return the time that elapses between the ends."""
        return self.end.astimezone(UTC) - self.start.astimezone(UTC)

    def holds(self, instant: datetime) -> bool:
        """Return whether an aware instant lies in the window."""
        return self.start.astimezone(UTC) <= instant.astimezone(UTC) < self.end.astimezone(UTC)


def partition_window(key: str, grain: Grain, zone: ZoneInfo) -> Window:
    """Return the span of time that one partition holds.

    The reader, the counter and every delivery take their WHERE clause from here.

    Args:
        key: A canonical partition key.
        grain: The table's grain.
        zone: Where the partition's day begins at midnight. Not the server's zone.

    Raises:
        SelectionError: If the zone's clock skipped the whole partition. Nothing was read.
        ValueError: If ``key`` is no canonical key of this grain.

    >>> window = partition_window("2024-02-29", "day", ZoneInfo("Asia/Shanghai"))
    >>> window.end.isoformat()
    '2024-03-01T00:00:00+08:00'
    """
    wall = wall_start(key, grain)
    start, end = first_instant(wall, zone), first_instant(next_wall_start(wall, grain), zone)
    if start == end:
        raise SelectionError(
            key,
            f"this {grain} does not exist in {zone.key}: its clock jumped over it",
            facts=(("jumped to", start.isoformat()),),
            effect="nothing was read",
        )
    return Window(start, end)


def partition_exists(wall: datetime, grain: Grain, zone: ZoneInfo) -> bool:
    """Return whether the partition that begins at a wall time holds any instant in ``zone``."""
    return first_instant(wall, zone) != first_instant(next_wall_start(wall, grain), zone)


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the clock of ``zone`` shows ``wall`` or later.

    >>> first_instant(datetime.fromisoformat("2026-03-08T02:00"), ZoneInfo("America/New_York")).isoformat()
    '2026-03-08T03:00:00-04:00'
    """
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant.astimezone(zone)
    before_jump = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return clock_change(before_jump, instant, zone).astimezone(zone)


def merge_windows(windows: Iterable[Window]) -> list[Window]:
    """Return the fewest windows that hold the same instants, in order of time.

    Windows that touch or overlap become one; the result does not depend on the order given.
    """
    merged: list[Window] = []
    for window in sorted(windows, key=lambda w: w.start.astimezone(UTC)):
        if not merged or window.start.astimezone(UTC) > merged[-1].end.astimezone(UTC):
            merged.append(window)
        elif window.end.astimezone(UTC) > merged[-1].end.astimezone(UTC):
            merged[-1] = Window(merged[-1].start, window.end)
    return merged


def wall_clock(instant: datetime, source_zone: ZoneInfo) -> str:
    """Return the literal at which a window's edge cuts a source's naive column.

    It is the smallest wall time that the source's clock will still show from ``instant`` on. That is
    what the clock shows, except in the first pass of an hour that occurs twice, where it is the
    beginning of the repeated span. ``column >= wall_clock(start) AND column < wall_clock(end)`` therefore
    tiles over consecutive windows, and a window never has to be read again for rows written after its end.
    (Both literals may be equal; the window then holds no row.)

    Whole seconds: a fraction is cut off. In MySQL it compares with ``DATETIME`` as it is; with
    ``TIMESTAMP`` it needs the session's zone to be ``session_time_zone(source_zone)``.

    >>> shanghai_midnight = datetime.fromisoformat("2026-01-09T00:00+08:00")
    >>> wall_clock(shanghai_midnight, ZoneInfo("Asia/Tokyo"))
    '2026-01-09 01:00:00'
    """
    shown = instant.astimezone(source_zone)
    second_pass = shown.replace(fold=1)
    if shown.fold == 0 and shown.utcoffset() != second_pass.utcoffset():
        shown = clock_change(shown.astimezone(UTC), second_pass.astimezone(UTC), source_zone)
        shown = shown.astimezone(source_zone)
    return shown.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")


def session_time_zone(zone: ZoneInfo) -> str:
    """Return the name under which a MySQL session is set to ``zone``.

    An offset such as ``+08:00`` where ``steady_offset`` finds one: MySQL knows offsets always, and names only
    if somebody loaded its time zone tables. Otherwise the IANA name. With an offset, ``TIMESTAMP`` values
    from before 1992 come out without that time's summer time (China had one from 1986 to 1991); ``DATETIME``
    values are not touched by it.

    >>> session_time_zone(ZoneInfo("Asia/Shanghai")), session_time_zone(ZoneInfo("Europe/London"))
    ('+08:00', 'Europe/London')
    """
    if steady_offset(zone) is None:
        return zone.key
    return datetime(STEADY_YEARS[0], 1, 1, tzinfo=zone).isoformat()[-6:]


@lru_cache
def steady_offset(zone: ZoneInfo) -> timedelta | None:
    """Return the offset that a zone has kept since 1992 and will keep until 2045, if there is one.

    >>> steady_offset(ZoneInfo("Asia/Shanghai")), steady_offset(ZoneInfo("Europe/London"))
    (datetime.timedelta(seconds=28800), None)
    """
    first, last = (datetime(year, 1, 1, tzinfo=UTC) for year in STEADY_YEARS)
    offset = first.astimezone(zone).utcoffset()
    day = first
    while day < last:
        if day.astimezone(zone).utcoffset() != offset:
            return None
        day += timedelta(days=1)
    return offset


def clock_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first second after ``before`` with the offset that ``after`` has; all in UTC."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after
