from typing import Any

import pytest

from dataplat.errors import SpecError
from dataplat.plan.check_sql import inspect_checks, may_show, render_check_sql, tables_read
from dataplat.specs import SqlCheck
from dataplat_tests.unit.audit.builders import orders

STAGED = "(SELECT * FROM `v` WHERE `ds` = '2026-03-31')"


def rendered(query: str, **spec: Any) -> str:
    table = orders([{"sql": {"name": "q", "query": query}}], **spec)
    (check,) = table.checks
    assert isinstance(check, SqlCheck)
    key = "2026-03-31-05:00" if table.window.grain == "hour" else "2026-03-31"
    return render_check_sql(table, check, "query", check.query, key, STAGED)


def problems(*checks: dict[str, Any]) -> list[str]:
    return [f"{problem.at}  {problem.message}" for problem in inspect_checks(orders(checks))]


def test_a_query_is_filled_in_from_its_partition() -> None:
    assert rendered("SELECT 1 FROM {{ staged }} s WHERE d < '{{ prev_ds }}' AND e = '$[yyyyMMdd-1_M]';") == (
        f"SELECT 1 FROM {STAGED} s WHERE d < '2026-03-30' AND e = '20260228'"
    )


def test_an_hourly_table_has_an_hour() -> None:
    assert rendered("SELECT '{{ hour }}'", window={"grain": "hour"}) == "SELECT '05'"


def test_an_unknown_variable_is_refused_with_its_line() -> None:
    with pytest.raises(SpecError) as caught:
        rendered("SELECT 1 FROM {{ stagd }}")

    assert caught.value.facts == (
        (
            "config/ods/orders.yaml:10",
            (
                "checks[0].sql.query: there is no variable 'stagd'; did you mean 'staged'?\n"
                "  SELECT 1 FROM {{ stagd }}\n"
                "                   ^"
            ),
        ),
    )


def test_good_sql_is_no_problem() -> None:
    checks = (
        {"sql": {"name": "a", "query": "WITH s AS (SELECT * FROM {{ staged }}) SELECT id FROM s;"}},
        {"share": {"where": "status = 'a' AND d = '$[yyyy-MM-dd]' -- of the day", "at_most": "1%"}},
        {"unique": ["id"]},
    )

    assert problems(*checks) == []


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        (
            {"sql": {"name": "q", "query": "DELETE FROM ods.x"}},
            "config/ods/orders.yaml:10  checks[0].sql.query: expected one SELECT",
        ),
        (
            {"sql": {"name": "q", "query": "SELECT 1; SELECT 2"}},
            "config/ods/orders.yaml:10  checks[0].sql.query: expected one SELECT",
        ),
        (
            {"sql": {"name": "q", "query": "SELECT 1 FROM (SELECT"}},
            "config/ods/orders.yaml:10  checks[0].sql.query: this SQL cannot be parsed, at 'SELECT'",
        ),
        (
            {"sql": {"name": "q", "query": "SELECT 'x"}},
            "config/ods/orders.yaml:10  checks[0].sql.query: this SQL cannot be parsed: it is never closed",
        ),
        (
            {"sql": {"name": "q", "query": "SELECT '$[yyyy-DD]'"}},
            (
                "config/ods/orders.yaml:10  checks[0].sql.query: date expression $[yyyy-DD] cannot be read:"
                " 'DD' is no date token; did you mean 'dd'? (character 8)"
            ),
        ),
        (
            {"share": {"where": "status = = 1", "at_most": "1%"}},
            "config/ods/orders.yaml:10  checks[0].share.where: this SQL cannot be parsed, at '='",
        ),
        (
            {"share": {"where": "1 = 1; SELECT 2", "at_most": "1%"}},
            "config/ods/orders.yaml:10  checks[0].share.where: expected one condition",
        ),
    ],
)
def test_bad_sql_is_a_problem_at_its_line(check: dict[str, Any], problem: str) -> None:
    assert problems(check) == [problem]


def test_the_tables_of_a_query_are_those_with_a_database() -> None:
    query = "WITH c AS (SELECT 1 FROM Ods.X) SELECT * FROM c JOIN dw.y USING (id), (SELECT 1 FROM z)"

    assert tables_read(query) == {"ods.x", "dw.y"}
    assert tables_read("SELECT FROM FROM (") == frozenset()


@pytest.mark.parametrize(
    ("query", "shows"),
    [
        ("SELECT * FROM t", True),
        ("SELECT t.*, count(*) OVER () FROM t", True),
        ("SELECT id FROM t GROUP BY PHONE", False),
        ("SELECT id FROM t UNION SELECT x FROM t", False),
        ("SELECT id FROM t AS u(id)", False),
        ("SELECT struct(*) AS id FROM t", False),
        ("SELECT FROM FROM (", False),
    ],
)
def test_a_query_may_show_what_cannot_be_a_hidden_column(query: str, shows: bool) -> None:
    assert may_show(query, ["phone"]) is shows
    assert may_show(query, [])
