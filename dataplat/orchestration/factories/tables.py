"""One asset for each source table: partitioned, checked, and materialized only after publishing."""

import warnings
from collections.abc import Iterator
from typing import Any

import dagster as dg

from dataplat.audit.outcome import FILES, PLACEMENT, ROW_COUNT
from dataplat.orchestration.events import Event
from dataplat.orchestration.instance import pool_name
from dataplat.orchestration.partitions import partitions_of
from dataplat.plan.splits import MAX_PARTITIONS_A_READ
from dataplat.specs import Catalog, TableSpec

_BUILT_IN = {
    ROW_COUNT: "The files hold as many rows as the source had during the read.",
    FILES: "Every file has a readable footer, and they add up to what the engine wrote.",
    PLACEMENT: "Every row lies in the partition of its window.",
}


def build_table_asset(catalog: Catalog, spec: TableSpec) -> dg.AssetsDefinition:
    """Return the asset of one source table."""
    with warnings.catch_warnings():
        # Known and pinned: partitions on checks, and code references, are not final in Dagster 1.13.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        warnings.simplefilter("ignore", dg.BetaWarning)
        return _build(catalog, spec)


def _build(catalog: Catalog, spec: TableSpec) -> dg.AssetsDefinition:
    key = dg.AssetKey(spec.asset_path)
    partitions = partitions_of(catalog, spec)
    checks = _check_specs(spec, key, partitions)
    asset = dg.AssetSpec(
        key,
        partitions_def=partitions,
        description=spec.description or None,
        group_name=spec.group or spec.source,
        kinds={"mysql", "hive", "spark"},
        owners=list(spec.owner),
        tags={"dataplat/layer": spec.layer, **spec.tags},
        code_version=catalog.sha(spec),
        metadata=_static_metadata(spec),
    )

    @dg.multi_asset(
        name="__".join(spec.asset_path),
        specs=[asset],
        check_specs=checks,
        backfill_policy=dg.BackfillPolicy.multi_run(MAX_PARTITIONS_A_READ),
        pool=pool_name(spec.source),
        required_resource_keys={"platform"},
        retry_policy=dg.RetryPolicy(
            max_retries=spec.retries.count,
            delay=spec.retries.delay_seconds,
            backoff=dg.Backoff.EXPONENTIAL,
        ),
    )
    def load_table(context: dg.AssetExecutionContext) -> Iterator[Event]:
        # Spark, pandas and the ledger are imported by the runs that use them, not by every process
        # that loads definitions.
        from dataplat.orchestration.materialize import materialize_source_table

        yield from materialize_source_table(context, spec, key, checks)

    return load_table


def _check_specs(spec: TableSpec, key: dg.AssetKey, partitions: Any) -> list[dg.AssetCheckSpec]:
    built_in = [
        dg.AssetCheckSpec(name, asset=key, blocking=True, partitions_def=partitions, description=text)
        for name, text in _BUILT_IN.items()
    ]
    declared = [
        dg.AssetCheckSpec(
            check.name,
            asset=key,
            blocking=check.blocking,
            partitions_def=partitions,
            description=f"{check.kind}, declared at {spec.check_at(check.name)}",
        )
        for check in spec.checks
    ]
    return built_in + declared


def _static_metadata(spec: TableSpec) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/table_name": spec.table,
        "dagster/code_references": dg.CodeReferencesMetadataValue(
            code_references=[
                dg.LocalFileCodeReference(
                    file_path=str(spec.declared.path), line_number=spec.declared.line("table")
                )
            ]
        ),
        "source": f"{spec.source}: {spec.read_from.database}",
        "load": spec.load,
    }
    return metadata
