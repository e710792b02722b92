"""The drift sensor and its job: due or not, paused, still running, a source that is down, odd cursors."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from dataplat.orchestration.factories.drift import COUNT_AGAIN, DRIFT, build_drift_job, build_drift_sensors
from dataplat.orchestration.gatekeeper import Gatekeeper
from dataplat_tests.contract.dagster.night import ZONE, Night, loaded, open_night
from dataplat_tests.services.sqlite_source import StandInSource

ORDERS, OTHERS = (dg.AssetKey(["ods", "ods", name]) for name in ("orders", "others"))
GROUP = "shop_2d_every_360m"
NOON = datetime(2026, 3, 9, 12, tzinfo=ZONE)
Tick = Callable[..., dg.SensorResult]


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    """Two tables of a source that is asked about two days every six hours, and two days of each."""
    tables = [loaded(name, more="drift: {days: 2}\n") for name in ("orders", "others")]
    with open_night(tmp_path, monkeypatch, *tables) as night:
        night.clock.now = NOON
        for table in ("orders", "others"):
            night.run(f"ods.{table}", "2026-03-07", "2026-03-08")
        yield night


@pytest.fixture
def source(night: Night, monkeypatch: pytest.MonkeyPatch) -> StandInSource:
    """The stand-in for the source: empty, as the loads of this night were."""
    found = StandInSource()
    found.make("shop", "orders", "others")
    found.install(monkeypatch)
    monkeypatch.setattr("dataplat.lifecycle.platform.Platform.now", lambda _: night.clock.now)
    return found


@pytest.fixture
def tick(night: Night) -> Tick:
    """Let the sensor look once."""

    def look(at: datetime = NOON, cursor: str | None = None) -> dg.SensorResult:
        gatekeeper = Gatekeeper(night.platform.catalog, night.platform.graph, {})
        (sensor,) = build_drift_sensors(night.platform.catalog, gatekeeper, lambda: at)
        with dg.build_sensor_context(night.instance, cursor=cursor) as context:
            result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        return result

    return look


def run_drift(night: Night, config: object) -> dg.ExecuteInProcessResult:
    """Run the job as the sensor's run would."""
    return build_drift_job().execute_in_process(
        run_config={"ops": {COUNT_AGAIN: {"config": config}}},
        resources={"platform": night.platform},
        instance=night.instance,
        raise_on_error=False,
    )


def observed(result: dg.ExecuteInProcessResult) -> list[tuple[str, str | None, dict[str, object]]]:
    events = [event.asset_observation_data for event in result.all_events if event.is_asset_observation]
    observations = [event.asset_observation for event in events]
    return [
        (
            one.asset_key.path[-1],
            one.partition,
            {name: value.value for name, value in one.metadata.items() if name != "version"},
        )
        for one in observations
    ]


def queued(night: Night) -> list[dict[dg.AssetKey, set[str]]]:
    found = []
    for backfill in night.instance.get_backfills():
        assert backfill.asset_backfill_data is not None
        subsets = backfill.asset_backfill_data.target_subset.partitions_subsets_by_asset_key
        found.append({key: set(subset.get_partition_keys()) for key, subset in subsets.items()})
    return found


def test_the_first_tick_asks_the_source_and_the_next_ones_wait(tick: Tick) -> None:
    first = tick()
    (request,) = first.run_requests or ()
    assert request.run_key == f"{GROUP}|{NOON.isoformat()}"
    assert request.tags == {"dataplat/drift": GROUP, "dataplat/launched_by": "drift"}
    assert request.run_config == {
        "ops": {
            COUNT_AGAIN: {"config": {"tables": ["ods.orders", "ods.others"], "days": 2, "checksum": False}}
        }
    }
    later = tick(NOON + timedelta(hours=5, minutes=59), first.cursor)
    assert not later.run_requests
    assert later.skip_reason == dg.SkipReason("the next source is asked in 1 min")
    again = tick(NOON + timedelta(hours=6), later.cursor)
    assert [request.run_key for request in again.run_requests or ()] == [
        f"{GROUP}|{(NOON + timedelta(hours=6)).isoformat()}"
    ]


@pytest.mark.parametrize(
    "cursor",
    [
        "gibberish",
        "[]",
        json.dumps({GROUP: 7, "gone": "2026-03-09T11:00:00+08:00"}),
        json.dumps({GROUP: "2025-03-09T11:00:00+08:00"}),
        json.dumps({GROUP: "2027-03-09T11:00:00+08:00"}),  # a clock that was set back
    ],
)
def test_an_odd_cursor_asks_at_once_and_is_mended(tick: Tick, cursor: str) -> None:
    result = tick(cursor=cursor)
    assert len(result.run_requests or ()) == 1
    assert json.loads(result.cursor or "") == {GROUP: NOON.isoformat()}


