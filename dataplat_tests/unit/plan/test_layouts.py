"""Shards whose columns differ: what is told about them, and what is sent to each."""

from typing import Any

import pytest

from dataplat.errors import SourceError
from dataplat.plan.columns import require_columns
from dataplat.plan.layouts import (
    Aligned,
    Layout,
    SourceColumn,
    align_columns,
    all_columns,
    columns_read,
    describe_differences,
    group_layouts,
)
from dataplat.plan.reads import plan_reads
from dataplat.plan.sql import PhysicalTable
from dataplat.specs import TableSpec
from dataplat_tests.unit.plan.shapes import shape

OLD, OTHER, NEW = (PhysicalTable("hydra", f"t_{name}") for name in ("1_old", "2_other", "3_new"))


def columns(**types: str) -> tuple[SourceColumn, ...]:
    return tuple(SourceColumn(name, kind, True, f"the {name}", None) for name, kind in types.items())


def aligned(layouts: tuple[Layout, ...], texts: list[str] | None = None) -> Aligned:
    texts = texts or [column.name for column in all_columns(layouts)]
    entries = require_columns(texts, subject="ods.t", declared="f:1")
    types = [
        [
            {column.name: column.mysql_type for column in layout.columns}.get(entry.source_column or "")
            for entry in entries
        ]
        for layout in layouts
    ]
    return align_columns("ods.t", "config/ods/t.yaml:9 columns", entries, layouts, types, "null")


def test_order_width_comments_and_case_make_no_difference() -> None:
    described = {
        OLD: columns(id="int(11)", name="varchar(10)"),
        NEW: columns(NAME="varchar(20)", id="int(10)"),
    }
    (layout,) = group_layouts(described)
    assert layout.shards == (OLD, NEW)
    assert describe_differences([layout]) == ()


def test_a_column_that_only_the_new_shard_has_is_null_in_the_others() -> None:
    layouts = group_layouts(
        {
            OLD: columns(id="int(11)"),
            NEW: columns(id="int(11)", paid_at="datetime"),
            OTHER: columns(id="int(11)"),
        }
    )
    assert [layout.shards for layout in layouts] == [(OLD, OTHER), (NEW,)]
    assert describe_differences(layouts) == ("paid_at is not in t_1_old, t_2_other",)
    found = aligned(layouts)
    assert [(column.target, column.hive, column.sql) for column in found.columns] == [
        ("id", "int", "`id`"),
        ("paid_at", "timestamp", "CAST(NULL AS DATETIME)"),
    ]
    assert found.selects == {NEW: ("`id`", "IF(DAYOFMONTH(`paid_at`) AND MONTH(`paid_at`), `paid_at`, NULL)")}
    assert found.columns[1].comment == "the paid_at"


def test_the_narrower_type_is_widened() -> None:
    layouts = group_layouts(
        {OLD: columns(id="int(11)", fee="decimal(8,2)"), NEW: columns(id="bigint(20)", fee="decimal(10,4)")}
    )
    assert describe_differences(layouts) == (
        "id is int(11) in t_1_old, bigint(20) in t_3_new",
        "fee is decimal(8,2) in t_1_old, decimal(10,4) in t_3_new",
    )
    found = aligned(layouts)
    assert [column.hive for column in found.columns] == ["bigint", "decimal(10,4)"]
    assert found.selects == {}  # the engine casts, so the same is sent to both
    assert found.source_types == ("int(11) / bigint(20)", "decimal(8,2) / decimal(10,4)")


def test_types_without_a_common_one_are_refused_with_the_shards_that_hold_them() -> None:
    layouts = group_layouts({OLD: columns(code="int(11)"), NEW: columns(code="varchar(9)")})
    with pytest.raises(SourceError) as caught:
        aligned(layouts)
    assert (
        str(caught.value)
        == """\
ods.t: the shards hold column 'code' in types that no Hive type holds together
  found      int(11) in t_1_old
             varchar(9) in t_3_new
  declared   config/ods/t.yaml:9 columns
  effect     nothing was read; what was visible before is still visible
  next       cast it in `columns`: "CAST(code AS CHAR) AS code\""""
    )


def test_many_shards_are_told_by_three_of_them() -> None:
    some = {PhysicalTable("d", f"t_{number}"): columns(id="int(11)") for number in range(6)}
    layouts = group_layouts({**some, NEW: columns(id="int(11)", note="text")})
    assert describe_differences(layouts) == ("note is not in t_0, t_1, t_2 and 3 more",)


def test_what_is_not_read_is_no_difference() -> None:
    layouts = group_layouts({OLD: columns(id="int(11)", at="datetime"), NEW: columns(id="int(11)", x="text")})
    spec: dict[str, Any] = {
        "table": "ods.t",
        "source": "s",
        "from": {"database": "d", "shards": {"pattern": "t%"}},
        "load": "incremental",
        "window": {"column": "at"},
        "columns": ["id", "upper(x) AS y"],
    }
    read = columns_read(TableSpec.model_validate(spec))
    assert read == {"id", "at"}
    assert describe_differences(layouts, read) == ("at is not in t_3_new",)
    assert columns_read(TableSpec.model_validate(spec | {"columns": "*"})) is None


def test_shards_of_one_layout_share_a_query_and_others_have_their_own() -> None:
    made = shape("2026-01-01", split_key=None, layouts={NEW: ("`id`", "`at`", "CAST(NULL AS DECIMAL(20,2))")})
    first, second = plan_reads(made, [OLD, NEW, OTHER], [])
    assert first.query.count("UNION ALL") == 1
    assert "t_3_new" not in first.query
    assert second.query == (
        "SELECT `id` AS `id`, `at` AS `at`, CAST(NULL AS DECIMAL(20,2)) AS `total`\n"
        "FROM   `hydra`.`t_3_new`\n"
        "WHERE  (`at` >= '2026-01-01 00:00:00' AND `at` < '2026-01-02 00:00:00')"
    )
