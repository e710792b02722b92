"""From a table and its partitions to the SQL that is sent; ``projection`` says what becomes of the answer.

One read serves all partitions that are asked for, also of a snapshot. The inner query selects the declared
columns of the declared window, so it is index-friendly whatever the optimizer does; the tasks only cut
it up. Two helper columns travel along and are dropped before the write: ``__dp_window`` to tell the day of
a row in a range, ``__dp_split`` to cut by key. MySQL merges such a derived table into the outer query.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dataplat.plan.dirty import REASONS_ALIAS, Hazard, render_reasons
from dataplat.plan.grains import Grain
from dataplat.plan.split_keys import Bound, KeyColumn, SplitKey, at_least, below
from dataplat.plan.splits import Task
from dataplat.plan.sql import PhysicalTable, quote_name, quote_text, window_predicate
from dataplat.plan.windows import Window, merge_windows
from dataplat.specs import PartitionFormatSpec

WINDOW_ALIAS = "__dp_window"
SPLIT_ALIAS = "__dp_split"
_SHARDS_A_QUERY = 100
_ON_WINDOW = SplitKey((KeyColumn(WINDOW_ALIAS, "time", nullable=False),))


@dataclass(frozen=True)
class ReadColumn:
    """A column as it is asked of the source, and as it is written.

    Attributes:
        target: Name in Hive.
        sql: Expression sent to the source.
        hive: Type in Hive, to which Spark casts; a value that does not fit fails the read.
        comment: Comment at the source, carried to Hive.
    """

    target: str
    sql: str
    hive: str
    comment: str = ""


@dataclass(frozen=True)
class PartitionTarget:
    """One partition of a read: its key, its window and its values in Hive."""

    key: str
    window: Window | None
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class JdbcRead:
    """One JDBC relation: a query, the conditions of its tasks (empty: one task), the instance it asks."""

    query: str
    predicates: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class ReadShape:
    """All that the SQL of a read depends on besides the shards and the tasks.

    Attributes:
        columns: In the order of the Hive table.
        partitions: What is read, in order.
        window_column: ``None`` for a snapshot.
        window_is_date: Whether that column holds days without a time.
        where: The user's own condition, date expressions already rendered.
        split_key: What tasks cut by.
        identity: Column that names the physical table of a row.
        source_zone: Where the source's wall clock lives.
        zone: The business zone, in which a partition begins.
        partition_format: How values are written.
        grain: ``hour``, ``day`` or ``month``.
        identity_with_database: Whether that column holds ``database.table`` instead of the table alone.
        layouts: What is sent for each column to shards that are not laid out like the first one.
        hazards: The columns of each shard that may hold what the warehouse cannot; empty where none may.
    """

    columns: tuple[ReadColumn, ...]
    partitions: tuple[PartitionTarget, ...]
    window_column: str | None
    window_is_date: bool
    where: str | None
    split_key: SplitKey | None
    identity: str | None
    source_zone: str
    zone: str
    partition_format: PartitionFormatSpec
    grain: Grain
    identity_with_database: bool = False
    layouts: Mapping[PhysicalTable, tuple[str, ...]] = field(default_factory=dict)
    hazards: Mapping[PhysicalTable, tuple[Hazard, ...]] = field(default_factory=dict)

    def sent_to(self, shard: PhysicalTable) -> tuple[str, ...]:
        """Return what a shard is asked for, in the order of the columns."""
        return self.layouts.get(shard) or tuple(column.sql for column in self.columns)

    def name_of(self, shard: PhysicalTable) -> str:
        """Return what the identity column calls a shard."""
        return str(shard) if self.identity_with_database else shard.name

    @property
    def counted_column(self) -> str | None:
        """The column whose range a count should find, for cutting by it."""
        return self.split_key.counted_column if self.split_key else None

    @property
    def has_several_partitions(self) -> bool:
        """Whether a row must say which partition it is of; a single one is known beforehand."""
        return len(self.partitions) > 1

    @property
    def spans(self) -> int:
        """How many spans of the source are counted and read.

        One a partition; but one for all partitions of a snapshot: what the table holds now is written into
        each of them.
        """
        return len(self.partitions) if self.window_column else 1


def plan_reads(shape: ReadShape, shards: Sequence[PhysicalTable], tasks: Sequence[Task]) -> list[JdbcRead]:
    """Return the relations to read: one for a plain table, one for each group of like shards."""
    if len(shards) == 1:
        predicates = [_task_predicate(shape, task) for task in tasks]
        return [
            JdbcRead(_select(shape, shards[0], tasks), tuple(p for p in predicates if p), shards[0].source)
        ]
    alike: dict[tuple[str, tuple[str, ...] | None], list[PhysicalTable]] = {}
    for shard in shards:
        alike.setdefault((shard.source, shape.layouts.get(shard)), []).append(shard)
    groups = (
        some[start : start + _SHARDS_A_QUERY]
        for some in alike.values()
        for start in range(0, len(some), _SHARDS_A_QUERY)
    )
    return [
        JdbcRead("\nUNION ALL\n".join(_select(shape, shard) for shard in group), source=group[0].source)
        for group in groups
    ]


def read_conditions(shape: ReadShape, partitions: Sequence[PartitionTarget]) -> list[str]:
    """Return the conditions under which a row of the source is of some of the partitions."""
    conditions = []
    windows = merge_windows([part.window for part in partitions if part.window is not None])
    if shape.window_column and windows:
        conditions.append(window_predicate(shape.window_column, windows, shape.source_zone))
    if shape.where:
        conditions.append(f"({shape.where})")
    return conditions


def _select(shape: ReadShape, shard: PhysicalTable, tasks: Sequence[Task] = ()) -> str:
    sent = zip(shape.sent_to(shard), shape.columns, strict=True)
    items = [f"{sql} AS {quote_name(column.target)}" for sql, column in sent]
    if shape.identity:
        items.append(f"{quote_text(shape.name_of(shard))} AS {quote_name(shape.identity)}")
    by_window = shape.has_several_partitions or shape.split_key or any(t.on == "window" for t in tasks)
    if shape.window_column and by_window:
        items.append(f"{quote_name(shape.window_column)} AS {quote_name(WINDOW_ALIAS)}")
    if shape.split_key:
        items += [
            f"{quote_name(column.name)} AS {quote_name(alias)}"
            for column, alias in zip(shape.split_key.columns, _split_aliases(shape.split_key), strict=True)
        ]
    if shape.hazards:
        hazards = shape.hazards.get(shard)
        reasons = render_reasons(hazards) if hazards else "CAST(NULL AS CHAR(1))"
        items.append(f"{reasons} AS {quote_name(REASONS_ALIAS)}")
    return f"SELECT {', '.join(items)}\nFROM   {shard.sql}{render_where(shape)}"


def render_where(shape: ReadShape) -> str:
    """Return which rows of a shard are read for all partitions together, with the WHERE; or nothing."""
    conditions = read_conditions(shape, shape.partitions)
    return f"\nWHERE  {' AND '.join(conditions)}" if conditions else ""


def _split_aliases(key: SplitKey) -> list[str]:
    return [f"{SPLIT_ALIAS}{number or ''}" for number in range(len(key.columns))]


def _task_predicate(shape: ReadShape, task: Task) -> str:
    conditions = []
    spans = [part.window for part in shape.partitions[task.first : task.last + 1] if part.window is not None]
    covers_all = task.first == 0 and task.last == len(shape.partitions) - 1
    if shape.window_column and spans and not covers_all:
        conditions.append(window_predicate(WINDOW_ALIAS, merge_windows(spans), shape.source_zone))
    key = _ON_WINDOW if task.on == "window" else shape.split_key
    if key is None:
        return " AND ".join(conditions)
    names = [WINDOW_ALIAS] if task.on == "window" else _split_aliases(key)
    if task.low is not None:
        conditions.append(at_least(names, _literals(key, task.low)))
    if task.high is not None:
        upper = below(names, _literals(key, task.high))
        without_key = task.low is None and key.columns[0].nullable
        conditions.append(f"({upper} OR {quote_name(names[0])} IS NULL)" if without_key else upper)
    return " AND ".join(conditions)


def _literals(key: SplitKey, bound: Bound) -> list[str]:
    return [column.literal(value) for column, value in zip(key.columns, bound, strict=False)]
