"""``drift``: the platform's, and what a table says of its own."""

from datetime import timedelta
from pathlib import Path

import pytest

from dataplat.specs.drift import DriftSpec
from dataplat_tests.unit.specs.folder import FLOW, MONEY, Config

TABLE, OTHER = "ods.ods_t_money_record", "ods.ods_t_package_flow_log"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path)


def test_without_it_no_source_is_asked_by_itself(config: Config) -> None:
    assert {table.drift for table in config.load().tables.values()} == {None}


def test_a_table_has_the_platforms_but_for_what_it_says(config: Config) -> None:
    config.add("platform.yaml", "drift: {days: 4, every: 12h}\n")
    config.add(MONEY, "drift: {days: 30}\n")
    tables = config.load().tables
    assert tables[TABLE].drift == DriftSpec(days=30, every=timedelta(hours=12))
    assert tables[OTHER].drift == DriftSpec(days=4, every=timedelta(hours=12))


def test_a_table_may_be_asked_where_the_platform_says_nothing(config: Config) -> None:
    config.add(MONEY, "drift: {days: 30}\n")
    tables = config.load().tables
    assert (tables[TABLE].drift, tables[OTHER].drift) == (DriftSpec(days=30), None)


def test_a_table_that_never_drifts_is_left_alone_and_so_is_a_snapshot(config: Config) -> None:
    config.add("platform.yaml", "drift: {}\n")
    config.add(MONEY, "drift: never\n")
    config.replace(FLOW, "load: incremental", "load: snapshot")
    tables = config.load().tables
    assert (tables[TABLE].drift, tables[OTHER].drift) == ("never", None)


def test_a_snapshot_that_is_to_be_asked_is_a_problem(config: Config) -> None:
    config.replace(MONEY, "load: incremental", "load: snapshot")
    config.add(MONEY, "drift: {days: 3}\n")
    (problem,) = config.problems()
    assert problem == (
        "config/ods/ods_t_money_record.yaml:15  drift: a snapshot is of the moment when it was read, so"
        " another count later is no drift"
    )


def test_the_content_hash_does_not_follow_it(config: Config) -> None:
    before = config.load()
    config.add("platform.yaml", "drift: {days: 4}\n")
    config.add(MONEY, "drift: {days: 30}\n")
    after = config.load()
    assert [after.sha(after.tables[name]) for name in (TABLE, OTHER)] == [
        before.sha(before.tables[name]) for name in (TABLE, OTHER)
    ]
