"""The readiness sensor: nothing new, new, a server that is down, a cursor from last year; and who waits."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest

from dataplat.orchestration.gatekeeper import Gatekeeper
from dataplat.orchestration.readiness import build_readiness_sensors
from dataplat_tests.contract.dagster.night import ZONE, Night, loaded, model, open_night

SUM, NINTH = "dw.dw_sum", "2026-03-09"
SIGNAL = dg.AssetKey(["external", "logs", "job"])
JOB = """\
table: logs.job
connect: sqlite:///{path}
probes:
  - sql: "SELECT stat, at FROM t_log WHERE day = '$[yyyyMMdd]' ORDER BY id DESC"
    newest: {{stat: 2}}
    landed: at
"""
LOG = "CREATE TABLE t_log (id INTEGER PRIMARY KEY, day TEXT, stat INT, at TEXT)"


@dataclass
class Watch:
    """A night whose model waits for somebody else's job, and the sensor that asks about it."""

    night: Night
    log: Path
    cursor: str | None = None

    def job_ran(self, stat: int, day: str = "20260309", at: str = "2026-03-10 03:15:00") -> None:
        with closing(sqlite3.connect(self.log)) as database, database:
            database.execute("INSERT INTO t_log (day, stat, at) VALUES (?, ?, ?)", [day, stat, at])

    def tick(self, at: str) -> dg.SensorResult:
        """Let the sensor ask once, and report what it found as the daemon does."""
        platform = self.night.platform
        moment = datetime.fromisoformat(at).replace(tzinfo=ZONE)
        gatekeeper = Gatekeeper(platform.catalog, platform.graph, {})
        environ: dict[str, str] = {}
        (sensor,) = build_readiness_sensors(platform.catalog, gatekeeper, environ, lambda: moment)
        with dg.build_sensor_context(self.night.instance, cursor=self.cursor) as context:
            result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        for event in result.asset_events:
            self.night.instance.report_runless_asset_event(event)
        return result


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    log = tmp_path / "log.db"
    with closing(sqlite3.connect(log)) as database:
        database.execute(LOG)
    readiness = {"readiness/job.yaml": JOB.format(path=log)}
    waits = model("dw_sum", "SELECT id FROM ods.orders WHERE ds = '{{ ds }}'", "after: [job]\n")
    with open_night(tmp_path, monkeypatch, loaded("orders"), waits, readiness) as night:
        night.run("ods.orders", NINTH)
        night.tick("2026-03-10T00:30")
        yield Watch(night, log)


def partitions(result: dg.SensorResult) -> list[str | None]:
    return [event.partition for event in result.asset_events if isinstance(event, dg.AssetMaterialization)]


def test_what_is_not_there_yet_holds_the_model_and_its_gate_says_why(watch: Watch) -> None:
    assert partitions(watch.tick("2026-03-10T01:00")) == []
    assert watch.night.tick("2026-03-10T01:01") == {}
    (by_hand,) = watch.night.run(SUM, NINTH)
    assert by_hand.message == (
        "dw.dw_sum[2026-03-09]: the gate is closed by 1 upstream partition\n"
        "  expected               every upstream published\n"
        "  logs.job[2026-03-09]   not ready: expected newest stat = 2, found 0 rows\n"
        "  effect                 nothing was read; what was visible before is still visible\n"
        "  next                   dataplat ready --date 2026-03-09   or   "
        "dataplat waive dw.dw_sum 2026-03-09 --reason … --until …"
    )


def test_what_became_ready_is_told_once_with_its_landing_time_and_launches_the_model(watch: Watch) -> None:
    watch.tick("2026-03-10T01:00")
    watch.job_ran(2)
    result = watch.tick("2026-03-10T03:20")
    (event,) = result.asset_events
    assert isinstance(event, dg.AssetMaterialization)
    landed = datetime(2026, 3, 10, 3, 15, tzinfo=ZONE)
    assert (event.asset_key, event.partition) == (SIGNAL, NINTH)
    assert event.metadata["landed_at"].value == landed.timestamp()
    assert partitions(watch.tick("2026-03-10T03:21")) == [], "nothing new"
    assert watch.night.tick_and_run("2026-03-10T03:22") == {SUM: [NINTH]}
    assert watch.night.tick("2026-03-10T03:23") == {}


def test_a_job_that_ran_again_launches_the_model_again_and_one_that_runs_holds_it(watch: Watch) -> None:
    watch.job_ran(2)
    watch.tick("2026-03-10T03:20")
    assert watch.night.tick_and_run("2026-03-10T03:21") == {SUM: [NINTH]}
    watch.job_ran(1)
    watch.tick("2026-03-10T04:00")
    (by_hand,) = watch.night.run(SUM, NINTH)
    assert "not ready: expected newest stat = 2, found 2 rows, newest stat = 1" in by_hand.message
    assert watch.night.tick("2026-03-10T04:01") == {}
    watch.job_ran(2, at="2026-03-10 04:10:00")
    assert partitions(watch.tick("2026-03-10T04:12")) == [NINTH]
    assert watch.night.tick("2026-03-10T04:13") == {SUM: [NINTH]}


def test_a_server_that_is_down_says_nothing_about_the_partition(watch: Watch) -> None:
    watch.job_ran(2)
    watch.tick("2026-03-10T03:20")
    away = watch.log.rename(watch.log.with_name("away.db"))
    watch.log.mkdir()
    result = watch.tick("2026-03-10T03:21")
    assert partitions(result) == []
    assert isinstance(result.skip_reason, dg.SkipReason)
    assert result.skip_reason.skip_message == (
        "asked about 1 partition, 0 became ready; 1 could not be asked:"
        " logs.job[2026-03-07]: it could not be asked (unable to open database file)"
    )
    assert watch.night.platform.ledger.arrivals("logs.job")[NINTH].ready, "down is not: not ready"
    watch.log.rmdir()
    away.rename(watch.log)
    assert partitions(watch.tick("2026-03-10T03:22")) == []


@pytest.mark.parametrize("cursor", [json.dumps({"from": "a_job_of_last_year"}), "2025-01-01", '["x"]', "{"])
def test_a_cursor_from_last_year_asks_about_what_is_open_now(watch: Watch, cursor: str) -> None:
    watch.job_ran(2)
    watch.job_ran(2, day="20250101")
    watch.cursor = cursor
    assert partitions(watch.tick("2026-03-10T03:20")) == [NINTH]


def test_only_partitions_within_the_lookback_are_asked_about(watch: Watch) -> None:
    for day in range(1, 10):
        watch.job_ran(2, day=f"202603{day:02d}")
    assert partitions(watch.tick("2026-03-10T03:20")) == ["2026-03-07", "2026-03-08", NINTH]
    assert partitions(watch.tick("2026-03-20T03:20")) == []


def test_what_dagster_was_not_told_is_told_at_the_next_tick(watch: Watch) -> None:
    watch.job_ran(2)
    watch.tick("2026-03-10T03:20")
    watch.night.instance.wipe_assets([SIGNAL])
    assert partitions(watch.tick("2026-03-10T03:21")) == [NINTH]
