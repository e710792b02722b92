"""Schedules of the roots: one for each cron line and grain, in the platform's time zone.

A schedule requests the partition that was completed last before the tick: yesterday for a daily table at
two in the morning. Tables with one cron line and equal partitions share a schedule and a job, because
every job costs loading time; each of them still gets a run of its own, so that one table that fails
does not stop the others.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

import dagster as dg

from dataplat.plan.partitions import latest_partition
from dataplat.specs import Catalog, TableSpec


def build_schedules(catalog: Catalog) -> list[dg.ScheduleDefinition]:
    """Return the schedules that the tables declare, running as soon as the daemon does."""

    def together(spec: TableSpec) -> tuple[str, str, date]:
        return spec.schedule or "", spec.window.grain, spec.window.start or catalog.platform.start

    scheduled = sorted((spec for spec in catalog.tables.values() if spec.schedule), key=together)
    return [_schedule(catalog, tuple(group)) for _, group in groupby(scheduled, key=together)]


def _schedule(catalog: Catalog, specs: Sequence[TableSpec]) -> dg.ScheduleDefinition:
    first = specs[0]
    assert first.schedule is not None
    start = first.window.start or catalog.platform.start
    name = f"{first.window.grain}_{_slug(first.schedule)}_from_{start:%Y%m%d}"
    keys = [dg.AssetKey(spec.asset_path) for spec in specs]
    job = dg.define_asset_job(f"load_{name}", selection=dg.AssetSelection.assets(*keys))

    @dg.schedule(
        name=f"schedule_{name}",
        job=job,
        cron_schedule=first.schedule,
        execution_timezone=catalog.platform.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Loads the last complete partition of " + ", ".join(spec.table for spec in specs),
    )
    def tick(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        moment = context.scheduled_execution_time
        partition = latest_partition(first.window.grain, now=moment, zone=catalog.platform.zone)
        for spec, key in zip(specs, keys, strict=True):
            yield dg.RunRequest(
                run_key=f"{spec.table}|{partition}|{moment.isoformat()}",
                partition_key=partition,
                asset_selection=[key],
                tags={"dataplat/table": spec.table},
            )

    return tick


def _slug(cron: str) -> str:
    """Return a name for a cron line.

    >>> _slug("*/5 2-4 * * 1,3")
    'every_5_2to4_any_any_1and3'
    """
    words = {"*/": "every_", "*": "any", "-": "to", ",": "and", "/": "by", " ": "_"}
    for sign, word in words.items():
        cron = cron.replace(sign, word)
    return re.sub(r"[^A-Za-z0-9_]", "_", cron)
