"""``lookback: 8d``: what ``dataplat load`` and the schedule read with a day. It is 2026-03-20 09:00."""

from datetime import datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from dataplat.orchestration.gatekeeper import Gatekeeper
from dataplat.orchestration.schedules import build_schedules
from dataplat.plan.models.graph import ModelGraph
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.specs.folder import MONEY, Config

TABLE = "ods.ods_t_money_record"
EIGHT = [f"2026-03-{day}" for day in range(12, 20)]


@pytest.fixture(autouse=True)
def _eight_days(config: Config) -> None:
    config.add(MONEY, "lookback: 8d\n")


@pytest.mark.parametrize(
    ("arguments", "runs"),
    [
        ([], [EIGHT]),
        (["--date", "20260319"], [EIGHT]),
        (["--date", "2026-03-19", "--no-lookback"], [["2026-03-19"]]),
        (["--date", "2026-03-18~2026-03-19"], [["2026-03-18", "2026-03-19"]]),
        (["--date", "2026-03-10,2026-03-19"], [["2026-03-10"], ["2026-03-19"]]),
        (["--date", "2026-03-18~2026-03-19", "--lookback"], [["2026-03-11", *EIGHT]]),
        (["--date", "2026-01-02"], [["2026-01-01", "2026-01-02"]]),
    ],
)
def test_a_single_day_is_read_with_those_before_it_and_a_backfill_is_what_was_named(
    dataplat: CommandLine, arguments: list[str], runs: list[list[str]]
) -> None:
    (table,) = dataplat("load", TABLE, *arguments, "--dry-run", "--json").document["tables"]
    assert table["runs"] == runs


def test_the_schedule_asks_for_one_run_of_all_of_them(config: Config) -> None:
    catalog = config.load()
    gatekeeper = Gatekeeper(catalog, ModelGraph({}), {"DATAPLAT_HOME": str(config.dir)})
    (schedule,) = build_schedules(catalog, gatekeeper)
    moment = datetime(2026, 3, 20, 2, tzinfo=ZoneInfo("Asia/Shanghai"))
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=moment)
        (request,) = schedule(context)
    assert request.partition_key is None
    assert request.tags == {
        "dataplat/table": TABLE,
        "dataplat/launched_by": "schedule",
        "dagster/asset_partition_range_start": "2026-03-12",
        "dagster/asset_partition_range_end": "2026-03-19",
    }


def test_the_content_hash_does_not_follow_it(config: Config) -> None:
    after = config.load()
    config.replace(MONEY, "lookback: 8d\n", "")
    before = config.load()
    assert after.sha(after.tables[TABLE]) == before.sha(before.tables[TABLE])


def test_a_snapshot_has_none(config: Config) -> None:
    config.replace(MONEY, "load: incremental", "load: snapshot")
    (problem,) = config.problems()
    assert problem == (
        "config/ods/ods_t_money_record.yaml:15  lookback: a snapshot is the whole table already; lookback is"
        " for load: incremental"
    )
