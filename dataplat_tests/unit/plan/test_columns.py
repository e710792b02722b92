"""A column entry is sent as written, under one clear name; everything else is a problem with a caret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.errors import SourceError
from dataplat.plan.columns import PlannedEntry, plan_columns, require_columns


def planned(text: str) -> tuple[str, str, str | None]:
    plan = plan_columns([text])
    assert plan.problems == ()
    (entry,) = plan.entries
    return entry.sql, entry.target, entry.source_column


def problem(text: str) -> str:
    plan = plan_columns([text])
    assert plan.entries == ()
    (found,) = plan.problems
    return found.message.removeprefix("columns[0]: ")


@pytest.mark.parametrize(
    ("text", "sql", "target", "column"),
    [
        ("id", "`id`", "id", "id"),
        (" ID ", "`ID`", "id", "ID"),
        ("order", "`order`", "order", "order"),
        ("`group` as grp", "`group`", "grp", "group"),
        ("order as o", "`order`", "o", "order"),
        ("name k", "`name`", "k", "name"),
        ("`a``b` AS c", "`a``b`", "c", "a`b"),
        ("`姓名` AS name", "`姓名`", "name", "姓名"),
        ("detail AS detail_json", "`detail`", "detail_json", "detail"),
        ("a\n  as\tb", "`a`", "b", "a"),
        ("CAST(CreateTime as CHAR) AS create_time", "CAST(CreateTime as CHAR)", "create_time", None),
        (
            "concat('t_',DATE_FORMAT(create_time,'%Y_%m')) AS table_name",
            "concat('t_',DATE_FORMAT(create_time,'%Y_%m'))",
            "table_name",
            None,
        ),
        ("replace(a, 'x', ' as y') AS `R`", "replace(a, 'x', ' as y')", "r", None),
        ("a->>'$.b' j", "a->>'$.b'", "j", None),
        ("null AS n", "null", "n", None),
        ("current_date d", "current_date", "d", None),
        ("'x;y' as s", "'x;y'", "s", None),
        ("convert(a using utf8mb4) as b", "convert(a using utf8mb4)", "b", None),
        ("'$[yyyy-MM-dd]' as day", "'$[yyyy-MM-dd]'", "day", None),
        ("$[yyyyMMdd-8_d] as n", "$[yyyyMMdd-8_d]", "n", None),
        ("(select max(b) from u where u.id = x) as m", "(select max(b) from u where u.id = x)", "m", None),
    ],
)
def test_the_source_sees_what_was_written(text: str, sql: str, target: str, column: str | None) -> None:
    assert planned(text) == (sql, target, column)


@pytest.mark.parametrize("text", ["id as x", "id AS x", "id As x", "id aS `X`", "id x", "`id` as x"])
def test_an_alias_may_be_written_in_any_case(text: str) -> None:
    """The system before failed on ``id as x`` with an IndexError."""
    assert planned(text) == ("`id`", "x", "id")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the entry is empty"),
        (
            "upper(name)",
            'an expression needs a name: write "upper(name) AS some_name"\n  upper(name)\n  ^',
        ),
        ("id as", "a name is missing after AS\n  id as\n       ^"),
        ("a, b", "more than one expression: give each column its own entry\n  a, b\n   ^"),
        ("a; b", "';' is not allowed: an entry is one expression\n  a; b\n   ^"),
        ("a -- b", "a comment is not allowed in a column\n  a -- b\n   ^"),
        (
            "a/*!50000 , b*/ as c",
            "a comment is not allowed in a column\n  a/*!50000 , b*/ as c\n   ^",
        ),
        ("/* a */", "a comment is not allowed in a column\n  /* a */\n  ^"),
        ("CAST(x AS CHAR", "'(' is opened and never closed\n  CAST(x AS CHAR\n      ^"),
        ("a) as b", "')' closes nothing\n  a) as b\n   ^"),
        (
            "concat('a, b) as x",
            "a quote is opened and never closed\n  concat('a, b) as x\n         ^",
        ),
        (
            "*",
            "'*' is not allowed in a list: write columns: \"*\", or name the columns\n  *\n  ^",
        ),
        (
            "a as b c",
            "this is no MySQL expression: Invalid expression / Unexpected token\n  a as b c\n         ^",
        ),
        ("a from x", "only an expression is allowed here, not FROM\n  a from x\n    ^"),
        ("distinct a", "only an expression is allowed here, not DISTINCT\n  distinct a\n  ^"),
        ("count(*) as n", "an aggregate would make one row of all rows\n  count(*) as n\n  ^"),
        (
            "rank() over () as r",
            "a window function would see one split of the table, not the table\n  rank() over () as r\n  ^",
        ),
        ("t.id", "name the column without its table: 'id'\n  t.id\n  ^"),
        (
            "if(a,sleep(9),b) s",
            "the function sleep acts on the server: only reading is allowed\n  if(a,sleep(9),b) s\n       ^",
        ),
        (
            "@a := 1 as x",
            "an assignment would change the session at the source\n  @a := 1 as x\n     ^",
        ),
        (
            "exists(select 1 from z for update) as l",
            "only reading is allowed\n  exists(select 1 from z for update) as l\n  ^",
        ),
        ("`a b`", "'a b' is no name for a Hive column (a-z, 0-9, _): choose another with AS"),
        ("姓名", "'姓名' is no name for a Hive column (a-z, 0-9, _): choose another with AS"),
        ("x as __dp_split", "'__dp_split': names that begin with __dp_ belong to dataplat"),
    ],
)
def test_what_cannot_be_read_is_a_problem_with_its_place(text: str, message: str) -> None:
    assert problem(text) == message


def test_all_problems_of_all_entries_are_found_at_once() -> None:
    plan = plan_columns(["id", "x as ID", "a, b", "DS", "ok"], reserved=["ds"])
    assert [entry.target for entry in plan.entries] == ["id", "ok"]
    assert [entry.index for entry in plan.entries] == [0, 4]
    assert [found.message for found in plan.problems] == [
        "columns[1]: 'id' is the name of columns[0] too (case is ignored)",
        "columns[2]: more than one expression: give each column its own entry\n  a, b\n   ^",
        "columns[3]: 'ds' is a column that the table adds itself: choose another name with AS",
    ]


def test_a_load_stops_at_columns_that_cannot_be_read() -> None:
    with pytest.raises(SourceError) as caught:
        require_columns(
            ["id", "upper(a)", "b;"], subject="ods.orders", declared="config/ods/orders.yaml:7 columns"
        )
    assert str(caught.value) == (
        "ods.orders: the columns cannot be read\n"
        '  found      columns[1]: an expression needs a name: write "upper(a) AS some_name"\n'
        "               upper(a)\n"
        "               ^\n"
        "             columns[2]: ';' is not allowed: an entry is one expression\n"
        "               b;\n"
        "                ^\n"
        "  declared   config/ods/orders.yaml:7 columns\n"
        "  effect     nothing was read\n"
        "  next       dataplat check"
    )


def test_good_columns_pass() -> None:
    assert require_columns(["id"], subject="ods.orders", declared="x") == (
        PlannedEntry("`id`", "id", "id", 0),
    )


@given(st.text(max_size=40))
def test_no_text_makes_the_planner_fail(text: str) -> None:
    plan = plan_columns([text])
    assert len(plan.entries) + len(plan.problems) == 1


WORDS = st.sampled_from(
    [
        "a",
        "`b c`",
        "as",
        "AS x",
        ",",
        "(",
        ")",
        "'q'",
        "--",
        "/*",
        "*/",
        ";",
        "+",
        "concat",
        "1",
        "\n",
        "from t",
        "*",
        "#",
    ]
)


@given(st.lists(WORDS, max_size=9).map(" ".join))
def test_an_accepted_entry_can_stand_before_its_own_alias(text: str) -> None:
    for entry in plan_columns([text]).entries:
        again = plan_columns([f"{entry.sql} AS `{entry.target}`"])
        assert [(e.sql, e.target, e.source_column) for e in again.entries] == [
            (entry.sql, entry.target, entry.source_column)
        ]
