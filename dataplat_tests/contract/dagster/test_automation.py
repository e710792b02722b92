"""What automation launches, and what it never launches: real definitions, a real ledger, ticks one by one."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataplat.plan.partitions import latest_partition
from dataplat_tests.contract.dagster.night import ZONE, Night, loaded, model, open_night

SEVENTH, EIGHTH, NINTH, TENTH = "2026-03-07", "2026-03-08", "2026-03-09", "2026-03-10"
SUM, TOP = "dw.dw_sum", "ads.ads_top"
HOURS = [f"{NINTH}-{hour:02d}:00" for hour in range(24)]
DW_SUM = model("dw_sum", "SELECT id FROM ods.orders WHERE ds = '{{ ds }}'")
ADS_TOP = model("ads_top", "SELECT id FROM dw.dw_sum WHERE ds = '{{ ds }}'")
DW_HOURS = model("dw_sum", "SELECT id FROM ods.clicks WHERE ds = '{{ ds }}'")


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    """Orders a day, a model of them, and a model of that; the seventh and the eighth are made."""
    with open_night(tmp_path, monkeypatch, loaded("orders"), DW_SUM, ADS_TOP) as night:
        for table in ("ods.orders", SUM, TOP):
            night.run(table, SEVENTH, EIGHTH)
        night.tick("2026-03-09T23:00")
        yield night


@pytest.fixture
def hourly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    """Clicks an hour, and a model of a day of them."""
    with open_night(tmp_path, monkeypatch, loaded("clicks", "hour"), DW_HOURS) as night:
        night.tick("2026-03-09T00:30")
        yield night


def test_a_model_is_launched_once_when_its_upstream_is_there(night: Night) -> None:
    assert night.tick("2026-03-10T01:00") == {}
    night.run("ods.orders", NINTH)
    assert night.tick_and_run("2026-03-10T02:00") == {SUM: [NINTH]}
    assert night.tick_and_run("2026-03-10T02:01") == {TOP: [NINTH]}
    assert night.tick("2026-03-10T02:02") == {}


def test_a_day_with_23_of_its_hours_waits_for_the_last_one(hourly: Night) -> None:
    hourly.run("ods.clicks", *HOURS[:-1])
    assert hourly.tick("2026-03-10T01:00") == {}
    hourly.run("ods.clicks", HOURS[-1])
    assert hourly.tick_and_run("2026-03-10T01:30") == {SUM: [NINTH]}
    assert hourly.tick("2026-03-10T01:31") == {}


def test_an_hour_that_failed_holds_its_day_until_it_is_repaired(hourly: Night) -> None:
    hourly.rejected.add(("ods.clicks", HOURS[5]))
    hourly.run("ods.clicks", *HOURS)
    for minute in (0, 1, 2):
        assert hourly.tick(f"2026-03-10T01:0{minute}") == {}
    hourly.rejected.clear()
    hourly.run("ods.clicks", HOURS[5])
    assert hourly.tick("2026-03-10T01:10") == {SUM: [NINTH]}


def test_a_repaired_upstream_launches_exactly_what_reads_it(night: Night) -> None:
    night.run("ods.orders", SEVENTH)
    assert night.tick_and_run("2026-03-10T02:00") == {SUM: [SEVENTH]}
    assert night.tick_and_run("2026-03-10T02:01") == {TOP: [SEVENTH]}
    assert night.tick("2026-03-10T02:02") == {}


def test_a_repair_before_the_look_back_launches_nothing(night: Night) -> None:
    night.tick("2026-03-15T01:00")
    night.run("ods.orders", SEVENTH, EIGHTH)
    assert night.tick("2026-03-15T02:00") == {SUM: [EIGHTH]}


def test_a_model_that_fails_is_not_launched_again_and_again(night: Night) -> None:
    night.failing.add((SUM, NINTH))
    night.run("ods.orders", NINTH)
    assert night.tick_and_run("2026-03-10T02:00") == {SUM: [NINTH]}
    for minute in range(1, 6):
        assert night.tick_and_run(f"2026-03-10T02:0{minute}") == {}
    night.failing.clear()
    night.run("ods.orders", NINTH)
    assert night.tick_and_run("2026-03-10T02:10") == {SUM: [NINTH]}


def test_a_rejected_upstream_is_never_built_on_and_the_next_day_is(night: Night) -> None:
    night.rejected.add(("ods.orders", NINTH))
    night.run("ods.orders", NINTH)
    night.run("ods.orders", TENTH)
    for minute in range(5):
        assert night.tick_and_run(f"2026-03-11T02:0{minute}") in ({}, {SUM: [TENTH]}, {TOP: [TENTH]})
    assert (SUM, NINTH) not in night.runs


def test_a_reload_that_was_rejected_holds_what_reads_it_until_one_is_good(night: Night) -> None:
    night.rejected.add(("ods.orders", EIGHTH))
    night.run("ods.orders", EIGHTH)
    assert night.tick("2026-03-09T02:00") == {}
    night.rejected.clear()
    night.run("ods.orders", EIGHTH)
    assert night.tick("2026-03-09T02:01") == {SUM: [EIGHTH]}


def test_what_failed_at_a_closed_gate_is_launched_once_when_the_gate_opens(night: Night) -> None:
    (result,) = night.run(SUM, NINTH)
    assert "the gate is closed" in result.message
    assert night.tick_and_run("2026-03-10T01:00") == {}
    night.run("ods.orders", NINTH)
    assert night.tick_and_run("2026-03-10T02:00") == {SUM: [NINTH]}
    assert night.tick_and_run("2026-03-10T02:01") == {TOP: [NINTH]}
    assert night.tick("2026-03-10T02:02") == {}


def test_what_failed_at_a_gate_before_automation_first_looked_is_launched_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_night(tmp_path, monkeypatch, loaded("orders"), DW_SUM) as night:
        night.run(SUM, NINTH)
        night.run("ods.orders", NINTH)
        assert night.tick_and_run("2026-03-10T02:00") == {SUM: [NINTH]}
        assert night.tick("2026-03-10T02:01") == {}


def test_a_hold_that_only_the_ledger_knows_is_enough(night: Night) -> None:
    night.run("ods.orders", NINTH)
    night.platform.ledger.hold("ods.orders", NINTH, "looks odd", "ann")
    assert night.tick("2026-03-10T02:00") == {}
    assert night.tick("2026-03-10T02:01") == {}
    night.platform.ledger.release_hold("ods.orders", NINTH, "ann")
    assert night.tick("2026-03-10T02:02") == {SUM: [NINTH]}


def test_a_release_launches_what_failed_at_the_hold_and_nothing_that_was_made_before(night: Night) -> None:
    night.run("ods.orders", NINTH)
    night.hold("ods.orders", NINTH)
    night.hold("ods.orders", EIGHTH)
    assert night.tick("2026-03-10T02:00") == {}
    (by_hand,) = night.run(SUM, NINTH)
    assert "held by ann: looks odd" in by_hand.message
    assert night.tick("2026-03-10T02:01") == {}
    night.release("ods.orders", NINTH)
    night.release("ods.orders", EIGHTH)
    assert night.tick_and_run("2026-03-10T02:02") == {SUM: [NINTH]}


def test_a_paused_table_is_launched_when_it_is_resumed_and_nothing_is_lost(night: Night) -> None:
    night.platform.ledger.pause(SUM, "the source moves", "ann")
    night.run("ods.orders", SEVENTH, NINTH)
    assert night.tick("2026-03-10T02:00") == {}
    assert night.tick("2026-03-10T02:01") == {}
    night.platform.ledger.resume(SUM, "ann")
    assert night.tick("2026-03-10T02:02") == {SUM: [SEVENTH, NINTH]}


def test_all_done_waits_for_the_end_of_an_upstream_and_not_for_its_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anyhow = {**DW_SUM, "dw/dw_sum.yaml": "table: dw.dw_sum\ntrigger: all_done\n"}
    with open_night(tmp_path, monkeypatch, loaded("orders"), anyhow) as night:
        assert night.tick("2026-03-10T01:00") == {}
        night.rejected.add(("ods.orders", NINTH))
        night.run("ods.orders", NINTH)
        assert night.tick_and_run("2026-03-10T02:00") == {SUM: [NINTH]}
        assert night.tick("2026-03-10T02:01") == {}


def test_a_model_that_depends_on_its_past_is_made_day_after_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chained = {**DW_SUM, "dw/dw_sum.yaml": "table: dw.dw_sum\ndepends_on_past: true\nstart: 2026-03-08\n"}
    with open_night(tmp_path, monkeypatch, loaded("orders"), chained) as night:
        night.failing.add((SUM, EIGHTH))
        night.run("ods.orders", EIGHTH, NINTH)
        assert night.tick_and_run("2026-03-10T02:00") == {SUM: [EIGHTH]}, "the first has no past"
        assert night.tick_and_run("2026-03-10T02:01") == {}
        (by_hand,) = night.run(SUM, NINTH)
        assert "dw.dw_sum[2026-03-08]" in by_hand.message
        assert "the gate is closed" in by_hand.message
        night.failing.clear()
        night.run(SUM, EIGHTH)
        assert night.tick_and_run("2026-03-10T02:03") == {SUM: [NINTH]}
        night.run("ods.orders", EIGHTH)
        assert night.tick_and_run("2026-03-10T02:04") == {SUM: [EIGHTH]}
        assert night.tick_and_run("2026-03-10T02:05") == {}, "order is kept, and the ninth reads no past"


def test_a_model_that_reads_its_past_is_made_again_from_a_repaired_day_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = "SELECT o.id FROM ods.orders o, dw.dw_sum p WHERE o.ds = '{{ ds }}' AND p.ds = '$[yyyy-MM-dd-1]'"
    summed = model("dw_sum", sql, "start: 2026-03-08\n")
    with open_night(tmp_path, monkeypatch, loaded("orders"), summed) as night:
        night.run("ods.orders", EIGHTH, NINTH)
        night.run(SUM, EIGHTH)
        assert night.tick_and_run("2026-03-10T02:00") == {SUM: [NINTH]}
        night.run("ods.orders", EIGHTH)
        assert night.tick_and_run("2026-03-10T02:01") == {SUM: [EIGHTH]}
        assert night.tick_and_run("2026-03-10T02:02") == {SUM: [NINTH]}
        assert night.tick_and_run("2026-03-10T02:03") == {}


def test_a_model_with_a_schedule_is_not_launched_before_it_and_is_repaired_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_seven = {**DW_SUM, "dw/dw_sum.yaml": "table: dw.dw_sum\nschedule: '0 7 * * *'\n"}
    with open_night(tmp_path, monkeypatch, loaded("orders"), at_seven) as night:
        night.tick("2026-03-10T01:00")
        night.run("ods.orders", EIGHTH)
        assert night.tick("2026-03-10T02:00") == {}
        assert night.run(SUM, EIGHTH)[0].succeeded
        assert not night.run(SUM, NINTH)[0].succeeded, "its schedule ticks, and its upstream is late"
        assert night.tick_and_run("2026-03-10T07:01") == {}
        night.run("ods.orders", NINTH)
        assert night.tick_and_run("2026-03-10T08:00") == {SUM: [NINTH]}
        night.run("ods.orders", EIGHTH)
        assert night.tick_and_run("2026-03-10T09:00") == {SUM: [EIGHTH]}


def test_a_model_that_is_not_automatic_is_left_to_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand = {**DW_SUM, "dw/dw_sum.yaml": "table: dw.dw_sum\nautomatic: false\n"}
    with open_night(tmp_path, monkeypatch, loaded("orders"), by_hand) as night:
        night.run("ods.orders", NINTH)
        assert night.tick("2026-03-10T02:00") == {}
        assert not list(night.definitions.sensors or ())


def test_an_upstream_that_is_read_as_a_whole_neither_holds_nor_launches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = "SELECT o.id FROM ods.orders o, ods.rates r WHERE o.ds = '{{ ds }}'"
    both = model("dw_sum", sql, "reads: {ods.rates: latest}\n")
    with open_night(tmp_path, monkeypatch, loaded("orders"), loaded("rates"), both) as night:
        night.run("ods.orders", NINTH)
        assert night.tick_and_run("2026-03-10T02:00") == {SUM: [NINTH]}
        night.run("ods.rates", NINTH)
        assert night.tick("2026-03-10T02:01") == {}


def test_a_shift_that_dagster_cannot_map_waits_for_what_the_sql_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = model(
        "dw_sum",
        "SELECT id FROM ods.orders WHERE ds BETWEEN '$[yyyy-MM-01]' AND '{{ ds }}'",
        "start: 2026-03-08\n",
    )
    with open_night(tmp_path, monkeypatch, loaded("orders"), month, platform="") as night:
        night.run("ods.orders", NINTH)
        assert night.tick("2026-03-10T02:00") == {}, "from the first of the month on"
        night.run("ods.orders", *[f"2026-03-{day:02d}" for day in range(1, 9)])
        assert night.tick("2026-03-10T03:00") == {SUM: [EIGHTH, NINTH]}


def test_a_check_that_holds_back_one_model_holds_back_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = loaded("orders", more="checks: [{unique: {columns: [id], blocks: [dw.dw_sum]}}]\n")
    other = model("dw_other", "SELECT id FROM ods.orders WHERE ds = '{{ ds }}'")
    with open_night(tmp_path, monkeypatch, some, DW_SUM, other) as night:
        night.tick("2026-03-10T01:00")
        night.warned.add(("ods.orders", NINTH))
        night.run("ods.orders", NINTH)
        assert night.tick_and_run("2026-03-10T02:00") == {"dw.dw_other": [NINTH]}
        assert "the gate is closed" in night.run(SUM, NINTH)[0].message
        assert night.tick("2026-03-10T02:01") == {}
        night.warned.clear()
        night.run("ods.orders", NINTH)
        assert night.tick("2026-03-10T02:02") == {SUM: [NINTH], "dw.dw_other": [NINTH]}


def test_the_sensor_itself_asks_for_a_run_with_the_priority_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urgent = {**DW_SUM, "dw/dw_sum.yaml": "table: dw.dw_sum\npriority: 5\n"}
    with open_night(tmp_path, monkeypatch, loaded("orders"), urgent) as night:
        key = latest_partition("day", now=datetime.now(ZONE), zone=ZONE)
        night.run("ods.orders", key)
        sensors = {sensor.name: sensor for sensor in night.definitions.sensors or ()}
        sensor = sensors["automation_dw_priority_5"]
        repository = night.definitions.get_repository_def()
        with dg.build_sensor_context(night.instance, repository_def=repository) as context:
            (request,) = sensor.evaluate_tick(context).run_requests or ()
        assert (request.partition_key, request.asset_selection) == (
            key,
            [dg.AssetKey(["dw", "dw", "dw_sum"])],
        )
        assert request.tags["dagster/priority"] == "5"
        assert request.tags["dataplat/launched_by"] == "automation"


def test_a_paused_table_is_left_out_of_its_schedule_and_the_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [loaded(name, more="schedule: '0 2 * * *'\n") for name in ("orders", "clicks")]
    with open_night(tmp_path, monkeypatch, *both) as night:
        (schedule,) = night.definitions.schedules or ()
        assert isinstance(schedule, dg.ScheduleDefinition)

        def tick() -> Any:
            context = dg.build_schedule_context(
                night.instance,
                scheduled_execution_time=datetime(2026, 3, 10, 2, tzinfo=ZONE),
                repository_def=night.definitions.get_repository_def(),
            )
            return schedule.evaluate_tick(context)

        night.platform.ledger.pause("ods.orders", "the source moves", "ann")
        (request,) = tick().run_requests or ()
        assert request.asset_selection == [dg.AssetKey(["ods", "ods", "clicks"])]
        night.platform.ledger.pause("ods.clicks", "the source moves", "ann")
        assert tick().skip_message == "paused: ods.clicks, ods.orders"
