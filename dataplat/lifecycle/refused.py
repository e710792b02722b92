"""Partitions that are rejected before anything is read, because a check of their origin says so."""

from collections.abc import Mapping

from dataplat.audit.outcome import Outcome
from dataplat.ledger import UNFINISHED, PartitionLocks, TableVersion, VersionState
from dataplat.lifecycle.audit import check_results
from dataplat.lifecycle.publish import recover_partitions
from dataplat.lifecycle.report import PartitionReport, Verdict
from dataplat.lifecycle.stations import Load
from dataplat.plan.partitions import partition_columns


def reject_unread(load: Load, locks: PartitionLocks, refused: Mapping[str, Outcome]) -> list[PartitionReport]:
    """Record partitions as rejected, and leave the others to the load. Nothing of them is read or written.

    The rejection counts like any other: what was visible stays visible, and the gate is closed. What an
    earlier load left unfinished is settled first.
    """
    if not refused:
        return []
    ledger, table, version = load.platform.ledger, load.spec.table, load.version
    if ledger.in_state(table, UNFINISHED, refused):  # the metastore is asked only if it must be
        spec = load.spec
        values = {key: partition_columns(key, spec.window.grain, spec.partition) for key in refused}
        recover_partitions(ledger, load.platform.partitions(spec.engine), locks, table, values)
    ledger.begin(
        TableVersion(
            table=table,
            partition=key,
            version=version,
            run_id=load.run.run_id,
            actor=load.run.actor,
            config_sha=load.platform.sha(load.spec),
        )
        for key in refused
    )
    for key, outcome in refused.items():
        ledger.record(checks=check_results(table, key, version, [outcome]))
        reason = f"{outcome.check}: {outcome.message}"
        ledger.advance(table, version, [key], VersionState.REJECTED, reason=reason)
    load.keys = tuple(key for key in load.keys if key not in refused)
    visible = ledger.visible(table, list(refused))
    return [
        PartitionReport(
            partition=key,
            verdict=Verdict.REJECTED,
            version=version,
            location="",
            source_before=None,
            source_after=None,
            written=0,
            rows=0,
            files=0,
            bytes=0,
            outcomes=(outcome,),
            visible_version=visible[key].version if key in visible else "",
        )
        for key, outcome in refused.items()
    ]
