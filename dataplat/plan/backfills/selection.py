"""What ``--select`` and ``--from``/``--to`` mean: tables, how far up and down the graph, and a span of time.

Tables are named as everywhere (``ods.x``, ``ods.*``, ``layer:ods``, ``source:market``, several by comma).
The signs around a name are Dagster's: ``x+`` is the table and everything that reads it, ``x+2`` two levels of
that, ``+x`` the table and everything that it reads, ``1+x`` one level. ``*x`` and ``x*`` are ``+x`` and
``x+`` where ``x`` is a whole name; anywhere else a star is part of a pattern.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dataplat.errors import SelectionError
from dataplat.plan.grains import Grain, next_wall_start, partition_key, wall_start
from dataplat.plan.models.mapping import period_start
from dataplat.plan.partition_names import parse_partition
from dataplat.specs import Catalog

WHOLE_GRAPH = 1_000_000
_TERM = re.compile(r"(?P<up>[0-9]*\+|\*)?(?P<name>.*?)(?P<down>\+[0-9]*|\*)?")
_GRAINS: tuple[Grain, ...] = ("day", "month", "hour")


@dataclass(frozen=True)
class Pick:
    """One term of a selection.

    Attributes:
        tables: What the name means.
        up: How many levels of what they read belong to it.
        down: How many levels of what reads them.
    """

    tables: tuple[str, ...]
    up: int = 0
    down: int = 0


@dataclass(frozen=True)
class WallSpan:
    """A span of the wall clock in the platform's zone, ``start <= t < end``."""

    start: datetime
    end: datetime

    def walls(self, grain: Grain) -> Iterator[datetime]:
        """Yield where each period begins that lies in the span, or that the span lies in."""
        wall = period_start(self.start, grain)
        while wall < self.end:
            yield wall
            wall = next_wall_start(wall, grain)


def parse_picks(catalog: Catalog, expression: str) -> tuple[Pick, ...]:
    """Return the terms of a selection.

    Raises:
        SelectionError: A term names no table.
    """
    return tuple(_pick(catalog, term.strip()) for term in expression.split(","))


def _pick(catalog: Catalog, term: str) -> Pick:
    match = _TERM.fullmatch(term)
    assert match is not None, "the pattern takes any text"
    up, name, down = match["up"] or "", match["name"], match["down"] or ""
    if name not in catalog.all_tables:
        if up == "*":
            name, up = f"*{name}", ""
        if down == "*":
            name, down = f"{name}*", ""
    tables = tuple(spec.table for spec in catalog.select_any(name))
    return Pick(tables, _levels(up), _levels(down))


def _levels(sign: str) -> int:
    if not sign:
        return 0
    return int(sign.strip("+")) if sign.strip("+*") else WHOLE_GRAPH


def parse_range(first: str, last: str) -> WallSpan:
    """Return the span from the beginning of ``first`` to the end of ``last``; both are in it.

    Args:
        first: A day, a month or an hour.
        last: The same; empty is ``first``.

    Raises:
        SelectionError: One cannot be read, or ``last`` ends before ``first`` begins.

    >>> span = parse_range("2026-02", "20260302")
    >>> span.start.isoformat(), span.end.isoformat()
    ('2026-02-01T00:00:00', '2026-03-03T00:00:00')
    """
    start, _ = _period("--from", first)
    _, end = _period("--to", last) if last else _period("--from", first)
    if end <= start:
        raise SelectionError(
            "backfill",
            f"the range {first}~{last} ends before it starts",
            effect="nothing was planned",
            next_steps=[f"--from {last} --to {first}"],
        )
    return WallSpan(start, end)


def _period(option: str, text: str) -> tuple[datetime, datetime]:
    for grain in _GRAINS:
        try:
            start = wall_start(parse_partition(text, grain), grain)
        except SelectionError:
            continue
        return start, next_wall_start(start, grain)
    raise SelectionError(
        option,
        f"'{text}' is no date that can be read",
        facts=[("expected", "2026-03-31, 20260331, 2026033105, '2026-03-31 05', 2026-03 or 202603")],
        effect="nothing was planned",
    )


def span_keys(span: WallSpan, grain: Grain) -> list[str]:
    """Return the keys of a span, also of hours that a zone's clock skips."""
    return [partition_key(wall, grain) for wall in span.walls(grain)]
