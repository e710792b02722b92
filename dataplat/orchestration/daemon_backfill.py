"""Handing a backfill to Dagster's daemon, which launches its runs through the run queue.

What the UI's button does, with the partitions of a plan and its tag: the backfill is on the UI's page of
backfills, and is watched and canceled there too.

What surprises: Dagster has no public way to ask for it from Python. ``PartitionBackfill`` and the subset of
the asset graph that it takes are private in Dagster 1.13; both are imported here and nowhere else.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.execution.backfill import (
    BULK_ACTION_TERMINAL_STATUSES,
    BulkActionsFilter,
    BulkActionStatus,
    PartitionBackfill,
)
from dagster._core.utils import make_new_backfill_id

from dataplat.orchestration.partitions import RANGE_END, RANGE_START, partitions_of
from dataplat.specs import AnyTable, Catalog

_DAEMONS = ("BACKFILL", "QUEUED_RUN_COORDINATOR")
_TAG = "dagster/backfill"


class DaemonBackfill:
    """A backfill that the daemon carries out.

    Args:
        instance: The daemon's.
        backfill_id: As the UI knows it.
    """

    def __init__(self, instance: dg.DagsterInstance, backfill_id: str) -> None:
        self._instance = instance
        self.backfill_id = backfill_id

    @property
    def runs(self) -> frozenset[str]:
        """The runs that it has launched so far."""
        return frozenset(self._instance.get_run_ids(dg.RunsFilter(tags={_TAG: self.backfill_id})))

    @property
    def has_ended(self) -> bool:
        """Whether it will launch nothing more, and nothing of it is under way."""
        return self._found().status in BULK_ACTION_TERMINAL_STATUSES

    @property
    def error(self) -> str:
        """Why the daemon gave it up; empty if it did not."""
        error = self._found().error
        return error.message.strip() if error is not None else ""

    def failed_run(self, spec: AnyTable, key: str) -> str:
        """Return the last run of it that failed and was to make a partition; empty if there is none."""
        asked = dg.RunsFilter(tags={_TAG: self.backfill_id}, statuses=[dg.DagsterRunStatus.FAILURE])
        for run in self._instance.get_runs(asked):
            first = run.tags.get("dagster/partition") or run.tags.get(RANGE_START, "")
            last = run.tags.get("dagster/partition") or run.tags.get(RANGE_END, "")
            if dg.AssetKey(spec.asset_path) in (run.asset_selection or ()) and first <= key <= last:
                return run.run_id
        return ""

    def cancel(self) -> None:
        """Tell the daemon to launch nothing more, and to end what is under way."""
        found = self._found()
        if found.status not in BULK_ACTION_TERMINAL_STATUSES:
            canceling = found.with_status(BulkActionStatus.CANCELING)  # type: ignore[no-untyped-call]  # Dagster's
            self._instance.update_backfill(canceling)

    def _found(self) -> PartitionBackfill:
        found = self._instance.get_backfill(self.backfill_id)
        assert found is not None, "backfills are never deleted"
        return found


def missing_daemons(instance: dg.DagsterInstance) -> list[str]:
    """Return which daemons that a backfill needs give no sign of life."""
    statuses = instance.get_daemon_statuses(_DAEMONS)
    return [name for name in _DAEMONS if not statuses[name].healthy]


def submit_backfill(
    catalog: Catalog,
    instance: dg.DagsterInstance,
    partitions: Mapping[str, Sequence[str]],
    *,
    title: str,
    tags: Mapping[str, str],
) -> DaemonBackfill:
    """Ask the daemon for partitions of some tables, and return at once."""
    subsets = {}
    for table, keys in partitions.items():
        spec = catalog.any_table(table)
        subset = partitions_of(catalog, spec).empty_subset().with_partition_keys(keys)
        subsets[dg.AssetKey(spec.asset_path)] = subset
    # Its decorator hides the signature from mypy.
    wanted = AssetGraphSubset(subsets, set())  # type: ignore[call-arg]  # Dagster's own decorator makes it
    found = PartitionBackfill.from_asset_graph_subset(
        backfill_id=make_new_backfill_id(),
        backfill_timestamp=datetime.now(UTC).timestamp(),
        tags=tags,
        dynamic_partitions_store=instance,
        asset_graph_subset=wanted,
        title=title,
        description=None,
        run_config=None,
    )
    instance.add_backfill(found)
    return DaemonBackfill(instance, found.backfill_id)


def partitions_to_come(instance: dg.DagsterInstance, asset: dg.AssetKey) -> set[str]:
    """Return the partitions of an asset that backfills were asked for, by anybody, and have not done."""
    found: set[str] = set()
    for backfill in instance.get_backfills(BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])):
        progress = backfill.asset_backfill_data
        if progress is not None:
            done = _keys(progress.materialized_subset, asset) | _keys(
                progress.failed_and_downstream_subset, asset
            )
            found |= _keys(progress.target_subset, asset) - done
    return found


def _keys(subset: AssetGraphSubset, asset: dg.AssetKey) -> set[str]:
    found = subset.partitions_subsets_by_asset_key.get(asset)
    return set(found.get_partition_keys()) if found is not None else set()
