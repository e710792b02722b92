r"""Hive statements as text: databases, tables, partitions and what publishing sends.

Pure text for Spark SQL, nothing is sent from here. A value never reaches a statement except through
``quote_literal`` or ``quote_identifier``, so no comment, location or partition value can end a literal.

What surprises: Spark replaces ``${env:…}`` and ``${any.conf}`` anywhere in a statement, inside literals
too, before it parses it. ``quote_literal`` therefore writes every dollar sign as ``\u0024``; in an
identifier that is impossible, so a dollar sign is refused there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dataplat.errors import SchemaConflictError

PartitionColumns = tuple[tuple[str, str], ...]

_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "$": "\\u0024"})


@dataclass(frozen=True)
class HiveColumn:
    """One column of a Hive table: its name, its type as Hive prints it, its comment."""

    name: str
    hive_type: str
    comment: str = ""


@dataclass(frozen=True)
class SchemaChange:
    """How a planned table differs from the one in Hive; names in the planned (or Hive's) order.

    Attributes:
        added: Planned columns that Hive does not have yet.
        changed: ``(name, type in Hive, planned type)`` of columns whose type differs.
        missing: Columns of the Hive table that are not planned any more.
    """

    added: tuple[HiveColumn, ...] = ()
    changed: tuple[tuple[str, str, str], ...] = ()
    missing: tuple[HiveColumn, ...] = ()


def quote_literal(text: str) -> str:
    r"""Return a Spark SQL string literal that reads back as exactly ``text``.

    >>> print(quote_literal("it's ${env:HOME}"))
    'it\'s \u0024{env:HOME}'
    """
    return f"'{text.translate(_ESCAPES)}'"


def quote_identifier(name: str) -> str:
    """Return one identifier (no dots) in backticks.

    Raises:
        ValueError: If the name is empty or holds a dollar sign, which Spark would substitute.
    """
    if not name or "$" in name:
        raise ValueError(f"{name!r} cannot be an identifier in Spark SQL")
    return "`" + name.replace("`", "``") + "`"


def quote_table(table: str) -> str:
    """Return ``db.name`` with each part in backticks."""
    return ".".join(quote_identifier(part) for part in table.split("."))


def render_create_database(name: str, location: str) -> str:
    """Return the statement that creates a database at a location unless it exists."""
    return f"CREATE DATABASE IF NOT EXISTS {quote_identifier(name)} LOCATION {quote_literal(location)}"


def render_create_table(
    table: str,
    columns: Sequence[HiveColumn],
    partition_columns: Sequence[str],
    format: Literal["parquet", "orc"],
    location: str,
    comment: str = "",
    properties: Mapping[str, str] | None = None,
) -> str:
    """Return the statement that creates the external table unless it exists.

    Partition columns are strings. Dropping the table never deletes files, because it is external.
    """
    lines = [
        f"CREATE EXTERNAL TABLE IF NOT EXISTS {quote_table(table)} (",
        ",\n".join("  " + _column(column) for column in columns),
        ")",
    ]
    if comment:
        lines.append(f"COMMENT {quote_literal(comment)}")
    if partition_columns:
        names = ", ".join(f"{quote_identifier(name)} string" for name in partition_columns)
        lines.append(f"PARTITIONED BY ({names})")
    lines += [f"STORED AS {format.upper()}", f"LOCATION {quote_literal(location)}"]
    if properties:
        pairs = ", ".join(
            f"{quote_literal(key)} = {quote_literal(value)}" for key, value in properties.items()
        )
        lines.append(f"TBLPROPERTIES ({pairs})")
    return "\n".join(lines)


def render_add_columns(table: str, columns: Sequence[HiveColumn]) -> str:
    """Return the statement that appends columns; partitions written before read NULL for them."""
    added = ", ".join(_column(column) for column in columns)
    return f"ALTER TABLE {quote_table(table)} ADD COLUMNS ({added})"


def render_publish(
    table: str,
    existing: Collection[PartitionColumns],
    targets: Mapping[PartitionColumns, str],
    batch: int = 50,
) -> list[str]:
    """Return the statements after which each partition of ``targets`` is read from its location.

    New partitions come first, ``batch`` of them in one statement; then one statement for each partition
    that exists. Each statement is atomic in the metastore, the list is not: whoever sends it records
    how far it came. Sending it again changes nothing.
    """
    known = frozenset(existing)
    new = [
        f"PARTITION ({_partition(columns)}) LOCATION {quote_literal(location)}"
        for columns, location in targets.items()
        if columns not in known
    ]
    name = quote_table(table)
    adds = [
        "\n  ".join([f"ALTER TABLE {name} ADD IF NOT EXISTS", *new[start : start + batch]])
        for start in range(0, len(new), batch)
    ]
    moves = [
        f"ALTER TABLE {name} PARTITION ({_partition(columns)}) SET LOCATION {quote_literal(location)}"
        for columns, location in targets.items()
        if columns in known
    ]
    return adds + moves


def render_drop_partitions(table: str, partitions: Sequence[PartitionColumns], batch: int = 50) -> list[str]:
    """Return the statements that take partitions out of the metastore; the files stay (external table)."""
    specs = [f"PARTITION ({_partition(columns)})" for columns in partitions]
    return [
        f"ALTER TABLE {quote_table(table)} DROP IF EXISTS {', '.join(specs[start : start + batch])}"
        for start in range(0, len(specs), batch)
    ]


def compare_columns(hive_columns: Sequence[HiveColumn], planned: Sequence[HiveColumn]) -> SchemaChange:
    """Return how the planned columns differ from Hive's. Order and comments are no difference."""
    in_hive = {column.name.lower(): column for column in hive_columns}
    in_plan = {column.name.lower() for column in planned}
    shared = [(column, in_hive[column.name.lower()]) for column in planned if column.name.lower() in in_hive]
    return SchemaChange(
        added=tuple(column for column in planned if column.name.lower() not in in_hive),
        changed=tuple(
            (new.name, old.hive_type, new.hive_type) for new, old in shared if _type(old) != _type(new)
        ),
        missing=tuple(column for column in hive_columns if column.name.lower() not in in_plan),
    )


def require_additive(table: str, change: SchemaChange, declared: str) -> SchemaChange:
    """Return ``change`` when it only adds columns.

    Raises:
        SchemaConflictError: If a column changed its type or is gone. Nothing was read, written or altered.
    """
    if not change.changed and not change.missing:
        return change
    facts = [(f"column '{name}'", f"{old} in Hive, {new} as planned") for name, old, new in change.changed]
    facts += [
        (f"column '{column.name}'", f"{column.hive_type} in Hive, not in the plan any more")
        for column in change.missing
    ]
    raise SchemaConflictError(
        table,
        "the table in Hive does not fit the plan",
        facts=[("expected", "every column of the Hive table, with its type"), *facts, ("declared", declared)],
        effect="nothing was read, and what is visible stays visible",
        next_steps=[f"dataplat explain {table}", "name the columns and cast them to the types in Hive"],
    )


def _column(column: HiveColumn) -> str:
    comment = f" COMMENT {quote_literal(column.comment)}" if column.comment else ""
    return f"{quote_identifier(column.name)} {column.hive_type}{comment}"


def _partition(columns: PartitionColumns) -> str:
    return ", ".join(f"{quote_identifier(name)} = {quote_literal(value)}" for name, value in columns)


def _type(column: HiveColumn) -> str:
    return "".join(column.hive_type.lower().split())
