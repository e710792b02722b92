"""Reads as the tests of ``plan`` build them: an order table, some days, and what a test changes."""

from zoneinfo import ZoneInfo

from dataplat.plan.grains import Grain
from dataplat.plan.partitions import partition_columns
from dataplat.plan.reads import PartitionTarget, ReadColumn, ReadShape
from dataplat.plan.split_keys import KeyColumn, SplitKey
from dataplat.plan.sql import PhysicalTable
from dataplat.plan.windows import partition_window
from dataplat.specs import PartitionFormatSpec

ZONE = "Asia/Shanghai"
ORDERS = PhysicalTable("shop", "t_order")
COLUMNS = (
    ReadColumn("id", "`id`", "bigint"),
    ReadColumn("at", "`at`", "timestamp"),
    ReadColumn("total", "CAST(price * amount AS DECIMAL(20,2))", "decimal(20,2)"),
)


def targets(*keys: str, grain: Grain = "day", zone: str = ZONE) -> tuple[PartitionTarget, ...]:
    return tuple(
        PartitionTarget(
            key,
            partition_window(key, grain, ZoneInfo(zone)),
            partition_columns(key, grain, PartitionFormatSpec()),
        )
        for key in keys
    )


def shape(*keys: str, grain: Grain = "day", **changes: object) -> ReadShape:
    facts: dict[str, object] = {
        "columns": COLUMNS,
        "partitions": targets(*keys, grain=grain),
        "window_column": "at",
        "window_is_date": False,
        "where": None,
        "split_key": SplitKey((KeyColumn("id", "number"),), "PRIMARY"),
        "identity": None,
        "source_zone": ZONE,
        "zone": ZONE,
        "partition_format": PartitionFormatSpec(),
        "grain": grain,
    }
    return ReadShape(**(facts | changes))  # type: ignore[arg-type]
