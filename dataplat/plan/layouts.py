"""Shards whose columns differ: told apart, described for people, and read as one table.

Columns are matched by name, never by place. What a shard does not have is NULL in its rows; where types
differ, the table has the type that holds all of them (``widening``). Shards of one layout share queries, so
that the source never has to find a common type itself: its rules are others than ours.

What differs without a difference for the reader is none: the order of columns, their comments, display
widths, ``varchar(10)`` against ``varchar(20)``.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dataplat.errors import SourceError
from dataplat.plan.columns import PlannedEntry, plan_columns
from dataplat.plan.dirty import Hazard, foreign_charset
from dataplat.plan.reads import ReadColumn
from dataplat.plan.sql import PhysicalTable
from dataplat.plan.types import ZeroDates, map_type, require_types
from dataplat.plan.widening import null_of, widen_all
from dataplat.specs import TableSpec

_NAMED = 3

# What makes a difference for the reader: name, Hive's type, what is sent, a character set beside Unicode.
Meaning = tuple[str, str, str, str]


@dataclass(frozen=True)
class SourceColumn:
    """One column as the source declares it; ``mysql_type`` is its ``COLUMN_TYPE`` text."""

    name: str
    mysql_type: str
    nullable: bool
    comment: str
    charset: str | None


@dataclass(frozen=True)
class Layout:
    """Shards with the same columns.

    Attributes:
        shards: In name order.
        columns: As the first of them declares them.
    """

    shards: tuple[PhysicalTable, ...]
    columns: tuple[SourceColumn, ...]


@dataclass(frozen=True)
class Aligned:
    """How shards of several layouts are read as one table.

    Attributes:
        columns: Of the table, with what is sent to shards of the first layout.
        selects: What is sent instead to shards that it does not fit, in the order of ``columns``.
        source_types: Type of each column at the source; several where shards differ.
        hazards: The columns of each shard that may hold what the warehouse cannot.
    """

    columns: tuple[ReadColumn, ...]
    selects: Mapping[PhysicalTable, tuple[str, ...]]
    source_types: tuple[str, ...]
    hazards: Mapping[PhysicalTable, tuple[Hazard, ...]] = field(default_factory=dict)


def group_layouts(described: Mapping[PhysicalTable, Sequence[SourceColumn]]) -> tuple[Layout, ...]:
    """Return the shards by layout, in the order of each layout's first shard."""
    groups: dict[frozenset[Meaning], list[PhysicalTable]] = {}
    known: dict[tuple[tuple[str, str, str | None], ...], frozenset[Meaning]] = {}  # most are spelled alike
    for shard, columns in described.items():
        spelled = tuple((column.name, column.mysql_type, column.charset) for column in columns)
        if spelled not in known:
            known[spelled] = frozenset(map(_meaning, columns))
        groups.setdefault(known[spelled], []).append(shard)
    return tuple(Layout(tuple(shards), tuple(described[shards[0]])) for shards in groups.values())


def all_columns(layouts: Sequence[Layout]) -> tuple[SourceColumn, ...]:
    """Return each column that any shard has: those of the first layout, then what others add."""
    columns: dict[str, SourceColumn] = {}
    for layout in layouts:
        for column in layout.columns:
            columns.setdefault(column.name.lower(), column)
    return tuple(columns.values())


def describe_differences(layouts: Sequence[Layout], read: Collection[str] | None = None) -> tuple[str, ...]:
    """Return a sentence for each column in which shards differ.

    Args:
        layouts: What ``group_layouts`` found.
        read: Names of the columns that matter, in lower case; ``None`` is all of them.
    """
    return tuple(_differences(layouts, read))


def columns_read(spec: TableSpec) -> set[str] | None:
    """Return the columns that a table reads as they are, in lower case; ``None`` for all of them.

    What an expression reads is not known here: the source itself says whether it can be evaluated.
    """
    if isinstance(spec.columns, str):
        return None
    entries = plan_columns([column.text for column in spec.columns]).entries
    named = [entry.source_column for entry in entries] + [spec.window.column]
    return {name.lower() for name in named if name}


