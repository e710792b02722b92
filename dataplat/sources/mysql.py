"""What dataplat asks a MySQL or MariaDB source beside the rows: tables, columns, keys, sizes, counts.

Everything comes from ``information_schema`` or from the result of the user's own expressions; no function
here reads table rows except ``run_counts``, and none writes. Names are quoted, never glued.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from dataplat.errors import SourceError
from dataplat.plan.columns import PlannedEntry
from dataplat.plan.layouts import SourceColumn
from dataplat.plan.sql import PhysicalTable, quote_name, quote_text
from dataplat.sources.mysql_connection import (
    InstanceConnections,
    OpenSource,
    Row,
    SourceConnection,
    connect_instances,
    connect_source,
    open_source,
)
from dataplat.sources.mysql_fields import column_type
from dataplat.sources.mysql_session import (
    JDBC_DRIVER,
    jdbc_properties,
    jdbc_url,
    session_statement,
)

__all__ = [
    "JDBC_DRIVER",
    "InstanceConnections",
    "OpenSource",
    "SourceColumn",
    "SourceConnection",
    "TableEstimate",
    "connect_instances",
    "connect_source",
    "describe_entries",
    "describe_shards",
    "discover_tables",
    "explain_query",
    "jdbc_properties",
    "jdbc_url",
    "match_tables",
    "open_source",
    "primary_key",
    "run_counts",
    "session_statement",
    "table_estimates",
]


_TABLES_A_QUERY = 500


@dataclass(frozen=True)
class TableEstimate:
    """What the server believes about a table's size. It may be wrong by half, it costs nothing."""

    rows: int
    bytes: int


def describe_shards(
    conn: SourceConnection, shards: Sequence[PhysicalTable]
) -> dict[PhysicalTable, tuple[SourceColumn, ...]]:
    """Return the columns of many tables or views, in the order of the tables; each column in its place.

    One query serves up to 500 of a database.

    Raises:
        SourceError: If one of them does not exist, or the account may not see it.
    """
    found: dict[PhysicalTable, tuple[SourceColumn, ...]] = {}
    by_database: dict[str, list[PhysicalTable]] = {}
    for shard in shards:
        by_database.setdefault(shard.database, []).append(shard)
    for database, tables in by_database.items():
        for start in range(0, len(tables), _TABLES_A_QUERY):
            some = tables[start : start + _TABLES_A_QUERY]
            columns = _columns_of(conn, database, [table.name for table in some])
            for table in some:
                if table.name in columns:
                    found[table] = tuple(columns[table.name])
                    continue
                # A server may keep names in lower case and still answer to others.
                meant = [name for name in columns if name.lower() == table.name.lower()]
                if not meant:
                    raise _no_table(conn, table)
                found[table] = tuple(columns[meant[0]])
    return {shard: found[shard] for shard in shards}


def _columns_of(
    conn: SourceConnection, database: str, tables: Sequence[str]
) -> dict[str, list[SourceColumn]]:
    rows = conn.rows(
        "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_COMMENT, CHARACTER_SET_NAME"
        f" FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {quote_text(database)}"
        f" AND TABLE_NAME IN ({', '.join(map(quote_text, tables))}) ORDER BY TABLE_NAME, ORDINAL_POSITION"
    )
    columns: dict[str, list[SourceColumn]] = {}
    for table, name, kind, nullable, comment, charset in rows:
        column = SourceColumn(str(name), _text(kind), nullable == "YES", _text(comment), charset)
        columns.setdefault(str(table), []).append(column)
    return columns


def describe_entries(
    conn: SourceConnection, physical: PhysicalTable, entries: Sequence[PlannedEntry]
) -> tuple[str, ...]:
    """Return the type of each entry as ``COLUMN_TYPE`` text: declared for columns, found for expressions.

    The expressions are evaluated for no row, so that a mistake in one shows before anything is read.

    Raises:
        SourceError: If the table or a column does not exist, or the server cannot read an expression.
    """
    described = describe_shards(conn, [physical])[physical]
    declared = {column.name.lower(): column for column in described}
    for entry in entries:
        if entry.source_column is not None and entry.source_column.lower() not in declared:
            raise _no_column(conn, physical, entry, [column.name for column in declared.values()])
    expressions = [entry for entry in entries if entry.source_column is None]
    found: dict[int, str] = {}
    if expressions:
        selected = ",\n".join(f"{entry.sql} AS {quote_name(entry.target)}" for entry in expressions)
        fields = conn.fields(f"SELECT {selected}\nFROM {physical.sql} LIMIT 0", subject=str(physical))
        found = {entry.index: column_type(field) for entry, field in zip(expressions, fields, strict=True)}
    return tuple(
        declared[entry.source_column.lower()].mysql_type if entry.source_column else found[entry.index]
        for entry in entries
    )


