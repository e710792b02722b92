"""Schedules: one for each cron line and grain, in the platform's time zone.

A schedule requests the partition that was completed last before the tick: yesterday for a daily table at
two in the morning. Tables with one cron line and equal partitions share a schedule and a job, because
every job costs loading time; each of them still gets a run of its own, so that one table that fails
does not stop the others. A paused table is left out. Models are usually launched by automation; one with a
schedule is launched by that, fails at its gate if an upstream is late, and is then made by automation.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

import dagster as dg

from dataplat.orchestration.automation import LAUNCHED_BY, priority_tags
from dataplat.orchestration.gatekeeper import Gatekeeper
from dataplat.orchestration.partitions import range_tags
from dataplat.plan.partitions import latest_partition
from dataplat.specs import AnyTable, Catalog, TableSpec


def build_schedules(catalog: Catalog, gatekeeper: Gatekeeper) -> list[dg.ScheduleDefinition]:
    """Return the schedules that the tables declare, running as soon as the daemon does."""

    def together(spec: AnyTable) -> tuple[str, str, date]:
        return spec.schedule or "", spec.window.grain, spec.window.start or catalog.platform.start

    scheduled = sorted((spec for spec in catalog.all_tables.values() if spec.schedule), key=together)
    return [_schedule(catalog, gatekeeper, tuple(group)) for _, group in groupby(scheduled, key=together)]


def schedule_name(catalog: Catalog, spec: AnyTable) -> str:
    """Return the name of the schedule of a table that has one."""
    start = spec.window.start or catalog.platform.start
    return f"schedule_{spec.window.grain}_{_slug(spec.schedule or '')}_from_{start:%Y%m%d}"


def _schedule(catalog: Catalog, gatekeeper: Gatekeeper, specs: Sequence[AnyTable]) -> dg.ScheduleDefinition:
    first = specs[0]
    assert first.schedule is not None
    name = schedule_name(catalog, first)
    keys = [dg.AssetKey(spec.asset_path) for spec in specs]
    job = dg.define_asset_job(
        f"load_{name.removeprefix('schedule_')}", selection=dg.AssetSelection.assets(*keys)
    )

    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=first.schedule,
        execution_timezone=catalog.platform.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Loads the last complete partition of " + ", ".join(spec.table for spec in specs),
    )
    def tick(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        moment = context.scheduled_execution_time
        partition = latest_partition(first.window.grain, now=moment, zone=catalog.platform.zone)
        paused = gatekeeper.paused() & {spec.table for spec in specs}
        if len(paused) == len(specs):
            yield dg.SkipReason(f"paused: {', '.join(sorted(paused))}")
        for spec, key in zip(specs, keys, strict=True):
            if spec.table in paused:
                continue
            together = _with_lookback(catalog, spec, partition)
            yield dg.RunRequest(
                run_key=f"{spec.table}|{partition}|{moment.isoformat()}",
                partition_key=partition if len(together) == 1 else None,
                asset_selection=[key],
                tags={
                    "dataplat/table": spec.table,
                    LAUNCHED_BY: "schedule",
                    **priority_tags(spec.priority),
                    **range_tags(together),
                },
            )

    return tick


def _with_lookback(catalog: Catalog, spec: AnyTable, partition: str) -> tuple[str, ...]:
    """Return the partition, after those that the table's ``lookback`` reads again with it."""
    if not isinstance(spec, TableSpec) or spec.lookback is None:
        return (partition,)
    from dataplat.plan.lookback import with_lookback

    first = spec.window.start or catalog.platform.start
    grain, zone = spec.window.grain, catalog.platform.zone
    return with_lookback([partition], grain, spec.lookback, first=first, zone=zone)


def _slug(cron: str) -> str:
    """Return a name for a cron line.

    >>> _slug("*/5 2-4 * * 1,3")
    'every_5_2to4_any_any_1and3'
    """
    words = {"*/": "every_", "*": "any", "-": "to", ",": "and", "/": "by", " ": "_"}
    for sign, word in words.items():
        cron = cron.replace(sign, word)
    return re.sub(r"[^A-Za-z0-9_]", "_", cron)