def align_columns(
    subject: str,
    declared: str,
    entries: Sequence[PlannedEntry],
    layouts: Sequence[Layout],
    types: Sequence[Sequence[str | None]],
    zero_dates: ZeroDates,
    known: Mapping[str, str] | None = None,
) -> Aligned:
    """Return the columns of the table and what is sent to each layout.

    Args:
        subject: What an error is about.
        declared: Where the columns are declared.
        entries: The columns as they are asked for.
        layouts: The shards by layout.
        types: For each layout the source's type of each entry; ``None`` where its shards lack the column.
        zero_dates: The table's policy.
        known: Hive's types of columns that no shard has.

    Raises:
        SourceError: A type is in no map, or shards hold a column in types that have no common one. Nothing
            was read.
    """
    mapped = []
    for found in types:
        there = [(entry.target, kind) for entry, kind in zip(entries, found, strict=True) if kind is not None]
        by_target = dict(
            zip([name for name, _ in there], require_types(subject, there, zero_dates), strict=True)
        )
        mapped.append([by_target.get(entry.target) for entry in entries])
    comments = {column.name.lower(): column.comment for column in all_columns(layouts)}
    columns: list[ReadColumn] = []
    selects: list[list[str]] = [[] for _ in layouts]
    for number, entry in enumerate(entries):
        kinds = [row[number] for row in mapped]
        hives = [kind.hive for kind in kinds if kind is not None]
        hive = widen_all(hives or [(known or {})[entry.target]])
        if hive is None:
            raise _no_common_type(subject, declared, entry, layouts, [row[number] for row in types])
        for select, kind in zip(selects, kinds, strict=True):
            select.append(null_of(hive) if kind is None else kind.expression(entry.sql))
        comment = comments.get((entry.source_column or "").lower(), "")
        columns.append(ReadColumn(entry.target, selects[0][-1], hive, comment))
    return Aligned(
        tuple(columns),
        {
            shard: tuple(select)
            for layout, select in zip(layouts, selects, strict=True)
            if select != selects[0]
            for shard in layout.shards
        },
        tuple(" / ".join(dict.fromkeys(filter(None, kinds))) for kinds in zip(*types, strict=True)),
    )


def _meaning(column: SourceColumn) -> Meaning:
    mapped, charset = map_type(column.mysql_type), foreign_charset(column.charset)
    if mapped is None:
        return column.name.lower(), column.mysql_type.lower(), "", charset
    return column.name.lower(), mapped.hive, mapped.select, charset


def _differences(layouts: Sequence[Layout], read: Collection[str] | None) -> Iterator[str]:
    for column in all_columns(layouts):
        name = column.name.lower()
        if read is not None and name not in read:
            continue
        lacking: list[PhysicalTable] = []
        types: dict[str, list[PhysicalTable]] = {}
        for layout in layouts:
            there = {other.name.lower(): other for other in layout.columns}
            if name in there:
                types.setdefault(there[name].mysql_type, []).extend(layout.shards)
            else:
                lacking += layout.shards
        if lacking:
            yield f"{column.name} is not in {_some(lacking)}"
        meanings = {_meaning(SourceColumn(name, kind, True, "", None)) for kind in types}
        if len(meanings) > 1:
            yield f"{column.name} is " + ", ".join(f"{kind} in {_some(some)}" for kind, some in types.items())


def _some(shards: Sequence[PhysicalTable]) -> str:
    """Return a few names: all of them, or how many more there are."""
    shown = sorted(shards)[:_NAMED]
    more = f" and {len(shards) - _NAMED:,} more" if len(shards) > _NAMED else ""
    return ", ".join(shard.name for shard in shown) + more


def _no_common_type(
    subject: str,
    declared: str,
    entry: PlannedEntry,
    layouts: Sequence[Layout],
    types: Sequence[str | None],
) -> SourceError:
    found = [
        f"{kind} in {_some(layout.shards)}"
        for layout, kind in zip(layouts, types, strict=True)
        if kind is not None
    ]
    return SourceError(
        subject,
        f"the shards hold column '{entry.target}' in types that no Hive type holds together",
        facts=[("found", "\n".join(found)), ("declared", declared)],
        effect="nothing was read; what was visible before is still visible",
        next_steps=[f'cast it in `columns`: "CAST({entry.target} AS CHAR) AS {entry.target}"'],
    )
