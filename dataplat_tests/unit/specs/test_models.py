"""A model is YAML and SQL under one name; everything else about it is as for any table."""

from datetime import date, timedelta
from typing import Any

import pytest

from dataplat.errors import SelectionError
from dataplat.specs import ModelSpec, UpstreamSpec
from dataplat_tests.unit.specs.folder import MONEY, PLATFORM, Config

DAY, DAY_SQL, DAY_TEST = "dw/dw_account_day.yaml", "dw/dw_account_day.sql", "dw/dw_account_day.test.yaml"
YAML = """\
table: dw.dw_account_day
description: Money moved per account and day
grain: day
key: [account_id]
checks:
  - unique: [account_id]
"""
SQL = (
    "SELECT account_id, sum(money) AS money\nFROM ods.ods_t_money_record WHERE ds = '{{ ds }}'\nGROUP BY 1\n"
)
TEST = """\
tests:
  money_is_summed:
    partition: 2026-01-09
    given:
      ods.ods_t_money_record: [{account_id: 1, money: 2.5}, {account_id: 1, money: 1}]
    expect: [{account_id: 1, money: 3.5}]
"""


@pytest.fixture
def models(config: Config) -> Config:
    config.write(DAY, YAML)
    config.write(DAY_SQL, SQL)
    return config


def model(config: Config) -> ModelSpec:
    return config.load().model("dw.dw_account_day")


def test_a_model_is_a_yaml_and_the_sql_beside_it(models: Config) -> None:
    spec = model(models)

    assert (spec.grain, spec.start, spec.group, spec.layer) == ("day", date(2025, 1, 1), "dw", "dw")
    assert (spec.window.grain, spec.window.start) == ("day", date(2025, 1, 1))
    assert spec.asset_path == ("dw", "dw", "dw_account_day")
    assert (spec.sql, spec.sql_file) == (SQL, "config/dw/dw_account_day.sql")
    assert (spec.trigger, spec.depends_on_past, spec.read_mode("ods.x")) == ("all_success", False, None)
    assert spec.check_at("unique_account_id") == f"config/{DAY}:6 checks[0].unique"
    assert spec.retention.grace == timedelta(days=2)


def test_what_the_sql_cannot_say_is_said_in_short(models: Config) -> None:
    models.add(DAY, "reads: {dim.a: latest, '*': all_partitions}\nupstreams: {ods.x: -7..0, ods.y: -1}\n")
    spec = model(models)

    assert [spec.read_mode(name) for name in ("dim.a", "dim.b")] == ["latest", "all_partitions"]
    assert spec.upstreams == {
        "ods.x": UpstreamSpec(partitions=(-7, 0)),
        "ods.y": UpstreamSpec(partitions=(-1, -1)),
    }
    models.replace(DAY, "reads: {dim.a: latest, '*': all_partitions}", "reads: all_partitions")
    assert model(models).read_mode("dim.a") == "all_partitions"


def test_a_table_that_is_loaded_may_lie_among_the_models(models: Config) -> None:
    models.write("dim/dim_city.yaml", models.read(MONEY).replace("ods.ods_t_money_record", "dim.dim_city"))
    catalog = models.load()

    assert catalog.table("dim.dim_city").layer == "dim"
    assert list(catalog.models) == ["dw.dw_account_day"]
    assert [spec.table for spec in catalog.select("*")] == [
        "dim.dim_city", "ods.ods_t_money_record", "ods.ods_t_package_flow_log",
    ]  # fmt: skip
    assert [spec.table for spec in catalog.select_any("d*")] == ["dim.dim_city", "dw.dw_account_day"]
    assert [spec.table for spec in catalog.select_any("source:market")] == [
        "dim.dim_city", "ods.ods_t_money_record",
    ]  # fmt: skip
    assert repr(catalog) == "Catalog(config: 2 sources, 3 tables, 1 model)"


def test_a_model_is_no_table_that_is_loaded_and_the_other_way_round(models: Config) -> None:
    catalog = models.load()
    with pytest.raises(SelectionError) as loaded:
        catalog.table("dw.dw_account_day")
    with pytest.raises(SelectionError) as made:
        catalog.model("ods.ods_t_money_record")

    assert str(loaded.value) == (
        "dw.dw_account_day: this is not a table that is loaded\n"
        "  found      a model: SQL makes it\n"
        f"  declared   config/{DAY}:1 table\n"
        "  effect     nothing was run"
    )
    assert str(made.value) == (
        "ods.ods_t_money_record: this is not a model\n"
        "  found      a table that is loaded from market\n"
        f"  declared   config/{MONEY}:2 table\n"
        "  effect     nothing was run"
    )


def test_an_unknown_model_is_answered_with_the_nearest_table(models: Config) -> None:
    with pytest.raises(SelectionError) as caught:
        models.load().model("dw.dw_acount_day")

    assert str(caught.value) == (
        "dw.dw_acount_day: no such table; did you mean 'dw.dw_account_day'?\n"
        "  declared   3 tables in config/\n"
        "  effect     nothing was run\n"
        "  next       dataplat check"
    )


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        (DAY_SQL, None, (f"{DAY}:1  a model has its SQL beside it, and there is no dw_account_day.sql;"
         " a loaded table has a `source`")),
        (DAY_SQL, "\n  \n", f"{DAY_SQL}:1  holds no SQL"),
        (DAY_SQL, b"SELECT\n'\xff'", f"{DAY_SQL}:2  is not UTF-8 text"),
        ("dw/dw_lost.sql", SQL, "dw/dw_lost.sql:1  has no dw_lost.yaml beside it that declares the model"),
        ("ods/x.sql", SQL, "ods/x.sql:1  is not read by anything; expected *.yaml here"),
        ("dw/dw_lost.test.yaml", TEST, "dw/dw_lost.test.yaml:1  there is no model dw_lost.yaml beside it"),
        (DAY_TEST, "tests: {}\n", f"{DAY_TEST}:1  tests: expected at least one test, by its name"),
        (DAY_TEST, TEST.replace("expect", "expected"),
         f"{DAY_TEST}:6  tests.money_is_summed.expected: unknown key; did you mean 'expect'?"),
    ],
)  # fmt: skip
def test_a_file_that_is_missing_stray_or_empty_is_a_problem(
    models: Config, file: str, content: Any, problem: str
) -> None:
    path = models.dir / file
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    assert f"config/{problem}" in models.problems()


