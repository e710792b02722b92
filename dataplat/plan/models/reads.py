"""Which partitions of its upstreams a query reads, for one partition of the model.

For every place where a table is read there is a set of partitions that it could be, a few years around the
partition that is made; the conditions of the query take away those that cannot pass. A condition reaches a
table through aliases, CTEs, subqueries and branches of a UNION, as long as it may be applied before what lies
between: not past LIMIT, nor past GROUP BY or a window function unless the column is a key of it. A condition
between two tables, such as ``a.ds = b.ds``, carries the filter of one to the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import Literal

from sqlglot import exp

from dataplat.plan.grains import Grain, next_wall_start, partition_key, wall_start
from dataplat.plan.models.evaluate import Row, compile_condition, may_hold
from dataplat.plan.models.frames import Condition, Derived, Frame, Meaning, Output, Read
from dataplat.plan.partitions import partition_columns
from dataplat.specs import PartitionFormatSpec

_AROUND: dict[Grain, tuple[timedelta, timedelta]] = {
    "hour": (timedelta(days=62), timedelta(days=3)),
    "day": (timedelta(days=800), timedelta(days=40)),
    "month": (timedelta(days=1900), timedelta(days=430)),
}
_MAX_ALTERNATIVES = 64
_MAX_GIVEN = 200

Reach = Literal["bounded", "open", "all"]


@dataclass(frozen=True)
class PartitionsRead:
    """What one place of a query reads of a table with partitions.

    Attributes:
        read: The place.
        walls: Where the partitions begin on the wall clock, in order.
        reach: ``all`` without a filter; ``open`` if it has no beginning or no end.
    """

    read: Read
    walls: tuple[datetime, ...]
    reach: Reach


@dataclass(frozen=True)
class _Bound:
    """A condition in terms of partition columns of reads.

    Between two of them, column ``r3.ds`` is ``ds`` of the fourth read; of one alone it is ``r.ds``.
    """

    node: exp.Expr
    used: frozenset[int]
    restricted: frozenset[int]


def find_reads(frames: Sequence[Frame]) -> list[Read]:
    """Return every place where a query reads a table, in the order of the text."""
    return [
        source
        for top in frames
        for frame in top.frames()
        for source in frame.sources.values()
        if isinstance(source, Read)
    ]


@dataclass(frozen=True)
class FilteredReads:
    """The places of a query that read tables with partitions, and the conditions on these partitions."""

    reads: Sequence[Read]
    conditions: Sequence[_Bound]


def filtered_reads(frames: Sequence[Frame]) -> FilteredReads:
    """Find the conditions on partitions in a query.

    Places that read tables without partitions, or tables that nobody declared, are left out.
    """
    reads = [read for read in find_reads(frames) if read.relation and read.relation.grain]
    binder = _Binder({id(read): number for number, read in enumerate(reads)})
    return FilteredReads(reads, list(binder.conditions(frames)))


def partitions_read(
    query: FilteredReads, model_key: str, grain: Grain, literals: Mapping[int, str]
) -> list[PartitionsRead]:
    """Return what each place reads for one partition of the model.

    Args:
        query: The query as it was rendered for some partition.
        model_key: The partition that is asked about.
        grain: The model's grain.
        literals: What is rendered differently for it, by position; see ``compile_condition``.
    """
    final = next_wall_start(wall_start(model_key, grain), grain) - timedelta(hours=1)
    possible = [_possible(read, final) for read in query.reads]
    left = _narrowed([*possible], query.conditions, literals)
    return [
        PartitionsRead(read, tuple(start for start, _ in rows), _reach(every, rows))
        for read, every, rows in zip(query.reads, possible, left, strict=True)
    ]


_Rows = Sequence[tuple[datetime, Row]]


def _possible(read: Read, around: datetime) -> _Rows:
    assert read.relation is not None
    assert read.relation.grain is not None
    return _rows_around(read.relation.grain, read.relation.partition, around.replace(hour=0))


@lru_cache(maxsize=64)
def _rows_around(grain: Grain, names: PartitionFormatSpec, day: datetime) -> _Rows:
    before, after = _AROUND[grain]
    step = timedelta(hours=1) if grain == "hour" else timedelta(days=1)
    count = (before + after) // step
    walls = dict.fromkeys(
        wall_start(partition_key(day - before + step * n, grain), grain) for n in range(count)
    )
    return [(start, _row(partition_key(start, grain), grain, names)) for start in walls]


def _row(key: str, grain: Grain, names: PartitionFormatSpec) -> Row:
    return {f"r.{name}": value for name, value in partition_columns(key, grain, names)}


def _reach(every: _Rows, left: _Rows) -> Reach:
    if len(left) == len(every):
        return "all"
    return "open" if left and (left[0] is every[0] or left[-1] is every[-1]) else "bounded"


def _narrowed(rows: list[_Rows], conditions: Sequence[_Bound], literals: Mapping[int, str]) -> list[_Rows]:
    for bound in conditions:
        if len(bound.used) == 1 and bound.restricted:
            (number,) = bound.used
            holds = compile_condition(bound.node, literals)
            rows[number] = [row for row in rows[number] if may_hold(holds(row[1]))]
    pairs = [
        (number, given, compile_condition(bound.node, literals))
        for bound in conditions
        if len(bound.used) == 2
        for number in bound.restricted
        for given in bound.used - {number}
    ]
    changed = bool(pairs)
    while changed:
        changed = False
        for number, given, holds in pairs:
            if len(rows[given]) > _MAX_GIVEN:
                continue
            known = [_numbered(row, given) for _, row in rows[given]]
            kept = [
                row
                for row in rows[number]
                if any(may_hold(holds(_numbered(row[1], number) | other)) for other in known)
            ]
            changed |= len(kept) < len(rows[number])
            rows[number] = kept
    return rows


def _numbered(row: Row, number: int) -> dict[str, str]:
    return {f"r{number}{name[1:]}": value for name, value in row.items()}


_Places = dict[int, tuple[Frame, str]]  # for each read by its number, the frame and alias it comes in by
_Alternative = tuple[exp.Expr, _Places]


class _Binder:
    """Writes conditions in terms of the partition columns of reads."""

    def __init__(self, numbers: dict[int, int]) -> None:
        self._numbers = numbers

    def conditions(self, frames: Sequence[Frame]) -> Iterator[_Bound]:
        for top in frames:
            for frame in top.frames():
                for condition in frame.conditions:
                    yield from self._bound(frame, condition)

    def _bound(self, frame: Frame, condition: Condition) -> Iterator[_Bound]:
        for node, places in self._alternatives(frame, condition.node):
            here = {number for number, (owner, alias) in places.items()
                    if owner is frame and alias in condition.restricts}  # fmt: skip
            if len(places) == 1:
                for column in [*_columns(node)]:
                    if column.table:
                        column.set("table", exp.to_identifier("r"))
            if places:
                yield _Bound(node, frozenset(places), frozenset(here))

    def _alternatives(self, frame: Frame, node: exp.Expr) -> list[_Alternative]:
        """Return the expression for each choice of branches of the sources that it names."""
        columns = [*_columns(node)]
        meanings = [frame.find(column) for column in columns]
        branches = {
            id(meaning.source): range(len(meaning.source.frames))
            for meaning in meanings
            if meaning and isinstance(meaning.source, Derived)
        }
        found: list[_Alternative] = []
        for choice in product(*branches.values()):
            branch = dict(zip(branches, choice, strict=True))
            for parts in product(*(self._options(meaning, branch) for meaning in meanings)):
                if len(found) == _MAX_ALTERNATIVES:
                    return []
                places = {number: place for _, inner in parts for number, place in inner.items()}
                found.append((_substituted(node, [part for part, _ in parts]), places))
        return found

    def _options(self, meaning: Meaning | None, branch: dict[int, int]) -> list[_Alternative]:
        if meaning and isinstance(meaning.source, Read):
            read, number = meaning.source, self._numbers.get(id(meaning.source))
            if number is not None and read.relation and meaning.name in read.relation.partition_names:
                return [(exp.column(meaning.name, table=f"r{number}"), {number: _place(meaning)})]
        elif meaning and isinstance(meaning.source, Derived):
            inner, output = meaning.source.inner_outputs(meaning.name)[branch[id(meaning.source)]]
            if output and passes(inner, output):
                return [
                    (exp.paren(node), dict.fromkeys(places, _place(meaning)))
                    for node, places in self._alternatives(inner, output.node)
                ]
        return [(exp.column("unknown"), {})]


def _place(meaning: Meaning) -> tuple[Frame, str]:
    return meaning.frame, meaning.source.alias


def _columns(node: exp.Expr) -> Iterator[exp.Column]:
    for found in node.walk(prune=lambda part: isinstance(part, exp.Query | exp.Column)):
        if isinstance(found, exp.Column):
            yield found


def _substituted(node: exp.Expr, parts: Sequence[exp.Expr]) -> exp.Expr:
    holder = exp.paren(node)  # a copy, so that a column that is the whole condition has somebody above it
    for column, part in zip([*_columns(holder)], parts, strict=True):
        column.replace(part.copy())
    return holder


def passes(frame: Frame, output: Output) -> bool:
    """Return whether a condition on a column of a SELECT can be applied before the SELECT."""
    select = frame.select
    if select.args.get("limit") or select.args.get("offset"):
        return False
    nodes = [*own_nodes(select)]
    windows = [node for node in nodes if isinstance(node, exp.Window)]
    if any(output.node not in (window.args.get("partition_by") or ()) for window in windows):
        return False
    group = select.args.get("group")
    if group is None:
        return not any(isinstance(node, exp.AggFunc) and not node.find_ancestor(exp.Window) for node in nodes)
    return _is_group_key(select, group, output)


def _is_group_key(select: exp.Select, group: exp.Group, output: Output) -> bool:
    if any(group.args.get(kind) for kind in ("grouping_sets", "cube", "rollup")):
        return False
    if group.args.get("all"):
        return output.node.find(exp.AggFunc) is None
    for key in group.expressions:
        if isinstance(key, exp.Literal) and key.is_int:
            position = int(key.this) - 1
            key = select.expressions[position].unalias() if position < len(select.expressions) else key
        by_alias = isinstance(key, exp.Column) and not key.table and key.name == output.name
        if key == output.node or by_alias:
            return True
    return False


def own_nodes(select: exp.Select) -> Iterator[exp.Expr]:
    """Yield the nodes of the columns of a SELECT and of its QUALIFY, not those of subqueries."""
    qualify = select.args.get("qualify")
    for item in [*select.expressions, *([qualify] if qualify else [])]:
        yield from item.walk(prune=lambda node: isinstance(node, exp.Query))
