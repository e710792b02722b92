"""The lateness sensor: nothing new, late, came late, a ledger that is down, and a cursor from last year."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from dataplat.errors import LedgerError
from dataplat.ledger import Ledger
from dataplat.orchestration.gatekeeper import Gatekeeper
from dataplat.orchestration.lateness import build_lateness_sensors
from dataplat_tests.contract.dagster.night import ZONE, Night, loaded, model, open_night

ORDERS = dg.AssetKey(["ods", "ods", "orders"])
NINTH = "2026-03-09"
DEADLINE = datetime(2026, 3, 10, 8, tzinfo=ZONE)
BY_EIGHT = 'fresh: {by: "08:00"}\n'
Tick = Callable[..., list[dg.AssetObservation]]


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    waits = model("dw_sum", "SELECT id FROM ods.orders WHERE ds = '{{ ds }}'")
    with open_night(tmp_path, monkeypatch, loaded("orders", more=BY_EIGHT), waits) as night:
        night.clock.now = datetime(2026, 3, 9, 3, tzinfo=ZONE)
        night.run("ods.orders", *[f"2026-03-{day:02d}" for day in range(1, 9)])
        yield night


@pytest.fixture
def tick(night: Night) -> Tick:
    """Let the sensor look once, and report what it tells as the daemon does."""

    def look(at: str, cursor: str | None = None) -> list[dg.AssetObservation]:
        night.clock.now = datetime.fromisoformat(at).replace(tzinfo=ZONE)
        platform = night.platform
        gatekeeper = Gatekeeper(platform.catalog, platform.graph, {})
        (sensor,) = build_lateness_sensors(platform.catalog, gatekeeper, night.clock)
        with dg.build_sensor_context(night.instance, cursor=cursor) as context:
            result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        for event in result.asset_events:
            night.instance.report_runless_asset_event(event)
        return [event for event in result.asset_events if isinstance(event, dg.AssetObservation)]

    return look


def test_a_partition_is_late_once_and_comes_once(night: Night, tick: Tick) -> None:
    assert tick("2026-03-10T07:59") == []
    (late,) = tick("2026-03-10T08:01")
    assert (late.asset_key, late.partition) == (ORDERS, NINTH)
    told = {name: value.value for name, value in late.metadata.items()}
    assert told["lateness"] == "late"
    assert told["deadline"] == DEADLINE.timestamp()
    assert told["reason"] == "never loaded"
    assert tick("2026-03-10T08:02") == []
    night.clock.now = datetime(2026, 3, 10, 9, 30, tzinfo=ZONE)
    night.run("ods.orders", NINTH)
    (came,) = tick("2026-03-10T09:31")
    told = {name: value.value for name, value in came.metadata.items()}
    assert (told["lateness"], told["late_by_minutes"]) == ("came late", 90)
    assert tick("2026-03-10T09:32") == []
    (row,) = night.platform.ledger.lateness("ods.orders")
    assert (row.deadline, row.landed_at) == (DEADLINE, datetime(2026, 3, 10, 9, 30, tzinfo=ZONE))


def test_what_is_there_when_somebody_first_looks_was_never_missed(night: Night, tick: Tick) -> None:
    night.clock.now = datetime(2026, 3, 10, 9, 30, tzinfo=ZONE)
    night.run("ods.orders", NINTH)
    assert tick("2026-03-10T12:00") == []


def test_a_rejected_partition_is_late_and_says_why(night: Night, tick: Tick) -> None:
    night.rejected.add(("ods.orders", NINTH))
    night.run("ods.orders", NINTH)
    (late,) = tick("2026-03-10T08:01")
    assert late.metadata["reason"].value == "rejected: unique_id failed"


def test_a_cursor_from_last_year_tells_nothing_twice_and_looks_no_further_back(
    night: Night, tick: Tick
) -> None:
    assert [event.partition for event in tick("2026-03-10T08:01", cursor='{"at": "2025-01-01"}')] == [NINTH]
    assert tick("2026-03-10T08:02", cursor='{"at": "2025-01-01"}') == []
    later = [event.partition for event in tick("2026-04-10T08:01")]
    assert later == [f"2026-04-{day:02d}" for day in range(3, 10)], "the lookback is a week"


def test_a_ledger_that_is_down_fails_the_tick_and_tells_nothing(
    night: Night, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise LedgerError("ledger sqlite", "it is gone")

    monkeypatch.setattr(Ledger, "open", refuse)
    with pytest.raises(LedgerError, match="it is gone"):
        tick("2026-03-10T08:01")
    monkeypatch.undo()


def test_lateness_launches_nothing(night: Night, tick: Tick) -> None:
    night.run("dw.dw_sum", *[f"2026-03-{day:02d}" for day in range(1, 9)])
    night.tick("2026-03-10T07:00")
    assert tick("2026-03-10T08:01")
    assert night.tick("2026-03-10T08:02") == {}


def test_the_badge_and_the_usual_landing_come_from_what_is_declared_and_learned(
    night: Night, tick: Tick
) -> None:
    asset = next(
        spec
        for one in night.definitions.assets or ()
        if isinstance(one, dg.AssetsDefinition)
        for spec in one.specs
        if spec.key == ORDERS
    )
    assert asset.freshness_policy == dg.FreshnessPolicy.cron(
        deadline_cron="0 8 * * *", lower_bound_delta=timedelta(hours=8), timezone="Asia/Shanghai"
    )
    for day in range(9, 13):
        night.clock.now = datetime(2026, 3, day + 1, 2, 30, tzinfo=UTC)
        night.run("ods.orders", f"2026-03-{day:02d}")
    (late,) = tick("2026-03-14T08:01")
    assert late.metadata["usual_landing_minutes"].value == 27 * 60, "the eighth's, the slowest of six"
