"""Dirty rows through a whole load: set aside with their reason, in the balance, and too many block."""

import json
from collections.abc import Iterator

import pytest

from dataplat.audit.outcome import DIRTY, ROW_COUNT
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.ledger import Hop
from dataplat.specs import TableSpec
from dataplat_tests.integration.warehouse import DATABASE, Warehouse, outcomes, verdicts

pytestmark = pytest.mark.integration

DAYS = ("2026-01-01", "2026-01-02")


@pytest.fixture(scope="module")
def warehouse(mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("quarantine")
    opened = Warehouse(root, mariadb, uri=f"file://{root}/home/warehouse")
    yield opened
    opened.close()


def dirty_rows(warehouse: Warehouse, spec: TableSpec) -> list[tuple[str, str, dict[str, str], str]]:
    """Return day, reason, row and shard of everything in quarantine."""
    session = warehouse.platform.engine().session()
    rows = session.sql(f"SELECT ds, reason, row_json, shard FROM {spec.table}__quarantine").collect()
    return sorted((str(row[0]), row[1], json.loads(row[2]), row[3]) for row in rows)


def values(warehouse: Warehouse, spec: TableSpec, *columns: str) -> list[tuple[object, ...]]:
    session = warehouse.platform.engine().session()
    return sorted(
        tuple(row) for row in session.sql(f"SELECT {', '.join(columns)} FROM {spec.table}").collect()
    )


def test_rows_with_zero_dates_are_set_aside_by_day_and_in_the_balance(warehouse: Warehouse) -> None:
    warehouse.sql(
        f"CREATE TABLE {DATABASE}.paid (id INT PRIMARY KEY, at DATETIME, paid DATE, seen TIMESTAMP NULL)",
        f"INSERT INTO {DATABASE}.paid VALUES (1, '{DAYS[0]} 01:00', '2026-01-05', NULL),"
        f" (2, '{DAYS[0]} 02:00', '0000-00-00', NULL), (3, '{DAYS[1]} 01:00', '2026-00-10', '0000-00-00'),"
        f" (4, '{DAYS[1]} 02:00', NULL, '{DAYS[1]}')",
    )
    spec = warehouse.declare("paid", types="{zero_dates: refuse}", dirty_rows="{at_most: 1}")

    (report,) = warehouse.load(spec, *DAYS)

    assert verdicts([report]) == dict.fromkeys(DAYS, "published")
    assert values(warehouse, spec, "id", "ds") == [(1, DAYS[0]), (4, DAYS[1])]
    assert dirty_rows(warehouse, spec) == [
        (
            DAYS[0],
            "paid: zero date",
            {"id": "2", "at": f"{DAYS[0]} 02:00:00", "paid": "0000-00-00", "seen": None},
            "paid",
        ),
        (
            DAYS[1],
            "paid: zero date; seen: zero date",
            {"id": "3", "at": f"{DAYS[1]} 01:00:00", "paid": "2026-00-10", "seen": "0000-00-00 00:00:00"},
            "paid",
        ),
    ]
    for day in DAYS:
        hops = {hop.hop: hop.rows for hop in warehouse.platform.ledger.hops(spec.table, day)}
        assert hops == {
            Hop.SOURCE_BEFORE: 2,
            Hop.SOURCE_AFTER: 2,
            Hop.READ: 2,
            Hop.WRITTEN: 1,
            Hop.QUARANTINED: 1,
            Hop.FILES: 1,
        }
    (first, _) = report.partitions
    (counted,) = (outcome for outcome in first.outcomes if outcome.check == ROW_COUNT)
    assert counted.message == "source 2 rows, files 1 rows, set aside 1"


def test_one_dirty_row_more_than_allowed_blocks_its_day_alone_and_can_be_looked_at(
    warehouse: Warehouse,
) -> None:
    warehouse.sql(
        f"CREATE TABLE {DATABASE}.strict (id INT PRIMARY KEY, at DATETIME, paid DATE)",
        f"INSERT INTO {DATABASE}.strict VALUES (1, '{DAYS[0]}', '0000-00-00'), (2, '{DAYS[1]}', NULL)",
    )
    spec = warehouse.declare("strict", types="{zero_dates: refuse}")

    (report,) = warehouse.load(spec, *DAYS)

    assert verdicts([report]) == {DAYS[0]: "rejected", DAYS[1]: "published"}
    (failed,) = report.partitions[0].failures
    assert (failed.check, failed.message) == (DIRTY, "1 rows cannot be represented, 0 are allowed")
    assert [row[2]["id"] for row in dirty_rows(warehouse, spec)] == ["1"]

    warehouse.sql(f"UPDATE {DATABASE}.strict SET paid = '2026-01-07' WHERE id = 1")
    assert verdicts(warehouse.load(spec, DAYS[0])) == {DAYS[0]: "published"}
    assert dirty_rows(warehouse, spec) == []
    left = list((warehouse.root / "home" / "warehouse" / "ods.db" / "strict__quarantine").rglob("*.parquet"))
    assert left == []


def test_bytes_that_are_no_text_are_set_aside_in_hexadecimal_digits(warehouse: Warehouse) -> None:
    warehouse.sql(
        f"CREATE TABLE {DATABASE}.bytes (id INT PRIMARY KEY, at DATETIME, raw VARBINARY(9),"
        " old VARCHAR(9) CHARACTER SET gbk)",
        f"INSERT INTO {DATABASE}.bytes VALUES (1, '{DAYS[0]}', x'e5908d', x'c3fb'),"
        f" (2, '{DAYS[0]}', x'61ff62', NULL), (3, '{DAYS[0]}', NULL, x'a2a1fe50')",
    )
    spec = warehouse.declare(
        "bytes", columns='[id, at, "CAST(raw AS CHAR) AS text", raw, old]', dirty_rows="{at_most: 80%}"
    )

    assert verdicts(warehouse.load(spec, DAYS[0])) == {DAYS[0]: "published"}

    assert values(warehouse, spec, "id", "text", "old") == [(1, "名", "名")]
    assert [
        (reason, row["id"], row["text"], row["raw"], row["old"])
        for _, reason, row, _ in dirty_rows(warehouse, spec)
    ] == [
        ("old: no text of gbk", "3", None, None, "A2A1FE50"),
        ("text: no UTF-8", "2", "61FF62", "61FF62", None),
    ]


def test_a_number_that_outgrew_its_table_is_set_aside_and_never_narrowed(warehouse: Warehouse) -> None:
    warehouse.sql(
        f"CREATE TABLE {DATABASE}.grown (id INT PRIMARY KEY, at DATETIME, fee DECIMAL(6,2))",
        f"INSERT INTO {DATABASE}.grown VALUES (1, '{DAYS[0]}', 1.25)",
    )
    spec = warehouse.declare("grown", dirty_rows="{at_most: 2}")
    warehouse.load(spec, DAYS[0])
    warehouse.sql(
        f"ALTER TABLE {DATABASE}.grown MODIFY id BIGINT, MODIFY fee DECIMAL(9,4)",
        f"INSERT INTO {DATABASE}.grown VALUES (2, '{DAYS[1]}', 9999.9900), (5000000000, '{DAYS[1]}', 1),"
        f" (3, '{DAYS[1]}', 1.2345)",
    )

    assert verdicts(warehouse.load(spec, DAYS[1])) == {DAYS[1]: "published"}

    assert [(row[0], str(row[1])) for row in values(warehouse, spec, "id", "fee")] == [
        (1, "1.25"),
        (2, "9999.99"),
    ]
    assert [(reason, row["id"], row["fee"]) for _, reason, row, _ in dirty_rows(warehouse, spec)] == [
        ("fee: does not fit decimal(6,2)", "3", "1.2345"),
        ("id: does not fit int", "5000000000", "1.0000"),
    ]


def test_each_partition_of_a_snapshot_has_the_dirty_rows(warehouse: Warehouse) -> None:
    warehouse.sql(
        f"CREATE TABLE {DATABASE}.whole (id INT PRIMARY KEY, paid DATE)",
        f"INSERT INTO {DATABASE}.whole VALUES (1, '0000-00-00'), (2, '2026-01-01')",
    )
    spec = warehouse.declare(
        "whole", load="snapshot", window="", types="{zero_dates: refuse}", dirty_rows="{at_most: 50%}"
    )

    (report,) = warehouse.load(spec, *DAYS)

    assert verdicts([report]) == dict.fromkeys(DAYS, "published")
    assert outcomes(report.partitions[0])[DIRTY] is True
    assert [(row[0], row[2]["id"]) for row in dirty_rows(warehouse, spec)] == [(DAYS[0], "1"), (DAYS[1], "1")]


def test_dirty_rows_of_shards_say_which_shard(warehouse: Warehouse) -> None:
    for number, paid in enumerate(("0000-00-00", "2026-01-01")):
        warehouse.sql(
            f"CREATE TABLE {DATABASE}.piece_{number} (id INT PRIMARY KEY, at DATETIME, paid DATE)",
            f"INSERT INTO {DATABASE}.piece_{number} VALUES (1, '{DAYS[0]}', '{paid}')",
        )
    found = f"{{database: {DATABASE}, shards: {{pattern: 'piece\\_%', identity: shard}}}}"
    spec = warehouse.declare("piece", from_=found, dirty_rows="{at_most: 1}", types="{zero_dates: refuse}")

    assert verdicts(warehouse.load(spec, DAYS[0])) == {DAYS[0]: "published"}

    assert [row[3] for row in dirty_rows(warehouse, spec)] == ["piece_0"]
