"""``hold``, ``release`` and ``waive``: a person closes what is published, or lets one build pass."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from dataplat.cli.ledger import partition_key
from dataplat.cli.options import Config, Json, Model, Partition, Table, session_of
from dataplat.cli.output import moment
from dataplat.cli.session import Session
from dataplat.errors import SelectionError


def _required(value: str) -> str:
    if not value.strip():
        raise typer.BadParameter("it is empty, and who comes next has to read why")
    return value.strip()


Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why, for who comes next.", callback=_required)
]


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command("hold")(hold)
    app.command("release")(release)
    app.command("waive")(waive)


def hold(
    context: typer.Context,
    table: Table,
    partition: Partition,
    reason: Reason,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Let nothing be built on a partition until it is released.

    It stays visible to readers. Models that read it are not made, whoever starts them.
    """
    session = session_of(context)
    spec = session.catalog.any_table(table)
    key = partition_key(spec, partition)
    held = session.ledger.hold(spec.table, key, reason, session.settings.actor)
    from dataplat.orchestration.record import record_hold

    record_hold(session.instance, session.ledger, spec, held)
    session.output.document({"ok": True, "hold": asdict(held)})
    session.output.line(f"{spec.table}[{key}] is held: {held.reason}")
    session.output.line("nothing is built on it until it is released; what is visible stays visible")
    session.output.line(f"undo with: dataplat release {spec.table} {key} --reason …")


def release(
    context: typer.Context,
    table: Table,
    partition: Partition,
    reason: Reason,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """End the holds of a partition: models may be built on it again."""
    session = session_of(context)
    spec = session.catalog.any_table(table)
    key = partition_key(spec, partition)
    ended = session.ledger.release_hold(spec.table, key, session.settings.actor, reason=reason)
    if not ended:
        raise SelectionError(
            f"{spec.table}[{key}]",
            "nobody holds this partition",
            effect="nothing was changed",
            next_steps=[f"dataplat ledger {spec.table} {key}"],
        )
    from dataplat.orchestration.record import record_release

    record_release(session.instance, session.ledger, spec, key, ended)
    session.output.document({"ok": True, "released": [asdict(one) for one in ended]})
    session.output.line(f"{spec.table}[{key}] is released: {reason}")
    zone = session.catalog.platform.timezone
    for one in ended:
        session.output.line(f"  was held since {moment(one.held_at, zone)} by {one.actor}: {one.reason}")


def waive(
    context: typer.Context,
    table: Model,
    partition: Partition,
    reason: Reason,
    until: Annotated[
        str,
        typer.Option(
            "--until", metavar="WHEN", help="2h or 1d from now, '2026-01-09 18:00', or a whole day."
        ),
    ],
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Let one build of a model's partition pass its gate, once.

    Upstreams that are not published, failed or held do not stop it then. The ledger keeps who waived it and
    which run used it.
    """
    session = session_of(context)
    spec = session.catalog.model(table)
    key = partition_key(spec, partition)
    end = _until(session, f"{spec.table}[{key}]", until)
    given = session.ledger.waive(spec.table, key, reason=reason, actor=session.settings.actor, until=end)
    session.output.document({"ok": True, "waiver": asdict(given)})
    shown = moment(given.until, session.catalog.platform.timezone)
    session.output.line(f"{spec.table}[{key}] may pass its gate once until {shown}: {given.reason}")
    session.output.line(f"use it with: dataplat load {spec.table} --date {key}")


def _until(session: Session, subject: str, text: str) -> datetime:
    try:
        return _read_until(session, text.strip())
    except (ValueError, OverflowError):
        raise SelectionError(
            subject,
            f"'{text}' is no time that can be read",
            facts=[("expected", "2h, 1d, 2026-01-09 or '2026-01-09 18:00'")],
            effect="the gate stays closed",
        ) from None


def _read_until(session: Session, text: str) -> datetime:
    """Return when a waiver ends; a day is in it as a whole, on the platform's clock."""
    from dataplat.specs.values import parse_duration

    try:
        pause = parse_duration(text)
    except ValueError:
        end = datetime.fromisoformat(text)
    else:
        return session.now() + pause
    if len(text) <= len("2026-01-09"):
        end += timedelta(days=1)
    zone = session.catalog.platform.zone
    stored = (end if end.tzinfo else end.replace(tzinfo=zone)).astimezone(UTC)
    return stored.astimezone(zone)  # a time must exist as it is stored and as it is shown
