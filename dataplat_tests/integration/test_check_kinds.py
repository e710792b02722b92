"""Checks against what other tables show in the metastore, and against what the ledger remembers."""

from collections.abc import Iterator

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.errors import SpecError
from dataplat_tests.integration.warehouse import Warehouse, verdicts

pytestmark = pytest.mark.integration

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
CHECKS = """
checks:
  - referential: {columns: id, of: ods.known}
  - fan_out: {of: ods.known, at_most: 1.0}
  - match_rate: {column: name, drop: 10%}
  - sql:
      name: twice_in_known
      query: |
        SELECT s.id FROM {{ staged }} s JOIN ods.known k ON k.ds = '{{ ds }}' AND k.id = s.id
        GROUP BY s.id HAVING count(1) > 1
"""


@pytest.fixture(scope="module")
def warehouse(mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("checks")
    opened = Warehouse(root, mariadb, uri=f"file://{root}/warehouse")
    yield opened
    opened.close()


def test_days_are_compared_with_the_same_days_of_another_table(warehouse: Warehouse) -> None:
    days = [(number, f"{DAYS[number % 3]} 08:00") for number in range(9)]
    warehouse.orders("known", days)
    warehouse.orders("compared", [*days, (10, f"{DAYS[1]} 09:00")])
    known = warehouse.declare("known")
    spec = warehouse.declare("compared", CHECKS)
    warehouse.load(known, *DAYS[:2])

    reports = warehouse.load(spec, *DAYS)

    assert verdicts(reports) == {DAYS[0]: "published", DAYS[1]: "rejected", DAYS[2]: "rejected"}
    failures = {
        part.partition: {one.check: one.message for one in part.failures} for part in reports[0].partitions
    }
    assert failures == {
        DAYS[0]: {},
        DAYS[1]: {
            "referential_id_known": "id of 1 in 4 rows is not in ods.known(id): 25%, allowed 0% (id=10)",
            "fan_out_known": "4 rows for 3 rows of ods.known: 1.333, expected at most 1",
        },
        DAYS[2]: {
            "referential_id_known": f"ods.known[{DAYS[2]}] is not published",
            "fan_out_known": f"ods.known[{DAYS[2]}] is not published",
        },
    }
    results = warehouse.platform.ledger.checks(spec.table, DAYS[1])
    samples = {result.check: result.numbers["sample"] for result in results if "sample" in result.numbers}
    assert samples == {"referential_id_known": [{"id": "10"}]}


def test_a_rate_is_compared_with_those_in_the_ledger(warehouse: Warehouse) -> None:
    table = warehouse.orders("rated", [(number, f"{DAYS[number % 2]} 08:00") for number in range(8)])
    spec = warehouse.declare("rated", "\nchecks: [{match_rate: {column: name, drop: 10%}}]\n")
    warehouse.load(spec, DAYS[0])
    warehouse.sql(f"UPDATE {table} SET name = NULL WHERE id = 3")

    (outcome,) = warehouse.load_one(spec, DAYS[1]).failures

    assert outcome.message == (
        "3 of 4 rows have a value in name: 75%, expected at least 90% (average of 1: 100%) (id=3, name=NULL)"
    )


def test_an_empty_day_is_checked_like_any_other(warehouse: Warehouse) -> None:
    warehouse.orders("hollow")
    spec = warehouse.declare("hollow", CHECKS)

    failures = {one.check: one.message for one in warehouse.load_one(spec, DAYS[0]).failures}

    assert failures == {}


def test_a_column_that_is_not_there_is_told_before_anything_is_read(warehouse: Warehouse) -> None:
    warehouse.orders("misnamed", [(1, DAYS[0])])
    spec = warehouse.declare("misnamed", "\nchecks: [{unique: [idd]}]\n")

    with pytest.raises(SpecError) as caught:
        warehouse.load(spec, DAYS[0])

    text = "check unique_idd reads 'idd', and ods.misnamed has no such column; did you mean 'id'?"
    assert caught.value.facts == (("config/ods/misnamed.yaml:9", f"checks[0].unique[0]: {text}"),)
    assert warehouse.platform.ledger.history(spec.table) == ()
