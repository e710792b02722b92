"""The indexes of a source's table, and what the server expects of a range of one: rows it never reads.

An estimate is a dive into the index: two descents for each range, answered by EXPLAIN. The proportions of
two ranges are good, the numbers may be wrong by half or twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from dataplat.plan.choose_key import SourceIndex
from dataplat.plan.split_keys import Bound, KeyColumn, SplitKey, at_least, below
from dataplat.plan.sql import PhysicalTable, quote_name, quote_text
from dataplat.sources.mysql_connection import Row, SourceConnection

_RANGES_A_QUERY = 200

# A range of literals, half-open; ``None`` is an open end.
Literals = tuple[str | None, str | None]


@dataclass(frozen=True)
class RangeEstimate:
    """Rows that the server expects in a range, and whether an index finds them."""

    rows: int
    indexed: bool


def describe_indexes(conn: SourceConnection, table: PhysicalTable) -> tuple[SourceIndex, ...]:
    """Return the indexes that keep rows in order, the primary key first; none of a view.

    Left out are those that the server does not use: MySQL calls them invisible, MariaDB ignored.
    """
    rows = conn.records(
        "SELECT * FROM information_schema.STATISTICS"
        f" WHERE TABLE_SCHEMA = {quote_text(table.database)} AND TABLE_NAME = {quote_text(table.name)}"
        " AND INDEX_TYPE = 'BTREE' ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX"
    )
    found: dict[str, tuple[bool, list[str | None]]] = {}
    for row in rows:
        if row.get("is_visible") == "NO" or row.get("ignored") == "YES":
            continue
        columns = found.setdefault(str(row["index_name"]), (not int(row["non_unique"]), []))[1]
        whole = row["column_name"] is not None and row["sub_part"] is None
        columns.append(str(row["column_name"]) if whole else None)
    indexes = []
    for name, (unique, columns) in found.items():
        ordered = takewhile(lambda column: column is not None, columns)
        indexes.append(SourceIndex(name, tuple(column for column in ordered if column), unique))
    return tuple(indexes)


def estimate_ranges(
    conn: SourceConnection, table: PhysicalTable, key: SplitKey, ranges: Sequence[Literals]
) -> list[RangeEstimate]:
    """Return what the server expects of ranges of a key's first column; 200 of them in a round trip."""
    found: list[RangeEstimate] = []
    for start in range(0, len(ranges), _RANGES_A_QUERY):
        branches = [_branch(table, key, *literals) for literals in ranges[start : start + _RANGES_A_QUERY]]
        plans = conn.records("EXPLAIN " + " UNION ALL ".join(branches))
        found += [
            RangeEstimate(int(plan["rows"] or 0), str(plan["type"]).lower() != "all")
            for plan in plans
            if not str(plan["table"]).startswith("<")
        ]
    return found


def key_range(conn: SourceConnection, table: PhysicalTable, column: KeyColumn) -> Row:
    """Return the smallest and the largest value of an indexed column as bounds hold them."""
    name = quote_name(column.name)
    low, high = (replace(column, name=end).selected for end in ("low", "high"))
    inner = f"SELECT MIN({name}) AS low, MAX({name}) AS high FROM {table.sql}"
    return conn.rows(f"SELECT {low}, {high} FROM ({inner}) AS ends")[0]


def nearest_keys(
    conn: SourceConnection, table: PhysicalTable, column: KeyColumn, bounds: Sequence[Bound]
) -> tuple[Bound, ...]:
    """Return the first key of the table at or after each bound: each once, in the server's order.

    Which of two texts is the smaller one only the column's collation can say.
    """
    name = quote_name(column.name)
    seeks = " UNION ALL ".join(
        f"(SELECT {name} FROM {table.sql} WHERE {name} >= {column.literal(bound[0])} ORDER BY {name} LIMIT 1)"
        for bound in bounds
    )
    keys = conn.rows(f"SELECT DISTINCT {name} FROM ({seeks}) AS nearest ORDER BY {name}")
    return tuple((str(key[0]),) for key in keys)


def walk_keys(
    conn: SourceConnection, table: PhysicalTable, key: SplitKey, condition: str, step: int, most: int
) -> tuple[Bound, ...]:
    """Return every ``step``-th key of the rows that meet a condition, at most so many; scans the index once.

    Args:
        conn: Of the source.
        table: To walk.
        key: Its columns.
        condition: ``WHERE …`` of the rows that count, or nothing.
        step: Rows between two keys.
        most: Keys wanted.
    """
    names = [column.name for column in key.columns]
    order = ", ".join(map(quote_name, names))
    selected = ", ".join(column.selected for column in key.columns)
    bounds: list[Bound] = []
    while len(bounds) < most:
        where = condition
        if bounds:
            literals = [column.literal(value) for column, value in zip(key.columns, bounds[-1], strict=True)]
            where = f"{condition or ' WHERE 1'} AND {at_least(names, literals)}"
        rows = conn.rows(
            f"SELECT {selected} FROM {table.sql}{_forced(key)}{where} ORDER BY {order} LIMIT 1 OFFSET {step}"
        )
        if not rows or tuple(rows[0]) in bounds or rows[0][0] is None:
            break
        bounds.append(tuple(rows[0]))
    return tuple(bounds)


def _branch(table: PhysicalTable, key: SplitKey, low: str | None, high: str | None) -> str:
    names = [key.columns[0].name]
    conditions = [at_least(names, [low])] if low is not None else []
    conditions += [below(names, [high])] if high is not None else []
    where = " AND ".join(conditions) or f"{quote_name(names[0])} IS NOT NULL"
    return f"SELECT {quote_name(names[0])} FROM {table.sql}{_forced(key)} WHERE {where}"


def _forced(key: SplitKey) -> str:
    return f" FORCE INDEX ({quote_name(key.index)})" if key.index else ""
