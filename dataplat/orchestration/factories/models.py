"""One asset for each model; what it depends on is read from its SQL."""

from typing import Any

import dagster as dg

from dataplat.audit.outcome import FILES, PLACEMENT
from dataplat.orchestration.factories.asset import build_asset
from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.models.mapping import Upstream
from dataplat.specs import Catalog, ModelSpec

_BUILT_IN = {
    FILES: "Every file has a readable footer, and they add up to what the engine wrote.",
    PLACEMENT: "There is no file outside the partition.",
}


def build_model_asset(catalog: Catalog, graph: ModelGraph, spec: ModelSpec) -> dg.AssetsDefinition:
    """Return the asset of one model."""
    return build_asset(
        catalog,
        spec,
        built_in_checks=_BUILT_IN,
        group=spec.layer,
        kinds={"sql", "hive", "spark"},
        metadata={"sql_file": spec.sql_file, "trigger": spec.trigger},
        deps=[_dep(catalog, spec, upstream) for upstream in graph.upstreams(spec.table)],
    )


def _dep(catalog: Catalog, spec: ModelSpec, upstream: Upstream) -> dg.AssetDep:
    if upstream.external:
        return dg.AssetDep(dg.AssetKey(["external", *upstream.table.split(".")]))
    key = dg.AssetKey(catalog.any_table(upstream.table).asset_path)
    return dg.AssetDep(key, partition_mapping=_mapping(spec, upstream))


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
