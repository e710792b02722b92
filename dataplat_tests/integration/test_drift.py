"""Drift on a real source and a real Spark: what is sent uses the index, and what it finds is what changed."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.lifecycle.drift import TableDrift, find_drift
from dataplat.lifecycle.drift_values import hash_both_sides
from dataplat.lifecycle.recount import Recounter
from dataplat.plan.recounts import Recount, render_recounts
from dataplat.plan.sql import PhysicalTable
from dataplat.plan.windows import partition_window
from dataplat.specs import TableSpec
from dataplat_tests.integration.warehouse import DATABASE, ORDERS, Warehouse, verdicts
from dataplat_tests.services.effort import repetitions

pytestmark = pytest.mark.integration

ZONE = ZoneInfo("Asia/Shanghai")
DAYS = ("2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04")
NOW = datetime(2026, 1, 5, 9, tzinfo=ZONE)


@pytest.fixture(scope="module")
def warehouse(mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("drift")
    opened = Warehouse(root, mariadb, uri=f"file://{root}/home/warehouse")
    yield opened
    opened.close()


def recounter(warehouse: Warehouse) -> Recounter:
    platform = warehouse.platform
    return Recounter(platform.catalog, platform.ledger, platform.secrets)


def drift(warehouse: Warehouse, spec: TableSpec, *, checksum: bool = False) -> TableDrift:
    platform = warehouse.platform
    (found,) = find_drift(
        recounter(warehouse),
        [spec],
        now=NOW,
        days=4,
        hash_both=hash_both_sides(platform) if checksum else None,
    )
    assert found.error is None, found.error
    return found


def at_source(warehouse: Warehouse, tables: Sequence[str], day: str) -> Counter[tuple[str, ...]]:
    """Return the rows of a day by a plain query of its owner."""
    rows: Counter[tuple[str, ...]] = Counter()
    for table in tables:
        rows += Counter(
            tuple(map(str, row))
            for row in warehouse.sql(f"SELECT id, name, amount, at FROM {table} WHERE DATE(at) = '{day}'")
        )
    return rows


def in_files(warehouse: Warehouse, spec: TableSpec, day: str) -> Counter[tuple[str, ...]]:
    """Return the rows of a day as pyarrow finds them where the metastore points."""
    content = warehouse.reader.read(spec.table, f"ds={day}")
    if not content.rows:
        return Counter()
    return Counter(
        (str(number), str(name), str(amount), f"{at.astimezone(ZONE).replace(tzinfo=None)}")
        for number, name, amount, at in content.values("id", "name", "amount", "at")
    )


def test_each_shard_is_counted_by_one_range_of_its_index(warehouse: Warehouse) -> None:
    rows = [(number, f"2026-01-{1 + number % 28:02} 10:00:00") for number in range(2000)]
    table = warehouse.orders("ranged", rows)
    warehouse.sql(f"ANALYZE TABLE {table}")
    windows = tuple(partition_window(day, "day", ZONE) for day in DAYS)
    recounts = [Recount(0, PhysicalTable(DATABASE, "ranged"), (0, 1, 2, 3), windows)]
    (statement,) = render_recounts(recounts, window_column="at", zone="Asia/Shanghai")
    ((_, _, _, access, _, key, *_, extra),) = warehouse.sql(f"EXPLAIN {statement}")
    assert (access, key) == ("range", "at")
    assert "Using index" in str(extra)
    assert sorted(warehouse.sql(statement)) == [(0, part, 72) for part in range(3)] + [(0, 3, 72)]


def test_what_is_counted_again_is_what_a_plain_count_says(warehouse: Warehouse) -> None:
    for number, times in enumerate(
        [
            ["2025-12-31 23:59:59.999999", "2026-01-01 00:00:00", "2026-01-01 23:59:59.999999"],
            ["2026-01-02 00:00:00", "2026-01-04 23:59:59.999999", "2026-01-05 00:00:00"],
        ]
    ):
        warehouse.orders(f"again_{number}", [(row, time) for row, time in enumerate(times)])
    origin = f"{{database: {DATABASE}, shards: {{pattern: 'again\\_%', identity: shard}}}}"
    spec = warehouse.declare("again", from_=origin)
    found, counted = recounter(warehouse).count(spec, DAYS)
    assert [shard.name for shard in found.of(DAYS)] == ["again_0", "again_1"]
    assert {key: {shard.name: rows for shard, rows in some.items()} for key, some in counted.items()} == {
        DAYS[0]: {"again_0": 2},
        DAYS[1]: {"again_1": 1},
        DAYS[2]: {},
        DAYS[3]: {"again_1": 1},
    }


def test_an_update_that_leaves_the_number_is_found_by_checksums_alone(warehouse: Warehouse) -> None:
    table = warehouse.orders("same", [(n, f"{day} 10:00:00") for n, day in enumerate(DAYS)])
    spec = warehouse.declare("same")
    warehouse.load(spec, *DAYS)
    warehouse.sql(f"UPDATE {table} SET amount = amount + 0.01 WHERE at LIKE '{DAYS[2]}%'")

    assert drift(warehouse, spec).changed == ()
    found = drift(warehouse, spec, checksum=True)

    assert found.changed == (DAYS[2],)
    assert [one.values_differ for one in found.partitions] == [False, False, True, False]
    warehouse.load(spec, *found.changed)
    assert drift(warehouse, spec, checksum=True).changed == ()


def test_a_day_with_rows_in_quarantine_is_compared_by_numbers(warehouse: Warehouse) -> None:
    table = warehouse.orders("aside", columns=ORDERS.replace("at DATETIME(6)", "paid DATE, at DATETIME(6)"))
    warehouse.sql(
        f"INSERT INTO {table} (id, paid, at) VALUES (1, '2026-01-09', '{DAYS[0]}'),"
        f" (2, '0000-00-00', '{DAYS[0]}'), (3, '2026-01-09', '{DAYS[1]}')"
    )
    spec = warehouse.declare("aside", types="{zero_dates: refuse}", dirty_rows="{at_most: 1}")
    assert verdicts(warehouse.load(spec, *DAYS)) == dict.fromkeys(DAYS, "published")

    found = drift(warehouse, spec, checksum=True)

    assert found.changed == ()
    assert [(one.then, one.now, one.all_visible) for one in found.partitions] == [
        (2, 2, False),
        (1, 1, True),
        (0, 0, True),
        (0, 0, True),
    ]


def test_shards_of_two_instances_are_counted_on_each(warehouse: Warehouse) -> None:
    warehouse.write_source("shop_2")
    table = warehouse.orders("twice_0", [(1, f"{DAYS[0]} 10:00:00")])
    origin = f"{{database: {DATABASE}, shards: {{pattern: 'twice\\_%', identity: shard}}}}"
    spec = warehouse.declare("twice", source="", sources="[shop, shop_2]", from_=origin)
    warehouse.load(spec, *DAYS)
    warehouse.add_orders(table, [(2, f"{DAYS[0]} 11:00:00")])

    found = drift(warehouse, spec)

    assert found.changed == (DAYS[0],)
    assert [(one.shard, one.then, one.now) for one in found.partitions[0].shards] == [
        (f"{name}/{DATABASE}.twice_0", 1, 2) for name in ("shop", "shop_2")
    ]


@pytest.mark.parametrize("shards", [1, 3])
def test_after_random_changes_and_the_repair_the_files_equal_the_source(
    warehouse: Warehouse, shards: int
) -> None:
    for seed in range(repetitions(1)):
        _random_history(warehouse, random.Random(1000 * shards + seed), f"life{shards}_{seed}_", shards)


def _random_history(warehouse: Warehouse, chance: random.Random, name: str, shards: int) -> None:
    """Load four days, let transactions change them, load what drift finds, and compare row by row."""
    numbers = iter(range(10_000))
    names = [f"{name}{shard}" for shard in range(shards)]
    tables = [warehouse.orders(one, _some_orders(chance, numbers)) for one in names]
    origin = f"{{database: {DATABASE}, table: {names[0]}}}"
    if shards > 1:
        pattern = name.replace("_", "\\_")
        origin = f"{{database: {DATABASE}, shards: {{pattern: '{pattern}%', identity: shard}}}}"
    spec = warehouse.declare(name.rstrip("_"), from_=origin)
    loaded = [day for day in DAYS if chance.random() < 0.8]
    warehouse.load(spec, *loaded)
    for _ in range(chance.randint(1, 6)):
        _change(warehouse, chance, chance.choice(tables), numbers)

    found = drift(warehouse, spec, checksum=True)
    differ = [day for day in loaded if at_source(warehouse, tables, day) != in_files(warehouse, spec, day)]
    assert list(found.changed) == differ, "exactly those that differ, and no other"
    assert [day for day in DAYS if day not in loaded] == list(found.missing)
    warehouse.load(spec, *found.changed, *found.missing)

    for day in DAYS:
        assert in_files(warehouse, spec, day) == at_source(warehouse, tables, day), (name, day)
    assert drift(warehouse, spec, checksum=True).changed == ()


def _some_orders(chance: random.Random, numbers: Iterator[int]) -> list[tuple[int, str]]:
    return [(next(numbers), _moment(chance)) for _ in range(chance.randint(5, 40))]


def _moment(chance: random.Random) -> str:
    edges = ("00:00:00", "23:59:59.999999", "12:34:56.789")
    return f"{chance.choice(DAYS)} {chance.choice(edges)}"


def _change(warehouse: Warehouse, chance: random.Random, table: str, numbers: Iterator[int]) -> None:
    where = f"WHERE at >= '{_moment(chance)}' ORDER BY id LIMIT {chance.randint(1, 3)}"
    later = timedelta(hours=chance.randint(-40, 40))
    hours = int(later.total_seconds() // 3600)
    match chance.choice(("insert", "value", "move", "delete", "swap")):
        case "insert":
            warehouse.add_orders(table, [(next(numbers), _moment(chance))])
        case "value":
            warehouse.sql(f"UPDATE {table} SET name = CONCAT(name, ' ') {where}")
        case "move":
            warehouse.sql(f"UPDATE {table} SET at = at + INTERVAL {hours} HOUR {where}")
        case "delete":
            warehouse.sql(f"DELETE FROM {table} {where}")
        case _:
            moment = _moment(chance)
            warehouse.sql(f"DELETE FROM {table} WHERE at = '{moment}' LIMIT 1")
            warehouse.add_orders(table, [(next(numbers), moment)])
