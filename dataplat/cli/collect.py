"""``dataplat collect``: delete the files of versions that are no longer kept."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from dataplat.cli.options import Config, Json, session_of
from dataplat.cli.output import count, size
from dataplat.cli.session import Session

if TYPE_CHECKING:
    from dataplat.lifecycle.collect import Collected
    from dataplat.specs import AnyTable


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("collect")(collect)


def collect(
    context: typer.Context,
    select: Annotated[
        str, typer.Argument(metavar="SELECT", help="Tables, as for load; without it, all of them.")
    ] = "*",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and stop.")] = False,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Delete the files of old versions.

    Those that go are superseded ones beyond `retention`, and rejected or abandoned ones older than its
    grace. What the metastore shows never goes: it is asked right before each deletion.
    """
    session = session_of(context)
    specs = session.catalog.select_any(select)
    if dry_run:
        done = list(_planned(session, specs))
    else:
        session.under_way = "files of old versions were being deleted; nothing visible was, run it again"
        done = list(_collected(session, specs))
        session.under_way = ""
    _show(session, done, dry_run=dry_run)


def _planned(session: Session, specs: "Sequence[AnyTable]") -> "Iterable[Collected]":
    from dataplat.lifecycle.collect import plan_collection

    for spec in specs:
        history = session.ledger.history(spec.table, limit=None)
        yield from plan_collection(history, spec.retention, session.now())


def _collected(session: Session, specs: "Sequence[AnyTable]") -> "Iterable[Collected]":
    from dataplat.lifecycle.collect import collect as collect_table

    for spec in specs:
        for item in collect_table(session.platform, spec, session.run_info()):
            version = item.version
            verb = "kept" if item.kept else "collected"
            session.output.note(f"{version.table}[{version.partition}]  {verb}  {version.version}")
            yield item


def _show(session: Session, items: "Sequence[Collected]", *, dry_run: bool) -> None:
    session.output.document(
        {
            "ok": True,
            "dry_run": dry_run,
            "versions": [
                {**asdict(item.version), "why": item.reason, "kept": item.kept or None} for item in items
            ],
        }
    )
    if not items:
        session.output.line("there is nothing to collect")
        return
    session.output.table(
        ["table", "partition", "version", "size", "why", "kept because"],
        [
            [v.table, v.partition, v.version, size(v.bytes), item.reason, item.kept]
            for item in items
            for v in [item.version]
        ],
    )
    gone = [item.version for item in items if not item.kept]
    total = size(sum(version.bytes or 0 for version in gone))
    verb = "would be freed: this was a dry run" if dry_run else "freed"
    session.output.line(f"\n{count(len(gone))} versions of partitions, {total} {verb}")
