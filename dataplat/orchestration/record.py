"""Telling Dagster what a command did without a run: its partition bar shows what is visible."""

import dagster as dg
from dagster import DagsterInstance

from dataplat.lifecycle.rollback import RollbackReport
from dataplat.specs import AnyTable


def record_rollback(instance: DagsterInstance, spec: AnyTable, report: RollbackReport) -> None:
    """Record a materialization for a partition that shows an earlier version again."""
    metadata: dict[str, dg.MetadataValue] = {
        "version": dg.MetadataValue.text(report.version.version),
        "rows": dg.MetadataValue.int(report.files.rows),
        "dagster/partition_row_count": dg.MetadataValue.int(report.files.rows),
        "files": dg.MetadataValue.int(report.files.files),
        "bytes": dg.MetadataValue.int(report.files.bytes),
        "location": dg.MetadataValue.path(report.version.location),
        "rolled_back_from": dg.MetadataValue.text(report.rolled_back_from),
        "rolled_back_by": dg.MetadataValue.text(report.version.changed_by),
    }
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            dg.AssetKey(spec.asset_path),
            partition=report.partition,
            description=report.version.reason,
            metadata=metadata,
        )
    )
