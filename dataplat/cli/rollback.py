"""``dataplat rollback``: show an earlier version of a partition again."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from dataplat.cli.ledger import partition_key
from dataplat.cli.options import Config, Json, Partition, Table, Wait, session_of
from dataplat.cli.output import count
from dataplat.cli.session import Session
from dataplat.errors import SelectionError

if TYPE_CHECKING:
    from dataplat.specs import AnyTable


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("rollback")(rollback)


def rollback(
    context: typer.Context,
    table: Table,
    partition: Partition,
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="Which; else the one before the visible.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Wait = 0,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Make an earlier version of a partition visible again.

    Its files are counted again first and compared with what the ledger recorded. The version that was
    visible is kept; --to brings it back.
    """
    session = session_of(context)
    spec = session.catalog.any_table(table)
    key = partition_key(spec, partition)
    if not yes and not _agreed(session, spec, key, to):
        session.output.line("nothing was changed")
        return
    from dataplat.lifecycle.rollback import rollback_partition
    from dataplat.orchestration.record import record_rollback

    session.under_way = f"{spec.table}[{key}] shows its old or its new version entirely"
    report = rollback_partition(session.platform, spec, key, to, session.run_info(wait))
    record_rollback(session.instance, session.ledger, spec, report)
    session.output.document(
        {
            "ok": True,
            "table": spec.table,
            "partition": key,
            "version": asdict(report.version),
            "rolled_back_from": report.rolled_back_from,
        }
    )
    rows = f"{count(report.files.rows)} rows in {count(report.files.files)} files, counted again"
    session.output.line(f"{spec.table}[{key}] shows version {report.version.version} ({rows})")
    if report.rolled_back_from:
        session.output.line(f"undo with: dataplat rollback {spec.table} {key} --to {report.rolled_back_from}")


def _agreed(session: Session, spec: "AnyTable", key: str, to: str | None) -> bool:
    name = f"{spec.table}[{key}]"
    if session.output.as_json or not sys.stdin.isatty():
        raise SelectionError(
            name,
            "a rollback changes what is visible, and nobody is here to be asked",
            facts=[("expected", "--yes, or a terminal")],
            effect="nothing was changed",
            next_steps=[f"dataplat versions {spec.table} {key}", "the same command with --yes"],
        )
    from dataplat.lifecycle.rollback import choose_version

    history = session.ledger.history(spec.table, key, limit=None)
    chosen = choose_version(spec.table, key, history, to)
    visible = session.ledger.visible(spec.table, [key]).get(key)
    before = f"{visible.version}, {count(visible.rows)} rows" if visible else "none"
    session.output.note(
        f"{name}\n  visible    {before}\n  becomes    {chosen.version}, {count(chosen.rows)} rows"
    )
    return typer.confirm("roll back?", err=True)
