"""Making the plan of a backfill: what the configuration says, with what the ledger remembers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dataplat.errors import SelectionError
from dataplat.ledger import Ledger
from dataplat.lifecycle.backfills.gates import closed_gates
from dataplat.lifecycle.udfs import ModelUdfs
from dataplat.plan.backfills.closure import Closure, LeftOut, close_over
from dataplat.plan.backfills.document import (
    BackfillPlan,
    HeldPartition,
    NamedPartitions,
    PlannedRun,
    PlannedTable,
    at_platform,
    named,
)
from dataplat.plan.backfills.estimate import Estimate, Made, source_loads
from dataplat.plan.backfills.runs import Place, backfill_runs, waits_for, without_unchanged
from dataplat.plan.backfills.selection import parse_picks, parse_range
from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.widths import builds_on_its_past
from dataplat.specs import Catalog, ModelSpec

_VERSIONS_REMEMBERED = 1000


@dataclass(frozen=True)
class BackfillRequest:
    """What is asked for.

    Attributes:
        select: Tables, with ``+`` for what they read and what reads them.
        first: The first day, month or hour.
        last: The last one, included; empty is the first.
        only_missing: Leave out what is published with the configuration of today, unless something that
            it reads is made again.
    """

    select: str
    first: str
    last: str = ""
    only_missing: bool = False


def plan_backfill(
    catalog: Catalog, graph: ModelGraph, ledger: Ledger, request: BackfillRequest, now: datetime
) -> BackfillPlan:
    """Return the plan of a backfill. Nothing is asked but the ledger, and nothing is changed.

    Raises:
        SelectionError: The selection or the range cannot be read, or nothing is to be made.
    """
    span = parse_range(request.first, request.last)
    picks = parse_picks(catalog, request.select)
    closure = close_over(catalog, graph, picks, span, now)
    shas = table_shas(catalog, graph, closure.partitions)
    standing = {
        table: _standing(ledger, table, keys, shas[table]) for table, keys in closure.partitions.items()
    }
    partitions: Mapping[str, Sequence[str]] = closure.partitions
    if request.only_missing:
        unchanged = {table: one.unchanged for table, one in standing.items()}
        partitions = without_unchanged(partitions, waits_for(catalog, graph, partitions), unchanged)
    if not partitions:
        raise _nothing(request, closure)
    runs = _estimated(ledger, backfill_runs(catalog, graph, partitions))
    asked = {"select": request.select, "from": request.first, "to": request.last or request.first}
    found = {
        "created": at_platform(now, catalog.platform.zone),
        "timezone": catalog.platform.timezone,
        "tables": {
            table: _planned(catalog, table, keys, shas[table], standing[table])
            for table, keys in partitions.items()
        },
        "runs": runs,
        "sources": source_loads(catalog, runs),
        "held": tuple(_forecast(catalog, graph, ledger, partitions)),
        "left_out": _named(closure.left_out),
        "outside": _named(closure.outside),
        "unfollowed": tuple(f"{one.table} reads {one.reads} of {one.upstream}" for one in closure.unfollowed),
    }
    return named(BackfillPlan.model_validate({**asked, **found}))


def table_shas(catalog: Catalog, graph: ModelGraph, tables: Iterable[str]) -> dict[str, str]:
    """Return the hash of what decides the content of each table, as versions in the ledger carry it."""
    udfs = ModelUdfs(catalog)
    return {table: udfs.sha(graph, catalog.any_table(table)) for table in tables}


@dataclass(frozen=True)
class _Standing:
    absent: frozenset[str]
    outdated: frozenset[str]
    unchanged: frozenset[str]


def _standing(ledger: Ledger, table: str, keys: Sequence[str], sha: str) -> _Standing:
    visible = ledger.visible(table, keys)
    same = frozenset(key for key, version in visible.items() if version.config_sha == sha)
    return _Standing(frozenset(keys) - visible.keys(), frozenset(visible.keys() - same), same)


def _planned(
    catalog: Catalog, table: str, keys: Sequence[str], sha: str, standing: _Standing
) -> PlannedTable:
    made = set(keys)
    return PlannedTable(
        grain=catalog.any_table(table).window.grain,
        config=sha,
        partitions=len(keys),
        absent=len(standing.absent & made),
        outdated=len(standing.outdated & made),
        unchanged=len(standing.unchanged & made),
    )


def _estimated(ledger: Ledger, runs: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[PlannedRun, ...]:
    estimates: dict[str, Estimate] = {}
    found = []
    for number, (table, keys) in enumerate(runs, 1):
        if table not in estimates:
            estimates[table] = Estimate(_history(ledger, table))
        known = estimates[table]
        found.append(
            PlannedRun(
                run=number, table=table, partitions=keys, rows=known.rows(keys), seconds=known.seconds(keys)
            )
        )
    return tuple(found)


def _history(ledger: Ledger, table: str) -> list[Made]:
    return [
        Made(
            row.partition,
            row.version,
            row.rows,
            max(0.0, (row.published_at - row.created_at).total_seconds()),
        )
        for row in ledger.history(table, limit=_VERSIONS_REMEMBERED)
        if row.rows is not None and row.published_at is not None and row.created_at is not None
    ]


def _forecast(
    catalog: Catalog, graph: ModelGraph, ledger: Ledger, partitions: Mapping[str, Sequence[str]]
) -> Iterable[HeldPartition]:
    made: dict[Place, bool] = {}
    for table, keys in partitions.items():
        spec = catalog.any_table(table)
        # Of a model that builds on its past, each partition decides about the next.
        one_by_one = isinstance(spec, ModelSpec) and builds_on_its_past(graph, spec)
        for some in [[key] for key in keys] if one_by_one else [keys]:
            closed = closed_gates(catalog, graph, ledger, spec, some, made, forecast=True)
            made.update({(table, key): key not in closed for key in some})
            for key, reason in closed.items():
                yield HeldPartition(table=table, partition=key, reason=reason)


def _named(some: Iterable[LeftOut]) -> tuple[NamedPartitions, ...]:
    return tuple(
        NamedPartitions(table=one.table, partitions=one.partitions, reason=one.reason) for one in some
    )


def _nothing(request: BackfillRequest, closure: Closure) -> SelectionError:
    facts = [(one.table, f"{shown(one.partitions)}: {one.reason}") for one in closure.left_out]
    if request.only_missing and closure.partitions:
        facts.append(("missing", "nothing: all is published with the configuration of today"))
    span = request.first if not request.last else f"{request.first}~{request.last}"
    return SelectionError(
        "backfill",
        f"nothing is to be made of {request.select} for {span}",
        facts=facts,
        effect="nothing was planned",
    )


def shown(keys: Sequence[str]) -> str:
    """Return partitions as messages name them: how many, and from which to which.

    >>> shown(["2026-01-01"]), shown(["2026-01-01", "2026-01-02", "2026-01-05"])
    ('2026-01-01', '2026-01-01~2026-01-05 (3)')
    """
    return keys[0] if len(keys) == 1 else f"{keys[0]}~{keys[-1]} ({len(keys)})"