def test_sql_beside_a_table_that_is_loaded_is_run_by_nobody(models: Config) -> None:
    models.write(DAY, models.read(MONEY).replace("ods.ods_t_money_record", "dw.dw_account_day"))

    assert models.problems() == [
        f"config/{DAY_SQL}:1  is not read by anything: dw_account_day.yaml is no model"
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("grain: week", "grain: 'week' is unknown; allowed: hour, day, month"),
        ("trigger: all_sucess", ("trigger: 'all_sucess' is unknown; did you mean 'all_success'?"
         " allowed: all_success, all_done")),
        ("reads: all", "reads: 'all' is unknown; allowed: all_partitions, latest, same"),
        ("reads: {ods.x: newest}", "reads.ods.x: 'newest' is unknown; allowed: all_partitions, latest, same"),
        ("upstreams: {ods.x: 0..-7}", ("upstreams.ods.x: expected the earlier partition first:"
         " -7..0, found '0..-7'")),
        ("upstreams: {ods.x: week}", ("upstreams.ods.x: expected partitions such as -1, 0 or -7..0,"
         " found 'week'")),
        ("upstreams: {x: 0}", "upstreams.x: 'x' is not database.table of letters, digits and _"),
        ("engine: heavy", "engine: there is no engine 'heavy'; declared are default"),
        ("table: ods.ods_t_money_record",
         f"table: 'ods.ods_t_money_record' is already declared in config/{MONEY}:2"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_model_is_one_problem_at_its_line(models: Config, line: str, problem: str) -> None:
    key = line.split(":")[0]
    rest = [old for old in YAML.splitlines() if not old.startswith(key)]
    models.write(DAY, "\n".join([*rest, line, ""]))
    (found,) = models.problems()
    place, text = found.split("  ", 1)

    assert place in (f"config/{DAY}:{len(rest) + 1}", f"config/{DAY}:1")
    assert text == problem


def test_external_tables_are_names_or_have_a_grain(models: Config) -> None:
    models.add(PLATFORM, "\nexternal: [legacy.city, {table: legacy.log, grain: hour, columns: [id]}]\n")
    city, log = models.load().platform.external

    assert (city.table, city.grain, city.columns) == ("legacy.city", None, ())
    assert (log.table, log.grain, log.columns) == ("legacy.log", "hour", ("id",))


def test_an_external_table_is_declared_once_and_by_nobody_else(models: Config) -> None:
    models.add(PLATFORM, "\nexternal:\n  - legacy.city\n  - Legacy.City\n  - dw.dw_account_day\n")

    line = models.read(PLATFORM).splitlines().index("external:") + 1
    assert models.problems() == [
        f"config/{PLATFORM}:{line + 2}  external[1]: 'Legacy.City' is there twice",
        (
            f"config/{PLATFORM}:{line + 3}  external[2]: 'dw.dw_account_day' is declared in config/{DAY}:1,"
            " and not external"
        ),
    ]


def test_tests_of_a_model_are_found_by_its_name(models: Config) -> None:
    models.write(DAY_TEST, TEST)
    tests = models.load().model_tests["dw.dw_account_day"]

    case = tests.tests["money_is_summed"]
    assert (case.partition, case.ordered) == ("2026-01-09", False)
    assert case.given["ods.ods_t_money_record"][1] == {"account_id": 1, "money": 1}
    assert case.expect == ({"account_id": 1, "money": 3.5},)
    assert tests.at("money_is_summed") == f"config/{DAY_TEST}:2 tests.money_is_summed"


@pytest.mark.parametrize(
    ("file", "old", "new", "changes"),
    [
        (DAY_SQL, "sum(money)", "max(money)", True),
        (DAY, "- unique: [account_id]", "- min_rows: 1", True),
        (PLATFORM, "timezone: Asia/Shanghai", "timezone: UTC", True),
        (DAY, "Money moved", "The money moved", False),
        (DAY, "grain: day", "grain: day\ndepends_on_past: true\ntrigger: all_done", False),
    ],
)
def test_the_sha_of_a_model_follows_its_sql_and_its_checks(
    models: Config, file: str, old: str, new: str, changes: bool
) -> None:
    before = models.load()
    models.replace(file, old, new)
    after = models.load()
    shas = [catalog.sha(catalog.model("dw.dw_account_day")) for catalog in (before, after)]

    assert (shas[0] != shas[1]) is changes
    assert len(shas[0]) == 12


def test_the_sha_of_a_model_follows_the_functions_it_may_call(models: Config) -> None:
    catalog = models.load()
    spec = catalog.model("dw.dw_account_day")

    assert catalog.sha(spec, ["parse_ip@1", "b"]) == catalog.sha(spec, ["b", "parse_ip@1"])
    assert catalog.sha(spec, ["parse_ip@1"]) != catalog.sha(spec, ["parse_ip@2"]) != catalog.sha(spec)
