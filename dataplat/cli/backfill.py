"""``dataplat backfill``: many partitions again, planned first, then made exactly as planned."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataplat.cli import backfill_apply
from dataplat.cli.options import Config, Json, session_of
from dataplat.cli.output import count
from dataplat.cli.session import Session
from dataplat.errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataplat.plan.backfills.document import BackfillPlan, HeldPartition

_SHOWN = 10

backfill = typer.Typer(
    name="backfill",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Make many partitions again: plan, apply, resume.",
)


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.add_typer(backfill)
    backfill_apply.register(backfill)


@backfill.command("plan")
def plan(
    context: typer.Context,
    select: Annotated[
        str, typer.Option("--select", metavar="SELECT", help="As for load, with +: ods.x+, +dw.y, ods.*+2.")
    ],
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="A day, a month or an hour.")],
    last: Annotated[
        str, typer.Option("--to", metavar="DATE", help="The last one, included; else --from.")
    ] = "",
    missing: Annotated[
        bool, typer.Option("--missing", help="Leave out what is published as it would be made.")
    ] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it.")] = None,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Say what is made, in which runs, and what a gate will hold.

    x+ is a table and what reads it, +x a table and what it reads, x+2 two levels. Nothing is read from a
    source, and nothing is changed.
    """
    session = session_of(context)
    from dataplat.lifecycle.backfills.planning import BackfillRequest, plan_backfill

    request = BackfillRequest(select, first, last, missing)
    made = plan_backfill(session.catalog, session.graph, session.ledger, request, session.now())
    if output is not None:
        write(output, made)
    session.output.document({"ok": True, "file": output, "plan": made.model_dump(mode="json", by_alias=True)})
    show(session, made)
    if output is not None:
        session.output.line(f"\nwritten to {output}; next: dataplat backfill apply {output}")


def write(path: Path, plan: "BackfillPlan") -> None:
    """Write a plan.

    Raises:
        SelectionError: It cannot be written there. What was there before is as it was.
    """
    from dataplat.plan.backfills.document import render_plan
    from dataplat.storage.atomic_file import write_atomically

    try:
        write_atomically(path, render_plan(plan))
    except OSError as error:
        raise SelectionError(
            str(path), f"the plan cannot be written: {error.strerror}", effect="nothing was written"
        ) from error


def show(session: Session, plan: "BackfillPlan") -> None:
    """Print a plan for people."""
    line = session.output.line
    line(f"backfill {plan.id}: {plan.select}, {plan.first} to {plan.last}, both included\n")
    partitions = plan.partitions
    rows = []
    for table, planned in plan.tables.items():
        runs = [run for run in plan.runs if run.table == table]
        keys = partitions[table]
        rows.append(
            [
                table,
                keys[0] if len(keys) == 1 else f"{keys[0]}~{keys[-1]}",
                count(len(keys)),
                count(planned.unchanged),
                count(len(runs)),
                _sum([run.rows for run in runs]),
                _minutes([run.seconds for run in runs]),
            ]
        )
    session.output.table(["table", "partitions", "count", "unchanged", "runs", "rows", "minutes"], rows)
    _show_total(session, plan)
    _show_sources(session, plan)
    _show_held(session, plan.held)
    _show_beside(session, plan)


def _show_total(session: Session, plan: "BackfillPlan") -> None:
    rows = _sum([run.rows for run in plan.runs])
    minutes = _minutes([run.seconds for run in plan.runs])
    session.output.line(
        f"\n{count(plan.count)} partitions in {count(len(plan.runs))} runs; rows: {rows}; "
        f"minutes, one after the other: {minutes}"
    )


def _show_sources(session: Session, plan: "BackfillPlan") -> None:
    if plan.sources:
        session.output.line()
        session.output.table(
            ["source", "reads", "queries", "rows", "loads at once"],
            [
                [
                    name,
                    count(one.reads),
                    f"{count(one.queries_at_least)} or more",
                    "unknown" if one.rows is None else count(one.rows),
                    count(one.loads_at_once),
                ]
                for name, one in plan.sources.items()
            ],
        )


def _show_held(session: Session, held: "Sequence[HeldPartition]") -> None:
    if not held:
        return
    session.output.line(f"\n{count(len(held))} of them a gate will hold:")
    for one in held[:_SHOWN]:
        session.output.line(f"  {one.table}[{one.partition}]\n    {one.reason}")
    if len(held) > _SHOWN:
        session.output.line(f"  and {count(len(held) - _SHOWN)} more, in the plan")


def _show_beside(session: Session, plan: "BackfillPlan") -> None:
    from dataplat.lifecycle.backfills.planning import shown

    beside = [f"{one.table}: {shown(one.partitions)}: {one.reason}" for one in plan.left_out]
    beside += [f"{one.table}: {shown(one.partitions)}: {one.reason}" for one in plan.outside]
    beside += [f"{text}: whatever is visible then" for text in plan.unfollowed]
    if beside:
        session.output.line("\nnot in the plan:")
        for text in beside:
            session.output.line(f"  {text}")


def _sum(numbers: "Sequence[int | None]") -> str:
    from dataplat.plan.backfills.estimate import total

    known, missing = total(numbers)
    if missing == len(numbers):
        return "unknown"
    return count(int(known)) + (" or more" if missing else "")


def _minutes(seconds: "Sequence[float | None]") -> str:
    from dataplat.plan.backfills.estimate import total

    known, missing = total(seconds)
    if missing == len(seconds):
        return "unknown"
    return f"{known / 60:.1f}" + (" or more" if missing else "")
