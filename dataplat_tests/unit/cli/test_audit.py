"""``dataplat audit run``: every option, precedence and exit code (A02 to A29, A46 to A49)."""

import json
import re

import pytest

from dataplat.lifecycle.audits import counting
from dataplat.plan.file_counts import FileProblem, PathCount
from dataplat_tests.unit.cli.audit_world import HOURS, ORDERS, World


def test_tasks_that_ended_in_the_window_are_counted_and_the_watermark_moves_a02_a16(world: World) -> None:
    world.ended(ORDERS, HOURS, ("load_orders", "daily", "20260318", "2026-03-19 08:59:59"))
    ran = world.run()
    assert ran.code == 0
    assert [re.sub(r"(?<=B) [0-9]+$", "", re.sub(" +", " ", line)) for line in ran.out.splitlines()] == [
        "task table date status rows files size ms",
        "─" * len(ran.out.splitlines()[1]),
        "load_orders orders 2026-03-19 success 3 1 6 B",
        "load_hours hours 2026-03-20-05:00 success 5 1 10 B",
        "2 tables: 2 success, 0 partial, 0 failed",
        "watermark 2026-03-20 09:00:00",
    ]
    assert ran.err == (
        "2 tasks ended from 2026-03-19 09:00:00 to 2026-03-20 09:00:00 Asia/Shanghai\ncounting 2 tables\n"
    )
    assert world.watermark() == "2026-03-20T01:00:00.000000+00:00"


def test_the_overlap_shows_a_task_again_and_it_is_recognised_a18(world: World) -> None:
    world.ended(("load_orders", "daily", "20260319", "2026-03-20 08:55:00"))
    assert world.rows() == {"orders 20260319": 3}
    again = world.run("--json").document
    assert (again["tasks"], again["repeats"], again["results"]) == (1, 1, [])
    world.ended(("load_orders", "daily", "20260319", "2026-03-20 08:58:00"))
    world.file("orders/ds=20260319/part-1", 2)
    assert world.rows() == {"orders 20260319": 5}, "a task that ended again is audited again"


def test_names_stand_before_everything_and_the_source_is_not_asked_a03_a05(world: World) -> None:
    world.config.replace("audits/nightly.yaml", "FROM log", "FROM gone")
    assert world.rows("--tasks", "load_orders", "--skip-clickhouse") == {"orders 20260319": 3}
    assert world.rows("--tasks", "load_orders, load_hours", "--date", "20260318") == {
        "orders 20260318": 4,
        # an hourly path needs an hour, and a day has none: left out with a warning
    }
    assert world.watermark() == "", "it moves only with what the source said"


def test_skip_clickhouse_audits_all_that_is_configured_a04_a14(world: World) -> None:
    ran = world.run("--skip-clickhouse", "--json")
    assert [one["hdfs_path"] for one in ran.document["results"]] == ["ROOT/w/orders/ds=20260319"]
    assert (
        "warning: hours: ${data_hour} is not known in ROOT/w/hours/20260320${data_hour}; it is left out\n"
        in ran.err
    )
    assert world.watermark() == ""


def test_without_a_task_list_all_that_is_configured_is_audited_a05(world: World) -> None:
    text = (world.config.dir / "audits" / "nightly.yaml").read_text()
    world.config.write("audits/nightly.yaml", text[text.index("schedules:") :])
    assert world.rows() == {"orders 20260319": 3}


def test_a_task_that_is_not_configured_is_refused_and_a_near_one_named(world: World) -> None:
    ran = world.run("--tasks", "load_order")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "task load_order: it is not configured; did you mean 'load_orders'?\n"
        "  configured   2 tasks: load_orders, load_hours\n"
        "  effect       nothing was audited\n"
    )


def test_a_date_that_is_none_is_an_error_a46(world: World) -> None:
    ran = world.run("--date", "20260230")
    assert ran.code == 2
    assert ran.err.startswith("--date: '20260230' is no partition that can be read\n")


def test_a_date_of_the_command_line_stands_before_the_batch_number_a14(world: World) -> None:
    world.ended(ORDERS)
    assert world.rows("--date", "2026-03-18") == {"orders 20260318": 4}


def test_what_fails_is_exit_1_and_the_watermark_stays_a24_a34_a49(world: World) -> None:
    world.ended(ORDERS, ("load_hours", "hourly", "2026032004", "2026-03-20 06:30:00"))
    ran = world.run()
    assert ran.code == 1
    assert ran.out.endswith("2 tables: 1 success, 0 partial, 1 failed\nthe watermark stays\n")
    assert "hours: ROOT/w/hours/2026032004: there is no such path\n" in ran.err
    assert world.watermark() == ""
    world.file("hours/2026032004/part-0", 6)
    assert world.rows() == {"hours 20260320": 6}, "what was counted well is not counted again"
    assert world.watermark() != ""


def partly(path: str, *_: object, **__: object) -> PathCount:
    return PathCount(path, "partial", 7, 2, 20, 1, (FileProblem(f"{path}/b", "permission denied"),))


def test_only_partial_is_exit_2_and_never_0_a49(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "count_path", partly)
    world.ended(ORDERS)
    ran = world.run()
    assert ran.code == 2
    assert "1 table: 0 success, 1 partial, 0 failed" in ran.out
    assert "orders: ROOT/w/orders/ds=20260319/b: permission denied\n" in ran.err
    assert world.watermark() == ""


def test_the_watermark_may_move_over_failures_where_that_is_configured_a25(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "count_path", partly)
    world.config.replace("audits/nightly.yaml", "tasks:\n", "tasks:\n  watermark_advance_on_failure: true\n")
    world.ended(ORDERS)
    assert world.run().code == 2
    assert world.watermark() != ""


