"""How one read is cut into tasks of about equal rows.

A task is a span of partitions, and, where one partition is large, a range of the split key or of the time in
it. The counts taken before the read say how many rows each partition holds; ``cuts`` says where a large one
is cut.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

from dataplat.plan.cuts import Cut, cut_by_width
from dataplat.plan.split_keys import Bound

# More days in one write would sort instead of keeping a file open for each.
MAX_PARTITIONS_A_READ = 60
# Of one partition: each is a statement at the source, and a file.
MAX_PIECES = 256

_SMALLEST_TASK_ROWS = 200_000
_LARGEST_TASK_ROWS = 4_000_000
_NO_CUTS: Mapping[int, Cut] = MappingProxyType({})


@dataclass(frozen=True)
class PartitionSize:
    """Rows of one partition and the range of the split key in it (``None``: no numeric key)."""

    part: int
    rows: int
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Task:
    """Partitions ``first`` to ``last`` (inclusive); ``low <= key < high`` where given.

    ``low`` is ``None`` in the first task of a partition, which also takes rows without a key; ``high``
    is ``None`` in the last, so that rows added during the read are not lost between two ranges.

    Attributes:
        first: Number of the first partition.
        last: Number of the last partition.
        low: Bound of the split key's columns, or of the window column.
        high: The same above.
        on: What the bounds are compared with.
        rows: How many rows it is expected to read.
    """

    first: int
    last: int
    low: Bound | None = None
    high: Bound | None = None
    on: Literal["key", "window"] = "key"
    rows: int = 0


def plan_tasks(
    sizes: Sequence[PartitionSize],
    *,
    parallelism: int,
    parts: int | None = None,
    cuts: Mapping[int, Cut] = _NO_CUTS,
) -> list[Task]:
    """Cut partitions into tasks: neighbours are joined while small, a large one is cut.

    Args:
        sizes: Partitions in order.
        parallelism: Tasks that run at once: connections allowed, cores there.
        parts: Parts wanted for each partition, from ``split.parts``; overrides the estimate.
        cuts: Where large partitions are cut; one that is not named is cut by the width of its key.

    >>> plan_tasks([PartitionSize(0, 10), PartitionSize(1, 20)], parallelism=2)
    [Task(first=0, last=1, low=None, high=None, on='key', rows=30)]
    >>> [(task.low, task.high) for task in plan_tasks([PartitionSize(0, 800_000, 1, 1000)], parallelism=2)]
    [(None, (501,)), ((501,), None)]
    """
    goal = _task_rows(sum(size.rows for size in sizes), parallelism)
    wanted = plan_pieces(sizes, parallelism=parallelism, parts=parts)
    tasks: list[Task] = []
    joined: list[PartitionSize] = []
    for size in sizes:
        cut = _cut_of(size, wanted.get(size.part, 1), cuts)
        if cut.bounds:
            tasks += _flush(joined)
            tasks += _cut(size, cut)
            continue
        joined.append(size)
        if sum(item.rows for item in joined) >= goal:
            tasks += _flush(joined)
    return tasks + _flush(joined)


def plan_pieces(
    sizes: Sequence[PartitionSize], *, parallelism: int, parts: int | None = None
) -> dict[int, int]:
    """Return into how many pieces each partition that is too large for one task is cut; never too many."""
    goal = _task_rows(sum(size.rows for size in sizes), parallelism)
    wanted = {size.part: min(parts or _pieces(size.rows, goal, parallelism), MAX_PIECES) for size in sizes}
    return {part: pieces for part, pieces in wanted.items() if pieces > 1}


def _cut_of(size: PartitionSize, pieces: int, cuts: Mapping[int, Cut]) -> Cut:
    if size.part in cuts:
        return cuts[size.part]
    if pieces > 1 and size.low is not None and size.high is not None and size.high > size.low:
        return cut_by_width(size.low, size.high, pieces)
    return Cut()


def _task_rows(total: int, parallelism: int) -> int:
    return min(max(math.ceil(total / parallelism), _SMALLEST_TASK_ROWS), _LARGEST_TASK_ROWS)


def _pieces(rows: int, goal: int, parallelism: int) -> int:
    pieces = math.ceil(rows / goal)
    # A last wave with one task in it leaves the other connections idle.
    return math.ceil(pieces / parallelism) * parallelism if pieces > parallelism else pieces


def _flush(joined: list[PartitionSize]) -> list[Task]:
    if not joined:
        return []
    task = Task(joined[0].part, joined[-1].part, rows=sum(size.rows for size in joined))
    joined.clear()
    return [task]


def _cut(size: PartitionSize, cut: Cut) -> list[Task]:
    edges: list[Bound | None] = [None, *cut.bounds, None]
    whole = Task(size.part, size.part, on=cut.on)
    return [
        replace(whole, low=low, high=high, rows=round(size.rows * share))
        for (low, high), share in zip(pairwise(edges), cut.shares, strict=True)
    ]
