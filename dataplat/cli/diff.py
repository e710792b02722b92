"""``dataplat diff``: the rows of a partition, in Hive and at its source."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.failures import FAILED
from dataplat.cli.ledger import partition_key
from dataplat.cli.options import Config, Json, Partition, Table, session_of
from dataplat.cli.output import count
from dataplat.cli.progress import Pieces

if TYPE_CHECKING:
    from dataplat.lifecycle.row_diff import RowDiff
    from dataplat.plan.row_values import RowDifference


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("diff")(diff)


def diff(
    context: typer.Context,
    table: Table,
    partition: Partition,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, help="Print at most so many rows that differ.")
    ] = 20,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Compare a published partition with its source, row by row.

    Both sides compute checksums of chunks of rows; only rows of chunks that differ are moved. lost: only the
    source has the row. extra: only Hive has it. changed: both have it, and the columns that differ are
    printed. The counts are of all rows, whatever the limit. Exit 1 if any differs.
    """
    session = session_of(context)
    spec = session.catalog.table(table)
    key = partition_key(spec, partition)
    from dataplat.lifecycle.row_diff import diff_partition

    session.under_way = "nothing was changed: a comparison only reads"
    with Pieces(session.output, f"{spec.table}[{key}]") as pieces:
        found = diff_partition(
            session.platform, spec, key, limit=limit, command=session.command, listen=pieces.begin
        )
    session.output.document(_document(found))
    if found.differences:
        session.output.table(["row", "key", "column", "source", "Hive"], _rows(found))
        session.output.line()
    session.output.line(f"{spec.table}[{key}]: {_summary(found)}")
    session.output.line(f"  {count(found.source_rows)} rows at the source, {count(found.hive_rows)} in Hive")
    for sentence in found.not_compared:
        session.output.line(f"  not compared: {sentence}")
    if spec.load == "snapshot":
        session.output.line("  the source is compared as it is now; it may have changed since the load")
    if not found.equal:
        raise typer.Exit(FAILED)


def _summary(found: "RowDiff") -> str:
    moved = f"{count(found.rows_moved)} of {count(found.source_rows + found.hive_rows)} rows moved"
    if found.equal:
        return f"equal; {moved}"
    return f"lost {count(found.lost)}, extra {count(found.extra)}, changed {count(found.changed)}; {moved}"


def _rows(found: "RowDiff") -> Iterator[list[str]]:
    for row in found.differences:
        key = ", ".join(f"{name} {_shown(found, name, value)}" for name, value in row.key)
        if not row.columns:
            yield [row.kind, key, "", "", ""]
        for number, column in enumerate(row.columns):
            source, hive = (_shown(found, column.column, value) for value in (column.source, column.hive))
            yield [
                *([row.kind, key] if number == 0 else ["", ""]),
                column.column,
                source if row.kind != "extra" else "",
                hive if row.kind != "lost" else "",
            ]


def _shown(found: "RowDiff", column: str, value: str | None) -> str:
    from dataplat.plan.row_values import quoted

    return quoted(value) if value is None or column in found.quoted else value


def _document(found: "RowDiff") -> dict[str, Any]:
    return {
        "ok": found.equal,
        "table": found.table,
        "partition": found.partition,
        "lost": found.lost,
        "extra": found.extra,
        "changed": found.changed,
        "source_rows": found.source_rows,
        "hive_rows": found.hive_rows,
        "rows_moved": found.rows_moved,
        "not_compared": list(found.not_compared),
        "rows": [_row_document(row) for row in found.differences],
    }


def _row_document(row: "RowDifference") -> dict[str, Any]:
    sides = {"lost": ["source"], "extra": ["hive"], "changed": ["source", "hive"]}[row.kind]
    return {
        "kind": row.kind,
        "key": dict(row.key),
        "columns": {column.column: {side: getattr(column, side) for side in sides} for column in row.columns},
    }
