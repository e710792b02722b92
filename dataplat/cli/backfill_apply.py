"""``dataplat backfill apply`` and ``resume``: carry out a plan, or what is missing of it."""

import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataplat.cli.failures import FAILED
from dataplat.cli.options import Config, Json, session_of
from dataplat.cli.output import count
from dataplat.cli.progress import subject
from dataplat.cli.session import Session
from dataplat.errors import SelectionError

if TYPE_CHECKING:
    from dataplat.plan.backfills.document import BackfillPlan
    from dataplat.plan.backfills.runs import Place
    from dataplat.plan.backfills.schedule import Ended, Schedule

_MESSAGES_SHOWN = 20

PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="The file of backfill plan -o.")]
Parallel = Annotated[
    int,
    typer.Option("--parallel", metavar="N", min=1, max=64, help="Runs at once; a source's budget is kept."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the runs, and stop.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Accept = Annotated[
    bool, typer.Option("--accept-changes", help="Go on although tables have changed since it was planned.")
]
Daemon = Annotated[
    bool, typer.Option("--daemon", help="Let Dagster's daemon run it, through the run queue, and watch.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command("apply")(apply)
    app.command("resume")(resume)
    app.command("status")(status)


def apply(
    context: typer.Context,
    file: PlanFile,
    parallel: Parallel = 2,
    dry_run: DryRun = False,
    yes: Yes = False,
    accept: Accept = False,
    daemon: Daemon = False,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Make every partition of a plan, and no other.

    A partition that fails holds what is made of it; the rest goes on. Ctrl-C leaves what is done. Refused
    if the configuration of a table has changed. Exit 1 if any partition was not published.
    """
    session = session_of(context)
    plan = load(session, file, accept=accept)
    _carry_out(session, plan, file, set(), 0 if daemon else parallel, dry_run=dry_run, yes=yes)


def resume(
    context: typer.Context,
    file: PlanFile,
    parallel: Parallel = 2,
    dry_run: DryRun = False,
    yes: Yes = False,
    accept: Accept = False,
    daemon: Daemon = False,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Make the partitions of a plan that are missing.

    Done is what was published since the plan was made, after everything of the plan that it reads. Otherwise
    as apply.
    """
    session = session_of(context)
    plan = load(session, file, accept=accept)
    from dataplat.lifecycle.backfills.standing import done_places

    done = done_places(session.catalog, session.graph, session.ledger, plan)
    if len(done) == plan.count:
        session.output.document({"ok": True, "plan": plan.id, "done_before": len(done), "partitions": []})
        session.output.line(f"nothing is missing: all {count(len(done))} partitions were published")
        return
    _carry_out(session, plan, file, done, 0 if daemon else parallel, dry_run=dry_run, yes=yes)


def status(context: typer.Context, file: PlanFile, _config: Config = None, _json: Json = False) -> None:
    """Say how many partitions of a plan are done, as resume sees it. Exit 1 if any is missing."""
    session = session_of(context)
    plan = load(session, file, accept=True)
    from dataplat.lifecycle.backfills.standing import done_places

    done = done_places(session.catalog, session.graph, session.ledger, plan)
    missing = {
        table: [key for key in keys if (table, key) not in done] for table, keys in plan.partitions.items()
    }
    session.output.document(
        {"ok": not any(missing.values()), "plan": plan.id, "done": len(done), "missing": missing}
    )
    session.output.table(
        ["table", "partitions", "done", "missing", "first missing"],
        [
            [
                table,
                count(len(keys)),
                count(len(keys) - len(missing[table])),
                count(len(missing[table])),
                next(iter(missing[table]), ""),
            ]
            for table, keys in plan.partitions.items()
        ],
    )
    if any(missing.values()):
        raise typer.Exit(FAILED)


def load(session: Session, file: Path, *, accept: bool) -> "BackfillPlan":
    """Return the plan of a file, if it may still be carried out.

    Raises:
        SelectionError: There is no plan in it.
        PlanChangedError: The configuration is no longer the one that was planned with.
    """
    from dataplat.lifecycle.backfills.standing import require_as_planned
    from dataplat.plan.backfills.document import parse_plan

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is no text"
        raise SelectionError(
            str(file),
            f"the plan cannot be read: {reason}",
            effect="nothing was run",
            next_steps=[f"dataplat backfill plan --select … --from … --to … -o {file}"],
        ) from error
    plan = parse_plan(text, str(file))
    require_as_planned(session.catalog, session.graph, plan, accept=accept)
    return plan


def _carry_out(
    session: Session,
    plan: "BackfillPlan",
    file: Path,
    done: "Collection[Place]",
    parallel: int,
    *,
    dry_run: bool,
    yes: bool,
) -> None:
    from dataplat.cli.backfill_run import schedule_of

    schedule = schedule_of(session, plan, done)
    if dry_run:
        _show_runs(session, plan, schedule, done)
        return
    if not yes and not _agreed(session, plan, schedule):
        session.output.line("nothing was run")
        return
    if not parallel:
        from dataplat.cli.backfill_daemon import carry_out_by_daemon

        carry_out_by_daemon(session, plan, schedule)
    else:
        _carry_out_here(session, plan, schedule, parallel)
    _show(session, plan, schedule, file, done)
    if not all(schedule.made.values()):
        raise typer.Exit(FAILED)


def _carry_out_here(session: Session, plan: "BackfillPlan", schedule: "Schedule", parallel: int) -> None:
    from dataplat.cli import backfill_workers
    from dataplat.cli.backfill_run import carry_out

    settings = session.settings
    environ = {**session.environ, "DATAPLAT_CONFIG": str(settings.config_dir)}
    command = backfill_workers.worker_command(plan.id, session.command)
    workers = backfill_workers.Workers(command, environ, settings.home / "logs", parallel)
    carry_out(session, schedule, workers)


def _agreed(session: Session, plan: "BackfillPlan", schedule: "Schedule") -> bool:
    partitions = sum(len(work.keys) for work in schedule.waiting)
    what = f"{count(partitions)} partitions in {count(len(schedule.waiting))} runs"
    if session.output.as_json or not sys.stdin.isatty():
        raise SelectionError(
            f"backfill {plan.id}",
            f"{what} are to be made, and nobody is here to be asked",
            facts=[("expected", "--yes, or a terminal")],
            effect="nothing was run",
            next_steps=["the same command with --dry-run", "the same command with --yes"],
        )
    session.output.note(f"backfill {plan.id}: {plan.select}, {plan.first} to {plan.last}\n  {what}")
    return typer.confirm("make them?", err=True)


def _show_runs(
    session: Session, plan: "BackfillPlan", schedule: "Schedule", done: "Collection[Place]"
) -> None:
    runs = [{"table": work.table, "partitions": list(work.keys)} for work in schedule.waiting]
    session.output.document(
        {"ok": True, "dry_run": True, "plan": plan.id, "done_before": len(done), "runs": runs}
    )
    session.output.table(
        ["run", "table", "partitions", "count"],
        [
            [count(number), work.table, subject("", work.keys).strip("[]"), count(len(work.keys))]
            for number, work in enumerate(schedule.waiting, 1)
        ],
    )
    session.output.line(f"\nnothing was read: this was a dry run of backfill {plan.id}")


def _show(
    session: Session,
    plan: "BackfillPlan",
    schedule: "Schedule",
    file: Path,
    done: "Collection[Place]",
) -> None:
    from dataplat.plan.backfills.schedule import Ending

    ended = {place: one for place, one in schedule.ended.items() if place not in done}
    session.output.document(
        {
            "ok": all(schedule.made.values()),
            "plan": plan.id,
            "done_before": len(done),
            "partitions": [_document(place, one) for place, one in ended.items()],
        }
    )
    rows = []
    for table in plan.tables:
        endings = [one.ending for (name, _), one in ended.items() if name == table]
        if endings:
            rows.append([table, *(count(endings.count(ending)) for ending in Ending)])
    session.output.table(["table", *Ending], rows)
    messages = dict.fromkeys(one.message for one in ended.values() if one.ending is Ending.FAILED)
    for message in list(messages)[:_MESSAGES_SHOWN]:
        session.output.note(f"\n{message}")
    if len(messages) > _MESSAGES_SHOWN:
        session.output.note(f"\nand {len(messages) - _MESSAGES_SHOWN} more; the UI has them")
    _show_held(session, {place: one.message for place, one in ended.items() if one.ending is Ending.HELD})
    missing = sum(one.ending is not Ending.PUBLISHED for one in ended.values())
    if missing:
        session.output.note(
            f"\n{count(missing)} of {count(len(ended))} partitions are missing; once their reasons are gone:"
            f"\n  dataplat backfill resume {file}"
        )


def _document(place: "Place", one: "Ended") -> dict[str, Any]:
    table, key = place
    facts = {"ending": one.ending, "run_id": one.run_id or None, "message": one.message}
    return {"table": table, "partition": key, **facts}


def _show_held(session: Session, held: "Mapping[Place, str]") -> None:
    if held:
        session.output.note("")
    for (table, key), reason in list(held.items())[:_MESSAGES_SHOWN]:
        session.output.note(f"{table}[{key}] was held by {reason.splitlines()[0]}")
    if len(held) > _MESSAGES_SHOWN:
        session.output.note(f"and {count(len(held) - _MESSAGES_SHOWN)} more were held")
