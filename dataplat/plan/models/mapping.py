"""Which partitions of an upstream one partition of a model reads: the rule, and its use in both directions.

A rule is a span of periods, counted from the model's partition: ``-6..0`` days. What is counted in is the
unit. A period that is longer than the upstream's partition means all partitions in it: a daily model that
reads an hourly table at ``0..0`` days reads its 24 hours. One that is longer than the model's means the one
around it: an hourly model that reads a daily table at ``0..0`` days reads the day its hour is in.

All counting is on the wall clock, so an hour that a zone skips is in the rule, and not among the partitions
if a zone is given.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import permutations
from typing import Literal
from zoneinfo import ZoneInfo

from dataplat.plan.grains import Grain, next_wall_start, partition_key, wall_start
from dataplat.plan.windows import partition_exists

Anchor = Literal["start", "end", "day", "month"]
ReadKind = Literal["partitions", "all_partitions", "latest", "whole"]
GRAINS: tuple[Grain, ...] = ("month", "day", "hour")


@dataclass(frozen=True, order=True)
class Span:
    """Periods of one unit, from ``first`` to ``last``, both included.

    Each end is counted from the period at the ``start`` or the ``end`` of the model's partition, or from the
    first one of the ``day`` or ``month`` that the partition begins in: a daily model that reads its month to
    date reads days from ``0`` of the month to ``0`` of the start.
    """

    unit: Grain
    first: int
    last: int
    first_from: Anchor = "start"
    last_from: Anchor = "start"

    def __str__(self) -> str:
        if (self.first_from, self.last_from) == ("start", "start"):
            counted = str(self.first) if self.first == self.last else f"{self.first}..{self.last}"
            return f"{counted} {self.unit}s" if counted not in ("0", "-1") else f"{counted} {self.unit}"
        if self.first == self.last and self.first_from == self.last_from:
            return f"{self.first} {self.unit} from the {self.first_from}"
        ends = f"{self.first} from the {self.first_from} .. {self.last} from the {self.last_from}"
        return f"{ends}, in {self.unit}s"

    def bounds(self, start: datetime, model: Grain) -> tuple[datetime, datetime]:
        """Return where the span begins and ends on the wall clock; the end is not in it."""
        return (
            moved(_anchor(self.first_from, start, model, self.unit), self.first, self.unit),
            moved(_anchor(self.last_from, start, model, self.unit), self.last + 1, self.unit),
        )


@dataclass(frozen=True)
class Upstream:
    """A table that a model reads.

    Attributes:
        table: The upstream, as it was declared.
        grain: How much time one of its partitions holds; none for a table without partitions.
        reads: ``partitions``: those of ``spans``. ``all_partitions`` and ``latest``: as the model states,
            whatever is visible when it runs. ``whole``: a table without partitions.
        spans: Which partitions, counted from the model's.
        stated: Whether the YAML states it; otherwise it is derived from the SQL.
        external: Whether somebody else makes the table, so that no gate can wait for it.
    """

    table: str
    grain: Grain | None
    reads: ReadKind
    spans: tuple[Span, ...] = ()
    stated: bool = False
    external: bool = False

    @property
    def first_offset(self) -> int:
        """The first period that is read, in the unit of the first span."""
        return self.spans[0].first

    @property
    def last_offset(self) -> int:
        """The last period that is read, in the unit of the last span."""
        return self.spans[-1].last

    def partitions(self, model_key: str, model_grain: Grain, zone: ZoneInfo | None = None) -> tuple[str, ...]:
        """Return the partitions of the upstream that one partition of the model reads, in order.

        Empty unless ``reads`` is ``partitions``. Whether they exist in the upstream is not asked: its first
        partition may be later. With a zone, hours that its clock skips are left out.
        """
        if self.grain is None:
            return ()
        start = wall_start(model_key, model_grain)
        walls = {wall for span in self.spans for wall in _inside(span.bounds(start, model_grain), self.grain)}
        return tuple(
            partition_key(wall, self.grain)
            for wall in sorted(walls)
            if zone is None or partition_exists(wall, self.grain, zone)
        )

    def downstream_partitions(self, key: str, model_grain: Grain) -> tuple[str, ...]:
        """Return the partitions of the model that read one partition of the upstream, in order.

        >>> week = Upstream("ods.x", "day", "partitions", (Span("day", -6, 0),))
        >>> week.downstream_partitions("2026-01-09", "day")[::6]
        ('2026-01-09', '2026-01-15')
        """
        if self.grain is None or not self.spans:
            return ()
        wall = wall_start(key, self.grain)
        found = {start for span in self.spans for start in _readers(span, wall, self.grain, model_grain)}
        return tuple(partition_key(start, model_grain) for start in sorted(found))

    def __str__(self) -> str:
        how = ", ".join(map(str, self.spans)) if self.reads == "partitions" else self.reads.replace("_", " ")
        return f"{self.table}: {how}"


def period_start(wall: datetime, unit: Grain) -> datetime:
    """Return where the hour, day or month begins that a wall time lies in."""
    return wall_start(partition_key(wall, unit), unit)


def moved(start: datetime, count: int, unit: Grain) -> datetime:
    """Return where the period begins that is ``count`` after the one that begins at ``start``."""
    if unit != "month":
        return start + count * (timedelta(days=1) if unit == "day" else timedelta(hours=1))
    year, month0 = divmod(start.year * 12 + start.month - 1 + count, 12)
    return start.replace(year=year, month=month0 + 1)


def periods_between(earlier: datetime, later: datetime, unit: Grain) -> int:
    """Return how many periods lie between the beginnings of two."""
    if unit == "month":
        return (later.year - earlier.year) * 12 + later.month - earlier.month
    return (later - earlier) // (timedelta(days=1) if unit == "day" else timedelta(hours=1))


def default_unit(model: Grain, upstream: Grain) -> Grain:
    """Return the coarser of two grains, which partitions are counted in."""
    return min(model, upstream, key=GRAINS.index)


Sample = tuple[datetime, Sequence[datetime]]


def fit_spans(samples: Sequence[Sample], model: Grain, upstream: Grain) -> tuple[Span, ...] | None:
    """Return the rule that gives the partitions of every sample, none if there is no such rule.

    Args:
        samples: For some partitions of the model where they begin, and where those of the upstream begin
            that are read; in order, none of them empty.
        model: The model's grain.
        upstream: The upstream's grain.
    """
    coarsest = GRAINS.index(default_unit(model, upstream))
    units = GRAINS[coarsest : GRAINS.index(upstream) + 1]
    attempts: list[tuple[Grain, tuple[Anchor, ...]]] = [(unit, ("start", "end")) for unit in units]
    attempts += [(unit, ("start",)) for unit in reversed(GRAINS[:coarsest])]
    attempts += [(unit, ("start", "end", "day", "month")) for unit in units]
    for unit, anchors in attempts:
        for spans in _candidates(samples[0], model, unit, anchors):
            if all(tuple(walls) == _walls(spans, start, model, upstream) for start, walls in samples):
                return spans
    return None


def _candidates(
    sample: Sample, model: Grain, unit: Grain, anchors: Sequence[Anchor]
) -> Iterator[tuple[Span, ...]]:
    """Yield the rules that one sample suggests, the plainest first."""
    start, walls = sample
    periods = sorted({period_start(wall, unit) for wall in walls})
    counted: dict[Anchor, list[int]] = {}
    for anchor in anchors:
        zero = _anchor(anchor, start, model, unit)
        counted[anchor] = [periods_between(zero, period, unit) for period in periods]
        yield tuple(Span(unit, first, last, anchor, anchor) for first, last in _runs(counted[anchor]))
    if len(_runs(counted["start"])) == 1:
        for first, last in permutations(anchors, 2):
            yield (Span(unit, counted[first][0], counted[last][-1], first, last),)


def _anchor(anchor: Anchor, start: datetime, model: Grain, unit: Grain) -> datetime:
    match anchor:
        case "end":
            return period_start(next_wall_start(start, model) - timedelta(hours=1), unit)
        case "day":
            return period_start(start.replace(hour=0), unit)
        case "month":
            return period_start(start.replace(day=1, hour=0), unit)
    return period_start(start, unit)


def _runs(offsets: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for offset in offsets:
        if runs and runs[-1][1] == offset - 1:
            runs[-1] = (runs[-1][0], offset)
        else:
            runs.append((offset, offset))
    return runs


def _walls(spans: Iterable[Span], start: datetime, model: Grain, upstream: Grain) -> tuple[datetime, ...]:
    return tuple(sorted({wall for span in spans for wall in _inside(span.bounds(start, model), upstream)}))


def _inside(bounds: tuple[datetime, datetime], grain: Grain) -> Iterator[datetime]:
    wall, end = period_start(bounds[0], grain), bounds[1]
    while wall < end:
        yield wall
        wall = next_wall_start(wall, grain)


def _readers(span: Span, wall: datetime, upstream: Grain, model: Grain) -> Iterator[datetime]:
    end = next_wall_start(wall, upstream)
    long, short = timedelta(days=32), timedelta(days=2)
    before = long if model == "month" else short
    after = long if "month" in (span.unit, span.first_from, span.last_from) else short
    start = period_start(moved(period_start(wall, span.unit), -span.last - 1, span.unit) - before, model)
    latest = moved(period_start(end, span.unit), 1 - span.first, span.unit) + after
    while start < latest:
        first, last = span.bounds(start, model)
        if period_start(first, upstream) < end and wall < last:
            yield start
        start = next_wall_start(start, model)
