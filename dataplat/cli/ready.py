"""``dataplat ready``: ask now whether partitions of external tables are ready."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.failures import FAILED, describe
from dataplat.cli.options import Config, Json, session_of
from dataplat.cli.output import moment
from dataplat.cli.session import Session
from dataplat.errors import SelectionError

if TYPE_CHECKING:
    from dataplat.lifecycle.readiness import Answer
    from dataplat.specs import ReadinessSpec


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("ready")(ready)


def ready(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A file in readiness/; else all.")] = "",
    date: Annotated[
        str, typer.Option("--date", metavar="DATES", help="As for load; without it the latest.")
    ] = "",
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Ask whether external tables are ready, and remember it.

    The gate looks at what is remembered, as if the sensor had asked. Exit 1 if anything is not ready or
    could not be asked.
    """
    session = session_of(context)
    asked = [(spec, key) for spec in _specs(session, name) for key in _keys(session, spec, date)]
    answers = [_ask(session, spec, key) for spec, key in asked]
    _show(session, answers)
    if not all(answer.ready for answer in answers):
        raise typer.Exit(FAILED)


def _specs(session: Session, name: str) -> "list[ReadinessSpec]":
    from dataplat.specs.problems import did_you_mean

    known = session.catalog.readiness
    if name and name not in known:
        raise SelectionError(
            name,
            f"there is no readiness of this name{did_you_mean(name, known)}",
            facts=[("declared", ", ".join(known) or "none")],
            effect="nothing was asked",
        )
    return [known[name]] if name else list(known.values())


def _keys(session: Session, spec: "ReadinessSpec", date: str) -> tuple[str, ...]:
    from dataplat.plan.partitions import select_partitions

    platform = session.catalog.platform
    first = spec.start or platform.start
    return select_partitions(
        date, spec.grain, first=first, now=session.now(), zone=platform.zone, subject=spec.table
    )


def _ask(session: Session, spec: "ReadinessSpec", key: str) -> "Answer":
    from dataplat.lifecycle.readiness import ask_partition, record_answer
    from dataplat.specs import SecretResolver

    answer = ask_partition(session.catalog, SecretResolver(session.environ), spec, key)
    if record_answer(session.ledger, answer) and answer.ready:
        from dataplat.orchestration.readiness import arrival_event

        session.instance.report_runless_asset_event(arrival_event(spec, answer))
    return answer


def _show(session: Session, answers: "list[Answer]") -> None:
    zone = session.catalog.platform.timezone
    session.output.document(
        {"ok": all(one.ready for one in answers), "partitions": [_document(one) for one in answers]}
    )
    rows = []
    for one in answers:
        verdict = "not asked" if one.error else "ready" if one.ready else "not ready"
        begin = [one.table, one.partition, verdict, moment(one.landed_at, zone)]
        for finding in one.findings:
            rows.append([*begin, finding.expected, finding.found, " ".join(finding.asked.split())])
            begin = ["", "", "", ""]
        if not one.findings:
            rows.append([*begin, "", "", ""])
    session.output.table(["table", "partition", "verdict", "landed", "expected", "found", "asked"], rows)
    for one in answers:
        if one.error is not None:
            session.output.note(one.error.render())


def _document(answer: "Answer") -> dict[str, Any]:
    return {
        "name": answer.name,
        "table": answer.table,
        "partition": answer.partition,
        "ready": None if answer.error else answer.ready,
        "landed_at": answer.landed_at,
        "probes": [asdict(finding) for finding in answer.findings],
        "error": describe(answer.error) if answer.error else None,
    }
