"""How planned columns are stored in a table that is there already.

A table keeps its types. A column that the source declares narrower today than when the table was made (or
whose wider shards are not among those of this partition) is written in the table's wider type; a wider one
does not fit and is refused, because nothing is ever narrowed silently. Where rows may be set aside, a wider
number is narrowed and what does not fit is a dirty row (``dirty``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dataplat.plan.ddl import HiveColumn, SchemaChange, compare_columns
from dataplat.plan.dirty import can_narrow
from dataplat.plan.widening import widen


@dataclass(frozen=True)
class Fit:
    """The columns as they are written, and what the table lacks or has otherwise."""

    columns: tuple[HiveColumn, ...]
    change: SchemaChange


def fit_columns(
    hive_columns: Sequence[HiveColumn],
    planned: Sequence[HiveColumn],
    *,
    widen_narrow: bool = True,
    narrow_wide: bool = False,
    may_lack: bool = False,
) -> Fit:
    """Return how planned columns are written into a table.

    Args:
        hive_columns: The table's columns.
        planned: The columns that are to be written.
        widen_narrow: Whether a narrower column may be written in the table's wider type.
        narrow_wide: Whether a wider number may be, because what does not fit is told apart and set aside.
        may_lack: Whether columns of the table may be left out; readers then find NULL in them.

    >>> fit = fit_columns([HiveColumn("id", "bigint"), HiveColumn("note", "string")],
    ...                   [HiveColumn("id", "int")], may_lack=True)
    >>> [column.hive_type for column in fit.columns], fit.change
    (['bigint'], SchemaChange(added=(), changed=(), missing=()))
    """
    there = {column.name.lower(): _canonical(column.hive_type) for column in hive_columns}
    columns = tuple(
        _stored(column, there.get(column.name.lower()), narrow_wide) if widen_narrow else column
        for column in planned
    )
    change = compare_columns(hive_columns, columns)
    return Fit(columns, replace(change, missing=()) if may_lack else change)


def _stored(column: HiveColumn, kind: str | None, narrow_wide: bool) -> HiveColumn:
    planned = _canonical(column.hive_type)
    fits = kind is not None and (widen(planned, kind) == kind or (narrow_wide and can_narrow(planned, kind)))
    return replace(column, hive_type=kind) if kind is not None and fits else column


def _canonical(hive_type: str) -> str:
    return "".join(hive_type.lower().split())
