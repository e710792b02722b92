"""``render`` and ``lineage``: the SQL of a model, and where its rows and columns come from."""

from typing import Annotated

import typer

from dataplat.cli.ledger import partition_key
from dataplat.cli.options import Config, Json, Model, Partition, session_of


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command("render")(render)
    app.command("lineage")(lineage)


def render(
    context: typer.Context,
    table: Model,
    partition: Partition,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Print the SQL that makes a partition of a model.

    Nothing is run. Variables and date expressions are filled in from the partition, never from the clock.
    """
    session = session_of(context)
    spec = session.catalog.model(table)
    key = partition_key(spec, partition)
    from dataplat.plan.models.render import render_model

    sql = render_model(spec, key, session.catalog.platform.zone)
    session.output.document(
        {"ok": True, "table": spec.table, "partition": key, "sql_file": spec.sql_file, "sql": sql}
    )
    session.output.line(sql.strip("\n"))


def lineage(
    context: typer.Context,
    table: Annotated[
        str, typer.Argument(metavar="TABLE[.COLUMN]", help="dw.dw_money_day or dw.dw_money_day.money.")
    ],
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Show what a table, or one column of it, is made of.

    Follows the SQL of models down to tables that are loaded or made elsewhere. Behind each table stands
    which partitions are read, counted from the one that is made. Nothing is run.
    """
    session = session_of(context)
    from dataplat.cli.lineage import column_tree, table_tree

    name, column = _split(table)
    catalog = session.catalog
    if column:
        tree = column_tree(catalog, session.graph, catalog.model(name), column)
    else:
        tree = table_tree(catalog, session.graph, catalog.any_table(name))
    session.output.document({"ok": True, **tree.document})
    for line in tree.lines:
        session.output.line(line)


def _split(text: str) -> tuple[str, str]:
    """Return table and column of ``db.table.column``; the column is empty where there is none."""
    parts = text.split(".", 2)
    return ".".join(parts[:2]), parts[2] if len(parts) > 2 else ""
