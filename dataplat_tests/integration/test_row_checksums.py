"""The text of every value, by MariaDB and by Spark: the same for all types, or a checksum is worthless."""

import random
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from dataplat.demo.every_type import COLUMNS, DAY, EDGE_ROWS, fill_every_type
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.lifecycle.compared_table import ComparedTable
from dataplat.lifecycle.row_diff import diff_partition
from dataplat.plan.checksums import Checksum, Form, source_text, spark_text
from dataplat.plan.ddl import quote_identifier
from dataplat_tests.integration.warehouse import Warehouse

pytestmark = pytest.mark.integration

# By column and id, the text of the value at the source and in Hive.
Texts = dict[str, dict[int, tuple[str | None, str | None]]]

ROWS = 240
TABLE = "t_every_type"
NEVER_A_DATE = "c_date_partial"  # every value of it becomes NULL


@pytest.fixture(scope="module")
def warehouse(mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("checksums")
    house = Warehouse(root, mariadb, uri=f"file://{root}/warehouse")
    try:
        yield house
    finally:
        house.close()


@pytest.fixture(scope="module")
def every_type(warehouse: Warehouse) -> ComparedTable:
    fill_every_type(warehouse.mariadb.connect, f"shop.{TABLE}", rows=ROWS)
    spec = warehouse.declare(TABLE, window=f"{{column: update_time, grain: day, start: {DAY}}}")
    warehouse.load_one(spec, f"{DAY}")
    return ComparedTable(warehouse.platform, spec, [f"{DAY}"])


@pytest.fixture(scope="module")
def texts(every_type: ComparedTable) -> Texts:
    return texts_of(every_type)


def texts_of(table: ComparedTable) -> Texts:
    compared, zone = table.comparison.columns, table.comparison.zone
    at_source = ", ".join(source_text(column.form, column.sql, zone) for column in compared)
    in_hive = ", ".join(spark_text(column.form, quote_identifier(column.name), zone) for column in compared)
    (shard,) = table.survey.shards
    with table.open_source() as connections, table.open_hive("test") as rows:
        found = connections.to(shard).rows(f"SELECT id, {at_source} FROM {shard.sql}")
        source = {row[0]: row[1:] for row in found}
        hive = {int(row[0]): row[1:] for row in rows.ask(f"SELECT id, {in_hive} FROM {rows.name}", "test")}
    return {
        column.name: {row: (source[row][place], hive[row][place]) for row in source}
        for place, column in enumerate(compared)
    }


def unlike(texts: dict[int, tuple[str | None, str | None]]) -> dict[int, tuple[str | None, str | None]]:
    return {row: pair for row, pair in texts.items() if pair[0] != pair[1]}


@pytest.mark.parametrize("name", ["id", *(column.name for column in COLUMNS), "update_time"])
def test_both_servers_write_every_value_of_a_type_alike(texts: Texts, name: str) -> None:
    assert unlike(texts[name]) == {}
    assert len(texts[name]) == ROWS


def test_the_checksum_of_every_type_is_the_same_on_both_sides(every_type: ComparedTable) -> None:
    found = every_type.source_checksums()
    assert found == every_type.hive_checksums()
    assert found[f"{DAY}"].rows == ROWS
    assert found[f"{DAY}"] != Checksum(ROWS, 0)


def test_values_that_no_other_test_holds_are_written_alike(warehouse: Warehouse) -> None:
    numbers = random.Random(7)
    doubles = [numbers.uniform(-1, 1) * 2.0 ** numbers.randint(-1000, 1000) for _ in range(200)]
    times = ["1582-10-10 12:00:00.5", "1582-10-04 23:59:59", "0001-01-01 00:00:00", "1986-05-04 02:59:59.9"]
    warehouse.sql(
        "CREATE OR REPLACE TABLE shop.t_odd (id INT PRIMARY KEY, f FLOAT, d DOUBLE,"
        " n DECIMAL(30,12) ZEROFILL, a VARCHAR(9) COLLATE utf8mb4_bin,"
        " b VARCHAR(9) COLLATE utf8mb4_unicode_ci, t DATETIME(6), at DATETIME NOT NULL)",
        *(
            f"INSERT INTO shop.t_odd VALUES ({number}, {value:.8g} / 1e300, {value!r}, {abs(value)!r} % 1e9,"
            f" 'a,{number}', 'é ~', '{times[number % 4]}', '{DAY}')"
            for number, value in enumerate([*doubles, 5e-324, -5e-324, 0.0, -0.0, 2e23, 4.35])
        ),
    )
    spec = warehouse.declare("t_odd")
    warehouse.load_one(spec, f"{DAY}")
    texts = texts_of(ComparedTable(warehouse.platform, spec, [f"{DAY}"]))
    assert {name: unlike(column) for name, column in texts.items()} == {name: {} for name in texts}
    assert len(set(texts["d"].values())) == len(doubles) + 5  # -0 is 0


def test_the_second_pass_of_an_hour_is_another_time_than_the_first(warehouse: Warehouse) -> None:
    text = spark_text(Form("timestamp"), "at", ZoneInfo("America/New_York"))
    passes = "VALUES (TIMESTAMP'2026-11-01T05:30:00Z'), (TIMESTAMP'2026-11-01T06:30:00Z') AS t(at)"
    session = warehouse.platform.engine().session()
    found = [row[0] for row in session.sql(f"SELECT {text} FROM {passes} ORDER BY at").collect()]
    assert found == ["1793496600000000", "1793496600000000+"]


def test_a_planted_difference_of_each_type_is_found_in_its_column(
    warehouse: Warehouse, every_type: ComparedTable
) -> None:
    equal = diff_partition(warehouse.platform, every_type.spec, f"{DAY}", limit=1)
    assert (equal.equal, equal.source_rows, equal.rows_moved) == (True, ROWS, 0)

    names = [column.name for column in COLUMNS if column.name != NEVER_A_DATE]
    table = f"shop.{TABLE}"
    for row, name in enumerate(names, 2):
        here = f"SELECT HEX(`{name}`) FROM {table} WHERE id = {row}"
        others = f"`{name}` IS NOT NULL AND NOT HEX(`{name}`) <=> ({here}) AND id > {EDGE_ROWS}"
        value = f"SELECT `{name}` FROM {table} WHERE {others} ORDER BY id LIMIT 1"
        warehouse.sql(f"UPDATE {table} SET `{name}` = ({value}) WHERE id = {row}")
    warehouse.sql(*(f"UPDATE {table} SET `{name}` = NULL WHERE id = {ROWS}" for name in names))
    found = diff_partition(warehouse.platform, every_type.spec, f"{DAY}", limit=1_000)
    fill_every_type(warehouse.mariadb.connect, table, rows=ROWS)

    by_id = {int(row.key[0][1] or 0): row.columns for row in found.differences}
    emptied = by_id.pop(ROWS)
    assert {row: [column.column for column in columns] for row, columns in by_id.items()} == {
        row: [name] for row, name in enumerate(names, 2)
    }
    assert (found.lost, found.extra, found.changed) == (0, 0, len(names) + 1)
    assert all(column.source is None and column.hive is not None for column in emptied)
    assert len(emptied) > len(names) - 5  # a few were NULL before
