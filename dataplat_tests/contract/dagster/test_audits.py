"""Audits in Dagster: the sensor and its keys, the job, the checks of external tables, and who waits."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataplat.lifecycle.audits.run import AuditRun
from dataplat.orchestration.audits.body import AuditBody
from dataplat.orchestration.audits.record import record_standings
from dataplat.orchestration.audits.sensor import RUNS_A_TICK, build_audit_sensors
from dataplat.orchestration.launch import RunResult
from dataplat.plan.audit_selection import AuditRequest
from dataplat.plan.watermark import WatermarkOptions
from dataplat_tests.contract.dagster.night import ZONE, Night, model, open_night

SUM, NINTH = "dw.dw_sum", "2026-03-09"
ORDERS = dg.AssetKey(["external", "ext", "orders"])
AUDIT = """\
tasks:
  connect: sqlite:///{root}/scheduler.db
  query_template: >
    SELECT task_name, period_type, batch_no, end_time FROM log
    WHERE end_time >= '{{start_time}}' AND end_time < '{{end_time}}'
  sensor: true
loop_variables: {{part: {{type: enum, values: [a, b]}}}}
schedules:
  - task_name: load_orders_${{part}}
    period_type: daily
    loop_var: part
    tables:
      - name: orders
        hdfs_path: {root}/w/orders/${{part}}
        partition_template: ds=${{data_date}}
        format: textfile
        external: ext.orders
        expect: {{history: {{drop: 50%}}}}
