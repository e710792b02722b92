"""Which partitions a selection means, and the columns that a partition becomes in Hive.

A selection is ``D``, ``D1~D2`` (both included), ``D1,D2`` or a mixture, of days, hours or months as
``plan.partition_names`` reads them; for an hourly table a day is its hours. It is refused as a whole if
any part of it is not there: a backfill that quietly does less than it was told is worse than none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from dataplat.errors import SelectionError
from dataplat.plan.grains import Grain, next_wall_start, partition_key, wall_start
from dataplat.plan.hive_paths import hive_path
from dataplat.plan.partition_names import EXPECTED_IN_SELECTION, parse_partition, parse_span
from dataplat.plan.tokens import parse_format
from dataplat.plan.windows import first_instant, partition_exists, partition_window
from dataplat.specs import PartitionFormatSpec

__all__ = [
    "Grain",
    "contiguous_runs",
    "ended_partitions",
    "ends_at",
    "hive_path",
    "latest_partition",
    "parse_partition",
    "partition_columns",
    "partition_key",
    "select_partitions",
]

_EFFECT = "nothing was read"


def select_partitions(
    text: str, grain: Grain, *, first: date, now: datetime, zone: ZoneInfo, subject: str = ""
) -> tuple[str, ...]:
    """Return the partitions that a selection names, in order of time and each once.

    An empty selection is the latest partition that has ended: for a daily table, yesterday. An hour that
    the zone's clock skips is left out of days and ranges, and refused where it is named alone.

    Args:
        text: ``D``, ``D1~D2``, ``D1,D2``, or a mixture.
        grain: The table's grain.
        first: The day in which the table's first partition lies.
        now: Aware; a partition exists once its window is over.
        zone: The platform's zone.
        subject: The table, for the messages.

    Raises:
        SelectionError: If any part is unreadable, a range ends before it starts, or a partition lies
            before the table's first or has not ended. Nothing was selected.

    >>> select_partitions(
    ...     "20260228~20260301,2026-01-05", "day", first=date(2026, 1, 1), zone=ZoneInfo("Asia/Shanghai"),
    ...     now=datetime.fromisoformat("2026-03-20T09:00+08:00"))
    ('2026-01-05', '2026-02-28', '2026-03-01')
    """
    table = _Table(grain, wall_start(partition_key(first, grain), grain), now, zone, subject)
    walls: set[datetime] = set()
    for part in text.split(",") if text.strip() else [latest_partition(grain, now=now, zone=zone)]:
        walls.update(table.partitions(*_span(part, grain, subject)))
    return tuple(partition_key(wall, grain) for wall in sorted(walls))


def latest_partition(grain: Grain, *, now: datetime, zone: ZoneInfo) -> str:
    """Return the key of the last partition whose window is over at ``now``.

    >>> latest_partition("day", now=datetime.fromisoformat("2026-03-01T17:00Z"), zone=ZoneInfo("Asia/Tokyo"))
    '2026-03-01'
    """
    shown = now.astimezone(zone).replace(tzinfo=None, fold=0)
    wall = wall_start(partition_key(shown, grain), grain)
    while not (partition_exists(wall, grain, zone) and _ends(wall, grain, zone) <= now.astimezone(UTC)):
        wall = wall_start(partition_key(wall - timedelta(hours=1), grain), grain)
    return partition_key(wall, grain)


def ended_partitions(
    grain: Grain, *, first: date, now: datetime, zone: ZoneInfo, lookback: timedelta
) -> list[str]:
    """Return the partitions that ended within ``lookback``, the oldest first; at least the last that ended.

    None only if the first partition has not ended.
    """
    begin = wall_start(partition_key(first, grain), grain)
    wall = wall_start(latest_partition(grain, now=now, zone=zone), grain)
    found: list[str] = []
    while wall >= begin:
        if partition_exists(wall, grain, zone):
            if found and now - _ends(wall, grain, zone) > lookback:
                break
            found.append(partition_key(wall, grain))
        wall = wall_start(partition_key(wall - timedelta(hours=1), grain), grain)
    return found[::-1]


def ends_at(key: str, grain: Grain, zone: ZoneInfo) -> datetime:
    """Return the instant from which on a partition is complete, in ``zone``.

    Raises:
        SelectionError: If the zone's clock skipped the whole partition.
    """
    return partition_window(key, grain, zone).end


def partition_columns(key: str, grain: Grain, fmt: PartitionFormatSpec) -> tuple[tuple[str, str], ...]:
    """Return a partition's columns and values in Hive, outermost first.

    Raises:
        ValueError: If ``key`` is no canonical key of this grain.

    >>> partition_columns("2026-01-09-05:00", "hour", PartitionFormatSpec())
    (('ds', '2026-01-09'), ('hr', '05'))
    """
    wall = wall_start(key, grain)
    text = fmt.month_format if grain == "month" else fmt.format
    columns = ((fmt.column, parse_format(text).render(wall)),)
    return (*columns, (fmt.hour_column, f"{wall.hour:02d}")) if grain == "hour" else columns


def contiguous_runs(keys: Iterable[str], grain: Grain, zone: ZoneInfo | None = None) -> list[tuple[str, ...]]:
    """Return the keys as runs without gaps, in order of time; one read can cover a run.

    Args:
        keys: Canonical keys in any order; doubles count once.
        grain: Their grain.
        zone: With a zone, the hours around one that its clock skipped are one run too.

    >>> contiguous_runs(["2026-03-02", "2026-02-28", "2026-03-01", "2026-03-07"], "day")
    [('2026-02-28', '2026-03-01', '2026-03-02'), ('2026-03-07',)]
    """
    runs: list[list[str]] = []
    reached: datetime | None = None
    for wall in sorted({wall_start(key, grain) for key in keys}):
        while zone and reached and reached < wall and not partition_exists(reached, grain, zone):
            reached = next_wall_start(reached, grain)
        if wall != reached:
            runs.append([])
        runs[-1].append(partition_key(wall, grain))
        reached = next_wall_start(wall, grain)
    return [tuple(run) for run in runs]


@dataclass(frozen=True, slots=True)
class _Table:
    """What decides whether a partition can be selected."""

    grain: Grain
    first: datetime
    now: datetime
    zone: ZoneInfo
    subject: str

    def partitions(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Yield where each partition of a span begins; raise at the first that is not there."""
        if start < self.first:
            raise self._before_first(start)
        wall = start
        while wall <= end:
            ends = _ends(wall, self.grain, self.zone)
            if ends > self.now.astimezone(UTC):
                raise self._not_yet(wall, ends)
            if partition_exists(wall, self.grain, self.zone):
                yield wall
            elif start == end:
                raise self._skipped(wall)
            wall = next_wall_start(wall, self.grain)

    def _before_first(self, wall: datetime) -> SelectionError:
        first = partition_key(self.first, self.grain)
        return SelectionError(
            self.subject or "partition",
            f"{partition_key(wall, self.grain)} lies before the table's first partition",
            facts=(("first", first),),
            effect=_EFFECT,
            next_steps=(_dated(first, self.subject), "set window.start in the table's YAML"),
        )

    def _not_yet(self, wall: datetime, ends: datetime) -> SelectionError:
        latest = latest_partition(self.grain, now=self.now, zone=self.zone)
        return SelectionError(
            self.subject or "partition",
            f"{partition_key(wall, self.grain)} does not exist yet: it ends at "
            f"{ends.astimezone(self.zone).isoformat()}, in {_duration(ends - self.now.astimezone(UTC))}",
            facts=(("latest", latest),),
            effect=_EFFECT,
            next_steps=(_dated(latest, self.subject),),
        )

    def _skipped(self, wall: datetime) -> SelectionError:
        return SelectionError(
            self.subject or "partition",
            f"{partition_key(wall, self.grain)} does not exist in {self.zone.key}: its clock jumped over it",
            facts=(("jumped to", first_instant(wall, self.zone).isoformat()),),
            effect=_EFFECT,
        )


