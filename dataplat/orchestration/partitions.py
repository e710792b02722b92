"""Dagster partitions of our tables; one shared object for each grain, start and zone.

Assets run together only when their definitions are equal, and equal objects that are the same object
load faster. Keys are the canonical ones of ``plan.partitions``.
"""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import dagster as dg

from dataplat.specs import AnyTable, Catalog

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
PartitionsDefinition = (
    dg.DailyPartitionsDefinition | dg.HourlyPartitionsDefinition | dg.MonthlyPartitionsDefinition
)


def range_tags(keys: Sequence[str]) -> dict[str, str]:
    """Return the tags that make one run of several neighbouring partitions; a single one needs none.

    >>> range_tags(["2026-03-01", "2026-03-02"])[RANGE_END]
    '2026-03-02'
    """
    return {RANGE_START: keys[0], RANGE_END: keys[-1]} if len(keys) > 1 else {}


def partitions_of(catalog: Catalog, spec: AnyTable) -> PartitionsDefinition:
    """Return the partitions of a table, from its first one, in the platform's time zone."""
    start = spec.window.start or catalog.platform.start
    return _partitions(spec.window.grain, start, catalog.platform.timezone)


def partitions_from(grain: str, start: date, catalog: Catalog) -> PartitionsDefinition:
    """Return the partitions of a grain from a day on, in the platform's time zone."""
    return _partitions(grain, start, catalog.platform.timezone)


@lru_cache(maxsize=256)
def _partitions(grain: str, start: date, zone: str) -> PartitionsDefinition:
    if grain == "hour":
        return dg.HourlyPartitionsDefinition(f"{start:%Y-%m-%d}-00:00", timezone=zone)
    if grain == "month":
        return dg.MonthlyPartitionsDefinition(f"{start:%Y-%m}", fmt="%Y-%m", timezone=zone)
    return dg.DailyPartitionsDefinition(f"{start:%Y-%m-%d}", timezone=zone)