"""
EXTERNAL = "external:\n  - {table: ext.orders, grain: day, columns: [id]}\n"


@dataclass
class Audited:
    """A night whose model reads an external table in two parts, each made by a task of its own."""

    night: Night
    root: Path
    cursor: str | None = None

    def ended(self, part: str, at: str, day: str = "20260309") -> None:
        with closing(sqlite3.connect(self.root / "scheduler.db")) as database, database:
            row = [f"load_orders_{part}", "daily", day, at]
            database.execute("INSERT INTO log VALUES (?, ?, ?, ?)", row)

    def file(self, part: str, lines: int, day: str = "20260309") -> None:
        place = self.root / "w" / "orders" / part / f"ds={day}" / "part-0"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x\n" * lines)

    def tick(self, at: str) -> list[dg.RunRequest]:
        """Let the sensor ask once."""
        moment = datetime.fromisoformat(at).replace(tzinfo=ZONE)
        platform = self.night.platform
        body = AuditBody(platform.settings, platform.catalog, {}, lambda: platform.ledger, lambda: moment)
        job = self.night.definitions.get_job_def("audit")
        (sensor,) = build_audit_sensors(platform.catalog, job, lambda: body, "count_rows")
        with dg.build_sensor_context(self.night.instance, cursor=self.cursor) as context:
            result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor or self.cursor
        self.skipped = result.skip_reason.skip_message if result.skip_reason else ""
        return list(result.run_requests or [])

    def tick_and_run(self, at: str) -> list[bool]:
        """Let the sensor ask once, and run what it requests as the daemon does: a key runs once."""
        done = []
        for request in self.tick(at):
            known = self.night.instance.get_runs(
                dg.RunsFilter(tags={"dagster/run_key": str(request.run_key)})
            )
            if not known:
                tags = {"dagster/run_key": str(request.run_key), **request.tags}
                done.append(self.audit(dict(request.run_config), tags).success)
        return done

    def audit(
        self, run_config: dict[str, Any], tags: dict[str, str] | None = None
    ) -> dg.ExecuteInProcessResult:
        job = self.night.definitions.get_job_def("audit")
        return job.execute_in_process(
            run_config=run_config, instance=self.night.instance, tags=tags, raise_on_error=False
        )

    def checks(self) -> dict[str, bool]:
        """The newest answer of each check about the ninth."""
        found = {}
        for name in ("every_file_counted", "rows_as_expected"):
            key = dg.AssetCheckKey(ORDERS, name)
            storage = self.night.instance.event_log_storage
            records = storage.get_asset_check_execution_history(key, limit=10)
            for record in reversed(records):
                assert record.event is not None
                assert record.event.dagster_event is not None
                evaluation = record.event.dagster_event.asset_check_evaluation_data
                if evaluation.partition == NINTH:
                    found[name] = evaluation.passed
        return found

    def build(self) -> RunResult:
        (result,) = self.night.run(SUM, NINTH)
        return result


@pytest.fixture
def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Audited]:
    with closing(sqlite3.connect(tmp_path / "scheduler.db")) as database:
        database.execute("CREATE TABLE log (task_name, period_type, batch_no, end_time)")
    audits = {"audits/nightly.yaml": AUDIT.format(root=tmp_path)}
    reads = model("dw_sum", "SELECT id FROM ext.orders WHERE ds = '{{ ds }}'")
    with open_night(tmp_path, monkeypatch, reads, audits, platform=EXTERNAL) as night:
        night.tick("2026-03-10T00:30")
        yield Audited(night, tmp_path)


def keys(requests: list[dg.RunRequest]) -> list[str]:
    return [str(request.run_key) for request in requests]


def test_the_external_table_is_in_the_graph_with_partitioned_checks_and_the_model_depends_on_it(
    audited: Audited,
) -> None:
    graph = audited.night.definitions.resolve_asset_graph()
    node = graph.get(ORDERS)
    assert isinstance(node.partitions_def, dg.DailyPartitionsDefinition)
    assert not node.is_materializable
    assert {check.name for check in node.check_keys} == {"every_file_counted", "rows_as_expected"}
    assert all(graph.get(check).partitions_def == node.partitions_def for check in node.check_keys)
    assert dg.AssetKey(["dw", "dw", "dw_sum"]) in node.child_keys


def test_a_finished_task_becomes_a_run_with_its_end_in_the_key(audited: Audited) -> None:
    assert audited.tick("2026-03-10T01:00") == []
    audited.ended("a", "2026-03-10 01:02:03")
    (request,) = audited.tick("2026-03-10T01:10")
    assert request.run_key == "nightly|load_orders_a|20260309|2026-03-10T01:02:03+08:00"
    assert json.loads(audited.cursor or "") == {"last_end_time": "2026-03-10T01:10:00+08:00"}


def test_the_overlap_repeats_keys_and_a_task_that_ended_again_has_another(audited: Audited) -> None:
    audited.ended("a", "2026-03-10 01:02:03")
    first = keys(audited.tick("2026-03-10T01:05"))
    assert keys(audited.tick("2026-03-10T01:06")) == first, "Dagster knows that it has a run"
    audited.ended("a", "2026-03-10 01:06:30")
    again = keys(audited.tick("2026-03-10T01:07"))
    assert len(again) == 1
    assert again != first
    assert keys(audited.tick("2026-03-10T02:00")) == again, "still within the overlap of the tick before"
    assert keys(audited.tick("2026-03-10T02:01")) == []


def test_a_task_that_is_written_down_late_is_launched_within_the_overlap(audited: Audited) -> None:
    audited.tick("2026-03-10T01:10")
    audited.ended("a", "2026-03-10 01:04:00")
    assert len(audited.tick("2026-03-10T01:11")) == 1


def test_many_tasks_are_launched_over_several_ticks_and_none_is_left_out(audited: Audited) -> None:
    audited.tick("2026-03-10T01:00")
    moment = datetime(2026, 3, 10, 1, 1, tzinfo=UTC)
    for number in range(RUNS_A_TICK + 40):
        day = f"{date(2025, 1, 1) + timedelta(days=number):%Y%m%d}"
        audited.ended("a", f"{moment + timedelta(seconds=number // 50):%Y-%m-%d %H:%M:%S}", day)
    seen: set[str] = set()
    sizes = []
    for minute in range(10, 14):
        fresh = set(keys(audited.tick(f"2026-03-10T01:{minute}"))) - seen
        sizes.append(len(fresh))
        seen |= fresh
    assert sizes == [RUNS_A_TICK, 40, 0, 0]


@pytest.mark.parametrize("cursor", ["2025-01-01", "{", '["x"]', '{"last_end_time": "2026-03-10T01:00:00"}'])
def test_a_cursor_that_cannot_be_read_looks_back_as_without_one(audited: Audited, cursor: str) -> None:
    audited.ended("a", "2026-03-09 02:00:00")
    audited.cursor = cursor
    assert len(audited.tick("2026-03-10T01:00")) == 1


def test_a_cursor_from_last_year_catches_up_in_capped_windows(audited: Audited) -> None:
    audited.cursor = json.dumps({"last_end_time": "2025-03-10T00:00:00+08:00"})
    audited.ended("a", "2025-03-11 12:00:00", "20250310")
    assert audited.tick("2026-03-10T01:00") == []
    assert len(audited.tick("2026-03-10T01:01")) == 1


def test_a_task_list_that_is_down_fails_the_tick_and_moves_nothing(audited: Audited) -> None:
    audited.tick("2026-03-10T01:00")
    before = audited.cursor
    (audited.root / "scheduler.db").rename(audited.root / "away.db")
    (audited.root / "scheduler.db").mkdir()
    with pytest.raises(dg.Failure, match="it could not be asked which tasks have ended"):
        audited.tick("2026-03-10T01:01")
    assert audited.cursor == before


def test_a_task_list_without_ends_is_refused_in_words(audited: Audited) -> None:
    with closing(sqlite3.connect(audited.root / "scheduler.db")) as database, database:
        database.execute(
            "INSERT INTO log VALUES ('load_orders_a', 'daily', '20260309', '2026-03-10 01:00:00')"
        )
        database.execute("ALTER TABLE log RENAME TO told")
        database.execute("CREATE VIEW log AS SELECT task_name, period_type, batch_no, end_time FROM told")
    tasks = audited.night.platform.catalog.audits["nightly"].tasks
    assert tasks is not None
    object.__setattr__(
        tasks, "query_template", "SELECT task_name, period_type, batch_no FROM log"
    )  # a frozen spec, changed in place of a second platform
    assert audited.tick("2026-03-10T01:05") == []
    assert audited.skipped == (
        "the task list tells no ends, so a task that ended again would look like one that was seen already:"
        " let query_template return the time at which a task ended as its 4th column"
    )


def test_the_model_waits_until_every_part_is_audited_and_then_is_launched(audited: Audited) -> None:
    for part in "ab":
        audited.file(part, 3)
    audited.ended("a", "2026-03-10 01:02:00")
    assert audited.tick_and_run("2026-03-10T01:05") == [True]
    assert audited.checks() == {"every_file_counted": False, "rows_as_expected": True}
    assert audited.build().message == (
        "dw.dw_sum[2026-03-09]: the gate is closed by 1 upstream partition\n"
        "  expected                 every upstream published\n"
        "  ext.orders[2026-03-09]   not ready: audit: 1 of 2 counts made, 3 rows\n"
        "  effect                   nothing was read; what was visible before is still visible\n"
        "  next                     dataplat audit run   or   "
        "dataplat waive dw.dw_sum 2026-03-09 --reason … --until …"
    )
    assert audited.night.tick("2026-03-10T01:06") == {}
    audited.ended("b", "2026-03-10 01:07:00")
    assert audited.tick_and_run("2026-03-10T01:10") == [True]
    assert audited.checks() == {"every_file_counted": True, "rows_as_expected": True}
    assert audited.night.tick_and_run("2026-03-10T01:11") == {SUM: [NINTH]}


def test_rows_that_are_not_as_expected_fail_the_run_and_hold_the_model(audited: Audited) -> None:
    for part in "ab":
        audited.file(part, 10, "20260308")
        audited.file(part, 10)
    audited.file("b", 4)
    config = {"ops": {"count_rows": {"config": {"date": "20260308"}}}}
    assert audited.audit(config).success
    assert not audited.audit({"ops": {"count_rows": {"config": {"date": "20260309"}}}}).success
    assert audited.checks() == {"every_file_counted": True, "rows_as_expected": False}
    assert (
        "not ready: audit: 2 of 2 counts made, 14 rows; orders: 4 rows, 60.0% below the average 10 of 1 count"
    ) in audited.build().message
    audited.file("b", 9)
    assert audited.audit({"ops": {"count_rows": {"config": {"date": "20260309"}}}}).success
    assert audited.night.tick_and_run("2026-03-10T03:00") == {SUM: ["2026-03-08", NINTH]}


def test_the_job_takes_external_tables_and_tasks_from_the_launchpad(audited: Audited) -> None:
    for part in "ab":
        audited.file(part, 1)
    only_a = {"tasks": ["load_orders_a"], "tables": ["ext.orders"], "date": "20260309"}
    assert audited.audit({"ops": {"count_rows": {"config": only_a}}}).success
    assert audited.checks()["every_file_counted"] is False
    nobody = audited.audit({"ops": {"count_rows": {"config": {"tables": ["ext.order"]}}}})
    failure = nobody.failure_data_for_node("count_rows")
    assert failure is not None
    assert failure.user_failure_data is not None
    assert failure.user_failure_data.description == (
        "table ext.order: it is not audited; did you mean 'ext.orders'?\n  effect   nothing was audited"
    )


def test_a_check_that_is_executed_audits_its_partition_again(audited: Audited) -> None:
    for part in "ab":
        audited.file(part, 2)
    selected = dg.AssetSelection.checks_for_assets(ORDERS)
    asset_job = audited.night.definitions.resolve_implicit_global_asset_job_def()
    subset = asset_job.get_subset(
        asset_check_selection=selected.resolve_checks(asset_job.asset_layer.asset_graph)
    )
    result = subset.execute_in_process(instance=audited.night.instance, partition_key=NINTH)
    assert result.success
    assert audited.checks() == {"every_file_counted": True, "rows_as_expected": True}
    assert audited.night.tick_and_run("2026-03-10T03:00") == {SUM: [NINTH]}
    without = subset.execute_in_process(instance=audited.night.instance, raise_on_error=False)
    failure = without.failure_data_for_node("audit__external__ext__orders")
    assert failure is not None
    assert failure.user_failure_data is not None
    assert failure.user_failure_data.description == "ext.orders: choose the partition that is audited"


def test_what_a_command_counts_is_told_to_dagster_too_and_launches_the_model(audited: Audited) -> None:
    for part in "ab":
        audited.file(part, 2)
    platform = audited.night.platform
    body = AuditBody(platform.settings, platform.catalog, {}, lambda: platform.ledger)
    setting = body.setting(platform.catalog.audits["nightly"])
    run = AuditRun(setting, WatermarkOptions(), setting.watermark())
    report = run.count(run.plan(AuditRequest(skip_task_list=True, date_option="20260309")), lambda *_: None)
    record_standings(audited.night.instance, report.external, "ann")
    assert audited.checks() == {"every_file_counted": True, "rows_as_expected": True}
    (told,) = audited.night.instance.get_runs(dg.RunsFilter(job_name="audit_by_command"))
    assert told.tags["dataplat/actor"] == "ann"
    assert audited.night.tick_and_run("2026-03-10T03:00") == {SUM: [NINTH]}
