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

from dataplat.orchestration.automation import LAUNCHED_BY
from dataplat.orchestration.daemon_backfill import partitions_to_come, submit_backfill
from dataplat.orchestration.partitions import RANGE_END, RANGE_START
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
    backfill = submit_backfill(
        catalog,
        instance,
        {table: keys for table, keys in queued.items() if keys},
        title=title,
        tags={LAUNCHED_BY: launched_by, "dataplat/actor": actor},
    )
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
    return found | (partitions_to_come(instance, asset) & set(keys))


def _keys_of(run: dg.DagsterRun, keys: Sequence[str]) -> Iterator[str]:
    """Yield which of some partitions a run covers; keys of one grain sort as time does."""
    if PARTITION in run.tags:
        yield run.tags[PARTITION]
    elif RANGE_START in run.tags:
        yield from (key for key in keys if run.tags[RANGE_START] <= key <= run.tags[RANGE_END])
