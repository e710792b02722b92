"""Which partitions share a read."""

import pytest

from dataplat.plan.targets import is_read_alone
from dataplat.specs import TableSpec

SHARDS = {"database": "shop", "shards": {"discover": ["SELECT 't_$[yyyyMM]'"]}}


@pytest.mark.parametrize(
    ("changes", "alone"),
    [
        ({}, False),
        ({"load": "snapshot"}, False),
        ({"where": "at > '$[yyyy-MM-dd]'"}, True),
        ({"columns": ["id", "'$[yyyyMMdd]' AS day"]}, True),
        ({"from": SHARDS}, False),  # the window leaves out what another day's shards hold
        ({"from": SHARDS, "load": "snapshot"}, True),
    ],
)
def test_a_partition_is_read_alone_where_a_date_means_something_else_in_each(
    changes: dict[str, object], alone: bool
) -> None:
    fields = {
        "table": "ods.t",
        "source": "shop",
        "from": {"database": "shop", "table": "t"},
        "load": "incremental",
        "window": {"grain": "day", "column": "at", "start": "2026-01-01"},
        "columns": "*",
        **changes,
    }

    assert is_read_alone(TableSpec.model_validate(fields)) is alone