def test_no_task_moves_the_watermark_and_foreign_tasks_do_not_a26(world: World) -> None:
    world.ended(("somebody_else", "daily", "20260319", "2026-03-20 05:00:00"))
    ran = world.run()
    assert ran.code == 0
    assert "none of them makes a table that is configured: the watermark stays\n" in ran.err
    assert world.watermark() == ""
    world._sql("DELETE FROM log")
    assert world.run().code == 0
    assert world.watermark() != ""


def test_a_dry_run_prints_the_jobs_and_opens_no_results_a47(world: World) -> None:
    world.config.replace(
        "audits/nightly.yaml",
        "schedules:\n",
        "results: {connect: 'mysql+pymysql://u@127.0.0.1:1/d'}\nschedules:\n",
    )
    world.ended(ORDERS)
    ran = world.run("--dry-run")
    assert ran.code == 0
    assert re.sub("─+", "──", ran.out) == (
        "task          table    date         format     path\n"
        "──\n"
        "load_orders   orders   2026-03-19   textfile   ROOT/w/orders/ds=20260319\n"
        "1 count would be made; nothing was counted\n"
    )
    assert world.watermark() == ""


def test_init_now_begins_at_this_moment_and_only_once_a22(world: World) -> None:
    world.ended(ORDERS)
    ran = world.run("--watermark-init-now")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "the watermark is 2026-03-20 09:00:00: what ends from then on is audited; nothing was counted\n"
    )
    world.ended(("load_orders", "daily", "20260318", "2026-03-20 08:59:00"))
    assert world.rows("--watermark-init-now") == {"orders 20260318": 4}, "there is one, so it runs"


def test_the_file_of_the_old_auditor_is_taken_over_and_reset_a16_a20_a21(world: World) -> None:
    file = world.root / "clickhouse_watermark.json"
    file.write_text(
        '{"last_end_time": "2026-03-20T06:00:00+08:00", "updated_at": "2026-03-20T06:00:01+08:00"}'
    )
    world.config.replace(
        "audits/nightly.yaml", "tasks:\n", "tasks:\n  watermark_path: clickhouse_watermark.json\n"
    )
    world.ended(ORDERS, HOURS)
    assert world.rows() == {"hours 20260320": 5}
    assert json.loads(file.read_text())["last_end_time"] == "2026-03-20T09:00:00+08:00"
    assert world.rows("--watermark-reset", "--hours-lookback", "4.5") == {"orders 20260319": 3}
    other = world.root / "other.json"
    assert world.rows("--watermark-path", str(other), "--hours-lookback", "0.5") == {}
    assert other.exists()


def test_a_damaged_watermark_is_an_error_with_its_remedy_a29(world: World) -> None:
    file = world.root / "w.json"
    file.write_text('{"last_end')
    ran = world.run("--watermark-path", str(file))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("ROOT/w.json: the watermark cannot be read\n")
    assert "dataplat audit run --watermark-reset --hours-lookback HOURS" in ran.err
    assert world.run("--watermark-path", str(file), "--watermark-reset").code == 0


def test_a_disabled_watermark_looks_back_and_remembers_nothing(world: World) -> None:
    world.ended(ORDERS, HOURS)
    assert world.rows("--disable-watermark", "--hours-lookback", "3") == {"hours 20260320": 5}
    assert world.watermark() == ""


@pytest.mark.parametrize(
    ("configured", "environ", "option", "found"),
    [
        ("hours_lookback: 3", {}, [], 1),
        ("hours_lookback: 3", {"DATAPLAT_AUDIT_HOURS_LOOKBACK": "5"}, [], 2),
        ("hours_lookback: 3", {"DATAPLAT_AUDIT_HOURS_LOOKBACK": "5"}, ["--hours-lookback", "1"], 0),
    ],
)
def test_the_command_line_stands_before_the_environment_and_that_before_the_file_a29(
    world: World, configured: str, environ: dict[str, str], option: list[str], found: int
) -> None:
    world.config.replace("audits/nightly.yaml", "tasks:\n", f"tasks:\n  {configured}\n")
    world.ended(ORDERS, HOURS)
    assert world.run(*option, "--json", **environ).document["tasks"] == found


def test_the_log_file_has_every_count_and_what_went_wrong_a48(world: World) -> None:
    log = world.root / "hdfs_audit.log"
    world.run("--tasks", "load_orders", "--log-file", str(log))
    assert "orders/ds=20260319  success  3 rows\n" in log.read_text()
    world.run("--tasks", "nobody", "--log-file", str(log))
    assert log.read_text().count("\n") > 4
    assert "task nobody: it is not configured" in log.read_text()


def test_verbose_says_each_count(world: World) -> None:
    assert (
        "load_orders  orders  ROOT/w/orders/ds=20260319  success  3 rows\n"
        in world.run("-v", "--tasks", "load_orders").err
    )


def test_the_flags_of_the_jar_are_understood_and_without_effect_a38(world: World) -> None:
    ran = world.run("--tasks", "load_orders", "--jar", "hdfs-counter.jar", "--java-home", "/usr/lib/jvm")
    assert ran.code == 0
    assert ran.err.startswith("--jar and --java-home have no effect: files are counted without Java\n")


def test_a_table_that_takes_too_long_has_failed_a37(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 0.0, 5000.0, 5000.0])
    monkeypatch.setattr(counting.time, "monotonic", lambda: next(moments))
    ran = world.run("--tasks", "load_orders")
    assert ran.code == 1
    assert "orders: ROOT/w/orders/ds=20260319: it was not counted within 3,600 s\n" in ran.err
