"""Only the names of upstreams change in a test's SQL, and places in it lead back to the file."""

import pytest
import sqlglot

from dataplat.plan.models.given_sql import over_given_rows
from dataplat.plan.models.render import render_sql
from dataplat_tests.unit.plan.models.builders import model

VIEWS = {"ods.account": "g_0", "ods.money": "g_1"}


def given(sql: str) -> str:
    return over_given_rows(render_sql(model(sql), "2026-01-09"), VIEWS).text


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a.id FROM ods.account a", "SELECT a.id FROM `g_0` a"),
        ("SELECT account.id FROM ods.account", "SELECT account.id FROM `g_0` AS `account`"),
        ("SELECT id FROM `ods`.`account` AS x", "SELECT id FROM `g_0` AS x"),
        ("SELECT ods.account.id FROM ODS.Account", "SELECT account.id FROM `g_0` AS `account`"),
        ("SELECT `ods`.account.id FROM ods . account", "SELECT account.id FROM `g_0` AS `account`"),
        (
            "SELECT a.id FROM ods.account a, ods.account b JOIN ods.money USING (id)",
            "SELECT a.id FROM `g_0` a, `g_0` b JOIN `g_1` AS `money` USING (id)",
        ),
        (
            "WITH account AS (SELECT * FROM ods.account) SELECT id FROM account",
            "WITH account AS (SELECT * FROM `g_0` AS `account`) SELECT id FROM account",
        ),
        (
            "SELECT id FROM ods.account a WHERE id IN (SELECT id FROM ods.money)",
            "SELECT id FROM `g_0` a WHERE id IN (SELECT id FROM `g_1` AS `money`)",
        ),
        ("SELECT 1 AS ods -- ods.account\nFROM dim.other", "SELECT 1 AS ods -- ods.account\nFROM dim.other"),
        ("SELECT id FROM ods.account TABLESAMPLE (1 ROWS)", "SELECT id FROM `g_0` TABLESAMPLE (1 ROWS)"),
        (
            "SELECT id, t FROM ods.account LATERAL VIEW explode(tags) x AS t",
            "SELECT id, t FROM `g_0` AS `account` LATERAL VIEW explode(tags) x AS t",
        ),
    ],
)
def test_upstreams_are_named_otherwise_and_nothing_else_changes(sql: str, expected: str) -> None:
    assert given(sql) == expected
    assert sqlglot.parse_one(given(sql), dialect="spark") is not None


def test_a_place_leads_back_to_the_file_over_names_and_variables() -> None:
    sql = "SELECT\n  a.id, '{{ ds }}' AS d FROM ods.account a\nJOIN ods.money m ON wrong = m.id"
    made = over_given_rows(render_sql(model(sql), "2026-01-09"), VIEWS)
    line = made.text.split("\n")[2]
    problem = made.problem_at(3, line.index("wrong"), "here")
    assert f"{problem.at} {problem.message}" == (
        "config/dw/x.sql:3 here\n  JOIN ods.money m ON wrong = m.id\n                      ^"
    )
