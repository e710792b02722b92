"""How one read is cut into tasks of about equal rows.

A task is a span of partitions, and, where one partition is large, a range of the split key in it. The
counts taken before the read say how many rows each partition holds, so no extra query is needed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

# More days in one write would sort instead of keeping a file open for each.
MAX_PARTITIONS_A_READ = 60

_SMALLEST_TASK_ROWS = 200_000
_LARGEST_TASK_ROWS = 4_000_000


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
    """

    first: int
    last: int
    low: int | None = None
    high: int | None = None


def plan_tasks(sizes: Sequence[PartitionSize], *, parallelism: int, parts: int | None = None) -> list[Task]:
    """Cut partitions into tasks: neighbours are joined while small, a large one is cut by key.

    Args:
        sizes: Partitions in order.
        parallelism: Tasks that run at once: connections allowed, cores there.
        parts: Parts wanted for each partition, from ``split.parts``; overrides the estimate.

    >>> plan_tasks([PartitionSize(0, 10), PartitionSize(1, 20)], parallelism=2)
    [Task(first=0, last=1, low=None, high=None)]
    >>> plan_tasks([PartitionSize(0, 800_000, 1, 1000)], parallelism=2)
    [Task(first=0, last=0, low=None, high=501), Task(first=0, last=0, low=501, high=None)]
    """
    goal = _task_rows(sum(size.rows for size in sizes), parallelism)
    tasks: list[Task] = []
    joined: list[PartitionSize] = []
    for size in sizes:
        pieces = parts or _pieces(size.rows, goal, parallelism)
        if pieces > 1 and size.low is not None and size.high is not None and size.high > size.low:
            tasks += _flush(joined)
            tasks += _cut(size.part, size.low, size.high, pieces)
            continue
        joined.append(size)
        if sum(item.rows for item in joined) >= goal:
            tasks += _flush(joined)
    return tasks + _flush(joined)


def _task_rows(total: int, parallelism: int) -> int:
    return min(max(math.ceil(total / parallelism), _SMALLEST_TASK_ROWS), _LARGEST_TASK_ROWS)


def _pieces(rows: int, goal: int, parallelism: int) -> int:
    pieces = math.ceil(rows / goal)
    # A last wave with one task in it leaves the other connections idle.
    return math.ceil(pieces / parallelism) * parallelism if pieces > parallelism else pieces


def _flush(joined: list[PartitionSize]) -> list[Task]:
    if not joined:
        return []
    task = Task(joined[0].part, joined[-1].part)
    joined.clear()
    return [task]


def _cut(part: int, low: int, high: int, pieces: int) -> list[Task]:
    width = (high - low + 1) / pieces
    bounds = sorted({low + math.ceil(width * index) for index in range(1, pieces)} - {low})
    edges: list[int | None] = [None, *bounds, None]
    return [Task(part, part, left, right) for left, right in pairwise(edges)]
