"""Which upstream partitions must stand before a model is made: those that it reads and that can exist."""

from datetime import datetime, time

from dataplat.plan.grains import wall_start
from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.models.mapping import period_start
from dataplat.specs import AnyTable, Catalog, ModelSpec


def needed_partitions(
    catalog: Catalog, graph: ModelGraph, spec: ModelSpec, key: str
) -> dict[str, tuple[str, ...]]:
    """Return the partitions that the gate of one partition asks for, by upstream.

    A partition before the upstream's first one, or of an hour that the zone's clock skips, can never be
    published: who waited for it would wait for ever. Neither can what nobody here makes: external tables.
    """
    read = graph.upstream_partitions(spec.table, spec.grain, key, catalog.platform.zone)
    return {
        table: tuple(one for one in keys if _exists(catalog, catalog.any_table(table), one))
        for table, keys in read.items()
    }


def _exists(catalog: Catalog, upstream: AnyTable, key: str) -> bool:
    grain = upstream.window.grain
    first = datetime.combine(upstream.window.start or catalog.platform.start, time())
    return wall_start(key, grain) >= period_start(first, grain)
