"""How the source is counted: one round trip for many shards and partitions.

Each branch of the UNION ALL counts one partition of one physical table over its half-open window, so
that an index on the window column serves it. The count asks the table for the window itself; it does
not ask for the partition value that the reader computes. The two must agree, and that is the test.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice, pairwise

from dataplat.plan.sql import PhysicalTable, quote_name, window_predicate
from dataplat.plan.windows import Window


@dataclass(frozen=True)
class CountTask:
    """What to count: one physical table and one partition of it.

    Attributes:
        shard: Index of the physical table, echoed in the answer.
        part: Index of the partition, echoed in the answer.
        table: The physical table.
        window: Its span of source time; ``None`` for a snapshot.
    """

    shard: int
    part: int
    table: PhysicalTable
    window: Window | None


@dataclass(frozen=True)
class SourceCount:
    """Rows of one partition in one physical table, with the split key's range where it was asked for."""

    shard: int
    part: int
    rows: int
    low: int | None = None
    high: int | None = None


def share_out(tasks: Sequence[CountTask], hands: int) -> list[list[CountTask]]:
    """Deal counting out to several connections: a large count is bound by one thread of the server.

    A single window is cut into as many spans of equal time; several tasks are dealt in turn. The sum over
    all answers of a partition is its count either way.

    >>> [len(group) for group in share_out([CountTask(0, part, PhysicalTable("d", "t"), None)
    ...                                     for part in range(5)], 2)]
    [3, 2]
    """
    cut = [piece for task in tasks for piece in _cut(task, hands)] if len(tasks) < hands else list(tasks)
    return [group for group in (cut[hand::hands] for hand in range(hands)) if group]


def _cut(task: CountTask, pieces: int) -> Iterator[CountTask]:
    if task.window is None:
        yield task
        return
    seconds = int(task.window.duration.total_seconds())
    edges = [task.window.start + timedelta(seconds=seconds * i // pieces) for i in range(pieces)]
    for start, end in pairwise([*edges, task.window.end]):
        yield replace(task, window=Window(start, end))


def render_counts(
    tasks: Sequence[CountTask],
    *,
    window_column: str | None,
    zone: str,
    where: str | None,
    split_column: str | None = None,
    batch: int = 400,
) -> list[str]:
    """Return the count queries, at most ``batch`` branches each.

    Every row of an answer is ``shard, part, rows, low, high``; low and high are NULL without a
    ``split_column``. ``zone`` is where the source's wall clock lives.
    """
    queries = []
    for group in _batched(tasks, batch):
        branches = [_branch(task, window_column, zone, where, split_column) for task in group]
        queries.append("\nUNION ALL\n".join(branches))
    return queries


def _branch(
    task: CountTask, window_column: str | None, zone: str, where: str | None, split_column: str | None
) -> str:
    low = high = "NULL"
    if split_column is not None:
        low, high = f"MIN({quote_name(split_column)})", f"MAX({quote_name(split_column)})"
    predicates = []
    if task.window is not None and window_column is not None:
        predicates.append(window_predicate(window_column, [task.window], zone))
    if where:
        predicates.append(f"({where})")
    condition = f" WHERE {' AND '.join(predicates)}" if predicates else ""
    return f"SELECT {task.shard}, {task.part}, COUNT(*), {low}, {high} FROM {task.table.sql}{condition}"


def _batched(tasks: Sequence[CountTask], size: int) -> Iterator[list[CountTask]]:
    iterator = iter(tasks)
    while group := list(islice(iterator, size)):
        yield group
