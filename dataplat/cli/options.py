"""Options and arguments that commands share. ``--config`` and ``--json`` are understood everywhere."""

from pathlib import Path
from typing import Annotated

import typer

from dataplat.cli.session import Session


def session_of(context: typer.Context) -> Session:
    """Return the session of the command that runs."""
    session = context.find_root().obj
    assert isinstance(session, Session), "main() makes it"
    return session


def _use_config(context: typer.Context, value: Path | None) -> None:
    if value is not None:
        session_of(context).config = value


def _use_json(context: typer.Context, value: bool) -> None:
    if value:
        session_of(context).output.as_json = True


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="DIR",
        help="Configuration folder; else DATAPLAT_CONFIG, else ./config.",
        callback=_use_config,
        expose_value=False,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print one JSON document on stdout instead of text.",
        callback=_use_json,
        expose_value=False,
    ),
]
Table = Annotated[str, typer.Argument(metavar="TABLE", help="A table: ods.ods_t_account.")]
Model = Annotated[str, typer.Argument(metavar="TABLE", help="A model: dw.dw_money_day.")]
Select = Annotated[
    str, typer.Argument(metavar="SELECT", help="ods.t, 'ods.*', layer:ods, source:market, several by comma.")
]
Dates = Annotated[
    str,
    typer.Option(
        "--date",
        metavar="DATES",
        help="D, D1~D2 or D1,D2 with D as 20260109 or 2026-01-09; without it the latest that has ended.",
    ),
]
Partition = Annotated[
    str, typer.Argument(metavar="PARTITION", help="2026-01-09 or 20260109; an hour: 2026010905.")
]
SomePartition = Annotated[
    str | None, typer.Argument(metavar="PARTITION", help="One partition; without it, all of them.")
]
Wait = Annotated[
    float,
    typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for another load."),
]
