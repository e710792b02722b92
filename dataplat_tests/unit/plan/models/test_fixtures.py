"""The given rows of a test are tables with the columns that the model reads."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dataplat.errors import SelectionError
from dataplat.plan.models.fixtures import GivenTable, case_partition, given_tables, infer_type
from dataplat.plan.models.inspect import inspect_models
from dataplat.plan.models.reading import build_graph
from dataplat.specs import Catalog, ModelTestCase, ModelTestSpec
from dataplat.specs.documents import Declared
from dataplat_tests.unit.plan.models.builders import catalog, loaded, model

SQL = (
    "SELECT a.id, a.name, sum(c.price) AS spent, max(g.goal) AS goal FROM ods.account a"
    " LEFT JOIN ods.click c ON c.account_id = a.id AND c.ds = a.ds"
    " LEFT JOIN ods.goal g ON g.ds = '{{ prev_month }}'"
    " JOIN legacy.city t ON t.id = a.city WHERE a.ds = '{{ ds }}' GROUP BY a.id, a.name"
)
MODEL = model(SQL, "dw.day")
TABLES = (
    loaded("ods.account", ["id", "name", "city"]),
    loaded("ods.click", "*", "hour"),
    loaded("ods.goal", ["goal"], "month"),
)


def case(**keys: Any) -> ModelTestCase:
    return ModelTestCase.model_validate({"partition": "2026-01-09", "expect": [], **keys})


def with_tests(**tests: Any) -> Catalog:
    cases = {name: case(**keys) for name, keys in (tests or {"empty": {}}).items()}
    made = ModelTestSpec.model_validate({"tests": cases})
    declared = Declared("config/dw/day.test.yaml", Path("day.test.yaml"), "dw")
    found = catalog(MODEL, *TABLES, external=["legacy.city"])
    return Catalog(
        found.config_dir,
        found.platform,
        {},
        found.tables,
        found.models,
        {"dw.day": made.declared_in(declared)},
    )


def test_every_upstream_is_given_and_what_a_row_leaves_out_is_null_or_the_partition() -> None:
    found = with_tests()
    given = {
        "ods.account": [{"id": 1, "name": "ann"}, {"ID": 2, "ds": "2026-01-08"}],
        "ods.click": [{"account_id": 1, "price": 2.5}, {"account_id": 1, "price": 1, "hr": "03"}],
    }

    assert given_tables(found, build_graph(found), MODEL, case(given=given)) == [
        GivenTable("legacy.city", ("id",), ("string",), ()),
        GivenTable(
            "ods.account",
            ("id", "name", "city", "ds"),
            ("bigint", "string", "string", "string"),
            ((1, "ann", None, "2026-01-09"), (2, None, None, "2026-01-08")),
        ),
        GivenTable(
            "ods.click",
            ("account_id", "price", "ds", "hr"),
            ("bigint", "decimal(18,1)", "string", "string"),
            ((1, Decimal("2.5"), "2026-01-09", "23"), (1, Decimal(1), "2026-01-09", "03")),
        ),
        GivenTable("ods.goal", ("goal", "ds"), ("string", "string"), ()),
    ]


def test_an_upstream_of_another_time_is_given_in_the_partition_that_is_read() -> None:
    found = with_tests()
    tables = given_tables(found, build_graph(found), MODEL, case(given={"ods.goal": [{"goal": 7}]}))

    assert tables[-1].rows == ((7, "2025-12"),)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([None], "string"),
        ([1, None, 2], "bigint"),
        ([True, None], "boolean"),
        ([1, 2.25, 0.5], "decimal(18,2)"),
        ([1.0], "decimal(18,0)"),
        (["a", 1], "string"),
        ([True, 1], "string"),
        ([[1], [2.5]], "array<decimal(18,1)>"),
        ([{"a": 1}, {}], "map<string,bigint>"),
    ],
)
def test_a_type_holds_all_values_that_are_written(values: list[object], kind: str) -> None:
    assert infer_type(values) == kind


def test_a_partition_is_read_as_on_the_command_line() -> None:
    assert case_partition(MODEL, case(partition=20260109)) == "2026-01-09"
    with pytest.raises(SelectionError):
        case_partition(MODEL, case(partition="2026-01"))


def test_what_a_test_names_has_to_be_there() -> None:
    found = with_tests(
        good={"given": {"ods.account": [{"id": 1, "ds": "2026-01-08"}], "ods.click": [{"anything": 1}]}},
        bad={
            "partition": "2026-01",
            "given": {"ods.acount": [{}], "ods.account": [{"id": 1}, {"nmae": "x"}]},
            "expect": [{"id": 1, "spend": 2}],
        },
    )

    assert [f"{problem.at} {problem.message}" for problem in inspect_models(found)] == [
        (
            "config/dw/day.test.yaml:1 tests.bad.partition: '2026-01' is no partition that can be read;"
            " expected a day: YYYYMMDD or YYYY-MM-DD"
        ),
        (
            "config/dw/day.test.yaml:1 tests.bad.given.ods.acount: the model does not read 'ods.acount';"
            " did you mean 'ods.account'?"
        ),
        (
            "config/dw/day.test.yaml:1 tests.bad.given.ods.account[1].nmae: there is no such column;"
            " did you mean 'name'?"
        ),
        "config/dw/day.test.yaml:1 tests.bad.expect[0].spend: there is no such column; did you mean 'spent'?",
    ]


def test_columns_and_types_are_those_of_all_tests_of_the_model() -> None:
    found = with_tests(
        full={"given": {"ods.click": [{"account_id": 1, "price": 2.5, "Tags": {"a": "b"}}]}}, empty={}
    )

    tables = given_tables(found, build_graph(found), MODEL, case())

    click = next(table for table in tables if table.table == "ods.click")
    assert dict(zip(click.columns, click.types, strict=True)) == {
        "account_id": "bigint",
        "price": "decimal(18,1)",
        "tags": "map<string,string>",
        "ds": "string",
        "hr": "string",
    }
    assert click.rows == ()
