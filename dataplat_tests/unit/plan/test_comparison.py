"""What both sides are asked, whole: the same rows, the same columns, the same texts."""

from dataplat.plan.checksums import ComparedColumn, Form
from dataplat.plan.comparison import plan_comparison, source_checksums, spark_checksums
from dataplat.plan.ddl import HiveColumn
from dataplat.plan.dirty import Hazard
from dataplat.plan.reads import ReadColumn
from dataplat.plan.sql import PhysicalTable
from dataplat_tests.unit.plan.shapes import ORDERS, shape

COLUMNS = (ReadColumn("order_id", "`Id`", "int"), ReadColumn("name", "`name`", "string"))
TYPES = ("int(11)", "varchar(20)")
HIVE = (HiveColumn("order_id", "int"), HiveColumn("name", "string"))
ID, NAME = ComparedColumn("order_id", "`Id`", Form("integer")), ComparedColumn("name", "`name`", Form("text"))
SHARD = ComparedColumn("shard", "", Form("text"))
ROW = (
    "CONCAT_WS(',', COALESCE(CAST((`Id`) + 0 AS CHAR), '~'), COALESCE(CONCAT(LENGTH(CONVERT(`name` USING"
    " utf8mb4)), ':', CONVERT(`name` USING utf8mb4)), '~'))"
)
HASH = f"CAST(CONV(LEFT(MD5({ROW}), 15), 16, 10) AS UNSIGNED)"


def test_a_key_is_found_by_the_name_of_either_side() -> None:
    at = shape("2026-01-01", columns=COLUMNS)
    for name in ("order_id", "ID"):
        assert plan_comparison(at, TYPES, HIVE, [name]).key == (ID,)


def test_without_all_columns_of_its_key_a_table_has_none() -> None:
    at = shape("2026-01-01", columns=COLUMNS)
    assert plan_comparison(at, TYPES, HIVE, []).key == ()
    assert plan_comparison(at, TYPES, HIVE, ["id", "line"]).key == ()


def test_the_physical_table_of_a_row_belongs_to_its_key() -> None:
    at = shape("2026-01-01", columns=COLUMNS, identity="shard")
    planned = plan_comparison(at, TYPES, (*HIVE, HiveColumn("shard", "string")), ["id"])
    assert planned.columns == (ID, NAME, SHARD)
    assert planned.key == (SHARD, ID)
    assert planned.sent_to(PhysicalTable("shop", "t_'1"), planned.key) == ["'t_''1'", "`Id`"]


def test_what_only_one_side_has_is_not_compared_and_told() -> None:
    at = shape("2026-01-01", columns=COLUMNS, identity="shard")
    planned = plan_comparison(at, TYPES, (HIVE[0], HiveColumn("gone", "date")), ["id"])
    assert planned.columns == planned.key == (ID,)
    assert planned.not_compared == ("name is not in Hive", "shard is not in Hive", "gone is only in Hive")


def test_a_shard_that_is_laid_out_otherwise_is_asked_in_its_own_words() -> None:
    other = PhysicalTable("shop", "t_other")
    at = shape("2026-01-01", columns=COLUMNS, layouts={other: ("`Id`", "CAST(NULL AS CHAR(1))")})
    planned = plan_comparison(at, TYPES, HIVE, ["id"])
    assert planned.sent_to(ORDERS, planned.columns) == ["`Id`", "`name`"]
    assert planned.sent_to(other, planned.columns) == ["`Id`", "CAST(NULL AS CHAR(1))"]


def test_rows_that_a_load_sets_aside_are_left_out_and_told() -> None:
    hazard = Hazard("name", "no text of gbk", "`name` <> x", "HEX(`name`)")
    at = shape("2026-01-01", columns=COLUMNS, window_column=None, hazards={ORDERS: (hazard,)})
    planned = plan_comparison(at, TYPES, HIVE, ["id"])
    assert planned.not_compared == ("rows at the source that go to the quarantine",)
    other = PhysicalTable("shop", "t_clean")
    ((_, query),) = source_checksums(planned, [ORDERS, other])
    reasons = "NULLIF(CONCAT_WS('; ', IF(`name` <> x, 'name: no text of gbk', NULL)), '')"
    assert query.split("\nUNION ALL\n") == [
        f"SELECT 0, COUNT(*), SUM({HASH}) FROM `shop`.`t_order` WHERE {reasons} IS NULL",
        f"SELECT 0, COUNT(*), SUM({HASH}) FROM `shop`.`t_clean`",
    ]


def test_one_query_asks_for_the_checksums_of_all_partitions_and_shards() -> None:
    at = shape("2026-01-01", "2026-01-02", columns=COLUMNS, where="deleted = 0 OR 1")
    planned = plan_comparison(at, TYPES, HIVE, ["id"])
    ((source, query),) = source_checksums(planned, [ORDERS])
    assert source == ""
    assert query == (
        f"SELECT 0, COUNT(*), SUM({HASH}) FROM `shop`.`t_order`"
        " WHERE (`at` >= '2026-01-01 00:00:00' AND `at` < '2026-01-02 00:00:00') AND (deleted = 0 OR 1)\n"
        "UNION ALL\n"
        f"SELECT 1, COUNT(*), SUM({HASH}) FROM `shop`.`t_order`"
        " WHERE (`at` >= '2026-01-02 00:00:00' AND `at` < '2026-01-03 00:00:00') AND (deleted = 0 OR 1)"
    )


def test_a_snapshot_is_asked_for_once_and_many_shards_in_few_queries() -> None:
    at = shape("2026-01-01", "2026-01-02", columns=COLUMNS, window_column=None)
    planned = plan_comparison(at, TYPES, HIVE, ["id"])
    query = f"SELECT 0, COUNT(*), SUM({HASH}) FROM `shop`.`t_order`"
    assert source_checksums(planned, [ORDERS]) == [("", query)]
    shards = [PhysicalTable("shop", f"t_{number}", f"s{number % 2}") for number in range(201)]
    asked = [(source, query.count("SELECT")) for source, query in source_checksums(planned, shards)]
    assert asked == [("s0", 100), ("s0", 1), ("s1", 100)]


def test_hive_is_asked_in_one_query_too() -> None:
    planned = plan_comparison(shape("2026-01-01", "2026-01-02", columns=COLUMNS[:1]), TYPES[:1], HIVE[:1], [])
    row = "concat_ws(',', IF(`order_id` IS NULL, '~', CAST(`order_id` AS STRING)))"
    hashed = f"CAST(conv(substring(md5(CAST({row} AS BINARY)), 1, 15), 16, 10) AS DECIMAL(20,0))"
    assert spark_checksums(planned, "`rows`") == (
        "SELECT `ds`, count(1), sum(__dp_hash)"
        f" FROM (SELECT `ds`, {hashed} AS __dp_hash FROM `rows`) GROUP BY `ds`"
    )
