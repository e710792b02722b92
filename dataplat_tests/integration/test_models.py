"""Partitions of a model that are written together are proven each on its own. Read back without Spark."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.errors import EngineError
from dataplat.plan.widths import MAX_PARTITIONS_A_WRITE
from dataplat_tests.integration.warehouse import Warehouse, verdicts

pytestmark = pytest.mark.integration

DAYS = tuple(f"2026-01-0{day}" for day in range(1, 7))
EMPTY = DAYS[4]
SUMS = """
SELECT o.id % 2 AS parity, sum(o.amount) AS amount, '{{ ds }}' AS made_of
FROM ods.orders o -- a comment, and no semicolon, must not end the query of the next day
WHERE o.ds = '{{ ds }}'
GROUP BY o.id % 2
"""
UNLUCKY = """
SELECT id, CASE WHEN ds = '2026-01-03' THEN CAST(name AS INT) ELSE 0 END AS number
FROM ods.orders WHERE ds = '{{ ds }}'
"""


@pytest.fixture(scope="module")
def warehouse(mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("models")
    opened = Warehouse(root, mariadb, uri=f"file://{root}/warehouse")
    rows = [(number, f"{day} 08:00") for number, day in enumerate(DAYS * 5) if day != EMPTY]
    opened.orders("orders", rows)
    opened.load(opened.declare("orders"), *DAYS)
    yield opened
    opened.close()


def test_every_day_of_a_write_holds_what_its_own_sql_makes(warehouse: Warehouse) -> None:
    spec = warehouse.declare_model("sums", SUMS, "key: [parity]\nchecks:\n  - unique: [parity]\n")
    reports = list(warehouse.make(spec, *DAYS))

    assert [len(report.partitions) for report in reports] == [MAX_PARTITIONS_A_WRITE, 2]
    assert verdicts(reports) == dict.fromkeys(DAYS, "published")
    made = warehouse.reader.partitions(spec.table)
    assert list(made) == [f"ds={day}" for day in DAYS]
    assert made[f"ds={EMPTY}"].rows == ()
    for day in DAYS:
        orders = warehouse.reader.read("ods.orders", f"ds={day}")
        sums: dict[int, Decimal] = {}
        for number, amount in orders.values("id", "amount") if orders.rows else ():
            sums[number % 2] = sums.get(number % 2, Decimal()) + amount
        assert sorted(made[f"ds={day}"].rows) == sorted((one, sums[one], day) for one in sums)


def test_a_day_that_a_check_rejects_leaves_the_others_of_its_write_alone(warehouse: Warehouse) -> None:
    checks = "key: [parity]\nchecks:\n  - min_rows: 1\n"
    spec = warehouse.declare_model("some", SUMS, checks)
    reports = list(warehouse.make(spec, *DAYS[2:]))

    assert [len(report.partitions) for report in reports] == [4]
    assert verdicts(reports) == dict.fromkeys(DAYS[2:], "published") | {EMPTY: "rejected"}
    assert set(warehouse.reader.locations(spec.table)) == {f"ds={day}" for day in DAYS[2:] if day != EMPTY}


def test_a_day_whose_sql_breaks_is_told_after_those_before_it_are_published(warehouse: Warehouse) -> None:
    spec = warehouse.declare_model("unlucky", UNLUCKY)
    reports = warehouse.make(spec, *DAYS[:4])
    made = [next(reports), next(reports)]
    with pytest.raises(EngineError) as caught:
        next(reports)

    assert caught.value.subject == "dw.unlucky[2026-01-03]"
    assert verdicts(made) == {"2026-01-01": "published", "2026-01-02": "published"}
    assert set(warehouse.reader.locations(spec.table)) == {"ds=2026-01-01", "ds=2026-01-02"}
    states = [row.state.value for row in warehouse.platform.ledger.history(spec.table, "2026-01-03")]
    assert states == ["abandoned", "abandoned"]
