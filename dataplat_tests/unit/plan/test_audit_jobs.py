"""From schedules, tasks and a date to jobs (A06, A12 to A14, A31, A41, A42), and verdicts on rows."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dataplat.errors import SelectionError
from dataplat.plan.audit_jobs import AuditDate, job_date, parallelism, plan_jobs
from dataplat.plan.audit_loops import expand_schedules
from dataplat.plan.audit_verdict import compare_history, compare_rows
from dataplat.plan.finished_tasks import FinishedTask
from dataplat.specs.audit import AuditDefaults, AuditLimits, AuditSpec, ScheduleSpec

NOW = datetime(2026, 3, 1, 0, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


def schedule(path: str = "/t/ds=${data_date}", **fields: Any) -> ScheduleSpec:
    table = {"name": "t", "hdfs_path": path, "format": "orc"} | fields.pop("table", {})
    return ScheduleSpec.model_validate({"task_name": "task", "tables": [table]} | fields)


def paths(path: str, *tasks: FinishedTask, date: str | None = None, **fields: Any) -> list[str]:
    planned = plan_jobs([schedule(path, **fields)], tasks or None, NOW, date_option=date)
    return [job.path for job in planned.jobs]


def audit(loops: dict[str, Any], **fields: Any) -> AuditSpec:
    one = {"task_name": "task", "tables": [{"name": "t", "hdfs_path": "/t", "format": "orc"}]} | fields
    return AuditSpec.model_validate({"loop_variables": loops, "schedules": [one]})


def test_31_provinces_times_24_hours_are_744_jobs_a42() -> None:
    loops = {
        "province": {"type": "enum", "values": [f"p{n}" for n in range(31)]},
        "hour": {"type": "range", "start": 0, "end": 23, "pad": 2},
    }
    table = {"name": "t", "hdfs_path": "/${province}/ds=${data_date}", "partition_template": "hr=${hour}"}
    spec = audit(loops, loop_var="province&hour", tables=[table | {"format": "orc"}])
    jobs = plan_jobs(expand_schedules(spec), None, NOW).jobs
    assert len(jobs) == len({job.path for job in jobs}) == 744
    assert (jobs[0].path, jobs[-1].path) == ("/p0/ds=20260228/hr=00", "/p30/ds=20260228/hr=23")


def test_ranges_step_and_pad_and_enums_keep_their_zeros_a42() -> None:
    loops = {
        "a": {"type": "range", "start": 8, "end": 12, "step": 2, "pad": 3},
        "b": {"type": "enum", "values": ["031", "44"]},
    }
    spec = audit(loops, task_name="${a}/${b}", loop_var="a&b")
    assert [one.task_name for one in expand_schedules(spec)] == [
        *("008/031", "008/44", "010/031", "010/44", "012/031", "012/44"),
    ]


def test_computed_variables_follow_the_others_and_make_no_jobs_a42() -> None:
    loops = {
        "province": {"type": "enum", "values": ["gd", "bj"]},
        "folder": {"type": "computed", "value": "${province}", "lookup": {"gd": "guangdong"}},
        "code": {"type": "computed", "value": "x_${province}"},
        "other": {"type": "computed", "value": "${hour}"},
    }
    spec = audit(loops, task_name="${folder} ${code} ${other}", loop_var="province")
    assert [one.task_name for one in expand_schedules(spec)] == [
        "guangdong x_gd ${other}",
        "bj x_bj ${other}",
    ]


def test_a_schedule_without_a_loop_is_itself_a42() -> None:
    spec = audit({})
    assert list(expand_schedules(spec)) == list(spec.schedules)


def test_a_task_makes_a_job_for_each_of_its_tables_a06() -> None:
    tables = [{"name": name, "hdfs_path": f"/{name}", "format": "orc", "threads": 3} for name in "ab"]
    one = ScheduleSpec.model_validate(
        {"task_name": "task", "platform_id": 7, "period_type": "daily", "tables": tables}
    )
    tasks = [FinishedTask("task", "daily", "20260109"), FinishedTask("not configured", "daily", "20260109")]
    planned = plan_jobs([one], tasks, NOW)
    assert planned.warnings == ()
    assert [(job.table, job.path, job.threads, job.batch_no, job.platform_id) for job in planned.jobs] == [
        ("a", "/a", 3, "20260109", "7"),
        ("b", "/b", 3, "20260109", "7"),
    ]
    assert planned.jobs[0].date == AuditDate("20260109", "202601", "")


def test_several_batches_of_a_task_are_several_jobs_a11() -> None:
    tasks = [FinishedTask("task", "hourly", f"20260109{hour:02}") for hour in (5, 6)]
    assert paths("/${data_date}/${data_hour}", *tasks) == ["/20260109/05", "/20260109/06"]


@pytest.mark.parametrize(
    ("batch", "period", "date", "warning"),
    [
        ("2026010905", "hourly", AuditDate("20260109", "202601", "05"), ""),
        ("20260109", "daily", AuditDate("20260109", "202601", ""), ""),
        ("202601", "monthly", AuditDate("", "202601", ""), ""),
        (
            *("2026010905", "daily", AuditDate("20260109", "202601", "05")),
            "batch number '2026010905' is of an hour, its schedule is declared per day",
        ),
        ("2026-01-09", "daily", None, "'2026-01-09' is no batch number that can be read; it is left out"),
        ("20261332", "daily", None, "'20261332' is no partition that can be read; it is left out"),
    ],
)
def test_the_batch_number_says_the_date_a12(
    batch: str, period: str, date: AuditDate | None, warning: str
) -> None:
    found = job_date(schedule(period_type=period), FinishedTask("task", "", batch), NOW, None)
    assert found == (date, warning)


def test_a_batch_of_another_period_than_the_configuration_says_is_left_out_a13() -> None:
    task = FinishedTask("task", "hourly", "2026010905")
    planned = plan_jobs([schedule(period_type="daily")], [task], NOW)
    assert planned.jobs == ()
    assert planned.warnings == (
        "task: batch 2026010905 is hourly for the scheduler and daily in the configuration; it is left out",
    )


@pytest.mark.parametrize(
    ("period", "path", "filled"),
    [
        ("daily", "/${data_date}", "/20260228"),
        (None, "/${data_date}", "/20260228"),
        ("hourly", "/${data_date}", "/20260301"),
        ("minutely", "/${data_date}", "/20260301"),
        ("monthly", "/${data_month}", "/202602"),
    ],
)
def test_without_a_batch_number_the_period_says_the_date_a14(
    period: str | None, path: str, filled: str
) -> None:
    assert paths(path, period_type=period) == [filled]


def test_the_date_of_the_command_line_wins_over_batch_and_period_a14() -> None:
    task = FinishedTask("task", "daily", "20260109")
    assert paths("/${data_date}", task, date="20251231", period_type="daily") == ["/20251231"]
    assert paths("/${data_month}", date="20251231", period_type="monthly") == ["/202512"]


def test_a_date_that_is_none_is_refused_and_nothing_is_planned_a46() -> None:
    with pytest.raises(SelectionError) as caught:
        paths("/t", date="20260230")
    assert str(caught.value) == (
        "--date: '20260230' is no partition that can be read\n"
        "  expected   a day: YYYYMMDD or YYYY-MM-DD\n"
        "  found      '20260230': day is out of range for month\n"
        "  effect     nothing was read"
    )


def test_today_and_yesterday_are_of_the_run_and_not_of_the_batch_a41() -> None:
    task = FinishedTask("task", "daily", "20260109")
    assert paths("/${today}/${yesterday}/${data_date}", task) == ["/20260301/20260228/20260109"]


def test_what_a_path_needs_and_nobody_knows_makes_no_job_and_is_said_a41() -> None:
    planned = plan_jobs([schedule("/${data_hour}/${nonsense}", period_type="daily")], None, NOW)
    assert planned.jobs == ()
    assert planned.warnings == (
        "t: ${data_hour}, ${nonsense} is not known in /${data_hour}/${nonsense}; it is left out",
    )


def test_a_table_without_a_partition_is_its_path_a39() -> None:
    assert paths("/t/") == ["/t/"]
    assert paths("/t/", table={"partition_template": "/ds=${data_date}/"}) == ["/t/ds=20260228"]


def test_dates_reach_into_expectations_a41() -> None:
    expect = {"sql": {"source": "s", "query": "SELECT count(*) FROM t WHERE d = '${data_date}'"}}
    (job,) = plan_jobs([schedule(table={"expect": expect})], None, NOW).jobs
    assert job.expect is not None
    assert job.expect.sql is not None
    assert job.expect.sql.query.endswith("d = '20260228'")


@pytest.mark.parametrize(
    ("asked", "threads", "limits", "found"),
    [
        (None, 10, {}, (2, 10)),
        (8, 10, {}, (8, 10)),
        (8, 10, {"max_python_concurrency": 4}, (4, 10)),
        (8, 10, {"max_jar_threads": 3}, (8, 3)),
        (8, 10, {"max_effective_parallelism": 20}, (8, 2)),
        (8, 10, {"max_effective_parallelism": 5}, (5, 1)),
        (1, 10, {"max_effective_parallelism": 20}, (1, 10)),
    ],
)
def test_what_runs_at_once_is_capped_by_the_configuration_a31(
    asked: int | None, threads: int, limits: dict[str, int], found: tuple[int, int]
) -> None:
    defaults = AuditDefaults(python_concurrency=2)
    assert parallelism(asked, threads, defaults, AuditLimits(**limits)) == found


@pytest.mark.parametrize(
    ("rows", "expected", "tolerance", "passed", "text"),
    [
        (100, 100, 0.0, True, "100 rows, 100 of x"),
        (0, 0, 0.0, True, "0 rows, 0 of x"),
        (99, 100, 0.01, True, "99 rows, 100 of x"),
        (99, 100, 0.0, False, "99 rows, 1 fewer than the 100 of x; allowed are 0"),
        (1202, 1000, 0.2, False, "1,202 rows, 202 more than the 1,000 of x; allowed are 200"),
        (5, None, 0.0, None, "5 rows, compared with nothing: x is not known"),
    ],
)
def test_rows_are_compared_with_what_is_expected_a52(
    rows: int, expected: int | None, tolerance: float, passed: bool | None, text: str
) -> None:
    verdict = compare_rows(rows, expected, tolerance, "x")
    assert (verdict.passed, verdict.text) == (passed, text)


@pytest.mark.parametrize(
    ("rows", "earlier", "drop", "rise", "passed", "text"),
    [
        (100, [100, 120, 80], 0.3, 2.0, True, "100 rows, the average 100 of 3 counts"),
        (70, [100], 0.3, None, True, "70 rows, the average 100 of 1 count"),
        (69, [100], 0.3, None, False, "69 rows, 31.0% below the average 100 of 1 count; allowed are 30%"),
        (301, [100], None, 2.0, False, "301 rows, 201.0% above the average 100 of 1 count; allowed are 200%"),
        (1, [0], None, 2.0, False, "1 rows, any number above the average 0 of 1 count; allowed are 200%"),
        (5, [], 0.3, None, None, "5 rows, compared with nothing: there is no earlier count"),
    ],
)
def test_rows_are_compared_with_earlier_counts_a52(
    rows: int, earlier: list[int], drop: float | None, rise: float | None, passed: bool | None, text: str
) -> None:
    verdict = compare_history(rows, earlier, drop, rise)
    assert (verdict.passed, verdict.text) == (passed, text)
