"""``dataplat schema``: sources against the schema lock and against Hive."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.failures import FAILED, describe
from dataplat.cli.options import Config, Json, session_of
from dataplat.cli.output import count
from dataplat.cli.session import Session
from dataplat.errors import SourceError

if TYPE_CHECKING:
    from dataplat.lifecycle.schema_lock import SchemaReport

Select = Annotated[str, typer.Argument(metavar="SELECT", help="As for load; else every loaded table.")]
At = Annotated[
    str,
    typer.Option(
        "--at",
        metavar="DAY",
        help="Look at the shards of partitions that had ended by the end of this day; else of those by now.",
    ),
]
_HELP = "Compare source columns with those agreed to, or agree to them."


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help=_HELP)
    group.command("diff")(diff)
    group.command("accept")(accept)
    app.add_typer(group, name="schema")


def diff(
    context: typer.Context,
    select: Select = "*",
    hive: Annotated[
        bool, typer.Option("--hive/--no-hive", help="Whether to ask Hive too; that needs the engine.")
    ] = True,
    at: At = "",
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Compare source columns with the lock and with Hive.

    safe: whatever the table holds stays exact. lossy: the table cannot hold every value. breaking: a column
    is gone, or of another kind. Exit 1 if a load would be refused, or a source could not be asked.
    """
    from dataplat.lifecycle.schema_lock import compare_schema, look_at_source
    from dataplat.specs import SecretResolver
    from dataplat.specs.schema_lock import read_schema_lock

    session = session_of(context)
    catalog, secrets = session.catalog, SecretResolver(session.environ)
    lock = read_schema_lock(catalog.config_dir)
    reports: list[SchemaReport] = []
    errors: list[SourceError] = []
    for spec in catalog.select(select):
        try:
            with session.guarded_sources():
                source = look_at_source(catalog, spec, secrets, _moment(session, at))
        except SourceError as error:
            errors.append(error)
            continue
        reports.append(compare_schema(spec, source, lock, session.platform if hive else None))
        if source.problem is not None:
            errors.append(source.problem)
    _show(session, reports, errors)
    if errors or any(report.refused for report in reports):
        raise typer.Exit(FAILED)


def accept(
    context: typer.Context,
    select: Select = "*",
    at: At = "",
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Agree to source columns as they are now.

    Writes them into schema.lock.yaml. Commit the file: its difference is what a review should see. Nothing is
    written unless every source answers.
    """
    from dataplat.lifecycle.schema_lock import accept_schemas, compare_schema, look_at_source
    from dataplat.specs import SecretResolver
    from dataplat.specs.schema_lock import LOCK_FILE, read_schema_lock

    session = session_of(context)
    catalog, secrets = session.catalog, SecretResolver(session.environ)
    with session.guarded_sources():
        sources = [
            (spec, look_at_source(catalog, spec, secrets, _moment(session, at)))
            for spec in catalog.select(select)
        ]
    before = read_schema_lock(catalog.config_dir)
    reports = [compare_schema(spec, source, before, None) for spec, source in sources]
    lock = accept_schemas(catalog, sources)
    session.output.document(
        {
            "ok": True,
            "file": str(catalog.config_dir / LOCK_FILE),
            "accepted": [_document(report) for report in reports],
        }
    )
    _table(session, reports)
    new = [report.table for report in reports if not report.locked]
    if new:
        session.output.line(f"locked for the first time: {', '.join(new)}")
    session.output.line(f"{catalog.config_dir.name}/{LOCK_FILE}: {count(len(lock))} tables")


def _moment(session: Session, at: str) -> datetime:
    """Return when to look: now, or the end of a day that somebody typed."""
    from dataplat.plan.partition_names import parse_partition
    from dataplat.plan.windows import partition_window

    if not at:
        return session.now()
    return partition_window(
        parse_partition(at, "day", subject="--at"), "day", session.catalog.platform.zone
    ).end


def _show(session: Session, reports: "list[SchemaReport]", errors: list[SourceError]) -> None:
    session.output.document(
        {
            "ok": not errors and not any(report.refused for report in reports),
            "tables": [_document(report) for report in reports],
            "errors": [describe(error) for error in errors],
        }
    )
    _table(session, reports)
    unlocked = [report.table for report in reports if not report.locked]
    if unlocked:
        session.output.line(f"nobody has agreed yet to: {', '.join(unlocked)}")
    different = sum(bool(report.differences) for report in reports)
    stopped = sum(bool(report.refused) for report in reports)
    compared = f"{count(len(reports))} tables compared, {count(different)} differ"
    session.output.line(f"{compared}, {count(stopped)} would not be loaded")
    for error in errors:
        session.output.note(error.render())


def _table(session: Session, reports: "list[SchemaReport]") -> None:
    rows = [
        [
            *(report.table, one.column, one.against, one.was or "absent", one.now or "absent"),
            *(one.severity, one.reason),
        ]
        for report in reports
        for one in report.differences
    ]
    if rows:
        session.output.table(["table", "column", "against", "was", "now", "class", "why"], rows)
        session.output.line()


def _document(report: "SchemaReport") -> dict[str, Any]:
    return {
        "table": report.table,
        "locked": report.locked,
        "differences": [asdict(one) for one in report.differences],
        "refused": [one.column for one in report.refused],
    }
