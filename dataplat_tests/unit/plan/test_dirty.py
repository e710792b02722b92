"""What may be a dirty row: every hazard has a condition, a reason and a lossless text."""

from dataplat.plan.columns import require_columns
from dataplat.plan.ddl import HiveColumn
from dataplat.plan.dirty import can_narrow, narrow_hazard
from dataplat.plan.fitting import fit_columns
from dataplat.plan.hazards import find_hazards, plan_dirty_reads, store_in
from dataplat.plan.layouts import SourceColumn, group_layouts
from dataplat.plan.reads import PartitionTarget, ReadColumn, ReadShape, plan_reads
from dataplat.plan.sql import PhysicalTable
from dataplat.specs import PartitionFormatSpec

FIRST, SECOND = PhysicalTable("shop", "t_1"), PhysicalTable("shop", "t_2")


def column(name: str, kind: str, charset: str | None = None) -> SourceColumn:
    return SourceColumn(name, kind, True, "", charset)


COLUMNS = (
    column("id", "bigint(20)"),
    column("paid", "datetime"),
    column("seen", "timestamp"),
    column("name", "varchar(10)", "gbk"),
    column("note", "text", "utf8mb4"),
    column("raw", "varbinary(20)"),
)


def hazards(*entries: str, policy: str = "refuse") -> list[tuple[str, str]]:
    planned = require_columns(list(entries), subject="t", declared="f")
    kinds = {one.name: one.mysql_type for one in COLUMNS}
    types = [kinds.get(entry.source_column or "", "varchar") for entry in planned]
    found = find_hazards(planned, COLUMNS, types, "refuse" if policy == "refuse" else "null")
    return [(hazard.target, hazard.reason) for hazard in found]


def test_dates_are_hazards_where_zero_dates_are_refused() -> None:
    assert hazards("id", "paid", "seen") == [("paid", "zero date"), ("seen", "zero date")]
    assert hazards("id", "paid", "seen", policy="null") == []


def test_text_is_a_hazard_where_its_bytes_may_be_no_unicode() -> None:
    assert hazards("name", "note") == [("name", "no text of gbk")]
    assert hazards("CAST(raw AS CHAR) AS text", "CONVERT(`raw` USING utf8mb4) AS more") == [
        ("text", "no UTF-8"),
        ("more", "no UTF-8"),
    ]
    assert hazards("CAST(note AS CHAR) AS text", "concat(raw, 'x') AS more", "raw") == []


def test_a_column_that_a_shard_lacks_is_none_there() -> None:
    planned = require_columns(["paid"], subject="t", declared="f")
    assert find_hazards(planned, COLUMNS, [None], "refuse") == ()


def test_only_exact_numbers_are_narrowed() -> None:
    assert can_narrow("decimal(20,0)", "bigint")
    assert can_narrow("int", "tinyint")
    assert not can_narrow("int", "int")
    assert not can_narrow("int", "bigint")
    assert not can_narrow("double", "float")
    assert not can_narrow("timestamp", "date")
    assert not can_narrow("decimal(10,4)", "decimal(10,2)") or can_narrow("decimal(10,4)", "decimal(8,4)")
    condition = narrow_hazard("n", "`n`", "decimal(8,2)").condition
    assert condition == "`n` <> CAST(`n` AS DECIMAL(8,2))"


def test_a_wider_number_fits_only_where_rows_may_be_set_aside() -> None:
    hive, planned = [HiveColumn("id", "int")], [HiveColumn("id", "bigint")]
    assert fit_columns(hive, planned).change.changed != ()
    fit = fit_columns(hive, planned, narrow_wide=True)
    assert (fit.columns[0].hive_type, fit.change.changed) == ("int", ())
    text = fit_columns(hive, [HiveColumn("id", "string")], narrow_wide=True)
    assert text.change.changed != ()


def test_a_narrower_column_is_asked_for_only_where_it_fits_in_every_layout() -> None:
    shape = store_in(_shape({SECOND: ("`id` + 0",)}), [FIRST, SECOND], {"id": "int"})
    assert shape.columns[0].hive == "int"
    assert shape.sent_to(FIRST) == ("IF(`id` NOT BETWEEN -2147483648 AND 2147483647, NULL, `id`)",)
    assert shape.sent_to(SECOND)[0].endswith("AND 2147483647, NULL, `id` + 0)")
    assert [one.reason for one in shape.hazards[SECOND]] == ["does not fit int"]


def test_a_table_without_hazards_is_read_as_ever() -> None:
    shape = _shape({})
    assert store_in(shape, [FIRST], {"id": "bigint"}) == shape
    (read,) = plan_reads(shape, [FIRST], [])
    assert "__dp_dirty" not in read.query
    assert plan_dirty_reads(shape, [FIRST]) == []


def test_shards_without_a_hazard_send_a_typed_null_beside_those_that_have_one() -> None:
    shape = store_in(_shape({}), [FIRST], {"id": "tinyint"})
    (first, second) = plan_reads(shape, [FIRST, SECOND], [])
    assert "CONCAT_WS" in first.query
    assert "CAST(NULL AS CHAR(1)) AS `__dp_dirty`" in second.query
    (dirty,) = plan_dirty_reads(shape, [FIRST, SECOND])
    assert "`t_1`" in dirty.query
    assert "`t_2`" not in dirty.query


def test_shards_in_another_foreign_character_set_are_another_layout() -> None:
    described = {
        FIRST: (column("name", "varchar(9)", "gbk"),),
        SECOND: (column("name", "varchar(9)", "big5"),),
        PhysicalTable("shop", "t_3"): (column("name", "varchar(9)", "utf8mb4"),),
        PhysicalTable("shop", "t_4"): (column("name", "varchar(9)", "utf8mb3"),),
    }
    assert [len(layout.shards) for layout in group_layouts(described)] == [1, 1, 2]


def _shape(layouts: dict[PhysicalTable, tuple[str, ...]]) -> ReadShape:
    return ReadShape(
        columns=(ReadColumn("id", "`id`", "bigint"),),
        partitions=(PartitionTarget("2026-01-01", None, (("ds", "2026-01-01"),)),),
        window_column=None,
        window_is_date=False,
        where=None,
        split_key=None,
        identity=None,
        source_zone="Asia/Shanghai",
        zone="Asia/Shanghai",
        partition_format=PartitionFormatSpec(),
        grain="day",
        layouts=layouts,
    )
