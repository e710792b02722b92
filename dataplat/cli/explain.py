"""``dataplat explain``: what a load would send to the source, or run, and what it waits for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.options import Config, Json, Table, session_of
from dataplat.cli.output import count, size
from dataplat.cli.session import Session

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from dataplat.lifecycle.explain import Explanation, ServerPlan
    from dataplat.plan.models.mapping import Upstream
    from dataplat.specs import ModelSpec


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

    Of a model: its SQL, and the partitions that it reads. Of a loaded table: shards found, columns with their
    types, windows on the source's clock, the queries, and the server's plan, where a full scan is pointed
    out.
    """
    session = session_of(context)
    spec = session.catalog.any_table(table)
    from dataplat.cli.load import select_keys
    from dataplat.specs import ModelSpec, SecretResolver

    keys = select_keys(session, spec, date)
    if isinstance(spec, ModelSpec):
        _explain_model(session, spec, keys)
        return
    from dataplat.lifecycle.explain import explain_table

    with session.guarded_sources():
        explained = explain_table(session.catalog, spec, keys, SecretResolver(session.environ))
    session.output.document({"ok": True, **explained.document()})
    if not session.output.as_json:
        _show(session, explained)


def _explain_model(session: Session, spec: "ModelSpec", keys: Sequence[str]) -> None:
    from dataplat.plan.models.render import render_model

    output, zone = session.output, session.catalog.platform.zone
    upstreams = session.graph.upstreams(spec.table)
    partitions = [
        {
            "partition": key,
            "upstreams": {one.table: list(one.partitions(key, spec.grain, zone)) for one in upstreams},
            "sql": render_model(spec, key, zone),
        }
        for key in keys
    ]
    output.document({"ok": True, "table": spec.table, "sql_file": spec.sql_file, "partitions": partitions})
    output.line(f"{spec.table}: made by {spec.sql_file}, on engine {spec.engine}")
    output.line("\npartitions that are read")
    output.table(
        ["  partition", "reads", "partitions of it", "gate waits"],
        [
            [f"  {key}", one.table, *_read(one, one.partitions(key, spec.grain, zone), zone)]
            for key in keys
            for one in upstreams
        ],
    )
    output.line(f"\nSQL of {keys[0]}" + (f", the first of {count(len(keys))}" if len(keys) > 1 else ""))
    for line in str(partitions[0]["sql"]).strip("\n").splitlines():
        output.line(f"  {line}")


def _read(upstream: "Upstream", keys: Sequence[str], zone: "ZoneInfo") -> list[str]:
    """Return which partitions of an upstream are read, and whether the gate waits for them."""
    from dataplat.cli.progress import subject
    from dataplat.plan.partitions import contiguous_runs

    if not keys or upstream.grain is None:
        return [upstream.reads.replace("_", " "), "no"]
    spans = (subject("", run).strip("[]") for run in contiguous_runs(keys, upstream.grain, zone))
    shown = ",".join(spans) + ("" if len(keys) == 1 else f" ({count(len(keys))})")
    return [shown, "no" if upstream.external else "yes"]


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
    for text in explained.rewritten:
        output.line(f"  {text}: sent as a range, which an index serves")
    _splits(session, explained)
    for plan in explained.plans:
        _plan(session, plan)
    if explained.refusal:
        output.line(f"  a load is refused: {explained.refusal}")


def _splits(session: Session, explained: "Explanation") -> None:
    output = session.output
    if explained.splits:
        output.line(f"\nsplits ({count(len(explained.splits))})")
        plans = [split.plan for split in explained.splits]
        output.table(
            ["  split", "partitions", "rows, estimated", "access", "key", "server's rows"],
            [
                [f"  {number}", split.partitions, count(split.rows)]
                + ([plan.access, plan.key, count(plan.rows)] if plan else ["", "", ""])
                for number, (split, plan) in enumerate(zip(explained.splits, plans, strict=True), 1)
            ],
        )
        for number, split in enumerate(explained.splits, 1):
            output.line(f"  {number}: {split.predicate}")
    if explained.split_remark:
        output.line(f"  {explained.split_remark}")


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
