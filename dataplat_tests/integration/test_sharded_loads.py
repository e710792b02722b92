"""Sharded tables through a whole load: what lacks a shard is never read, and shards are counted apart."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pymysql.cursors import Cursor

from dataplat.audit.outcome import ALIKE, SHARDS
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.errors import SourceError, SourceUnavailableError
from dataplat.ledger import Hop, VersionState
from dataplat_tests.integration.warehouse import DATABASE, Warehouse, outcomes, verdicts
from dataplat_tests.services.process import DIES_WITH_US

pytestmark = pytest.mark.integration

DAYS = ("2026-01-01", "2026-01-02")


@pytest.fixture(scope="module")
def warehouse(mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("shards")
    opened = Warehouse(root, mariadb, uri=f"file://{root}/home/warehouse")
    yield opened
    opened.close()


def pattern(name: str, more: str = "") -> str:
    return f"{{database: {DATABASE}, shards: {{pattern: '{name}\\_%', identity: shard{more}}}}}"


def test_one_of_64_shards_that_is_dropped_blocks_its_days_and_nothing_else(warehouse: Warehouse) -> None:
    names = [f"wide_{number:02}" for number in range(64)]
    for number, name in enumerate(names):
        warehouse.orders(name, [(number, DAYS[0])])
    spec = warehouse.declare("wide", from_=pattern("wide", ", expect: history"))
    warehouse.load(spec, DAYS[0])
    before = dict(warehouse.reader.locations(spec.table))
    warehouse.sql(f"DROP TABLE {DATABASE}.wide_17")

    (report,) = warehouse.load(spec, *DAYS)

    assert verdicts([report]) == dict.fromkeys(DAYS, "rejected")
    assert [outcomes(item) for item in report.partitions] == [{SHARDS: False}] * 2
    assert report.partitions[0].outcomes[0].message == (
        f"missing 1 of 64 (history: {DAYS[0]} itself): {DATABASE}.wide_17"
    )
    assert report.sql == ()
    assert dict(warehouse.reader.locations(spec.table)) == before
    (rejected, _) = warehouse.platform.ledger.history(spec.table, DAYS[0])
    assert rejected.state is VersionState.REJECTED
    warehouse.orders("another", [(1, DAYS[0])])
    assert verdicts(warehouse.load(warehouse.declare("another"), DAYS[0])) == {DAYS[0]: "published"}


def test_each_shard_is_in_the_balance_and_an_empty_one_is_remembered(warehouse: Warehouse) -> None:
    for number, rows in enumerate([[(1, DAYS[0]), (2, DAYS[0])], [(3, DAYS[1])], []]):
        warehouse.orders(f"bal_{number}", rows)
    spec = warehouse.declare("bal", from_=pattern("bal", ", expect: history"))

    (report,) = warehouse.load(spec, *DAYS)

    assert outcomes(report.partitions[0])[SHARDS] is True
    for day, rows in zip(DAYS, ([2, 0, 0], [0, 1, 0]), strict=True):
        hops = warehouse.platform.ledger.hops(spec.table, day)
        for hop in (Hop.SOURCE_BEFORE, Hop.SOURCE_AFTER):
            counted = {count.shard: count.rows for count in hops if count.hop == hop}
            assert counted == {"": sum(rows)} | {
                f"{DATABASE}.bal_{number}": count for number, count in enumerate(rows)
            }


def test_shards_of_two_databases_with_the_same_names_are_read_apart(warehouse: Warehouse) -> None:
    warehouse.sql("DROP DATABASE IF EXISTS shop_two", "CREATE DATABASE shop_two")
    warehouse.orders("twin_0", [(1, DAYS[0])])
    warehouse.sql("CREATE TABLE shop_two.twin_0 AS SELECT id + 10 AS id, name, amount, at FROM shop.twin_0")
    spec = warehouse.declare(
        "twin",
        from_=f"{{databases: [{DATABASE}, shop_two], shards: {{pattern: 'twin\\_%', identity: shard}}}}",
    )

    assert verdicts(warehouse.load(spec, DAYS[0])) == {DAYS[0]: "published"}

    read = warehouse.reader.read(spec.table, f"ds={DAYS[0]}")
    assert read.values("id", "shard") == [(1, f"{DATABASE}.twin_0"), (11, "shop_two.twin_0")]


def test_a_shard_of_midnight_with_one_column_more_is_loaded_and_reported(warehouse: Warehouse) -> None:
    warehouse.orders("grow_1", [(1, DAYS[0]), (2, DAYS[1])])
    spec = warehouse.declare("grow", from_=pattern("grow"))
    warehouse.load(spec, DAYS[0])
    warehouse.sql(
        f"CREATE TABLE {DATABASE}.grow_2 (at DATETIME(6) NOT NULL, note CHAR(5), paid DATETIME, id INT,"
        " amount DECIMAL(10,2), name CHAR(9), KEY (at))",
        f"INSERT INTO {DATABASE}.grow_2 VALUES ('{DAYS[1]}', 'ab', '{DAYS[1]} 08:00:00', 3, 7.5, 'x')",
    )

    (report,) = warehouse.load(spec, DAYS[1])

    (item,) = report.partitions
    assert str(item.verdict) == "published"
    (alike,) = (outcome for outcome in item.outcomes if outcome.check == ALIKE)
    assert (alike.passed, alike.severity) == (False, "warn")
    assert "note is not in grow_1" in alike.message
    read = warehouse.reader.read(spec.table, f"ds={DAYS[1]}")
    assert sorted(read.values("id", "name", "note", "shard")) == [
        (2, "名2", None, "grow_1"),
        (3, "x", "ab", "grow_2"),
    ]
    count = f"SELECT count(*), count(note), count(paid), sum(amount) FROM {spec.table}"
    (row,) = warehouse.platform.engine().session().sql(count).collect()
    assert (row[0], row[1], row[2], str(row[3])) == (3, 1, 1, "11.00")


def test_every_kind_of_column_may_be_missing_in_a_shard(warehouse: Warehouse) -> None:
    kinds = {
        "a_int": "INT",
        "a_big": "BIGINT UNSIGNED",
        "a_dec": "DECIMAL(30,10)",
        "a_dbl": "DOUBLE",
        "a_flt": "FLOAT",
        "a_bit": "BIT(1)",
        "a_txt": "TEXT",
        "a_chr": "CHAR(3)",
        "a_bin": "BLOB",
        "a_day": "DATE",
        "a_ts": "TIMESTAMP NULL",
        "a_time": "TIME",
        "a_year": "YEAR",
    }
    declared = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    warehouse.sql(
        f"CREATE TABLE {DATABASE}.lack_1 (id INT PRIMARY KEY, at DATETIME)",
        f"CREATE TABLE {DATABASE}.lack_2 (id INT PRIMARY KEY, at DATETIME, {declared})",
        f"INSERT INTO {DATABASE}.lack_1 VALUES (1, '{DAYS[0]}')",
        f"INSERT INTO {DATABASE}.lack_2 VALUES (2, '{DAYS[0]}', 1, 18446744073709551615, 1.5, 1.5, 1.5, 1,"
        f" 't', 'c', x'00', '{DAYS[0]}', '{DAYS[0]}', '10:00:00', 2026)",
    )
    spec = warehouse.declare("lack", from_=pattern("lack"))

    assert verdicts(warehouse.load(spec, DAYS[0])) == {DAYS[0]: "published"}

    read = warehouse.reader.read(spec.table, f"ds={DAYS[0]}")
    by_id = {row[read.columns.index("id")]: dict(zip(read.columns, row, strict=True)) for row in read.rows}
    assert {name for name in kinds if by_id[1][name] is not None} == set()
    assert {name for name in kinds if by_id[2][name] is None} == set()
    assert (by_id[2]["a_big"], by_id[2]["a_bit"], by_id[2]["a_year"]) == (18446744073709551615, True, 2026)


def test_shards_that_differ_are_not_read_where_the_table_refuses(warehouse: Warehouse) -> None:
    warehouse.orders("strict_1", [(1, DAYS[0])])
    warehouse.sql(f"CREATE TABLE {DATABASE}.strict_2 (id INT, at DATETIME)")
    spec = warehouse.declare("strict", from_=pattern("strict", ", drift: refuse"))

    (report,) = warehouse.load(spec, DAYS[0])

    assert outcomes(report.partitions[0]) == {ALIKE: False}
    assert report.sql == ()


def test_a_day_whose_shards_are_narrower_is_loaded_again_after_the_table_grew(warehouse: Warehouse) -> None:
    warehouse.sql(
        f"CREATE TABLE {DATABASE}.old_2026_01 (id INT, at DATETIME)",
        f"CREATE TABLE {DATABASE}.old_2026_02 (id BIGINT, at DATETIME, note TEXT)",
        f"INSERT INTO {DATABASE}.old_2026_01 VALUES (1, '2026-01-31')",
        f"INSERT INTO {DATABASE}.old_2026_02 VALUES (5000000000, '2026-02-01', 'x')",
    )
    found = (
        "SELECT table_name FROM information_schema.tables"
        f" WHERE table_schema='{DATABASE}' AND table_name LIKE 'old_$[yyyy_MM]'"
    )
    spec = warehouse.declare("old", from_=f'{{database: {DATABASE}, shards: {{discover: ["{found}"]}}}}')

    assert verdicts(warehouse.load(spec, "2026-02-01")) == {"2026-02-01": "published"}
    assert verdicts(warehouse.load(spec, "2026-01-31")) == {"2026-01-31": "published"}

    session = warehouse.platform.engine().session()
    rows = session.sql(f"SELECT id, note, ds FROM {spec.table} ORDER BY ds").collect()
    assert [tuple(row) for row in rows] == [(1, None, "2026-01-31"), (5000000000, "x", "2026-02-01")]


def test_a_source_that_became_narrower_is_written_in_the_type_of_the_table(warehouse: Warehouse) -> None:
    table = warehouse.orders("narrow", [(1, DAYS[0])])
    spec = warehouse.declare("narrow")
    warehouse.load_one(spec, DAYS[0])
    warehouse.sql(f"ALTER TABLE {table} MODIFY id INT NOT NULL, MODIFY amount DECIMAL(8,1)")
    warehouse.add_orders(table, [(2, DAYS[1])])

    assert verdicts(warehouse.load(spec, DAYS[1])) == {DAYS[1]: "published"}

    session = warehouse.platform.engine().session()
    rows = session.sql(f"SELECT id, amount FROM {spec.table} ORDER BY id").collect()
    assert [(row[0], str(row[1])) for row in rows] == [(1, "1.25"), (2, "2.30")]


@pytest.fixture
def second(warehouse: Warehouse, tmp_path: Path) -> Iterator[Cursor]:
    """Another instance, known to the warehouse as ``shop_2``: where its owner types."""
    with (
        PrivateMariaDB(tmp_path / "second", launcher=DIES_WITH_US) as server,
        server.connect() as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"CREATE DATABASE {DATABASE}")
        place = server.instance
        warehouse.environ["SECOND_PASSWORD"] = place.etl_password
        warehouse.write_source("shop_2", port=str(place.port), password="${SECOND_PASSWORD}")
        yield cursor


def test_shards_of_two_instances_are_one_table(warehouse: Warehouse, second: Cursor) -> None:
    warehouse.orders("far_0", [(1, DAYS[0]), (2, DAYS[1])])
    second.execute(f"CREATE TABLE {DATABASE}.far_0 (at DATETIME NOT NULL, id INT, note TEXT, KEY (at))")
    rows = f"('{DAYS[0]} 01:00', 7, 'x'), ('{DAYS[0]} 02:00', 8, NULL)"
    second.execute(f"INSERT INTO {DATABASE}.far_0 VALUES {rows}")
    second.connection.commit()
    spec = warehouse.declare(
        "far", source="", sources="[shop, shop_2]", from_=pattern("far", ", expect: history")
    )

    assert verdicts(warehouse.load(spec, *DAYS)) == dict.fromkeys(DAYS, "published")

    shards = (f"shop/{DATABASE}.far_0", f"shop_2/{DATABASE}.far_0")
    read = warehouse.reader.read(spec.table, f"ds={DAYS[0]}")
    assert sorted(read.values("id", "note", "shard")) == [
        (1, None, shards[0]),
        (7, "x", shards[1]),
        (8, None, shards[1]),
    ]
    hops = warehouse.platform.ledger.hops(spec.table, DAYS[0])
    assert {count.shard: count.rows for count in hops if count.hop == Hop.SOURCE_AFTER} == {
        "": 3,
        shards[0]: 1,
        shards[1]: 2,
    }

    second.execute(f"DROP TABLE {DATABASE}.far_0")
    (report,) = warehouse.load(spec, DAYS[0])
    assert report.partitions[0].outcomes[0].message == (
        f"missing 1 of 2 (history: {DAYS[0]} itself): {shards[1]}"
    )


def test_an_instance_that_cannot_be_reached_fails_the_load(warehouse: Warehouse) -> None:
    warehouse.orders("alone_0", [(1, DAYS[0])])
    warehouse.write_source("gone", port="1")
    spec = warehouse.declare("alone", source="", sources="[shop, gone]", from_=pattern("alone"))

    with pytest.raises(SourceUnavailableError, match="gone"):
        warehouse.load(spec, DAYS[0])

    assert not warehouse.platform.ledger.history(spec.table, DAYS[0])


def test_a_listed_column_that_only_later_shards_have_is_null_in_earlier_partitions(
    warehouse: Warehouse,
) -> None:
    warehouse.sql(
        f"CREATE TABLE {DATABASE}.late_2026_01 (id INT, at DATETIME)",
        f"CREATE TABLE {DATABASE}.late_2026_02 (id INT, at DATETIME, note TEXT)",
        f"INSERT INTO {DATABASE}.late_2026_01 VALUES (1, '2026-01-31')",
        f"INSERT INTO {DATABASE}.late_2026_02 VALUES (2, '2026-02-01', 'x')",
    )
    found = (
        "SELECT table_name FROM information_schema.tables"
        f" WHERE table_schema='{DATABASE}' AND table_name LIKE 'late_$[yyyy_MM]'"
    )
    from_ = f'{{database: {DATABASE}, shards: {{discover: ["{found}"]}}}}'
    spec = warehouse.declare("late", from_=from_, columns="[id, at, note]")
    with pytest.raises(SourceError, match="the column 'note' does not exist at the source"):
        warehouse.load(spec, "2026-01-31")

    assert verdicts(warehouse.load(spec, "2026-02-01")) == {"2026-02-01": "published"}
    assert verdicts(warehouse.load(spec, "2026-01-31")) == {"2026-01-31": "published"}

    session = warehouse.platform.engine().session()
    rows = session.sql(f"SELECT id, note FROM {spec.table} ORDER BY id").collect()
    assert [tuple(row) for row in rows] == [(1, None), (2, "x")]
