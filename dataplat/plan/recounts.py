"""How many partitions of a table are counted again: one scan of each shard, one statement for many shards.

A load counts one partition a branch, because it counts few. Eight days of sixty-four shards would be 512
branches here, and each shard's index would be entered eight times. So a branch covers the whole span of a
shard, half-open on the bare window column as a read does it, and tells the rows apart by the same edges::

    SELECT 0, CASE WHEN `at` < '2026-01-10 00:00:00' THEN 0 ELSE 1 END AS `__dp_part`, COUNT(*)
    FROM `market`.`t_order` WHERE (`at` >= '2026-01-09 00:00:00' AND `at` < '2026-01-11 00:00:00')
    GROUP BY `__dp_part`

A partition without rows is not in the answer. Partitions whose ``where`` means different things (a date
expression in it) have branches of their own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dataplat.plan.sql import PhysicalTable, quote_name, window_predicate
from dataplat.plan.windows import Window, merge_windows, wall_clock

PART_ALIAS = "__dp_part"
_BRANCHES = 400
_EDGES = 4000  # of all branches of a statement: 200 KB of SQL


@dataclass(frozen=True)
class Recount:
    """Partitions of one physical table that are counted by one branch.

    Attributes:
        shard: Index of the physical table, echoed in the answer.
        table: The physical table.
        parts: Indexes of the partitions, echoed in the answer, in order of time.
        windows: Their windows; they may leave gaps.
        where: The user's condition, date expressions rendered.
    """

    shard: int
    table: PhysicalTable
    parts: tuple[int, ...]
    windows: tuple[Window, ...]
    where: str | None = None


def render_recounts(recounts: Sequence[Recount], *, window_column: str, zone: str) -> list[str]:
    """Return the statements; a row of an answer is ``shard, part, rows``.

    ``zone`` is where the source's wall clock lives.
    """
    return [
        "\nUNION ALL\n".join(_branch(recount, window_column, zone) for recount in batch)
        for batch in _batches(recounts)
    ]


def _branch(recount: Recount, column: str, zone: str) -> str:
    name, place = quote_name(column), ZoneInfo(zone)
    if len(recount.parts) == 1:
        part = str(recount.parts[0])
    else:
        *but_last, _ = zip(recount.parts, recount.windows, strict=True)
        cases = "".join(
            f" WHEN {name} < '{wall_clock(window.end, place)}' THEN {part}" for part, window in but_last
        )
        part = f"CASE{cases} ELSE {recount.parts[-1]} END"
    conditions = [window_predicate(column, merge_windows(recount.windows), zone)]
    if recount.where:
        conditions.append(f"({recount.where})")
    return (
        f"SELECT {recount.shard}, {part} AS {quote_name(PART_ALIAS)}, COUNT(*)"
        f" FROM {recount.table.sql} WHERE {' AND '.join(conditions)} GROUP BY {quote_name(PART_ALIAS)}"
    )


def _batches(recounts: Sequence[Recount]) -> Iterator[list[Recount]]:
    batch: list[Recount] = []
    edges = 0
    for recount in recounts:
        if batch and (len(batch) == _BRANCHES or edges + len(recount.parts) > _EDGES):
            yield batch
            batch, edges = [], 0
        batch.append(recount)
        edges += len(recount.parts)
    if batch:
        yield batch