def _span(part: str, grain: Grain, subject: str) -> tuple[datetime, datetime]:
    ends = part.split("~")
    if len(ends) > 2 or not all(end.strip() for end in ends):
        raise SelectionError(
            subject or "partition",
            f"'{part.strip()}' is no selection that can be read",
            facts=(("expected", f"D, D1~D2 or D1,D2, where D is {EXPECTED_IN_SELECTION[grain]}"),),
            effect=_EFFECT,
        )
    start, last = parse_span(ends[0], grain, subject=subject)
    end = parse_span(ends[-1], grain, subject=subject)[1] if len(ends) == 2 else last
    if start > end:
        first, final = partition_key(start, grain), partition_key(end, grain)
        raise SelectionError(
            subject or "partition",
            f"the range {first}~{final} ends before it starts",
            effect=_EFFECT,
            next_steps=(_dated(f"{ends[1].strip()}~{ends[0].strip()}", subject),),
        )
    return start, end


def _dated(selection: str, subject: str) -> str:
    return f"dataplat load {subject} --date {selection}" if subject else f"--date {selection}"


def _ends(wall: datetime, grain: Grain, zone: ZoneInfo) -> datetime:
    return first_instant(next_wall_start(wall, grain), zone).astimezone(UTC)


def _duration(left: timedelta) -> str:
    minutes = -(-int(left.total_seconds()) // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
