"""``dataplat expr``: what a date expression means for a partition. Needs no configuration."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from dataplat.cli.options import Config, Json, session_of
from dataplat.errors import SelectionError
from dataplat.plan.dates import explain_date, render_dates
from dataplat.plan.grains import Grain
from dataplat.plan.partition_names import parse_span

_GRAINS: tuple[Grain, ...] = ("day", "hour", "month")


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("expr")(expr)


def expr(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="'$[yyyy-MM-dd-8]', or SQL that holds some.")],
    at: Annotated[str, typer.Option("--at", metavar="PARTITION", help="2026-03-31, an hour or a month.")],
    explain: Annotated[bool, typer.Option("--explain", help="Say how each result comes about.")] = False,
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Show what $[yyyy-MM-dd-8] becomes for a partition.

    The base is the beginning of the partition, never the clock.
    """
    output = session_of(context).output
    base = _base(at)
    rendered, explained = render_dates(text, base), explain_date(text, base)
    output.document(
        {
            "ok": True,
            "text": text,
            "at": base,
            "result": rendered,
            "expressions": [_described(asdict(item)) for item in explained],
        }
    )
    if not explain:
        output.line(rendered)
        return
    for item in explained:
        output.line(item.render())
    if not explained:
        output.line("there is no date expression in it")


def _base(at: str) -> datetime:
    for grain in _GRAINS:
        try:
            return parse_span(at, grain)[0]
        except SelectionError:
            continue
    raise SelectionError(
        "--at",
        f"'{at}' is no partition that can be read",
        facts=[("expected", "2026-03-31, 20260331, 2026033105, '2026-03-31 05', 2026-03 or 202603")],
        effect="nothing was rendered",
        next_steps=["dataplat expr '$[yyyy-MM-dd-8]' --at 2026-03-31"],
    )


def _described(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "start"}
