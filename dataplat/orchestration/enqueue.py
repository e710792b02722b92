"""Partitions put into Dagster's queue: one backfill of exactly them, which its daemon launches.

A backfill and not runs of our own: it is made without a code server, the UI shows it as one thing with its
progress, its runs wait in the queue like any others, and neighbours are read together. Its definition names
partitions, not code, so what runs is what is configured when the daemon comes to it.

A partition that is under way already is not queued again: one that a run which has not ended was asked for,
or one of a backfill that has not come to it.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._core.utils import make_new_backfill_id

from dataplat.orchestration.automation import LAUNCHED_BY
from dataplat.orchestration.partitions import RANGE_END, RANGE_START, partitions_of
from dataplat.orchestration.places import settle_dead_runs
from dataplat.specs import AnyTable, Catalog

PARTITION = "dagster/partition"
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.MANAGED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_BACKFILL_DAEMON = "BACKFILL"
_HEARTBEAT_SECONDS = 120  # it beats every 30


@dataclass(frozen=True)
class Enqueued:
    """What became of partitions that were to be queued.

    Attributes:
        backfill: Its id in the UI; empty if nothing was queued.
        queued: By table.
        under_way: Those that were under way already, by table.
    """

    backfill: str
    queued: Mapping[str, tuple[str, ...]]
    under_way: Mapping[str, tuple[str, ...]]


def enqueue(
    instance: dg.DagsterInstance,
    catalog: Catalog,
    wanted: Sequence[tuple[AnyTable, Sequence[str]]],
    *,
    title: str,
    actor: str,
    launched_by: str,
) -> Enqueued:
    """Queue partitions of tables in one backfill, without those that are under way.

    Nothing has been loaded when it returns, and without a daemon nothing ever will be: see
    ``daemon_is_alive``.
    """
    settle_dead_runs(instance)
    busy = {
        spec.table: tuple(key for key in keys if key in _under_way(instance, spec, keys))
        for spec, keys in wanted
    }
    queued = {spec.table: tuple(key for key in keys if key not in busy[spec.table]) for spec, keys in wanted}
    under_way = {table: keys for table, keys in busy.items() if keys}
    if not any(queued.values()):
        return Enqueued("", {}, under_way)
    subsets = {
        dg.AssetKey(spec.asset_path): partitions_of(catalog, spec)
        .empty_subset()
        .with_partition_keys(queued[spec.table])
        for spec, _ in wanted
        if queued[spec.table]
    }
    nothing = AssetGraphSubset.create_empty_subset()
    backfill = PartitionBackfill.from_asset_graph_subset(
        backfill_id=make_new_backfill_id(),
        backfill_timestamp=time.time(),
        tags={LAUNCHED_BY: launched_by, "dataplat/actor": actor},
        dynamic_partitions_store=instance,
        asset_graph_subset=nothing._replace(partitions_subsets_by_asset_key=subsets),
        title=title,
        description=None,
        run_config=None,
    )
    instance.add_backfill(backfill)
    return Enqueued(backfill.backfill_id, {table: keys for table, keys in queued.items() if keys}, under_way)


def daemon_is_alive(instance: dg.DagsterInstance) -> bool:
    """Say whether a daemon of this instance has looked after backfills within the last minutes."""
    heartbeat = instance.get_daemon_heartbeats().get(_BACKFILL_DAEMON)
    return heartbeat is not None and time.time() - heartbeat.timestamp < _HEARTBEAT_SECONDS


def _under_way(instance: dg.DagsterInstance, spec: AnyTable, keys: Sequence[str]) -> set[str]:
    """Return the partitions of a table, among some, that a run or a backfill has been asked for."""
    asset = dg.AssetKey(spec.asset_path)
    found: set[str] = set()
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
        of_this = asset in (run.asset_selection or ()) or run.tags.get("dataplat/table") == spec.table
        if of_this:
            found.update(_keys_of(run, keys))
    for backfill in instance.get_backfills(BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])):
        found.update(key for key in _waiting(backfill, asset) if key in keys)
    return found


def _keys_of(run: dg.DagsterRun, keys: Sequence[str]) -> Iterator[str]:
    """Yield which of some partitions a run covers; keys of one grain sort as time does."""
    if PARTITION in run.tags:
        yield run.tags[PARTITION]
    elif RANGE_START in run.tags:
        yield from (key for key in keys if run.tags[RANGE_START] <= key <= run.tags[RANGE_END])


def _waiting(backfill: PartitionBackfill, asset: dg.AssetKey) -> set[str]:
    """Return the partitions of an asset that a backfill was asked for and has not done."""
    progress = backfill.asset_backfill_data
    if progress is None:
        return set()

    def keys(subset: AssetGraphSubset) -> set[str]:
        found = subset.partitions_subsets_by_asset_key.get(asset)
        return set(found.get_partition_keys()) if found is not None else set()

    done = keys(progress.materialized_subset) | keys(progress.failed_and_downstream_subset)
    return keys(progress.target_subset) - done
