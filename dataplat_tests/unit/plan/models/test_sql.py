"""A model is one SELECT that can be parsed; anything else is shown where it stands in the file."""

import pytest

from dataplat.plan.models.problems import SqlRefusedError
from dataplat.plan.models.render import render_sql
from dataplat.plan.models.sql import parse_model_sql
from dataplat_tests.unit.plan.models.builders import model

ONE = "a model is one SELECT, and dataplat writes its rows"


def refused(sql: str) -> str:
    with pytest.raises(SqlRefusedError) as caught:
        parse_model_sql(render_sql(model(sql), "2026-01-09"))
    (problem,) = caught.value.problems
    return f"{problem.at} {problem.message}"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT a FROM\n  x WHER ds = '{{ ds }}'",
         ("config/dw/x.sql:2 this SQL cannot be parsed: unexpected token at 'ds'\n"
         "    x WHER ds = '{{ ds }}'\n"
         "           ^")),
        ("SELECT '{{ ds }}' AS ds, sum(a FROM x",
         ("config/dw/x.sql:1 this SQL cannot be parsed: expecting ) at 'FROM'\n"
         "  SELECT '{{ ds }}' AS ds, sum(a FROM x\n"
         "                                 ^")),
        ("SELECT a FROM x WHERE ds IN (\n  '{{ ds }}'",
         ("config/dw/x.sql:2 this SQL cannot be parsed: expecting ) at '2026-01-09'\n"
         "    '{{ ds }}'\n"
         "    ^")),
        ("SELECT 1,\n  'abc FROM x", "config/dw/x.sql:2 ' is never closed\n    'abc FROM x\n    ^"),
        ("SELECT `a FROM x", "config/dw/x.sql:1 ` is never closed\n  SELECT `a FROM x\n         ^"),
        ("SELECT 1 /* why", "config/dw/x.sql:1 this is never closed\n  SELECT 1 /* why\n           ^"),
        ("SELECT 1;\nSELECT 2",
         f"config/dw/x.sql:2 {ONE}; a second statement begins\n  SELECT 2\n  ^"),
        ("-- writes\nINSERT OVERWRITE dw.x SELECT 1",
         f"config/dw/x.sql:2 {ONE}; found INSERT\n  INSERT OVERWRITE dw.x SELECT 1\n  ^"),
        ("CREATE TABLE a AS SELECT 1",
         f"config/dw/x.sql:1 {ONE}; found CREATE\n  CREATE TABLE a AS SELECT 1\n  ^"),
        ("SHOW TABLES", f"config/dw/x.sql:1 {ONE}; found SHOW\n  SHOW TABLES\n  ^"),
        ("WITH a AS (SELECT 1) INSERT INTO x SELECT * FROM a",
         f"config/dw/x.sql:1 {ONE}; found WITH\n  WITH a AS (SELECT 1) INSERT INTO x SELECT * FROM a\n  ^"),
        ("-- {{ ds }}\n", f"config/dw/x.sql:1 {ONE}; found nothing\n  -- {{{{ ds }}}}\n  ^"),
        ("SELECT\n" + "(" * 3000 + "1" + ")" * 3000,
         "config/dw/x.sql:1 this SQL is nested too deeply to be read\n  SELECT\n  ^"),
    ],
)  # fmt: skip
def test_what_is_no_select_is_shown_where_it_stands(sql: str, message: str) -> None:
    assert refused(sql) == message


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1;", "SELECT 1;\n-- done\n", "(SELECT 1) UNION (SELECT 2)", "FROM x SELECT a", "\n\nSELECT 1"],
)
def test_other_ways_to_write_one_select_are_read(sql: str) -> None:
    assert parse_model_sql(render_sql(model(sql), "2026-01-09")) is not None
