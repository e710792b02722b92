"""What the short ways of ``plan.projection`` promise: the values of Spark's own functions, row for row."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dataplat.plan.partitions import partition_columns
from dataplat.plan.projection import render_projection
from dataplat.plan.reads import WINDOW_ALIAS, PartitionTarget, ReadColumn, ReadShape
from dataplat.plan.windows import partition_window
from dataplat.specs import PartitionFormatSpec

if TYPE_CHECKING:
    from dataplat_tests.contract.engine.suite import World

ZONE = "Asia/Shanghai"  # of the contract's sessions
SOURCE_ZONES = (ZONE, "UTC", "Asia/Kolkata", "Europe/London", "America/New_York")
FORMAT = PartitionFormatSpec()
# About every third day of 500 years at a changing time, and each second around the edges of what is read.
MOMENTS = """
    SELECT timestamp_micros((id - 30000) * 263456789012L) AS moment FROM range(60000)
    UNION ALL SELECT timestamp_seconds(1767225600 + day * 86400 + id - 30000) AS moment
              FROM range(60000) CROSS JOIN (SELECT explode(array(0, 3)) AS day)
    UNION ALL SELECT timestamp_micros(1767225600000000 + id) FROM range(-2, 3)
    UNION ALL SELECT NULL
"""


def wall_clocks_become_the_instants_that_spark_would_make(world: World) -> None:
    for zone in SOURCE_ZONES:
        [instant, *_] = render_projection(_shape("day", ("2026-01-01",), zone))
        short = instant.removesuffix(" AS `moment`")
        _same(world, zone, short, f"to_utc_timestamp(moment, '{zone}')")


def rows_are_told_apart_as_spark_would(world: World) -> None:
    days = tuple(f"2026-01-{day:02d}" for day in range(1, 5))
    hours = tuple(f"2026-01-01-{hour:02d}:00" for hour in range(24))
    for zone in SOURCE_ZONES:
        at = f"to_utc_timestamp(moment, '{zone}')"
        [_, day] = render_projection(_shape("day", days, zone))
        _same(world, zone, day.removesuffix(" AS `ds`"), f"date_format({at}, 'yyyy-MM-dd')")
        [_, day, hour] = render_projection(_shape("hour", hours, zone))
        _same(world, zone, day.removesuffix(" AS `ds`"), f"date_format({at}, 'yyyy-MM-dd')")
        _same(world, zone, hour.removesuffix(" AS `hr`"), f"date_format({at}, 'HH')")


def _shape(grain: str, keys: tuple[str, ...], source_zone: str) -> ReadShape:
    targets = tuple(
        PartitionTarget(
            key, partition_window(key, grain, ZoneInfo(ZONE)), partition_columns(key, grain, FORMAT)
        )
        for key in keys
    )
    return ReadShape(
        columns=(ReadColumn("moment", "`moment`", "timestamp"),),
        partitions=targets,
        window_column="moment",
        window_is_date=False,
        where=None,
        split_key=None,
        identity=None,
        source_zone=source_zone,
        zone=ZONE,
        partition_format=FORMAT,
        grain=grain,
    )


def _same(world: World, zone: str, short: str, plain: str) -> None:
    moments = f"SELECT moment, moment AS {WINDOW_ALIAS} FROM ({MOMENTS})"
    found = world.sql(
        f"SELECT moment, {short} AS short, {plain} AS plain FROM ({moments})"
        f" WHERE NOT ({short} <=> {plain}) LIMIT 3"
    )
    assert found == [], (zone, found)


TIME_PROMISES = (
    wall_clocks_become_the_instants_that_spark_would_make,
    rows_are_told_apart_as_spark_would,
)
