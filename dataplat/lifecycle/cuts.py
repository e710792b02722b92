"""Where the large partitions of a read are cut, as the source's indexes say it.

A partition is cut by whatever the server finds its rows with: by time where it uses an index on the window
column, by the key where the window holds so much of the table that it reads along the key. Anything else
would let each piece read all of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from zoneinfo import ZoneInfo

from dataplat.lifecycle.source_table import Survey
from dataplat.plan.cuts import Cut, Edges, Positions, cut_at, cut_evenly, plan_positions
from dataplat.plan.reads import ReadShape, plan_reads, render_where
from dataplat.plan.split_keys import SplitKey
from dataplat.plan.splits import PartitionSize, Task
from dataplat.plan.sql import quote_name
from dataplat.plan.windows import wall_clock
from dataplat.sources.mysql import SourceConnection, connect_instances, explain_query
from dataplat.sources.mysql_indexes import estimate_ranges, key_range, nearest_keys, walk_keys
from dataplat.specs import SecretResolver, SourceSpec


def find_cuts(
    connection: SourceConnection,
    survey: Survey,
    sizes: Sequence[PartitionSize],
    pieces: Mapping[int, int],
    *,
    may_walk: bool = True,
) -> dict[int, Cut]:
    """Return where each partition of ``pieces`` is cut into so many; whole, where nothing serves a cut.

    Args:
        connection: To the source.
        survey: Of the read. Shards are never cut: there are many of them.
        sizes: Rows of each partition, with the range of a numeric key in it if that was counted.
        pieces: How many are wanted, by number of the partition.
        may_walk: Whether an index may be scanned once where estimates tell nothing.

    Raises:
        SourceError: The source refused.
        SourceUnavailableError: It could not be reached.
    """
    if len(survey.shards) > 1:
        return {}
    by_part = {size.part: size for size in sizes}
    return {
        part: _Partition(connection, survey, by_part[part], wanted).cut(may_walk=may_walk)
        for part, wanted in pieces.items()
    }


def cut_partitions(
    instances: Mapping[str, SourceSpec],
    secrets: SecretResolver,
    survey: Survey,
    sizes: Sequence[PartitionSize],
    pieces: Mapping[int, int],
    tag_of: Callable[[str], str] = lambda _: "",
) -> dict[int, Cut]:
    """Open the source for ``find_cuts``; where nothing is large, nothing is asked."""
    if not pieces or len(survey.shards) > 1:
        return {}
    with connect_instances(instances, secrets, tag_of) as connections:
        return find_cuts(connections.to(survey.shards[0]), survey, sizes, pieces)


@dataclass(frozen=True)
class _Partition:
    connection: SourceConnection
    survey: Survey
    size: PartitionSize
    pieces: int

    def cut(self, *, may_walk: bool) -> Cut:
        best = Cut()
        for way, on_window in self._ways():
            found = self._by_window(way) if on_window else self._by_key(way)
            if found.is_even(self.pieces):
                return found
            best = min(best, found, key=_heaviest)
        key = self.survey.shape.split_key
        if may_walk and key is not None and key.index is not None and self.size.rows > self.pieces:
            best = min(best, self._walk(key), key=_heaviest)
        return best

    def _ways(self) -> Iterator[tuple[SplitKey, bool]]:
        """Yield what it may be cut by, best first, and whether that is the window column."""
        key, window = self.survey.shape.split_key, self.survey.window_key
        if window is not None and (key is None or self._reads_along(window)):
            yield window, True
        if key is not None:
            yield key, False

    def _reads_along(self, window: SplitKey) -> bool:
        plan = explain_query(self.connection, self._read())
        return any(step["key"] == window.index for step in plan)

    def _by_window(self, window: SplitKey) -> Cut:
        target = self.survey.shape.partitions[self.size.part].window
        assert target is not None
        zone = ZoneInfo(self.survey.shape.source_zone)
        positions = plan_positions(
            window.columns[0].kind, wall_clock(target.start, zone), wall_clock(target.end, zone)
        )
        # The end is the first moment that is not in it.
        found = self._cut(window, positions and replace(positions, high=positions.high - 1))
        if found.bounds and self.survey.shape.split_key is None and not self._saves_a_scan(found):
            return Cut()
        return replace(found, on="window")

    def _saves_a_scan(self, cut: Cut) -> bool:
        """Say whether the server reads a piece along the index; else each piece would read the table."""
        window = self.survey.window_key
        assert window is not None
        plan = explain_query(self.connection, f"{self._read()} AND {_below(window, cut)}")
        return any(step["key"] == window.index for step in plan)

    def _by_key(self, key: SplitKey) -> Cut:
        column = key.columns[0]
        table = self.survey.shards[0]
        low, high = self.size.low, self.size.high
        if low is None and key.index is not None:
            low, high = key_range(self.connection, table, column)
        found = self._cut(key, plan_positions(column.kind, low, high))
        if column.kind != "text" or not found.bounds:
            return found
        bounds = nearest_keys(self.connection, table, column, found.bounds)
        literals = [None, *(column.literal(bound[0]) for bound in bounds), None]
        estimates = estimate_ranges(self.connection, table, key, list(pairwise(literals)))
        return cut_at(bounds, [estimate.rows for estimate in estimates])

    def _cut(self, key: SplitKey, positions: Positions | None) -> Cut:
        if positions is None:
            return Cut()
        column, table = key.columns[0], self.survey.shards[0]

        def literal(position: int) -> str | None:
            value = positions.value(position)
            return None if value is None else column.literal(value)

        def rows_between(ranges: Sequence[Edges]) -> list[int]:
            asked = [(literal(low), literal(high)) for low, high in ranges]
            return [found.rows for found in estimate_ranges(self.connection, table, key, asked)]

        if key.index is None:
            # A view: the server may find a key in it, or not.
            (one,) = estimate_ranges(
                self.connection, table, key, [(literal(positions.low), literal(positions.low + 1))]
            )
            if not one.indexed:
                return Cut()
        return cut_evenly(positions, self.pieces, rows_between)

    def _walk(self, key: SplitKey) -> Cut:
        step = -(-self.size.rows // self.pieces)
        condition = render_where(self._shape)
        bounds = walk_keys(self.connection, self.survey.shards[0], key, condition, step, most=self.pieces - 1)
        rows = [step] * len(bounds)
        return cut_at(bounds, [*rows, max(self.size.rows - sum(rows), 0)])

    def _read(self) -> str:
        return plan_reads(self._shape, self.survey.shards, [Task(0, 0)])[0].query

    @property
    def _shape(self) -> ReadShape:
        """The read of this partition alone."""
        shape = self.survey.shape
        return (
            replace(shape, partitions=(shape.partitions[self.size.part],)) if shape.window_column else shape
        )


def _heaviest(cut: Cut) -> float:
    return max(cut.shares)


def _below(window: SplitKey, cut: Cut) -> str:
    column = window.columns[0]
    return f"{quote_name(column.name)} < {column.literal(cut.bounds[0][0])}"
