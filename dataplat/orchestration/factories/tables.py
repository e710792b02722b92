"""One asset for each source table."""

import dagster as dg

from dataplat.audit.outcome import ALIKE, DIRTY, FILES, PLACEMENT, ROW_COUNT, SHARDS
from dataplat.orchestration.factories.asset import build_asset
from dataplat.orchestration.instance import pool_name
from dataplat.specs import Catalog, TableSpec

_BUILT_IN = {
    ROW_COUNT: "The files hold as many rows as the source had during the read.",
    FILES: "Every file has a readable footer, and they add up to what the engine wrote.",
    PLACEMENT: "Every row lies in the partition of its window.",
}
_OF_SHARDS = {
    SHARDS: "Every shard that is expected was there before anything was read.",
    ALIKE: "The shards have the same columns, or differ as the table allows.",
}


_OF_DIRTY_ROWS = {DIRTY: "No more rows than allowed hold what the warehouse cannot; each is in quarantine."}


def build_table_asset(catalog: Catalog, spec: TableSpec) -> dg.AssetsDefinition:
    """Return the asset of one source table."""
    shards, databases = spec.read_from.shards, ", ".join(spec.read_from.all_databases)
    return build_asset(
        catalog,
        spec,
        built_in_checks=_BUILT_IN
        | (_OF_SHARDS if shards else {})
        | (_OF_DIRTY_ROWS if spec.sets_aside else {}),
        advisory_checks={ALIKE} if shards and shards.drift == "align" else set(),
        group=spec.all_sources[0],
        kinds={"mysql", "hive", "spark"},
        metadata={"source": f"{', '.join(spec.all_sources)}: {databases}", "load": spec.load},
        pool=pool_name(spec.all_sources[0]),
    )
