"""What ``dataplat load`` decides before it loads anything."""

import pytest

from dataplat_tests.conftest import Golden
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.cli.test_main import GOLDEN
from dataplat_tests.unit.specs.folder import FLOW, Config

MONEY_TABLE = "ods.ods_t_money_record"


def test_a_dry_run_prints_one_run_for_each_range_and_makes_nothing(
    dataplat: CommandLine, golden: Golden
) -> None:
    ran = dataplat("load", "ods.*", "--date", "20260305~2026-03-07,20260309", "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    golden(GOLDEN / "dry_run.txt", ran.out)
    assert not dataplat.home.exists()


def test_without_a_date_it_is_the_day_that_has_ended(dataplat: CommandLine) -> None:
    document = dataplat("load", MONEY_TABLE, "--dry-run", "--json").document
    assert document == {
        "ok": True,
        "dry_run": True,
        "tables": [
            {
                "table": MONEY_TABLE,
                "partitions": ["2026-03-19"],
                "runs": [["2026-03-19"]],
                "load": "incremental",
                "source": "market",
                "engine": "default",
            }
        ],
    }


def test_a_day_of_an_hourly_table_is_its_hours(dataplat: CommandLine, config: Config) -> None:
    config.replace(FLOW, "grain: day", "grain: hour")
    document = dataplat("load", "*", "--date", "2026-03-05", "--dry-run", "--json").document
    assert [len(table["partitions"]) for table in document["tables"]] == [1, 24]


@pytest.mark.parametrize(
    ("date", "message"),
    [
        (
            "2026-03-09~2026-03-05",
            (
                "ods.ods_t_money_record: the range 2026-03-09~2026-03-05 ends before it starts\n"
                "  effect   nothing was read\n"
                "  next     dataplat load ods.ods_t_money_record --date 2026-03-05~2026-03-09\n"
            ),
        ),
        (
            "2026-03-20",
            (
                "ods.ods_t_money_record: 2026-03-20 does not exist yet: it ends at 2026-03-21T00:00:00+08:00,"
                " in 15 h 0 min\n"
                "  latest   2026-03-19\n"
                "  effect   nothing was read\n"
                "  next     dataplat load ods.ods_t_money_record --date 2026-03-19\n"
            ),
        ),
        (
            "2025-12-31",
            (
                "ods.ods_t_money_record: 2025-12-31 lies before the table's first partition\n"
                "  first    2026-01-01\n"
                "  effect   nothing was read\n"
                "  next     dataplat load ods.ods_t_money_record --date 2026-01-01"
                "   or   set window.start in the table's YAML\n"
            ),
        ),
        (
            "yesterday",
            (
                "ods.ods_t_money_record: 'yesterday' is no partition that can be read\n"
                "  expected   a day: YYYYMMDD or YYYY-MM-DD\n"
                "  found      'yesterday'\n"
                "  effect     nothing was read\n"
            ),
        ),
        (
            "2026-03-01~",
            (
                "ods.ods_t_money_record: '2026-03-01~' is no selection that can be read\n"
                "  expected   D, D1~D2 or D1,D2, where D is a day: YYYYMMDD or YYYY-MM-DD\n"
                "  effect     nothing was read\n"
            ),
        ),
    ],
)
def test_a_date_that_cannot_be_loaded_is_one_message_and_exit_2(
    dataplat: CommandLine, date: str, message: str
) -> None:
    ran = dataplat("load", MONEY_TABLE, "--date", date)
    assert (ran.code, ran.out, ran.err) == (2, "", message)
    assert not dataplat.home.exists()


def test_one_bad_date_stops_the_command_before_any_table(dataplat: CommandLine, config: Config) -> None:
    config.replace(FLOW, "grain: day", "grain: month")
    ran = dataplat("load", "ods.*", "--date", "2026-03-05")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("ods.ods_t_package_flow_log: ")


def test_an_unknown_table_is_answered_with_the_nearest(dataplat: CommandLine) -> None:
    ran = dataplat("load", "ods.ods_t_money_recrd")
    assert (ran.code, ran.err) == (
        2,
        (
            "ods.ods_t_money_recrd: no such table; did you mean 'ods.ods_t_money_record'?\n"
            "  declared   2 tables in config/\n"
            "  effect     nothing was run\n"
            "  next       dataplat check\n"
        ),
    )


def test_a_wrong_configuration_is_told_whole_and_nothing_is_run(
    dataplat: CommandLine, config: Config
) -> None:
    config.replace(FLOW, "source: logistics", "sauce: logistics")
    ran = dataplat("load", "*")
    assert (ran.code, ran.err) == (
        1,
        (
            "config: 1 problem in 1 file\n"
            "  config/ods/ods_t_package_flow_log.yaml:3   sauce: unknown key; did you mean 'source'?\n"
            "  effect                                     nothing was run\n"
            "  next                                       dataplat check\n"
        ),
    )
