"""Sharded tables through a whole load: what lacks a shard is never read, and shards are counted apart."""

from collections.abc import Iterator

import pytest

from dataplat.audit.outcome import SHARDS
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.ledger import Hop, VersionState
from dataplat_tests.integration.warehouse import DATABASE, Warehouse, outcomes, verdicts

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
