"""No value of a sensitive column leaves the engine: in no message, number or sample of any check."""

from typing import Any

import pytest

from dataplat.audit.kinds import KINDS, Published
from dataplat.audit.outcome import Outcome
from dataplat.specs.checks import CheckEntry
from dataplat_tests.contract.checks.desk import Desk, Surroundings, order

DAY = "2026-01-06"
SECRET = "13800138000"
CUSTOMERS = Surroundings(
    {
        "ods.account": Published("ods.account", "(SELECT * FROM VALUES ('x') AS t(mobile))", 1),
        "crm.customer": Published("crm.customer", "(SELECT 1)", sensitive=("mobile",)),
    }
)
ON_PHONE: tuple[dict[str, Any], ...] = (
    {"not_null": ["status"]},
    {"unique": ["phone"]},
    {"accepted_values": {"column": "phone", "values": ["none"]}},
    {"min_rows": 100},
    {"volume": {"against": 1, "drop": "1%"}},
    {"share": {"by": "phone", "at_most": "1%"}},
    {"match_rate": {"column": "phone", "pattern": "x", "at_least": "99%"}},
    {"fan_out": {"per": "phone", "at_most": 0.5}},
    {"referential": {"columns": "phone", "of": "ods.account", "to": "mobile"}},
    {"fresh": {"column": "phone", "within": "1h"}},
    {"sql": {"name": "s", "query": "SELECT phone AS id, phone FROM {{ staged }}"}},
)


def secrets(*numbers: int) -> list[dict[str, Any]]:
    return [order(number, DAY, phone=SECRET, status=None) for number in numbers]


def judged(desk: Desk, **spec: Any) -> list[Outcome]:
    return desk.evaluate(ON_PHONE, {DAY: secrets(1, 2)}, CUSTOMERS, **spec)[DAY]


def test_every_kind_is_put_to_the_test() -> None:
    assert {type(CheckEntry.model_validate(one).check) for one in ON_PHONE} == set(KINDS)


@pytest.mark.parametrize("spec", [{}, {"key": ["phone"]}, {"key": ["id", "Phone"], "sensitive": ["PHONE"]}])
def test_a_sensitive_value_is_shown_by_no_kind(desk: Desk, spec: dict[str, Any]) -> None:
    found = judged(desk, **spec)

    assert [outcome.check for outcome in found if SECRET in repr(outcome)] == []
    assert [outcome.check for outcome in found if outcome.passed] == ["volume"]


def test_a_masked_value_is_shown_as_stars_beside_the_key(desk: Desk) -> None:
    found = {outcome.check: outcome for outcome in judged(desk)}

    assert found["unique_phone"].message == "1 row repeats phone (phone=***, rows=2)"
    assert found["accepted_values_phone"].sample == (
        {"id": "1", "phone": "***"},
        {"id": "2", "phone": "***"},
    )


def test_a_key_that_is_all_sensitive_makes_one_line_of_stars(desk: Desk) -> None:
    found = {outcome.check: outcome for outcome in judged(desk, key=["phone"])}

    assert found["not_null_status"].message == "status is NULL in 2 rows (phone=***)"


def test_the_newest_sensitive_time_is_not_told(desk: Desk) -> None:
    check = {"fresh": {"column": "at", "within": "1h"}}
    ((outcome,),) = desk.evaluate([check], {DAY: [order(1, DAY)]}, sensitive=["at"]).values()

    assert (outcome.message, outcome.numbers) == (
        "at ends too long before the partition does, allowed 1 h",
        {},
    )


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("SELECT * FROM {{ staged }}", True),
        ("SELECT s.* FROM {{ staged }} s WHERE exists (SELECT count(*) FROM {{ staged }})", True),
        ("SELECT id FROM {{ staged }}", True),
        ("SELECT id FROM {{ staged }} WHERE phone > ''", False),
        ("SELECT x AS id FROM (SELECT phone AS x FROM {{ staged }})", False),
        ("SELECT id FROM (SELECT * FROM {{ staged }}) t(a, b, c, d, id, f, g, h)", False),
        ("SELECT to_json(struct(*)) AS id FROM {{ staged }}", False),
        ("SELECT 'x' AS id FROM {{ staged }} UNION ALL SELECT `Phone` FROM {{ staged }}", False),
        ("WITH c(id) AS (SELECT phone FROM {{ staged }}) SELECT * FROM c", False),
    ],
)
def test_a_query_shows_keys_unless_a_sensitive_value_could_pass_for_one(
    desk: Desk, query: str, shown: bool
) -> None:
    check = {"sql": {"name": "q", "query": query}}
    ((outcome,),) = desk.evaluate([check], {DAY: secrets(1)}).values()

    assert (outcome.passed, bool(outcome.sample)) == (False, shown)
    assert SECRET not in repr(outcome)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("SELECT id FROM {{ staged }} WHERE EXISTS (SELECT 1 FROM crm.customer)", True),
        ("SELECT mobile AS id FROM crm.customer", False),
    ],
)
def test_what_another_table_calls_sensitive_is_hidden_too(desk: Desk, query: str, shown: bool) -> None:
    desk.sql("CREATE DATABASE IF NOT EXISTS crm")
    desk.sql(f"CREATE TABLE IF NOT EXISTS crm.customer USING parquet AS SELECT '{SECRET}' AS mobile")

    found = desk.evaluate([{"sql": {"name": "q", "query": query}}], {DAY: secrets(1)}, CUSTOMERS)

    assert [bool(outcome.sample) for outcome in found[DAY]] == [shown]
    assert SECRET not in repr(found)


def test_a_long_or_odd_value_stays_on_one_line(desk: Desk) -> None:
    check = {"accepted_values": {"column": "status", "values": ["paid"]}}
    rows = [order(1, DAY, status="a\nb\t" + "x" * 90)]
    ((outcome,),) = desk.evaluate([check], {DAY: rows}).values()

    assert outcome.message == (
        f"status is none of the 1 accepted values in 1 row (id=1, status=a b {'x' * 55}…)"
    )
