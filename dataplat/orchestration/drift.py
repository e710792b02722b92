"""The body of the job ``drift``: what changed is observed on its assets, and queued."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from dataplat.errors import DataplatError
from dataplat.lifecycle.drift import TableDrift, find_drift
from dataplat.lifecycle.drift_values import hash_both_sides
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.recount import Recounter
from dataplat.orchestration.enqueue import Enqueued, enqueue
from dataplat.plan.drift import PartitionDrift, Standing
from dataplat.specs.problems import counted


def count_again(
    context: dg.OpExecutionContext, tables: Sequence[str], *, days: int, checksum: bool, load: bool
) -> Iterator[dg.AssetObservation | dg.Output[Any]]:
    """Count partitions of tables again, yield what was found, and queue what changed.

    Raises:
        Failure: A source could not be asked. What the others told is queued and observed first.
    """
    platform: Platform = context.resources.platform
    found: list[TableDrift] = []
    try:
        specs = [platform.catalog.table(name) for name in tables]
        recounter = Recounter(platform.catalog, platform.ledger, platform.secrets, context.log.info)
        asked = find_drift(
            recounter,
            specs,
            now=platform.now(),
            days=days,
            hash_both=hash_both_sides(platform) if checksum else None,
        )
        for one in asked:
            found.append(one)
            context.log.info("%s: %s", one.spec.table, _told(one))
            yield from _observations(one)
        changed = [one for one in found if one.changed]
        if changed and load:
            queued = enqueue(
                context.instance,
                platform.catalog,
                [(one.spec, one.changed) for one in changed],
                title=f"drift of {platform.now().astimezone(platform.catalog.platform.zone):%Y-%m-%d %H:%M}",
                actor=platform.settings.actor,
                launched_by="drift",
            )
            _log_queue(context, queued)
    except DataplatError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    failed = [one for one in found if one.error is not None]
    if failed:
        raise dg.Failure("\n\n".join(str(one.error) for one in failed), allow_retries=False)
    yield dg.Output(None)


def _told(one: TableDrift) -> str:
    if one.error is not None:
        return f"could not be asked: {one.error.problem}"
    if one.skipped:
        return one.skipped
    missing = f", {len(one.missing)} missing" if one.missing else ""
    return f"{counted(len(one.partitions), 'partition')} counted, {len(one.changed)} changed{missing}"


def _observations(one: TableDrift) -> Iterator[dg.AssetObservation]:
    """Yield what is seen on the page of the asset: a line for the table, and each partition that changed."""
    key = dg.AssetKey(one.spec.asset_path)
    yield dg.AssetObservation(key, metadata={"drift": _told(one)})
    for item in one.partitions:
        if item.standing is Standing.CHANGED:
            yield dg.AssetObservation(key, partition=item.key, metadata=_metadata(item))


def _metadata(item: PartitionDrift) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "drift": "other values" if item.values_differ else "changed",
        "rows_then": item.then,
        "rows_now": item.now,
        "difference": item.difference,
        "version": item.version,
    }
    if item.shards:
        shards = (f"{one.shard}: {one.then:,} → {one.now or 0:,}" for one in item.shards)
        metadata["shards"] = dg.MetadataValue.md("\n".join(f"* {line}" for line in shards))
    if item.note:
        metadata["note"] = item.note
    return metadata


def _log_queue(context: dg.OpExecutionContext, queued: Enqueued) -> None:
    for table, keys in queued.queued.items():
        context.log.info("queued by backfill %s: %s %s", queued.backfill, table, ", ".join(keys))
    for table, keys in queued.under_way.items():
        context.log.info("under way already: %s %s", table, ", ".join(keys))
