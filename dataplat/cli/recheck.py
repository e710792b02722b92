"""``dataplat recheck``: check what is published once more."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from dataplat.cli.failures import FAILED
from dataplat.cli.load import in_order, select_keys
from dataplat.cli.options import Config, Dates, Json, Select, Wait, session_of
from dataplat.cli.output import count
from dataplat.cli.session import Session

if TYPE_CHECKING:
    from dataplat.lifecycle.recheck import RecheckReport
    from dataplat.orchestration.launch import RunResult


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("recheck")(recheck)


def recheck(
    context: typer.Context,
    select: Select,
    date: Dates = "",
    wait: Wait = 0,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Check published partitions again, and hold what fails.

    Their files are held against the ledger, and every declared check is asked. Nothing that is visible
    changes. A hold that a re-check made ends when the check passes again. Exit 1 if a partition is held
    now by a check, or was not published.
    """
    session = session_of(context)
    specs = in_order(session, session.catalog.select_any(select))
    asked = [(spec, select_keys(session, spec, date)) for spec in specs]
    reports: list[RecheckReport] = []
    from dataplat.orchestration.launch import run_recheck
    from dataplat.orchestration.observer import Observer

    observer = Observer(rechecked=reports.append, wait_seconds=wait, command=session.command)
    session.under_way = "what is visible was not changed"
    results = [run_recheck(session.platform, session.instance, spec, keys, observer) for spec, keys in asked]
    session.under_way = ""
    _show(session, reports, results)
    if not all(result.succeeded for result in results):
        raise typer.Exit(FAILED)


def _show(session: Session, reports: "Sequence[RecheckReport]", results: "Sequence[RunResult]") -> None:
    failed = [result for result in results if not result.succeeded]
    session.output.document(
        {
            "ok": not failed,
            "partitions": [
                {
                    "table": report.table,
                    "partition": report.partition,
                    "standing": report.standing,
                    "version": report.version,
                    "rows": report.rows,
                    "checks": [asdict(outcome) for outcome in report.outcomes],
                }
                for report in reports
            ],
            "failures": [{"run_id": result.run_id, "message": result.message} for result in failed],
        }
    )
    session.output.table(
        ["table", "partition", "files hold", "checks", "failed", "standing"],
        [
            [
                report.table,
                report.partition,
                count(report.rows),
                len(report.outcomes),
                len(report.failures),
                report.standing,
            ]
            for report in reports
        ],
    )
    for report in reports:
        for outcome in report.failures:
            if not outcome.blocks:
                name = f"{report.table}[{report.partition}]"
                session.output.note(f"warning: {name}: {outcome.check}: {outcome.message}")
    for result in failed:
        session.output.note(f"\n{result.message}")
