"""The publish protocol towards Dagster, in one module, with the only private import of the package.

What arrives: partitions that were published or rejected, each with the outcome of every check.
What it becomes: a materialization for each *published* partition, and one evaluation for each check and
partition. A rejected partition never gets a materialization, so everything in Dagster that looks at
partition status (backfills, ``missing()``, the partition bar) holds what is downstream.

What surprises, measured on Dagster 1.13 and pinned by the contract tests:

* ``AssetCheckResult`` has no partition: in a run tagged with a range it is stored without one. So
  ``AssetCheckEvaluation`` is emitted instead, and it must point at the materialization that it is
  about, or it counts as outdated.
* Outputs of checks must be yielded all the same, or the step fails for want of them.
* Events come first, evaluations after: only then do their targets exist.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from dataplat.audit.outcome import Outcome

Event = dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.MaterializeResult[Any] | dg.Output[Any]


@dataclass(frozen=True)
class PartitionResult:
    """What Dagster is told about one partition.

    Attributes:
        partition: Its key.
        published: Whether it is visible now.
        metadata: Numbers and texts for its materialization.
        outcomes: Every check of the table, by name.
    """

    partition: str
    published: bool
    metadata: Mapping[str, Any]
    outcomes: Mapping[str, Outcome]


def publish_events(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    checks: Sequence[dg.AssetCheckSpec],
    results: Sequence[PartitionResult],
) -> Iterator[Event]:
    """Yield everything for a run in which all partitions were published."""
    for result in results:
        context.add_asset_metadata(dict(result.metadata), asset_key=key, partition_key=result.partition)
    yield dg.MaterializeResult(asset_key=key)
    yield from _evaluations(context, key, checks, results)
    for check in checks:
        yield dg.Output(None, output_name=check.get_python_identifier())


def failure_events(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    checks: Sequence[dg.AssetCheckSpec],
    results: Sequence[PartitionResult],
) -> Iterator[Event]:
    """Yield what is true when the step is about to fail: good partitions are published all the same."""
    for result in results:
        if result.published:
            yield dg.AssetMaterialization(
                asset_key=key, partition=result.partition, metadata=dict(result.metadata)
            )
    yield from _evaluations(context, key, checks, results)


def _evaluations(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    checks: Sequence[dg.AssetCheckSpec],
    results: Sequence[PartitionResult],
) -> Iterator[dg.AssetCheckEvaluation]:
    for result in results:
        target = _latest_materialization(context, key, result.partition)
        for check in checks:
            outcome = result.outcomes[check.name]
            yield dg.AssetCheckEvaluation(
                asset_key=key,
                check_name=check.name,
                passed=outcome.passed,
                severity=_severity(outcome),
                description=outcome.message or None,
                metadata=dict(outcome.numbers),
                blocking=check.blocking,
                partition=result.partition,
                target_materialization_data=target,
            )


def _severity(outcome: Outcome) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.ERROR if outcome.severity == "error" else dg.AssetCheckSeverity.WARN


def _latest_materialization(
    context: dg.AssetExecutionContext, key: dg.AssetKey, partition: str
) -> AssetCheckEvaluationTargetMaterializationData | None:
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition])
    records = context.instance.fetch_materializations(wanted, limit=1).records
    if not records:
        return None
    latest = records[0]
    return AssetCheckEvaluationTargetMaterializationData(
        storage_id=latest.storage_id, run_id=latest.run_id, timestamp=latest.timestamp
    )
