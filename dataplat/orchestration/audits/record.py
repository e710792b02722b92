"""What audits find about external tables, told to Dagster.

A partition that may be read becomes a materialization, which automation waits for. The checks are told about
every partition that was audited: a failed one says in the graph what the gate says too.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from dataplat.audit.outcome import COUNTED, EXPECTED, Outcome
from dataplat.lifecycle.audits.external import ExternalStanding
from dataplat.orchestration.events import evaluations

Told = dg.AssetMaterialization | dg.AssetCheckEvaluation


def external_key(table: str) -> dg.AssetKey:
    """Return the asset of an external table."""
    return dg.AssetKey(["external", *table.split(".")])


def materialization(standing: ExternalStanding) -> dg.AssetMaterialization:
    """Return the event for a partition that may be read."""
    return dg.AssetMaterialization(
        external_key(standing.table),
        partition=standing.partition,
        metadata={
            "rows": standing.rows,
            "dagster/partition_row_count": standing.rows,
            "files": standing.files,
            "bytes": standing.bytes,
            "evidence": standing.evidence,
        },
    )


def check_events(
    instance: dg.DagsterInstance, standings: Sequence[ExternalStanding]
) -> Iterator[dg.AssetCheckEvaluation]:
    """Yield the answers of the checks, about what Dagster knows of the partitions by now."""
    for table in dict.fromkeys(one.table for one in standings):
        here = {one.partition: one for one in standings if one.table == table}
        answers = {
            key: [
                (Outcome(COUNTED, one.counted, numbers={"rows": one.rows}, message=one.evidence), False),
                (Outcome(EXPECTED, one.as_expected, message=one.evidence), False),
            ]
            for key, one in here.items()
        }
        yield from evaluations(instance, external_key(table), answers)


def record_standings(instance: dg.DagsterInstance, standings: Sequence[ExternalStanding], actor: str) -> None:
    """Tell Dagster what a command found; it becomes a run of its own in the UI's list."""

    @dg.op(name="tell_audit")
    def tell(context: dg.OpExecutionContext) -> Iterator[Told | dg.Output[None]]:
        yield from (materialization(one) for one in standings if one.ready)
        yield from check_events(context.instance, standings)
        yield dg.Output(None)

    @dg.job(name="audit_by_command")
    def job() -> None:
        tell()

    job.execute_in_process(
        instance=instance,
        tags={"dataplat/actor": actor},
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
