"""What a partition key is: the beginning of an hour, a day or a month on the wall clock.

Keys are spelled as Dagster spells them, so nothing is translated between the ledger, the command line
and the asset graph: ``2026-01-09-05:00``, ``2026-01-09``, ``2026-01``. (For months that takes
``MonthlyPartitionsDefinition(fmt="%Y-%m")``: left alone, Dagster writes ``2026-01-01``.)

A wall time here is a naive datetime on purpose: which instant it is depends on a zone, and
``plan.windows`` is the only module that answers that.
"""

from datetime import date, datetime, time, timedelta
from typing import Literal

Grain = Literal["hour", "day", "month"]

FIRST_YEAR = 1000
LAST_YEAR = 9998


def partition_key(wall: datetime | date, grain: Grain) -> str:
    """Return the key of the partition that holds a wall time.

    >>> partition_key(datetime.fromisoformat("2026-01-09T05:59"), "hour")
    '2026-01-09-05:00'
    """
    if grain == "month":
        return f"{wall.year:04d}-{wall.month:02d}"
    day = f"{wall.year:04d}-{wall.month:02d}-{wall.day:02d}"
    if grain == "day":
        return day
    return f"{day}-{wall.hour if isinstance(wall, datetime) else 0:02d}:00"


def wall_start(key: str, grain: Grain) -> datetime:
    """Return where a partition begins on the wall clock, as a naive datetime.

    Args:
        key: A canonical key; what people type goes through ``plan.partitions.parse_partition`` first.
        grain: The grain that the key was made with.

    Raises:
        ValueError: If ``key`` is not the canonical key of a partition of this grain.
    """
    day = date.fromisoformat(f"{key}-01" if grain == "month" else key[:10])
    wall = datetime.combine(day, time(int(key[11:13]) if grain == "hour" else 0))
    if partition_key(wall, grain) != key or not FIRST_YEAR <= wall.year <= LAST_YEAR:
        raise ValueError(f"{key!r} is no {grain} partition")
    return wall


def next_wall_start(wall: datetime, grain: Grain) -> datetime:
    """Return where the partition after the one that begins at ``wall`` begins."""
    if grain == "month":
        return (wall.replace(day=1) + timedelta(days=32)).replace(day=1)
    return wall + (timedelta(days=1) if grain == "day" else timedelta(hours=1))
