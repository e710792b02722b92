"""Which partitions belong to a backfill: those of the range, and by the models' own rules what reads them.

The range is of the tables that are named. What ``+`` adds is found partition by partition: a week that reads
one of the days is in it, also when it ends after the range, and so is the month that a day is in. A model
that reads its own past is made again up to today, because each of its partitions is made of the one before.

What surprises:

* A partition that has not ended, or lies before its table's first one, cannot be made. It is left out, and
  named.
* What a model reads as ``latest`` or ``all_partitions`` says nothing about single partitions. Nothing follows
  from it; such readers are named, so that a person can decide.
* Everything is counted on the wall clock of the platform's zone; the zone of the process is never asked.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from functools import lru_cache

from dataplat.plan.backfills.selection import Pick, WallSpan, span_keys
from dataplat.plan.grains import wall_start
from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.models.mapping import Upstream, period_start
from dataplat.plan.partitions import ends_at
from dataplat.plan.windows import partition_exists
from dataplat.specs import AnyTable, Catalog

NOT_ENDED, BEFORE_FIRST = "not ended yet", "before the table's first partition"
STALE = "reads what is made again"
_SKIPPED = "the clock skips it"
Keys = dict[str, set[str]]


@dataclass(frozen=True)
class LeftOut:
    """Partitions that were meant and cannot be made, or are not made by this backfill."""

    table: str
    partitions: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Unfollowed:
    """A reader of which no partition follows: it reads whatever is visible when it is made."""

    table: str
    upstream: str
    reads: str


@dataclass
class Closure:
    """The partitions of a backfill.

    Attributes:
        partitions: By table, upstreams before those who read them; in order of time.
        left_out: What cannot be made.
        outside: What reads partitions that are made again, and is not made again itself.
        unfollowed: Readers that are not in it, and of which no partition follows.
    """

    partitions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    outside: list[LeftOut] = field(default_factory=list)
    unfollowed: list[Unfollowed] = field(default_factory=list)


def close_over(
    catalog: Catalog, graph: ModelGraph, picks: Sequence[Pick], span: WallSpan, now: datetime
) -> Closure:
    """Return every partition that a selection and a range mean. ``now`` decides which have ended."""
    return _Closing(catalog, graph, now).close(picks, span)


class _Closing:
    def __init__(self, catalog: Catalog, graph: ModelGraph, now: datetime) -> None:
        self._catalog = catalog
        self._graph = graph
        self._now = now.astimezone(UTC)
        self._zone = catalog.platform.zone
        self._left_out: dict[tuple[str, str], set[str]] = {}
        self._why_not = lru_cache(maxsize=None)(self._find_why_not)

    def close(self, picks: Sequence[Pick], span: WallSpan) -> Closure:
        found: Keys = {}
        for pick in picks:
            seeds = {table: self._in_range(table, span) for table in pick.tables}
            _add(found, _spread(seeds, pick.up, self._read_by))
            below = self._with_own_past(seeds) if pick.down else seeds
            _add(found, _spread(below, pick.down, self._readers_of))
        order = sorted(found, key=lambda table: (self._graph.level(table), table))
        partitions = {table: tuple(sorted(found[table])) for table in order if found[table]}
        told = self._told()
        return Closure(partitions, told, self._outside(found), sorted(self._unfollowed(partitions), key=str))

    def _outside(self, found: Keys) -> list[LeftOut]:
        beyond = self._with_own_past(found)
        _add(beyond, self._readers_of(found))
        missing = {table: keys - found.get(table, set()) for table, keys in sorted(beyond.items())}
        return [LeftOut(table, tuple(sorted(keys)), STALE) for table, keys in missing.items() if keys]

    def _readers_of(self, keys_by_table: Mapping[str, Iterable[str]]) -> Keys:
        found: Keys = {}
        for table, keys in keys_by_table.items():
            for reader in self._graph.downstreams(table):
                spec = self._table(reader)
                for upstream in self._graph.upstreams(reader):
                    if upstream.table == table and upstream.reads == "partitions":
                        found.setdefault(reader, set()).update(self._downstream(spec, upstream, keys))
        return self._with_own_past(found)

    def _with_own_past(self, keys_by_table: Mapping[str, Iterable[str]]) -> Keys:
        """Add the partitions of models that follow from their own: all later ones, as a rule."""
        found: Keys = {table: set(keys) for table, keys in keys_by_table.items()}
        for table, keys in found.items():
            own = [
                one
                for one in self._graph.upstreams(table)
                if one.table == table and one.reads == "partitions"
            ]
            newest = set(keys)
            while own and newest:
                reached = {key for one in own for key in self._downstream(self._table(table), one, newest)}
                newest = reached - keys
                keys |= newest
        return found

    def _downstream(self, spec: AnyTable, upstream: Upstream, keys: Iterable[str]) -> Iterator[str]:
        reached = {one for key in keys for one in upstream.downstream_partitions(key, spec.window.grain)}
        for key in reached:
            reason = self._why_not(spec.table, key)
            if not reason:
                yield key
            elif reason == NOT_ENDED:
                self._left_out.setdefault((spec.table, reason), set()).add(key)

    def _read_by(self, keys_by_table: Mapping[str, Iterable[str]]) -> Keys:
        found: Keys = {}
        for table, keys in keys_by_table.items():
            grain = self._table(table).window.grain
            for key in keys:
                read = self._graph.upstream_partitions(table, grain, key, self._zone)
                for name, some in read.items():
                    found.setdefault(name, set()).update(one for one in some if not self._why_not(name, one))
        return found

    def _in_range(self, table: str, span: WallSpan) -> set[str]:
        found = set()
        for key in span_keys(span, self._table(table).window.grain):
            reason = self._why_not(table, key)
            if not reason:
                found.add(key)
            elif reason != _SKIPPED:
                self._left_out.setdefault((table, reason), set()).add(key)
        return found

    def _find_why_not(self, table: str, key: str) -> str:
        """Return why a partition cannot be made; empty if it can."""
        spec = self._table(table)
        grain = spec.window.grain
        wall = wall_start(key, grain)
        first = datetime.combine(spec.window.start or self._catalog.platform.start, time())
        if wall < period_start(first, grain):
            return BEFORE_FIRST
        if not partition_exists(wall, grain, self._zone):
            return _SKIPPED
        return NOT_ENDED if ends_at(key, grain, self._zone).astimezone(UTC) > self._now else ""

    def _unfollowed(self, partitions: Mapping[str, Sequence[str]]) -> Iterator[Unfollowed]:
        for table in partitions:
            for reader in self._graph.downstreams(table):
                for one in self._graph.upstreams(reader):
                    if one.table == table and one.reads != "partitions" and reader not in partitions:
                        yield Unfollowed(reader, table, one.reads.replace("_", " "))

    def _told(self) -> list[LeftOut]:
        return [
            LeftOut(table, tuple(sorted(keys)), reason)
            for (table, reason), keys in sorted(self._left_out.items())
        ]

    def _table(self, name: str) -> AnyTable:
        return self._catalog.any_table(name)


def _spread(seeds: Keys, levels: int, step: Callable[[Keys], Keys]) -> Keys:
    """Return the seeds and what so many steps from them lead to."""
    found: Keys = {table: set(keys) for table, keys in seeds.items()}
    newest = seeds
    while levels > 0 and newest:
        newest = {table: keys - found.get(table, set()) for table, keys in step(newest).items()}
        newest = {table: keys for table, keys in newest.items() if keys}
        _add(found, newest)
        levels -= 1
    return found


def _add(found: Keys, more: Mapping[str, Iterable[str]]) -> None:
    for table, keys in more.items():
        found.setdefault(table, set()).update(keys)
