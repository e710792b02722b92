"""``dataplat explain``: what a load would send to the source, and how the server would answer it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.options import Config, Json, Table, session_of
from dataplat.cli.output import count, size
from dataplat.cli.session import Session

if TYPE_CHECKING:
    from dataplat.lifecycle.explain import Explanation, ServerPlan


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("explain")(explain)


def explain(
    context: typer.Context,
    table: Table,
    date: Annotated[
        str,
        typer.Option("--date", metavar="DATES", help="As for load; without it the latest that has ended."),
    ] = "",
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Show what a load would ask of its source. Reads no rows.

    Shards found, columns with their types, windows on the source's clock, the queries, and the server's
    own plan for them: a full scan is pointed out.
    """
    session = session_of(context)
    spec = session.catalog.table(table)
    from dataplat.cli.load import select_keys
    from dataplat.lifecycle.explain import explain_table
    from dataplat.specs import SecretResolver

    keys = select_keys(session, spec, date)
    explained = explain_table(session.catalog, spec, keys, SecretResolver(session.environ))
    session.output.document({"ok": True, **explained.document()})
    if not session.output.as_json:
        _show(session, explained)


def _show(session: Session, explained: "Explanation") -> None:
    output = session.output
    output.line(f"{explained.table}: {explained.load} from source {explained.source}")
    output.line(f"\nphysical tables ({count(len(explained.shards))})")
    output.table(
        ["  table", "rows, estimated", "size"],
        [[f"  {name}", count(rows), size(bytes_)] for name, rows, bytes_ in explained.shards],
    )
    output.line("\ncolumns")
    output.table(
        ["  column", "at the source", "in Hive", "sent as"],
        [[f"  {c.target}", c.mysql_type, c.hive, c.sql] for c in explained.columns],
    )
    output.line(f"\npartitions, on the source's clock ({explained.source_zone})")
    output.table(
        ["  partition", "from", "to before"],
        [[f"  {key}", start, end] for key, start, end in explained.windows],
    )
    if explained.read_alone:
        output.line("  each partition is read by itself; the first is shown")
    _queries(session, "count, before and after the read", explained.counts)
    for number, read in enumerate(explained.reads, 1):
        _queries(session, f"read {number} of {len(explained.reads)}", [read.query])
        for predicate in read.predicates:
            output.line(f"  task: {predicate}")
    if explained.split_remark:
        output.line(f"  {explained.split_remark}")
    for plan in explained.plans:
        _plan(session, plan)


def _queries(session: Session, title: str, queries: Any) -> None:
    session.output.line(f"\n{title}")
    for query in queries:
        for line in query.splitlines():
            session.output.line(f"  {line}")


def _plan(session: Session, plan: "ServerPlan") -> None:
    session.output.line("\nthe server's plan of the read")
    session.output.table(
        ["  table", "access", "key", "rows", "extra"],
        [[f"  {s.table}", s.access, s.key, count(s.rows), s.extra] for s in plan.steps],
    )
    for remark in plan.remarks:
        session.output.line(f"  {remark}")
