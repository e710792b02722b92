"""Which columns of a table its reads are cut by: an index has to serve them, and order them as text does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dataplat.errors import SourceError
from dataplat.plan.layouts import SourceColumn
from dataplat.plan.split_keys import KeyColumn, SplitKey, key_kind
from dataplat.plan.windows import steady_offset
from dataplat.specs import TableSpec

_MOST_COLUMNS = 3


@dataclass(frozen=True)
class SourceIndex:
    """An index as the source declares it; ``columns`` ends before the first that is only indexed in part."""

    name: str
    columns: tuple[str, ...]
    unique: bool


def choose_split_key(
    columns: Sequence[SourceColumn],
    indexes: Sequence[SourceIndex],
    *,
    wanted: str | None = None,
    declared: Sequence[str] = (),
) -> SplitKey | None:
    """Return what a table is cut by: what somebody wants, the primary key, a unique one, an indexed one.

    Args:
        columns: As the source declares them.
        indexes: The primary key first.
        wanted: ``split.column`` of the table's file.
        declared: ``key`` of the table's file; of use where the source declares none, as in a view.
    """
    known = {column.name.lower(): column for column in columns}
    if wanted is not None:
        return _of_columns(known, (wanted,), _leading(indexes, wanted))
    unique = sorted((index for index in indexes if index.unique), key=lambda index: len(index.columns))
    ordered = [*(index for index in indexes if index.name == "PRIMARY"), *unique]
    for index in ordered:
        key = _of_columns(known, index.columns, index.name)
        if key is not None and (index.name == "PRIMARY" or not key.columns[0].nullable):
            return key
    if not declared:
        return None
    return _of_columns(known, declared[:1], _leading(indexes, declared[0]))


def choose_window_key(
    columns: Sequence[SourceColumn], indexes: Sequence[SourceIndex], window: str | None, source_zone: str
) -> SplitKey | None:
    """Return the window column as something to cut by, if an index begins with it.

    A ``TIMESTAMP`` where the source's clock changes is none: a wall clock that it skips, or shows twice, is
    no place to cut at.
    """
    index = _leading(indexes, window) if window else None
    kinds = {column.name.lower(): column.mysql_type.lower() for column in columns}
    if window is None or index is None:
        return None
    if kinds.get(window.lower(), "").startswith("timestamp") and steady_offset(ZoneInfo(source_zone)) is None:
        return None
    return _of_columns({column.name.lower(): column for column in columns}, (window,), index)


def cannot_split(spec: TableSpec, wanted: str, columns: Sequence[SourceColumn]) -> SourceError:
    """Return what to tell somebody whose ``split.column`` is not there, or has no order to cut by."""
    kinds = {column.name.lower(): column.mysql_type for column in columns}
    found = kinds.get(wanted.lower())
    return SourceError(
        spec.table,
        f"reads cannot be split on '{wanted}'",
        facts=[
            ("expected", "an indexed column of whole numbers, decimals, text, bytes, dates or times"),
            ("found", f"{wanted} {found}" if found else ", ".join(column.name for column in columns)),
            ("declared", spec.declared.at("split", "column")),
        ],
        effect="nothing was read; what was visible before is still visible",
        next_steps=[f"dataplat explain {spec.table}"],
    )


def _leading(indexes: Sequence[SourceIndex], column: str) -> str | None:
    led = (index.name for index in indexes if index.columns and index.columns[0].lower() == column.lower())
    return next(led, None)


def _of_columns(
    known: Mapping[str, SourceColumn], names: Sequence[str], index: str | None
) -> SplitKey | None:
    """Return a key of the first columns that bounds can be written for.

    Only the first may be NULL, and then it is the only one: a comparison with NULL is true of no range.
    """
    columns: list[KeyColumn] = []
    for name in names[:_MOST_COLUMNS]:
        column = known.get(name.lower())
        kind = key_kind(column.mysql_type) if column else None
        if column is None or kind is None or (columns and (column.nullable or columns[0].nullable)):
            break
        columns.append(KeyColumn(column.name, kind, column.nullable))
    return SplitKey(tuple(columns), index) if columns else None
