"""Hours and months: models of other grains than a day, made on the demo's home and counted again."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest

from dataplat.demo.words import REGIONS
from dataplat.udfs.places import normalise_place
from dataplat_tests.e2e.shell import Shell

pytestmark = pytest.mark.e2e

PLACES, HOURS = "dw.dw_place_hour", ("2026-01-09-10:00", "2026-01-09-11:00")
MONTHS, MONTH = "ads.ads_mau", "2026-01"
DAYS = "dw.dw_user_day"


def table(shell: Shell, name: str, key: str) -> dict[str, list[Any]]:
    """Return the columns of a published partition, read without Spark."""
    folder = Path(urlsplit(shell.run(f"dataplat path {name} {key}").out.strip()).path)
    found: dict[str, list[Any]] = pq.read_table(folder, partitioning=None).to_pydict()
    return found


def test_an_hour_is_made_of_its_own_hour_and_knows_where_every_visitor_is(demo_home: Shell) -> None:
    done = demo_home.run(f"dataplat load {PLACES} --date 2026010910~2026010911 --json")
    assert done.code == 0, done.said
    made = [(item["partition"], item["verdict"]) for item in json.loads(done.out)["partitions"]]
    assert made == [(hour, "published") for hour in HOURS]
    for hour in HOURS:
        made_of = table(demo_home, "ods.ods_t_page_view", hour)
        found = table(demo_home, PLACES, hour)
        assert sum(found["views"]) == len(made_of["id"]) > 0
        assert set(found["place"]) <= {normalise_place("中国", name) for _, name, _ in REGIONS}


def test_a_month_waits_for_each_of_its_days_and_for_the_shop(demo_home: Shell) -> None:
    done = demo_home.run(f"dataplat load {MONTHS} --date {MONTH}")
    assert done.code == 1
    assert f"{MONTHS}[{MONTH}]: the gate is closed by 25 upstream partitions" in done.err, done.said
    assert f"{DAYS}[2026-01-01]" in done.err
    assert f"{DAYS}[2026-01-08]" not in done.err, "that day is there"


def test_a_month_that_somebody_lets_through_adds_up_the_days_that_are_there(demo_home: Shell) -> None:
    waived = demo_home.run(f"dataplat waive {MONTHS} {MONTH} --reason 'a first look' --until 2099-01-01")
    assert waived.code == 0, waived.said
    done = demo_home.run(f"dataplat load {MONTHS} --date {MONTH}")
    assert done.code == 0, done.said
    days = [table(demo_home, DAYS, f"2026-01-{day:02}") for day in range(8, 15)]
    found = table(demo_home, MONTHS, MONTH)
    assert found["month"] == [MONTH]
    assert found["mau"] == [len({account for day in days for account in day["account_id"]})]
    assert found["ordered_money"] == [sum(money for day in days for money in day["ordered_money"])]
