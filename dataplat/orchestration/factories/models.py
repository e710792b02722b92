"""One asset for each model; what it depends on is read from its SQL."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from dataplat.audit.outcome import FILES, PLACEMENT
from dataplat.orchestration.automation import upstream_key
from dataplat.orchestration.conditions import Condition
from dataplat.orchestration.factories.asset import build_asset
from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.models.mapping import Span, Upstream
from dataplat.plan.needed import awaited_upstreams
from dataplat.specs import Catalog, ModelSpec

_BUILT_IN = {
    FILES: "Every file has a readable footer, and they add up to what the engine wrote.",
    PLACEMENT: "There is no file outside the partition.",
}


def build_model_asset(
    catalog: Catalog,
    graph: ModelGraph,
    spec: ModelSpec,
    condition: Condition | None = None,
    code_version: str | None = None,
) -> dg.AssetsDefinition:
    """Return the asset of one model; ``condition`` says when automation makes it.

    ``code_version`` is the content hash with the UDFs that the model calls; without it, the model's own.
    """
    return build_asset(
        catalog,
        spec,
        built_in_checks=_BUILT_IN,
        group=spec.layer,
        kinds={"sql", "hive", "spark"},
        metadata={"sql_file": spec.sql_file, "trigger": spec.trigger},
        deps=list(_deps(catalog, graph, spec)),
        condition=condition,
        level=graph.level(spec.table),
        code_version=code_version,
    )


def _deps(catalog: Catalog, graph: ModelGraph, spec: ModelSpec) -> Iterator[dg.AssetDep]:
    upstreams = {upstream.table: upstream for upstream in graph.upstreams(spec.table)}
    if spec.depends_on_past:
        own = upstreams.get(spec.table)
        spans = own.spans if own is not None else ()
        before = Span(spec.grain, -1, -1)
        upstreams[spec.table] = Upstream(spec.table, spec.grain, "partitions", (*spans, before))
    awaited = {upstream.table: upstream for upstream in awaited_upstreams(catalog, graph, spec)}
    for upstream in (upstreams | awaited).values():
        seen = not upstream.external or upstream.table in awaited
        key = upstream_key(catalog, upstream)
        yield dg.AssetDep(key, partition_mapping=_mapping(spec, upstream) if seen else None)


def _mapping(spec: ModelSpec, upstream: Upstream) -> Any:
    """Return Dagster's mapping: exact for equal grains; between grains, all partitions that overlap.

    Dagster cannot shift a mapping between two grains. Where the SQL reads last month's days, the gate asks
    the ledger for exactly those, and Dagster's graph shows this month's.
    """
    if upstream.reads == "latest":
        return dg.LastPartitionMapping()
    if upstream.reads != "partitions":
        return dg.AllPartitionMapping()
    if upstream.grain != spec.grain:
        return dg.TimeWindowPartitionMapping()
    first = min(span.first for span in upstream.spans)
    last = max(span.last for span in upstream.spans)
    return dg.TimeWindowPartitionMapping(start_offset=first, end_offset=last)
