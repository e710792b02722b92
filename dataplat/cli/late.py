"""``dataplat late``: which partitions are late, and when they usually come."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from dataplat.cli.failures import FAILED
from dataplat.cli.options import Config, Json, session_of
from dataplat.cli.output import moment

if TYPE_CHECKING:
    from datetime import datetime

    from dataplat.lifecycle.lateness import Landing


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("late")(late)


def late(
    context: typer.Context,
    select: Annotated[str, typer.Argument(metavar="SELECT", help="As for load; else every table.")] = "*",
    _config: Config = None,
    _json: Json = False,
) -> None:
    """Show which partitions are late, and when they usually come.

    Of each table the partition that ended last, and every one that is missing after its deadline. Exit 1
    if any is. "usually" is how long after their end 95 of 100 partitions were there. Records nothing: the
    sensor does.
    """
    from dataplat.lifecycle.lateness import landings

    session = session_of(context)
    catalog, now = session.catalog, session.now()
    lookback = catalog.platform.automation.lookback
    found = [
        landing
        for spec in catalog.select_any(select)
        for landing in _shown(landings(catalog, session.ledger, spec, now, lookback), now)
    ]
    zone = catalog.platform.timezone
    missing = [one for one in found if one.landed_at is None and one.is_late(now)]
    session.output.document({"ok": not missing, "partitions": [_document(one, now) for one in found]})
    rows = [
        [
            *(one.table, one.partition, _verdict(one, now), moment(one.deadline, zone)),
            *(moment(one.landed_at, zone), _hours(one.usual), one.reason),
        ]
        for one in found
    ]
    session.output.table(["table", "partition", "verdict", "deadline", "landed", "usually", "reason"], rows)
    if missing:
        raise typer.Exit(FAILED)


def _shown(some: "list[Landing]", now: "datetime") -> "list[Landing]":
    return [one for one in some[:-1] if one.landed_at is None and one.is_late(now)] + some[-1:]


def _verdict(one: "Landing", now: "datetime") -> str:
    if one.is_late(now):
        return "late" if one.landed_at is None else "came late"
    return "due" if one.landed_at is None else "there"


def _hours(usual: timedelta | None) -> str:
    """Return how long after the end, as hours and minutes.

    >>> _hours(timedelta(hours=3, minutes=7))
    '+03:07'
    """
    if usual is None:
        return ""
    minutes = int(usual.total_seconds() // 60)
    return f"+{minutes // 60:02d}:{minutes % 60:02d}"


def _document(one: "Landing", now: "datetime") -> dict[str, object]:
    return {
        "table": one.table,
        "partition": one.partition,
        "verdict": _verdict(one, now),
        "deadline": one.deadline,
        "landed_at": one.landed_at,
        "usual_landing_seconds": one.usual.total_seconds() if one.usual is not None else None,
        "reason": one.reason,
    }
