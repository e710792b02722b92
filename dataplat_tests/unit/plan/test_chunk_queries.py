"""What both sides are asked about chunks, whole."""

import zlib

from dataplat.plan.checksums import source_hash, spark_hash, spark_row
from dataplat.plan.chunk_queries import ChunkQueries
from dataplat.plan.comparison import Comparison, plan_comparison
from dataplat.plan.ddl import HiveColumn
from dataplat.plan.reads import ReadColumn
from dataplat.plan.row_chunks import ALL_ROWS, Chunks, Step
from dataplat.plan.sql import PhysicalTable
from dataplat_tests.unit.plan.shapes import ORDERS, ZONE, shape

COLUMNS = (ReadColumn("id", "`Id`", "int"), ReadColumn("note", "`note`", "string"))
WINDOW = "(`at` >= '2026-01-01 00:00:00' AND `at` < '2026-01-02 00:00:00')"
KEY = "CONCAT_WS(',', COALESCE(CAST((`Id`) + 0 AS CHAR), '~'))"
IN_HIVE = "concat_ws(',', IF(`id` IS NULL, '~', CAST(`id` AS STRING)))"


def planned(*key: str) -> Comparison:
    hive = [HiveColumn("id", "int"), HiveColumn("note", "string")]
    return plan_comparison(shape("2026-01-01", columns=COLUMNS), ("int", "text"), hive, key)


def row(comparison: Comparison) -> tuple[str, str]:
    assert comparison.zone.key == ZONE
    at_source = comparison.source_row(ORDERS, comparison.columns)
    return source_hash(at_source), spark_hash(spark_row(comparison.columns, comparison.zone))


def test_chunks_are_counted_where_the_rows_are() -> None:
    queries = ChunkQueries(planned("id"), [ORDERS], "`rows`")
    at_source, in_hive = row(planned("id"))
    assert queries.source_chunks(Step(ALL_ROWS, 6)) == [
        (
            "",
            (
                "SELECT c, COUNT(*), SUM(h) FROM (\n"
                f"SELECT CRC32({KEY}) & 63 AS c, {at_source} AS h FROM `shop`.`t_order` WHERE {WINDOW}\n"
                ") AS dataplat_rows GROUP BY c"
            ),
        )
    ]
    assert queries.hive_chunks(Step(ALL_ROWS, 6)) == (
        "SELECT c, count(1), sum(h) FROM"
        f" (SELECT crc32({IN_HIVE}) & 63 AS c, {in_hive} AS h FROM `rows`) GROUP BY c"
    )


def test_rows_of_some_chunks_come_with_key_and_hash_and_equal_ones_once() -> None:
    queries = ChunkQueries(planned("id"), [ORDERS], "`rows`")
    at_source, in_hive = row(planned("id"))
    ((_, query),) = queries.source_rows(Chunks(6, (3, 5)))
    assert query == (
        "SELECT MIN(k), h, COUNT(*) FROM (\n"
        f"SELECT CAST({KEY} AS BINARY) AS k, {at_source} AS h FROM `shop`.`t_order`"
        f" WHERE {WINDOW} AND (CRC32({KEY}) & 63) IN (3, 5)\n"
        ") AS dataplat_rows GROUP BY h"
    )
    assert queries.hive_rows(Chunks(6, (3, 5))) == (
        f"SELECT min(k), h, count(1) FROM (SELECT CAST({IN_HIVE} AS BINARY) AS k, {in_hive} AS h FROM `rows`"
        f" WHERE (crc32({IN_HIVE}) & 63) IN (3, 5)) GROUP BY h"
    )


def test_columns_are_fetched_of_the_rows_with_these_keys_and_hashes() -> None:
    queries = ChunkQueries(planned("id"), [ORDERS], "`rows`")
    at_source, in_hive = row(planned("id"))
    checksum = zlib.crc32(b"17")
    ((_, query),) = queries.source_columns([b"17", b"17"], [1, 2])
    text = "CONVERT(`note` USING utf8mb4)"
    assert query == (
        "SELECT h, MIN(v0), MIN(v1), MIN(v2), MIN(v3) FROM (\n"
        f"SELECT {at_source} AS h, CAST((`Id`) + 0 AS CHAR) AS v0, NULL AS v1,"
        f" MD5({text}) AS v2, CONCAT(LENGTH({text}), ':', LEFT({text}, 200)) AS v3"
        f" FROM `shop`.`t_order` WHERE {WINDOW} AND (CRC32({KEY}) & 4294967295) IN ({checksum})\n"
        ") AS dataplat_rows WHERE h IN (1, 2) GROUP BY h"
    )
    assert queries.hive_columns([b"17"], [1]) == (
        "SELECT h, MIN(v0), MIN(v1), MIN(v2), MIN(v3) FROM ("
        f"SELECT {in_hive} AS h, CAST(`id` AS STRING) AS v0, CAST(NULL AS STRING) AS v1,"
        " md5(CAST(`note` AS BINARY)) AS v2, concat(octet_length(`note`), ':', left(`note`, 200)) AS v3"
        f" FROM `rows` WHERE (crc32({IN_HIVE}) & 4294967295) IN ({checksum})) WHERE h IN (1) GROUP BY h"
    )


def test_without_a_key_a_row_is_named_by_the_digest_of_all_its_columns() -> None:
    comparison = planned()
    queries = ChunkQueries(comparison, [ORDERS], "`rows`")
    whole = f"MD5({comparison.source_row(ORDERS, comparison.columns)})"
    assert f"CRC32({whole}) & 1 AS c" in queries.source_chunks(Step(ALL_ROWS, 1))[0][1]
    in_hive = f"md5(CAST({spark_row(comparison.columns, comparison.zone)} AS BINARY))"
    assert f"CAST({in_hive} AS BINARY) AS k" in queries.hive_rows(Chunks(1, (0,)))


def test_the_shards_of_an_instance_are_asked_together() -> None:
    shards = [PhysicalTable("shop", f"t_{number}", f"s{number % 2}") for number in range(5)]
    asked = ChunkQueries(planned("id"), shards, "`rows`").source_chunks(Step(ALL_ROWS, 1))
    assert [(source, query.count("UNION ALL")) for source, query in asked] == [("s0", 2), ("s1", 1)]