def test_paused_tables_are_left_out_and_nothing_is_asked_if_all_are(night: Night, tick: Tick) -> None:
    night.platform.ledger.pause("ods.orders", "moving", "ann")
    (request,) = tick().run_requests or ()
    assert request.run_config["ops"][COUNT_AGAIN]["config"]["tables"] == ["ods.others"]
    night.platform.ledger.pause("ods.others", "moving", "ann")
    result = tick()
    assert (result.run_requests, result.skip_reason) == ([], dg.SkipReason("every table is paused"))


@pytest.mark.parametrize(("ended", "asked"), [(False, 0), (True, 1)])
def test_a_source_is_not_asked_again_while_it_has_not_answered(
    night: Night, tick: Tick, ended: bool, asked: int
) -> None:
    status = dg.DagsterRunStatus.SUCCESS if ended else dg.DagsterRunStatus.STARTED
    night.instance.add_run(dg.DagsterRun(job_name=DRIFT, status=status, tags={"dataplat/drift": GROUP}))
    assert len(tick().run_requests or ()) == asked


def test_a_platform_that_asks_nothing_has_no_sensor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_night(tmp_path, monkeypatch, loaded("orders")) as night:
        assert DRIFT not in {sensor.name for sensor in night.definitions.sensors or ()}
        assert DRIFT in {job.name for job in night.definitions.jobs or ()}


def test_definitions_with_the_sensor_load_without_a_warning(night: Night) -> None:
    repository = night.definitions.get_repository_def()
    (target,) = repository.get_sensor_def(DRIFT).targets
    assert target.job_name == DRIFT


def test_what_changed_is_observed_on_its_asset_and_queued(night: Night, source: StandInSource) -> None:
    source.run("INSERT INTO shop.orders VALUES (1, '2026-03-08 23:59:59', '')")
    result = run_drift(night, {"tables": ["ods.orders", "ods.others"], "days": 2})
    assert result.success
    assert observed(result) == [
        ("orders", None, {"drift": "2 partitions counted, 1 changed"}),
        ("orders", "2026-03-08", {"drift": "changed", "rows_then": 0, "rows_now": 1, "difference": 1}),
        ("others", None, {"drift": "2 partitions counted, 0 changed"}),
    ]
    assert queued(night) == [{ORDERS: {"2026-03-08"}}]


def test_the_job_may_only_tell(night: Night, source: StandInSource) -> None:
    source.run("INSERT INTO shop.orders VALUES (1, '2026-03-08 23:59:59', '')")
    assert run_drift(night, {"tables": ["ods.orders"], "load": False}).success
    assert queued(night) == []


def test_a_source_that_is_down_fails_the_run_after_the_others_were_queued(
    night: Night, source: StandInSource
) -> None:
    source.run("INSERT INTO shop.others VALUES (1, '2026-03-07 00:00:00', '')")
    source.breaks["orders"] = "the server is gone"
    result = run_drift(night, {"tables": ["ods.orders", "ods.others"], "days": 2})
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_failure_data.user_failure_data is not None
    assert failure.step_failure_data.user_failure_data.description == "ods.orders: the server is gone"
    assert queued(night) == [{OTHERS: {"2026-03-07"}}]


def test_a_table_that_is_gone_from_the_configuration_is_one_clear_message(
    night: Night, source: StandInSource
) -> None:
    result = run_drift(night, {"tables": ["ods.order"]})
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_failure_data.user_failure_data is not None
    assert failure.step_failure_data.user_failure_data.description == (
        "ods.order: no such table; did you mean 'ods.orders'?\n"
        "  declared   2 tables in config/\n"
        "  effect     nothing was run\n"
        "  next       dataplat check"
    )


def test_a_scheduled_lookback_is_one_run_of_all_its_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = loaded("orders", more='lookback: 3d\nschedule: "0 2 * * *"\n')
    with open_night(tmp_path, monkeypatch, files) as night:
        repository = night.definitions.get_repository_def()
        (schedule,) = repository.schedule_defs
        at = datetime(2026, 3, 9, 2, tzinfo=ZONE)
        with dg.build_schedule_context(night.instance, at, repository_def=repository) as context:
            (request,) = schedule.evaluate_tick(context).run_requests or ()
        job = repository.get_job(schedule.job_name)
        assert (request.partition_key, request.asset_selection) == (None, [ORDERS])
        result = job.execute_in_process(instance=night.instance, tags=request.tags)
    days = ["2026-03-06", "2026-03-07", "2026-03-08"]
    assert night.runs == [("ods.orders", day) for day in days]
    assert [event.partition for event in result.get_asset_materialization_events()] == days
