"""What the asset of a source table and of a model have in common."""

import inspect
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from dataplat.audit.outcome import NOT_HELD
from dataplat.orchestration.conditions import Condition
from dataplat.orchestration.events import Event
from dataplat.orchestration.lateness import freshness_policy
from dataplat.orchestration.partitions import partitions_of
from dataplat.plan.splits import MAX_PARTITIONS_A_READ
from dataplat.specs import AnyTable, Catalog

_SIGNATURE = inspect.signature(lambda context: context)
_LEVELS = 20  # deeper ones repeat, and meet only what is that far above them
_EVERYWHERE = {NOT_HELD: "Nobody holds the partition: no person, and no check that failed afterwards."}


def build_asset(
    catalog: Catalog,
    spec: AnyTable,
    *,
    built_in_checks: Mapping[str, str],
    group: str,
    kinds: set[str],
    metadata: Mapping[str, Any],
    deps: Sequence[dg.AssetDep] = (),
    pool: str | None = None,
    condition: Condition | None = None,
    level: int = 0,
    code_version: str | None = None,
    advisory_checks: Collection[str] = (),
) -> dg.AssetsDefinition:
    """Return a partitioned asset with its checks, materialized only after publishing.

    Args:
        catalog: For the platform's zone and the content hash.
        spec: The table.
        built_in_checks: Description of each check that the audit always makes, by name.
        group: Of the asset graph, unless the table names one.
        kinds: Badges in the graph.
        metadata: What is known without running anything.
        deps: Upstreams with their partition mappings.
        pool: Bounds how many loads run at once.
        condition: When automation makes a partition.
        level: How many models stand between it and the loaded tables; no asset has that of an upstream.
        code_version: The content hash, where the table's own is not all of it.
        advisory_checks: Those of ``built_in_checks`` that warn and do not block.
    """
    with warnings.catch_warnings():
        # Known and pinned: partitions on checks, and code references, are not final in Dagster 1.13.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        warnings.simplefilter("ignore", dg.BetaWarning)
        checks = _check_specs(catalog, spec, built_in_checks, advisory_checks)
        return _build(
            catalog, spec, checks, group, kinds, metadata, deps, pool, condition, level, code_version
        )


def _build(
    catalog: Catalog,
    spec: AnyTable,
    checks: Sequence[dg.AssetCheckSpec],
    group: str,
    kinds: set[str],
    metadata: Mapping[str, Any],
    deps: Sequence[dg.AssetDep],
    pool: str | None,
    condition: Condition | None,
    level: int,
    code_version: str | None,
) -> dg.AssetsDefinition:
    key = dg.AssetKey(spec.asset_path)
    partitions = partitions_of(catalog, spec)
    asset = dg.AssetSpec(
        key,
        deps=list(deps),
        partitions_def=partitions,
        description=spec.description or None,
        group_name=spec.group or group,
        kinds=kinds,
        owners=list(spec.owner),
        tags={"dataplat/layer": spec.layer, **spec.tags},
        code_version=code_version or catalog.sha(spec),
        automation_condition=condition,
        freshness_policy=freshness_policy(catalog, spec),
        metadata={**_code_reference(spec), **metadata},
    )

    def make_table(context: dg.AssetExecutionContext) -> Iterator[Event]:
        # Spark, pandas and the ledger are imported by the runs that use them, not by every process
        # that loads definitions.
        from dataplat.orchestration.materialize import materialize_table

        if not context.selected_asset_keys:
            raise dg.Failure(f"{spec.table}: its checks run when a partition is made", allow_retries=False)
        yield from materialize_table(context, spec, key, checks)

    # Dagster would work out the annotations and the signature anew for every table: 0.12 ms and 0.05 ms.
    make_table.__annotations__.clear()
    make_table.__dict__["__signature__"] = _SIGNATURE
    return dg.multi_asset(
        name="__".join(spec.asset_path),
        specs=[asset],
        check_specs=checks,
        # Where an asset and its checks can only run together, Dagster 1.13 takes an asset that depends on its
        # own past for its own neighbour, and requests the partition before as well.
        can_subset=any(dep.asset_key == key for dep in deps),
        # Equal policies let a backfill put an asset into one run with what it reads, where one bad day of the
        # upstream skips the good ones too. With a policy for each level, the good days flow on.
        backfill_policy=dg.BackfillPolicy.multi_run(MAX_PARTITIONS_A_READ - level % _LEVELS),
        pool=pool,
        required_resource_keys={"platform"},
        retry_policy=dg.RetryPolicy(
            max_retries=spec.retries.count,
            delay=spec.retries.delay_seconds,
            backoff=dg.Backoff.EXPONENTIAL,
        ),
    )(make_table)


def _check_specs(
    catalog: Catalog, spec: AnyTable, built_in: Mapping[str, str], advisory: Collection[str]
) -> list[dg.AssetCheckSpec]:
    key, partitions = dg.AssetKey(spec.asset_path), partitions_of(catalog, spec)
    always = [
        dg.AssetCheckSpec(
            name, asset=key, blocking=name not in advisory, partitions_def=partitions, description=text
        )
        for name, text in {**built_in, **_EVERYWHERE}.items()
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
    return always + declared


def _code_reference(spec: AnyTable) -> dict[str, Any]:
    reference = dg.LocalFileCodeReference(
        file_path=str(spec.declared.path), line_number=spec.declared.line("table")
    )
    return {
        "dagster/table_name": spec.table,
        "dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference]),
    }
