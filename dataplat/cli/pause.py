"""``pause`` and ``resume``: nothing is launched by itself, or is again; what runs goes on."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.options import Config, Json, session_of
from dataplat.cli.output import moment
from dataplat.cli.session import Session
from dataplat.errors import SelectionError

if TYPE_CHECKING:
    from dataplat.orchestration.switches import Switch, Switchboard

Select = Annotated[
    str,
    typer.Argument(
        metavar="SELECT",
        help="ods.t, 'dw.*', layer:dw, source:market, schedule:NAME, sensor:NAME, several by comma.",
    ),
]
All = Annotated[bool, typer.Option("--all", help="Every schedule, and every sensor that launches.")]
_INSTIGATORS = ("schedule:", "sensor:")


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command("pause")(pause)
    app.command("resume")(resume)


def pause(
    context: typer.Context,
    select: Select = "",
    everything: All = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for who comes next.")] = "",
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Keep tables from being launched by themselves.

    Without SELECT, list what is paused. What runs or waits in the queue goes on, and whoever launches by
    hand still can. A schedule or sensor whose tables are all paused is stopped in the UI too.
    """
    session = session_of(context)
    if not select and not everything:
        _list(session)
        return
    tables, names = _selected(session, select, everything)
    for table in tables:
        session.ledger.pause(table, reason, session.settings.actor)
    paused = {one.table for one in session.ledger.pauses()}
    board = _board(session)
    idle = [name for name, served in _launchers(session).items() if served <= paused and served & {*tables}]
    changed = board.turn(sorted({*names, *idle}), on=False)
    _say(session, "paused", tables, changed)
    session.output.line("what runs or waits in the queue goes on")


def resume(
    context: typer.Context,
    select: Select = "",
    everything: All = False,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Let tables be launched again.

    What was stopped for them is started. --all starts every schedule and sensor; tables that were paused by
    name stay paused.
    """
    session = session_of(context)
    if not select and not everything:
        raise SelectionError(
            "dataplat resume", "name what to resume, or give --all", next_steps=["dataplat pause"]
        )
    tables, names = _selected(session, select, everything)
    before = {one.table for one in session.ledger.pauses()}
    ended = [table for table in tables if session.ledger.resume(table, session.settings.actor)]
    idle = [name for name, served in _launchers(session).items() if served <= before and served & {*ended}]
    changed = _board(session).turn(sorted({*names, *idle}), on=True)
    _say(session, "resumed", ended, changed)


def _selected(session: Session, select: str, everything: bool) -> tuple[list[str], list[str]]:
    """Return the tables, and the names of schedules and sensors, that a command line names."""
    if everything:
        return [], sorted(_launchers(session))
    terms = [term.strip() for term in select.split(",")]
    named = [term for term in terms if term.startswith(_INSTIGATORS)]
    rest = ",".join(term for term in terms if term not in named)
    tables = [spec.table for spec in session.catalog.select_any(rest)] if rest else []
    return tables, [_instigator(session, term) for term in named]


def _instigator(session: Session, term: str) -> str:
    from dataplat.specs.problems import did_you_mean

    kind, _, name = term.partition(":")
    known = [switch.name for switch in _board(session).switches() if switch.kind == kind]
    if name not in known:
        raise SelectionError(
            term,
            f"there is no such {kind}{did_you_mean(name, known)}",
            facts=[("known", ", ".join(known) or "none")],
            effect="nothing was changed",
        )
    return name


def _board(session: Session) -> "Switchboard":
    from dataplat.orchestration.build import build_definitions
    from dataplat.orchestration.switches import Switchboard

    instance = session.instance
    return Switchboard(build_definitions(session.settings, session.catalog, session.environ), instance)


def _launchers(session: Session) -> dict[str, frozenset[str]]:
    from dataplat.orchestration.switches import launchers

    return launchers(session.catalog)


def _say(session: Session, verb: str, tables: Sequence[str], changed: "Sequence[Switch]") -> None:
    session.output.document({"ok": True, verb: list(tables), "switched": [asdict(one) for one in changed]})
    for table in tables:
        session.output.line(f"{table} is {verb}")
    for one in changed:
        session.output.line(f"{one.kind} {one.name} is {'started' if one.running else 'stopped'}")
    if not tables and not changed:
        session.output.line(f"nothing was to be {verb}")


def _list(session: Session) -> None:
    zone = session.catalog.platform.timezone
    paused, switches = session.ledger.pauses(), _board(session).switches()
    stopped = [one for one in switches if not one.running]
    document: dict[str, Any] = {"ok": True, "paused": [asdict(one) for one in paused]}
    session.output.document(document | {"stopped": [asdict(one) for one in stopped]})
    if paused:
        rows = [[one.table, moment(one.paused_at, zone), one.actor, one.reason] for one in paused]
        session.output.table(["paused", "since", "by", "reason"], rows)
    for one in stopped:
        session.output.line(f"{one.kind} {one.name} is stopped")
    if not paused and not stopped:
        session.output.line("nothing is paused")
