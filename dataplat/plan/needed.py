"""Which upstream partitions must stand before a model is made: those that it reads and that can exist."""

from datetime import datetime, time

from dataplat.plan.gate import closing_checks
from dataplat.plan.grains import partition_key, wall_start
from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.models.mapping import Span, Upstream, default_unit, moved, period_start
from dataplat.plan.windows import partition_exists
from dataplat.specs import AnyTable, Catalog, ModelSpec


def needed_partitions(
    catalog: Catalog, graph: ModelGraph, spec: ModelSpec, key: str
) -> dict[str, tuple[str, ...]]:
    """Return the partitions that the gate of one partition asks for, by upstream.

    A partition before the upstream's first one, or of an hour that the zone's clock skips, can never be
    published: who waited for it would wait for ever. Neither can what nobody here makes: external tables.
    With ``depends_on_past`` the model's own partition before it is among them; its first has none.
    """
    read = graph.upstream_partitions(spec.table, spec.grain, key, catalog.platform.zone)
    if spec.depends_on_past:
        read[spec.table] = tuple(dict.fromkeys([*read.get(spec.table, ()), _before(catalog, spec, key)]))
    return {
        table: tuple(one for one in keys if _exists(catalog, catalog.any_table(table), one))
        for table, keys in read.items()
    }


def awaited_arrivals(
    catalog: Catalog, graph: ModelGraph, spec: ModelSpec, key: str
) -> dict[str, tuple[str, ...]]:
    """Return the partitions of external tables that must be ready before one of a model is made, by table.

    Those of external tables that the SQL reads partition by partition and that have a readiness or an audit,
    and those of the same time that ``after`` names.
    """
    zone = catalog.platform.zone
    found: dict[str, tuple[str, ...]] = {}
    for upstream in awaited_upstreams(catalog, graph, spec):
        keys = upstream.partitions(key, spec.grain, zone)
        found[upstream.table] = tuple(dict.fromkeys([*found.get(upstream.table, ()), *keys]))
    return found


def awaited_upstreams(catalog: Catalog, graph: ModelGraph, spec: ModelSpec) -> tuple[Upstream, ...]:
    """Return the external tables that a model waits for, with the partitions of them."""
    if not catalog.readiness and not catalog.audited:
        return ()  # asked for every partition in every tick
    read = [one for one in graph.upstreams(spec.table) if one.external and one.reads == "partitions"]
    found = [one for one in read if catalog.readiness_of(one.table) or one.table.lower() in catalog.audited]
    for name in spec.after:
        signal = catalog.readiness[name]
        span = Span(default_unit(spec.grain, signal.grain), 0, 0)
        found.append(Upstream(signal.table, signal.grain, "partitions", (span,), stated=True, external=True))
    return tuple(found)


def closing_of(catalog: Catalog, graph: ModelGraph, spec: ModelSpec) -> dict[str, tuple[str, ...]]:
    """Return the checks of each upstream that close the gate of a model while they fail."""
    return {
        upstream.table: closing_checks(catalog.any_table(upstream.table), spec.table)
        for upstream in graph.upstreams(spec.table)
        if not upstream.external
    }


def _before(catalog: Catalog, spec: ModelSpec, key: str) -> str:
    wall = moved(wall_start(key, spec.grain), -1, spec.grain)
    while not partition_exists(wall, spec.grain, catalog.platform.zone):
        wall = moved(wall, -1, spec.grain)
    return partition_key(wall, spec.grain)


def _exists(catalog: Catalog, upstream: AnyTable, key: str) -> bool:
    grain = upstream.window.grain
    first = datetime.combine(upstream.window.start or catalog.platform.start, time())
    return wall_start(key, grain) >= period_start(first, grain)
