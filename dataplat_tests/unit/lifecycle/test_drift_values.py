"""Which partitions are hashed together: those for which a load would send the same SQL."""

from pathlib import Path

import pytest

from dataplat.lifecycle.drift_values import read_alike
from dataplat_tests.unit.specs.folder import FLOW, MONEY, Config

DAYS = ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]
ZONE = "Asia/Shanghai"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path)


def test_days_of_a_plain_table_are_hashed_together(config: Config) -> None:
    assert read_alike(config.load().table("ods.ods_t_money_record"), DAYS, ZONE) == [DAYS]


def test_shards_of_a_month_are_those_of_its_days(config: Config) -> None:
    assert "$[yyyy_MM]" in config.read(FLOW)
    spec = config.load().table("ods.ods_t_package_flow_log")
    assert read_alike(spec, DAYS, ZONE) == [DAYS[:2], DAYS[2:]]


def test_a_condition_that_follows_the_date_lets_each_day_alone(config: Config) -> None:
    config.add(MONEY, "where: \"create_time >= '$[yyyy-MM-dd-30]'\"\n")
    assert read_alike(config.load().table("ods.ods_t_money_record"), DAYS, ZONE) == [[day] for day in DAYS]
