"""Where a read may meet dirty rows, and how those are read: the hazards of a table's columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from dataplat.plan.columns import PlannedEntry
from dataplat.plan.dirty import (
    Hazard,
    can_narrow,
    cast_binary,
    cast_hazard,
    charset_hazard,
    is_binary,
    narrow_hazard,
    render_reasons,
    zero_date_hazard,
)
from dataplat.plan.layouts import SourceColumn
from dataplat.plan.reads import WINDOW_ALIAS, JdbcRead, ReadShape, read_conditions
from dataplat.plan.sql import PhysicalTable, quote_name, quote_text
from dataplat.plan.types import ZeroDates

REASON, ROW, SHARD = "reason", "row_json", "shard"
_SHARDS_A_QUERY = 100


def find_hazards(
    entries: Sequence[PlannedEntry],
    columns: Sequence[SourceColumn],
    types: Sequence[str | None],
    zero_dates: ZeroDates,
) -> tuple[Hazard, ...]:
    """Return the columns of one layout that may hold what the warehouse cannot.

    Args:
        entries: The columns as they are asked for.
        columns: The columns of the shards.
        types: The source's type of each entry; ``None`` where the shards lack the column.
        zero_dates: The table's policy.
    """
    there = {column.name.lower(): column for column in columns}
    found: list[Hazard | None] = []
    for entry, kind in zip(entries, types, strict=True):
        if kind is None:
            continue
        found.append(zero_date_hazard(entry.target, entry.sql, kind, zero_dates))
        found.append(_of_text(entry, there))
    return tuple(hazard for hazard in found if hazard is not None)


def _of_text(entry: PlannedEntry, there: Mapping[str, SourceColumn]) -> Hazard | None:
    if entry.source_column is not None:
        column = there.get(entry.source_column.lower())
        return charset_hazard(entry.target, entry.sql, column.charset) if column else None
    name = cast_binary(entry.sql)
    column = there.get(name.strip("`").replace("``", "`").lower()) if name else None
    if name is None or column is None or not is_binary(column.mysql_type):
        return None
    return cast_hazard(entry.target, entry.sql, name)


def store_in(shape: ReadShape, shards: Sequence[PhysicalTable], types: Mapping[str, str]) -> ReadShape:
    """Return how columns are read that a table stores in these types.

    A wider type asks nothing of the source. Where a narrower one is given, the source sends NULL for what
    does not fit, and the column is a hazard.

    Args:
        shape: As planned from the source alone.
        shards: The physical tables.
        types: Hive's type of each column by name; a column that is absent keeps its own.
    """
    stored = [types.get(column.target, column.hive) for column in shape.columns]
    narrow = {
        number
        for number, (column, kind) in enumerate(zip(shape.columns, stored, strict=True))
        if can_narrow(column.hive, kind)
    }
    columns = tuple(replace(column, hive=kind) for column, kind in zip(shape.columns, stored, strict=True))
    if not narrow:
        return replace(shape, columns=columns)
    hazards, layouts = {}, {}
    for shard in shards:
        sent = shape.sent_to(shard)
        risks = {
            number: narrow_hazard(columns[number].target, sent[number], stored[number]) for number in narrow
        }
        hazards[shard] = (*shape.hazards.get(shard, ()), *risks.values())
        layouts[shard] = tuple(
            f"IF({risks[number].condition}, NULL, {sql})" if number in risks else sql
            for number, sql in enumerate(sent)
        )
    first = next(iter(layouts.values()))
    columns = tuple(replace(column, sql=sql) for column, sql in zip(columns, first, strict=True))
    return replace(shape, columns=columns, layouts=layouts, hazards=hazards)


def plan_dirty_reads(shape: ReadShape, shards: Sequence[PhysicalTable]) -> list[JdbcRead]:
    """Return the relations that read the dirty rows alone: why, the row as JSON, and its shard.

    Every value of the row is a text as the source prints it; bytes are in hexadecimal digits.
    """
    by_source: dict[str, list[PhysicalTable]] = {}
    for shard in shards:
        if shape.hazards.get(shard):
            by_source.setdefault(shard.source, []).append(shard)
    return [
        JdbcRead("\nUNION ALL\n".join(_select(shape, shard) for shard in group), source=source)
        for source, some in by_source.items()
        for group in _groups(some)
    ]


def _groups(shards: Sequence[PhysicalTable]) -> Iterator[list[PhysicalTable]]:
    left = iter(shards)
    while group := list(islice(left, _SHARDS_A_QUERY)):
        yield group


def _select(shape: ReadShape, shard: PhysicalTable) -> str:
    hazards = shape.hazards[shard]
    shown = {hazard.target: f"IF({hazard.condition}, {hazard.shown}, " for hazard in hazards}
    pairs = []
    for column, sql in zip(shape.columns, shape.sent_to(shard), strict=True):
        text = f"HEX({sql})" if column.hive == "binary" else f"CAST({sql} AS CHAR)"
        if column.target in shown:
            text = f"{shown[column.target]}{text})"
        pairs += [quote_text(column.target), text]
    reasons = render_reasons(hazards)
    items = [
        f"{reasons} AS {quote_name(REASON)}",
        f"JSON_OBJECT({', '.join(pairs)}) AS {quote_name(ROW)}",
        f"{quote_text(shape.name_of(shard))} AS {quote_name(SHARD)}",
    ]
    if shape.window_column and shape.has_several_partitions:
        items.append(f"{quote_name(shape.window_column)} AS {quote_name(WINDOW_ALIAS)}")
    conditions = [*read_conditions(shape, shape.partitions), f"{reasons} IS NOT NULL"]
    return f"SELECT {', '.join(items)}\nFROM   {shard.sql}\nWHERE  {' AND '.join(conditions)}"
