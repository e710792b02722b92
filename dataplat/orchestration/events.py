"""The publish protocol towards Dagster, in one module, with the only private import of the package.

What arrives: partitions that were published or rejected, each with the outcome of every check.
What it becomes: a materialization for each *published* partition, and one evaluation for each check and
partition. A rejected partition never gets a materialization, so everything in Dagster that looks at
partition status (backfills, ``missing()``, the partition bar) holds what is downstream.

What surprises, measured on Dagster 1.13 and pinned by the contract tests:

* ``AssetCheckResult`` has no partition: in a run tagged with a range it is stored without one. So
  ``AssetCheckEvaluation`` is emitted instead, and it must point at the materialization that it is
  about, or it counts as outdated.
* A failed blocking evaluation fails the step after everything was stored. A load that published into a
  partition that somebody holds did what it was asked: its evaluation of ``not_held`` says that it does not
  block, and the check's own definition, which automation reads, says that it does.
* Outputs of checks must be yielded all the same, or the step fails for want of them.
* Events come first, evaluations after: only then do their targets exist.
* Every evaluation costs three commits: ``sqlite_log`` makes them cheap.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from dataplat.audit.outcome import NOT_HELD, Outcome

_PARTITIONS_A_QUESTION = 60

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
    outcomes = {
        result.partition: [
            (result.outcomes[check.name], check.blocking and check.name != NOT_HELD)
            for check in checks
            if result.published or check.name in result.outcomes  # what was not read was not checked
        ]
        for result in results
    }
    yield from evaluations(context.instance, key, outcomes)


def evaluations(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    outcomes: Mapping[str, Sequence[tuple[Outcome, bool]]],
) -> Iterator[dg.AssetCheckEvaluation]:
    """Yield an evaluation for each partition and outcome, about what Dagster thinks is visible now.

    Args:
        instance: Where materializations are looked up.
        key: The asset.
        outcomes: Each check's answer, and whether one that failed is to fail the step, by partition.
    """
    latest = _latest_materializations(instance, key, list(outcomes))
    for partition, answers in outcomes.items():
        for outcome, fails_step in answers:
            yield dg.AssetCheckEvaluation(
                asset_key=key,
                check_name=outcome.check,
                passed=outcome.passed,
                severity=_severity(outcome),
                description=outcome.message or None,
                metadata=dict(outcome.numbers),
                blocking=fails_step,
                partition=partition,
                target_materialization_data=latest.get(partition),
            )


def _severity(outcome: Outcome) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.ERROR if outcome.severity == "error" else dg.AssetCheckSeverity.WARN


def _latest_materializations(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Sequence[str]
) -> dict[str, AssetCheckEvaluationTargetMaterializationData]:
    """Return the newest materialization of each partition that has one, by one question for many."""
    found: dict[str, AssetCheckEvaluationTargetMaterializationData] = {}
    for start in range(0, len(partitions), _PARTITIONS_A_QUESTION):
        wanted = set(partitions[start : start + _PARTITIONS_A_QUESTION])
        cursor, more = None, True
        while wanted and more:
            asked = dg.AssetRecordsFilter(asset_key=key, asset_partitions=sorted(wanted))
            page = instance.fetch_materializations(asked, limit=len(wanted), cursor=cursor)
            cursor, more = page.cursor, page.has_more
            for record in page.records:  # newest first
                partition = record.partition_key
                if partition in wanted:
                    wanted.discard(partition)
                    found[partition] = AssetCheckEvaluationTargetMaterializationData(
                        storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
                    )
    return found