def discover_tables(
    conn: SourceConnection, sql: str, database: str
) -> tuple[tuple[PhysicalTable, ...], bool]:
    """Return the tables that a query names, each once, in the order found, and whether it names databases.

    A column ``table_schema`` of the answer is the database, else ``database`` is. The name is in the column
    ``table_name``, or in the first one.
    """
    found: dict[PhysicalTable, None] = {}
    qualified = False
    for row in conn.records(sql, subject="discovery of the shards"):
        qualified = "table_schema" in row and len(row) > 1
        place = _text(row.pop("table_schema")) if qualified else database
        name = row["table_name"] if "table_name" in row else next(iter(row.values()))
        found[PhysicalTable(place, _text(name))] = None
    return tuple(found), qualified


def match_tables(conn: SourceConnection, database: str, pattern: str) -> tuple[str, ...]:
    """Return the tables (not views) whose name is LIKE the pattern, by name."""
    rows = conn.rows(
        "SELECT TABLE_NAME FROM information_schema.TABLES"
        f" WHERE TABLE_SCHEMA = {quote_text(database)} AND TABLE_NAME LIKE {quote_text(pattern)}"
        " AND TABLE_TYPE <> 'VIEW'"
    )
    return tuple(sorted(str(row[0]) for row in rows))


def run_counts(conn: SourceConnection, sql: str, *, subject: str = "") -> list[Row]:
    """Return the rows of a counting query."""
    return conn.rows(sql, subject=subject)


def primary_key(conn: SourceConnection, database: str, table: str) -> tuple[str, ...]:
    """Return the columns of the primary key, in its order; empty when there is none."""
    rows = conn.rows(
        "SELECT COLUMN_NAME FROM information_schema.STATISTICS"
        f" WHERE {_is_table(database, table)} AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX"
    )
    return tuple(str(row[0]) for row in rows)


def table_estimates(
    conn: SourceConnection, database: str, tables: Sequence[str] = ()
) -> dict[str, TableEstimate]:
    """Return the server's estimates for the named tables (all tables of the database when none is named)."""
    named = f" AND TABLE_NAME IN ({', '.join(map(quote_text, tables))})" if tables else ""
    rows = conn.rows(
        "SELECT TABLE_NAME, COALESCE(TABLE_ROWS, 0), COALESCE(DATA_LENGTH, 0) FROM information_schema.TABLES"
        f" WHERE TABLE_SCHEMA = {quote_text(database)}{named} AND TABLE_TYPE <> 'VIEW' ORDER BY TABLE_NAME"
    )
    return {str(name): TableEstimate(int(count), int(size)) for name, count, size in rows}


def explain_query(conn: SourceConnection, sql: str, *, subject: str = "") -> tuple[Mapping[str, object], ...]:
    """Return the server's plan: ``table``, ``access``, ``key``, ``rows``, ``extra`` of each table read.

    ``possible`` names the indexes that the server could have used.
    """
    wanted = {"table": "table", "access": "type", "key": "key", "rows": "rows", "extra": "extra"}
    wanted["possible"] = "possible_keys"
    plans = conn.records(f"EXPLAIN {sql}", subject=subject)
    return tuple({name: plan.get(column) for name, column in wanted.items()} for plan in plans)


def _is_table(database: str, table: str) -> str:
    return f"TABLE_SCHEMA = {quote_text(database)} AND TABLE_NAME = {quote_text(table)}"


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _no_table(conn: SourceConnection, table: PhysicalTable) -> SourceError:
    names = match_tables(conn, table.database, "%")
    near = get_close_matches(table.name, names, n=1)
    meant = f"; did you mean '{near[0]}'?" if near else ""
    return SourceError(
        str(table),
        "the table does not exist, or the account may not read it",
        facts=[
            ("server", f"{conn.source.host}:{conn.source.port}"),
            ("found", f"{len(names)} tables in {table.database}{meant}"),
        ],
        effect="nothing was read",
        next_steps=["correct `from` in the table's file", "grant SELECT to the account"],
    )


def _no_column(
    conn: SourceConnection, table: PhysicalTable, entry: PlannedEntry, names: Sequence[str]
) -> SourceError:
    near = get_close_matches(entry.source_column or "", names, n=1)
    return SourceError(
        str(table),
        f"the column '{entry.source_column}' does not exist at the source",
        facts=[
            ("server", f"{conn.source.host}:{conn.source.port}"),
            ("expected", f"columns[{entry.index}]: {entry.sql}"),
            ("found", ", ".join(names) + (f"; did you mean '{near[0]}'?" if near else "")),
        ],
        effect="nothing was read",
        next_steps=["correct `columns` in the table's file"],
    )
