"""Which tests are run, and on which engine; running them is in ``integration/test_model_tests``."""

from pathlib import Path

import pytest

from dataplat.errors import SelectionError
from dataplat.lifecycle.model_tests import select_tests
from dataplat.lifecycle.platform import Platform
from dataplat.settings import read_settings
from dataplat.specs import load_catalog
from dataplat_tests.unit.cli.warehouse import DAY, DIM, WEEK, add_models
from dataplat_tests.unit.specs.folder import Config

TESTS = "tests:\n  one: {partition: 2026-01-09, expect: []}\n  two: {partition: 2026-01-09, expect: []}\n"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = Config(tmp_path)
    add_models(made)
    made.write("dim/dim_account.test.yaml", TESTS)
    made.write("dw/dw_money_day.test.yaml", TESTS)
    return made


def selected(config: Config, expression: str = "") -> list[tuple[str, str, str]]:
    found = select_tests(load_catalog(config.dir, {}), expression)
    return [(test.spec.table, test.name, test.declared) for test in found]


def test_without_a_selection_all_tests_are_taken_in_the_order_of_their_files(config: Config) -> None:
    assert selected(config) == [
        (DIM, "one", "config/dim/dim_account.test.yaml:2"),
        (DIM, "two", "config/dim/dim_account.test.yaml:3"),
        (DAY, "one", "config/dw/dw_money_day.test.yaml:2"),
        (DAY, "two", "config/dw/dw_money_day.test.yaml:3"),
    ]


def test_a_selection_may_hold_tables_and_models_without_tests(config: Config) -> None:
    assert {table for table, _, _ in selected(config, "layer:dw,ods.*,ads.*")} == {DAY}


def test_a_model_without_tests_says_where_they_belong(config: Config) -> None:
    with pytest.raises(SelectionError) as caught:
        selected(config, WEEK)
    assert str(caught.value) == (
        "ads.ads_money_week: there is nothing to test\n"
        "  expected   config/ads/ads_money_week.test.yaml\n"
        "  effect     nothing was run"
    )


def test_a_platform_without_models_says_where_tests_would_belong(tmp_path: Path) -> None:
    with pytest.raises(SelectionError) as caught:
        selected(Config(tmp_path))
    assert str(caught.value) == (
        "*: there is nothing to test\n  expected   config/dw/dw_x.test.yaml\n  effect     nothing was run"
    )


def platform(config: Config) -> Platform:
    settings = read_settings({}, config=config.dir)
    return Platform(settings, load_catalog(config.dir, {}), {})


def test_the_shared_local_server_runs_tests_itself(config: Config) -> None:
    with platform(config) as opened:
        assert opened.test_engine() is opened.engine()


@pytest.mark.parametrize("mode", ["mode: classic, master: yarn", "mode: connect, remote: 'sc://spark:15002'"])
def test_in_place_of_any_other_engine_tests_get_a_local_one_without_a_metastore(
    config: Config, mode: str
) -> None:
    conf = "conf: {spark.sql.ansi.enabled: 'false', spark.executor.memory: 9g}"
    config.add(
        "platform.yaml", f"engines: {{heavy: {{{mode}, hive.metastore.uris: 'thrift://m:9083', {conf}}}}}\n"
    )
    with platform(config) as opened:
        engine = opened.test_engine("heavy")
        assert engine is opened.test_engine("heavy")
        assert (engine.spec.mode, engine.spec.hive_metastore_uris) == ("local", None)
        assert engine.spec.conf == {
            "spark.sql.ansi.enabled": "false",
            "spark.sql.catalogImplementation": "in-memory",
        }
        assert engine.home.warehouse.startswith(f"file://{engine.home.directory}")
        assert engine.home.catalog != opened.engine().home.catalog
