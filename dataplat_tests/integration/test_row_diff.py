"""Planted differences between a real MariaDB and what a real engine shows: found and counted exactly."""

import random
from collections.abc import Iterator

import pytest

from dataplat.demo.every_type import DAY
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.errors import LoadInProgressError, SourceError, VersionError
from dataplat.lifecycle.rollback import rollback_partition
from dataplat.lifecycle.row_diff import RowDiff, diff_partition
from dataplat.lifecycle.stations import RunInfo
from dataplat.plan.row_values import RowDifference
from dataplat.specs import TableSpec
from dataplat_tests.integration.warehouse import Warehouse
from dataplat_tests.services.effort import repetitions

pytestmark = pytest.mark.integration

KEY = f"{DAY}"
ROWS = 3_000
PLANTED = 3  # of each kind
THINGS = """
  id INT NOT NULL PRIMARY KEY,
  name VARCHAR(20),
  amount DECIMAL(12,2),
  paid DATETIME(6),
  at DATETIME NOT NULL,
  KEY (at)
"""


@pytest.fixture(scope="module")
def warehouse(mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("diff")
    house = Warehouse(root, mariadb, uri=f"file://{root}/warehouse")
    try:
        yield house
    finally:
        house.close()


def things(warehouse: Warehouse, name: str, rows: int, columns: str = THINGS) -> None:
    """Make a source table of one day, and a row of the day after, which must never count."""
    warehouse.sql(
        f"CREATE OR REPLACE TABLE shop.{name} ({columns}) CHARSET utf8mb4",
        f"INSERT INTO shop.{name} (id, name, amount, paid, at)"
        f" SELECT seq, CONCAT('Name ', seq), seq / 4, '{DAY} 09:00:00' + INTERVAL seq SECOND,"
        f" '{DAY}' + INTERVAL seq SECOND FROM seq_1_to_{rows}",
        f"INSERT INTO shop.{name} (id, name, at) VALUES ({rows + 1}, 'late', '{DAY}' + INTERVAL 1 DAY)",
        database="shop",
    )


def load(warehouse: Warehouse, name: str, text: str = "", **changes: str) -> TableSpec:
    spec = warehouse.declare(name, text, **changes)
    warehouse.load_one(spec, KEY)
    return spec


def diff(warehouse: Warehouse, spec: TableSpec, limit: int = 1_000) -> RowDiff:
    return diff_partition(warehouse.platform, spec, KEY, limit=limit)


def counts(found: RowDiff) -> tuple[int, int, int]:
    return found.lost, found.extra, found.changed


def by_key(found: RowDiff) -> dict[tuple[str | None, ...], RowDifference]:
    return {tuple(value for _, value in row.key): row for row in found.differences}


def changes(row: RowDifference) -> list[tuple[str, str | None, str | None]]:
    return [(column.column, column.source, column.hive) for column in row.columns]


@pytest.fixture(scope="module")
def planted(warehouse: Warehouse) -> tuple[RowDiff, RowDiff]:
    """What was found before and after some of each kind were planted, in a table of 3,000 rows."""
    things(warehouse, "planted", ROWS)
    touched = iter(range(7, ROWS, 100))
    warehouse.sql(
        *(
            f"UPDATE shop.planted SET name = {name} WHERE id = {next(touched)}"
            for name in ("''", "NULL", "'trailing'", "'trailing '", "'UPPER'", "'upper'")
            for _ in range(PLANTED)
        )
    )
    spec = load(warehouse, "planted")
    before = diff(warehouse, spec)
    touched = iter(range(7, ROWS, 100))
    warehouse.sql(
        *(
            f"UPDATE shop.planted SET {change} WHERE id = {next(touched)}"
            for change in (
                "name = NULL",
                "name = ''",
                "name = 'trailing '",
                "name = 'trailing'",
                "name = 'upper'",
                "name = 'UPPER'",
                "amount = amount + 0.01",
                "paid = paid - INTERVAL 8 HOUR",
                "paid = paid + INTERVAL 1 MICROSECOND",
            )
            for _ in range(PLANTED)
        ),
        f"DELETE FROM shop.planted WHERE id BETWEEN 1501 AND {1500 + PLANTED}",
        *(
            f"INSERT INTO shop.planted (id, name, at) VALUES (-{number}, 'new', '{DAY} 23:59:59')"
            for number in range(1, PLANTED + 1)
        ),
    )
    return before, diff(warehouse, spec)


def test_equal_sides_have_no_difference_and_move_no_row(planted: tuple[RowDiff, RowDiff]) -> None:
    before, _ = planted
    assert before.equal
    assert (before.source_rows, before.hive_rows, before.rows_moved) == (ROWS, ROWS, 0)
    assert before.differences == ()


def test_as_many_differences_are_found_as_were_planted(planted: tuple[RowDiff, RowDiff]) -> None:
    _, after = planted
    assert counts(after) == (PLANTED, PLANTED, 9 * PLANTED)
    assert (after.source_rows, after.hive_rows) == (ROWS, ROWS)
    kinds = [(row.kind, column, *sides) for row in after.differences for column, *sides in changes(row)]
    changed = sorted(kinds, key=repr)
    for difference in (
        ("changed", "name", None, ""),
        ("changed", "name", "", None),
        ("changed", "name", "trailing ", "trailing"),
        ("changed", "name", "trailing", "trailing "),
        ("changed", "name", "upper", "UPPER"),
        ("changed", "name", "UPPER", "upper"),
    ):
        assert changed.count(difference) == PLANTED
    assert len(changed) == 9 * PLANTED
    found = by_key(after)
    assert changes(found["1807",]) == [("amount", "451.76", "451.75")]
    assert changes(found["2107",]) == [("paid", "2026-01-05 01:35:07", "2026-01-05 09:35:07")]
    assert changes(found["2407",]) == [("paid", "2026-01-05 09:40:07.000001", "2026-01-05 09:40:07")]


def test_a_row_that_one_side_lacks_is_named_by_its_key(planted: tuple[RowDiff, RowDiff]) -> None:
    _, after = planted
    lacking = [(row.kind, row.key, row.columns) for row in after.differences if row.kind != "changed"]
    assert sorted(lacking) == sorted(
        [("extra", (("id", f"{1500 + number}"),), ()) for number in range(1, PLANTED + 1)]
        + [("lost", (("id", f"-{number}"),), ()) for number in range(1, PLANTED + 1)]
    )


def test_only_the_rows_of_unequal_chunks_are_moved(planted: tuple[RowDiff, RowDiff]) -> None:
    _, after = planted
    assert 11 * PLANTED < after.rows_moved < 2 * ROWS


def test_a_few_differences_move_a_few_rows_of_a_large_table(warehouse: Warehouse) -> None:
    things(warehouse, "large", 70_000)
    spec = load(warehouse, "large")
    warehouse.sql("UPDATE shop.large SET amount = 0 WHERE id IN (5, 50000)")
    found = diff(warehouse, spec)
    assert counts(found) == (0, 0, 2)
    assert found.rows_moved < 0.05 * 140_000


def test_an_expression_and_a_renamed_key_are_compared_as_they_are_read(warehouse: Warehouse) -> None:
    things(warehouse, "renamed", 10)
    columns = '["id AS order_id", "UPPER(name) AS loud", "ROUND(amount / 3, 3) AS third", at]'
    spec = load(warehouse, "renamed", columns=columns, key="[order_id]", where="id <> 9")
    warehouse.sql(
        "UPDATE shop.renamed SET name = LOWER(name) WHERE id = 3",  # the expression hides it
        "UPDATE shop.renamed SET amount = 3 WHERE id IN (4, 9)",
    )
    found = diff(warehouse, spec)
    assert found.source_rows == 9
    assert {row.key: changes(row) for row in found.differences} == {
        (("order_id", "4"),): [("third", "1.000", "0.333")]
    }


def test_the_primary_key_is_the_key_where_none_is_declared(warehouse: Warehouse) -> None:
    things(warehouse, "undeclared", 10)
    spec = load(warehouse, "undeclared", key="")
    warehouse.sql("UPDATE shop.undeclared SET name = 'x' WHERE id = 3")
    assert {row.key for row in diff(warehouse, spec).differences} == {(("id", "3"),)}


def test_without_a_key_whole_rows_are_compared_and_counted_as_often_as_they_are(
    warehouse: Warehouse,
) -> None:
    things(warehouse, "keyless", 10, THINGS.replace("NOT NULL PRIMARY KEY", ""))
    spec = load(warehouse, "keyless", key="")
    warehouse.sql(
        "INSERT INTO shop.keyless SELECT * FROM shop.keyless WHERE id = 4",
        "INSERT INTO shop.keyless SELECT * FROM shop.keyless WHERE id = 4 LIMIT 1",
        "DELETE FROM shop.keyless WHERE id = 5",
    )
    found = diff(warehouse, spec)
    assert counts(found) == (2, 1, 0)
    assert {row.kind: (row.key, changes(row)[0]) for row in found.differences} == {
        "lost": ((), ("id", "4", None)),
        "extra": ((), ("id", None, "5")),
    }


def test_keys_may_be_composite_null_and_there_twice(warehouse: Warehouse) -> None:
    things(warehouse, "twice", 10, THINGS.replace("NOT NULL PRIMARY KEY", ""))
    warehouse.sql(
        "UPDATE shop.twice SET id = NULL, name = 'null' WHERE id = 1",
        "UPDATE shop.twice SET id = NULL, name = NULL WHERE id = 2",
        "UPDATE shop.twice SET id = NULL, name = '~' WHERE id = 3",
        "INSERT INTO shop.twice SELECT * FROM shop.twice WHERE id = 4",
    )
    spec = load(warehouse, "twice", key="[id, name]")
    assert diff(warehouse, spec).equal
    warehouse.sql(
        "UPDATE shop.twice SET amount = 0.01 WHERE id IS NULL AND name IS NULL",
        "UPDATE shop.twice SET amount = 0.02 WHERE name = '~'",
        "UPDATE shop.twice SET amount = 0.03 WHERE id = 4 LIMIT 1",
        "INSERT INTO shop.twice SELECT * FROM shop.twice WHERE id = 6",
        "INSERT INTO shop.twice VALUES (7, 'NAME 7', 1.75, NULL, '2026-01-05')",
    )
    found = diff(warehouse, spec)
    assert counts(found) == (2, 0, 3)
    assert {row.key: (row.kind, changes(row)) for row in found.differences} == {
        (("id", None), ("name", None)): ("changed", [("amount", "0.01", "0.50")]),
        (("id", None), ("name", "~")): ("changed", [("amount", "0.02", "0.75")]),
        (("id", "4"), ("name", "Name 4")): ("changed", [("amount", "0.03", "1.00")]),
        (("id", "6"), ("name", "Name 6")): ("lost", []),
        (("id", "7"), ("name", "NAME 7")): ("lost", []),
    }


def test_a_row_is_of_its_shard_whatever_columns_the_shard_has(warehouse: Warehouse) -> None:
    for number, columns in enumerate(
        (THINGS, THINGS.replace("12,2", "8,1").replace("INT", "BIGINT"), THINGS)
    ):
        things(warehouse, f"shard_{number}", 10, columns)
    warehouse.sql("ALTER TABLE shop.shard_2 DROP COLUMN paid")
    shards = "{database: shop, shards: {pattern: 'shard\\_%', identity: shard}}"
    spec = load(warehouse, "shards", from_=shards, key="[id]")
    assert (diff(warehouse, spec).source_rows, diff(warehouse, spec).equal) == (30, True)
    warehouse.sql(
        "INSERT INTO shop.shard_1 SELECT 12, name, amount, paid, at FROM shop.shard_0 WHERE id = 3",
        "DELETE FROM shop.shard_0 WHERE id = 3",
        "UPDATE shop.shard_1 SET amount = 9.5 WHERE id = 3",
        "UPDATE shop.shard_2 SET name = NULL WHERE id = 3",
    )
    found = diff(warehouse, spec)
    assert {row.key: (row.kind, changes(row)) for row in found.differences} == {
        (("shard", "shard_1"), ("id", "12")): ("lost", []),
        (("shard", "shard_0"), ("id", "3")): ("extra", []),
        (("shard", "shard_1"), ("id", "3")): ("changed", [("amount", "9.50", "0.80")]),
        (("shard", "shard_2"), ("id", "3")): ("changed", [("name", None, "Name 3")]),
    }
    assert counts(found) == (1, 1, 2)


def test_what_only_one_side_has_is_told_and_a_wider_type_is_no_difference(warehouse: Warehouse) -> None:
    things(warehouse, "evolved", 10)
    spec = load(warehouse, "evolved")
    session = warehouse.platform.engine().session()
    session.sql("ALTER TABLE ods.evolved ADD COLUMNS (gone STRING)").collect()
    warehouse.sql(
        "ALTER TABLE shop.evolved ADD COLUMN fresh INT DEFAULT 5, MODIFY amount DECIMAL(14,4)",
        "UPDATE shop.evolved SET amount = amount + 0.0001 WHERE id = 8",
    )
    found = diff(warehouse, spec)
    assert found.not_compared == ("fresh is not in Hive", "gone is only in Hive")
    assert [changes(row) for row in found.differences] == [[("amount", "2.0001", "2.0000")]]


def test_a_snapshot_is_compared_with_its_source_as_it_is_now(warehouse: Warehouse) -> None:
    things(warehouse, "snapshot", 10)
    spec = load(warehouse, "snapshot", load="snapshot", window="{grain: day, start: 2026-01-01}")
    warehouse.sql("UPDATE shop.snapshot SET name = 'x' WHERE id = 11")  # of another day
    found = diff(warehouse, spec)
    assert (found.source_rows, counts(found)) == (11, (0, 0, 1))


def test_rows_in_the_quarantine_are_neither_lost_nor_changed(warehouse: Warehouse) -> None:
    things(warehouse, "dirty", 10)
    warehouse.sql("SET sql_mode = ''", "UPDATE shop.dirty SET paid = '0000-00-00' WHERE id IN (3, 4)")
    policy = {"types": "{zero_dates: refuse}", "dirty_rows": "{at_most: 5}"}
    spec = load(warehouse, "dirty", **policy)
    found = diff(warehouse, spec)
    assert (found.equal, found.source_rows, found.hive_rows) == (True, 8, 8)
    assert found.not_compared == ("rows at the source that go to the quarantine",)


def test_long_texts_are_compared_to_their_last_byte_and_shown_in_short(warehouse: Warehouse) -> None:
    things(warehouse, "long_texts", 3, THINGS.replace("VARCHAR(20)", "LONGTEXT"))
    warehouse.sql("UPDATE shop.long_texts SET name = CONCAT(REPEAT('长', 100000), 'a') WHERE id = 2")
    spec = load(warehouse, "long_texts")
    warehouse.sql("UPDATE shop.long_texts SET name = CONCAT(REPEAT('长', 100000), 'b') WHERE id = 2")
    (row,) = diff(warehouse, spec).differences
    ((column, source, hive),) = changes(row)
    assert (column, source and source[:202]) == ("name", "长" * 200 + "… ")
    assert source != hive
    assert source is not None
    assert "(300,001 bytes, MD5 " in source


def test_the_limit_is_of_what_is_shown_and_never_of_what_is_counted(warehouse: Warehouse) -> None:
    things(warehouse, "limited", 100)
    spec = load(warehouse, "limited")
    warehouse.sql(
        "UPDATE shop.limited SET name = 'x' WHERE id < 51", "DELETE FROM shop.limited WHERE id > 90"
    )
    found = diff(warehouse, spec, limit=4)
    assert counts(found) == (0, 10, 50)
    assert sorted(row.kind for row in found.differences) == ["changed", "changed", "extra", "extra"]
    assert diff(warehouse, spec, limit=0).differences == ()


@pytest.mark.parametrize("seed", range(repetitions(2)))
def test_whatever_happens_at_the_source_is_counted_exactly(warehouse: Warehouse, seed: int) -> None:
    draw = random.Random(seed)
    name, rows = f"random_{seed}", draw.randint(0, 800)
    things(warehouse, name, rows + 1)
    spec = load(warehouse, name)
    touched = draw.sample(range(1, rows + 1), draw.randint(0, rows))
    kinds = {number: draw.choice(["lost", "extra", "changed", "away", "same"]) for number in touched}
    sql = {
        "lost": f"INSERT INTO shop.{name} SELECT -id, name, 1, paid, at FROM shop.{name} WHERE id = {{}}",
        "extra": f"DELETE FROM shop.{name} WHERE id = {{}}",
        "changed": f"UPDATE shop.{name} SET amount = -1 WHERE id = {{}}",
        "away": f"UPDATE shop.{name} SET at = at + INTERVAL 1 DAY WHERE id = {{}}",
        "same": f"UPDATE shop.{name} SET at = at WHERE id = {{}}",
    }
    warehouse.sql("DO 0", *(sql[kind].format(number) for number, kind in kinds.items()))
    planted = list(kinds.values())
    found = diff(warehouse, spec)
    expected = (
        planted.count("lost"),
        planted.count("extra") + planted.count("away"),
        planted.count("changed"),
    )
    assert counts(found) == expected
    named = {f"{-number if kind == 'lost' else number}" for number, kind in kinds.items() if kind != "same"}
    assert {key for (key,) in by_key(found)} == named


def test_a_large_table_without_an_index_is_not_scanned_unasked(warehouse: Warehouse) -> None:
    things(warehouse, "scanned", 100, THINGS.replace(",\n  KEY (at)", ""))
    warehouse.sql("ANALYZE TABLE shop.scanned")
    load(warehouse, "scanned")
    warehouse.write_source("careful", budget="{connections: 2, full_scan_rows: 50}")
    spec = warehouse.declare("scanned", source="careful")
    with pytest.raises(SourceError) as refused:
        diff(warehouse, spec)
    assert refused.value.problem == "the whole of a large table would be read at the source"
    assert diff(warehouse, warehouse.declare("scanned", source="careful", allow_full_scan="true")).equal


def test_a_partition_that_is_not_published_is_a_message(warehouse: Warehouse) -> None:
    things(warehouse, "unpublished", 3)
    spec = warehouse.declare("unpublished")
    with pytest.raises(VersionError) as refused:
        diff(warehouse, spec)
    assert str(refused.value) == (
        "ods.unpublished[2026-01-05]: the partition is not published\n"
        "  found      the metastore has no such table\n"
        f"  declared   {spec.declared.at('table')}\n"
        "  effect     nothing can be read from it\n"
        "  next       dataplat load ods.unpublished --date 2026-01-05   or"
        "   dataplat ledger ods.unpublished 2026-01-05"
    )


def test_a_version_that_is_published_meanwhile_ends_the_comparison(warehouse: Warehouse) -> None:
    things(warehouse, "reloaded", 3)
    spec = load(warehouse, "reloaded")
    warehouse.load_one(spec, KEY)

    def go_back(*_: object) -> None:
        rollback_partition(warehouse.platform, spec, KEY, None, RunInfo("test-run", "tests", "pytest"))

    with pytest.raises(LoadInProgressError) as ended:
        diff_partition(warehouse.platform, spec, KEY, limit=1, listen=go_back)
    assert str(ended.value) == (
        "ods.reloaded[2026-01-05]: the partition was published again while it was compared\n"
        "  effect   nothing is known of either version\n"
        "  next     dataplat diff ods.reloaded 2026-01-05"
    )
