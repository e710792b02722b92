"""``pause`` and ``resume``: what they record, what they stop in Dagster, and what they say."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.selector import InstigatorSelector

from dataplat.ledger import Ledger
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.cli.warehouse import DAY, add_models
from dataplat_tests.unit.specs.folder import Config

MONEY = "ods.ods_t_money_record"
SCHEDULE = "schedule_day_0_2_any_any_any_from_20260101"
WORKSPACE = Path(__file__).parents[3] / "workspace.yaml"


@pytest.fixture(autouse=True)
def _models(config: Config) -> None:
    add_models(config)


@pytest.fixture
def instance(dataplat: CommandLine) -> Iterator[dg.DagsterInstance]:
    dataplat("pause")  # makes the home
    with dg.DagsterInstance.from_config(str(dataplat.home / "dagster")) as instance:
        yield instance


def stopped(instance: dg.DagsterInstance) -> set[str]:
    """Return the schedules and sensors that are stopped, as the daemon looks them up."""
    (location,) = yaml.safe_load(WORKSPACE.read_text())["load_from"]
    name = location["python_module"]["location_name"]
    found = {state.selector_id: state for state in instance.all_instigator_state()}
    for state in found.values():
        selector = InstigatorSelector(location_name=name, repository_name="__repository__", name=state.name)
        assert selector.get_id() == state.selector_id
    return {state.name for state in found.values() if not state.is_running}


def test_a_table_is_paused_and_resumed_and_the_sensor_of_its_layer_goes_on(
    dataplat: CommandLine, config: Config, instance: dg.DagsterInstance
) -> None:
    config.write("dw/dw_other.yaml", "table: dw.dw_other\n")
    config.write("dw/dw_other.sql", f"SELECT id FROM {MONEY} WHERE ds = '{{{{ ds }}}}'\n")
    ran = dataplat("pause", DAY, "--reason", "the rates move")
    assert (ran.code, ran.err, ran.out) == (
        0,
        "",
        "dw.dw_money_day is paused\nwhat runs or waits in the queue goes on\n",
    )
    with Ledger.open(f"sqlite:///{dataplat.home}/ledger.db") as ledger:
        (pause,) = ledger.pauses()
    assert (pause.table, pause.reason, pause.actor) == (DAY, "the rates move", "ann")
    assert stopped(instance) == set()
    assert dataplat("resume", DAY).out == "dw.dw_money_day is resumed\n"
    assert dataplat("resume", DAY).out == "nothing was to be resumed\n"


def test_a_sensor_and_a_schedule_whose_tables_are_all_paused_stop_in_the_ui_and_start_again(
    dataplat: CommandLine, instance: dg.DagsterInstance
) -> None:
    ran = dataplat("pause", f"layer:dw,{MONEY}")
    assert ran.out == (
        "dw.dw_money_day is paused\nods.ods_t_money_record is paused\n"
        f"sensor automation_dw is stopped\nschedule {SCHEDULE} is stopped\n"
        "what runs or waits in the queue goes on\n"
    )
    assert stopped(instance) == {"automation_dw", SCHEDULE}
    dataplat("resume", MONEY)
    assert stopped(instance) == {"automation_dw"}
    assert (
        dataplat("resume", "layer:dw").out == "dw.dw_money_day is resumed\nsensor automation_dw is started\n"
    )
    assert stopped(instance) == set()


def test_all_stops_what_launches_and_keeps_what_was_paused_by_name(
    dataplat: CommandLine, instance: dg.DagsterInstance
) -> None:
    dataplat("pause", MONEY, "--reason", "x")
    document = dataplat("pause", "--all", "--json").document
    names = {one["name"] for one in document["switched"]}
    assert names == {"automation_ads", "automation_dim", "automation_dw"}
    assert stopped(instance) == names | {SCHEDULE}
    dataplat("resume", "--all")
    assert stopped(instance) == set()
    assert [one["table"] for one in dataplat("pause", "--json").document["paused"]] == [MONEY]


def test_what_is_paused_is_listed(dataplat: CommandLine) -> None:
    assert dataplat("pause").out == "nothing is paused\n"
    dataplat("pause", f"{DAY},sensor:automation_dim", "--reason", "the rates move")
    assert dataplat("pause").out == (
        "paused            since                 by    reason\n"
        "────────────────────────────────────────────────────────────\n"
        "dw.dw_money_day   2026-03-20 09:00:00   ann   the rates move\n"
        "sensor automation_dim is stopped\n"
        "sensor automation_dw is stopped\n"
    )


def test_a_sensor_that_is_not_there_is_refused_and_nothing_is_paused(dataplat: CommandLine) -> None:
    ran = dataplat("pause", f"{DAY},sensor:automation_dx")
    assert (ran.code, ran.out, ran.err) == (
        2,
        "",
        (
            "sensor:automation_dx: there is no such sensor; did you mean 'automation_dw'?\n"
            "  known    automation_ads, automation_dim, automation_dw\n"
            "  effect   nothing was changed\n"
        ),
    )
    assert dataplat("pause").out == "nothing is paused\n"


def test_resume_must_be_told_what(dataplat: CommandLine) -> None:
    ran = dataplat("resume")
    assert (ran.code, ran.out, ran.err) == (
        2,
        "",
        "dataplat resume: name what to resume, or give --all\n  next   dataplat pause\n",
    )
