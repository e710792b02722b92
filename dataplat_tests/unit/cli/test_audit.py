"""``dataplat audit``: every option, precedence, exit code and message (A02 to A29, A44 to A49)."""

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from dataplat.ledger.audit_results import AuditResults
from dataplat.lifecycle.audits import counting
from dataplat.plan.file_counts import FileProblem, PathCount
from dataplat_tests.unit.cli.harness import CommandLine, Ran
from dataplat_tests.unit.specs.folder import Config

AUDIT = """\
tasks:
  connect: sqlite:///{root}/scheduler.db
  query_template: >
    SELECT task_name, period_type, batch_no, end_time FROM log
    WHERE end_time >= '{{start_time}}' AND end_time < '{{end_time}}' ORDER BY end_time
schedules:
  - task_name: load_orders
    interface_id: "7"
    platform_id: hub
    partner_id: "031"
    period_type: daily
    tables:
      - name: orders
        hdfs_path: {root}/w/orders
        partition_template: ds=${{data_date}}
        format: textfile
  - task_name: load_hours
    period_type: hourly
    tables:
      - {{name: hours, hdfs_path: "{root}/w/hours/${{data_date}}${{data_hour}}", format: textfile}}
"""


class World:
    """A scheduler's table in SQLite, tables of text files, and the command line over them."""

    def __init__(self, dataplat: CommandLine, config: Config, root: Path) -> None:
        self.dataplat, self.config, self.root = dataplat, config, root
        config.write("audits/nightly.yaml", AUDIT.format(root=root))
        self._sql("CREATE TABLE log (task_name, period_type, batch_no, end_time)")
        dataplat.masks[str(root)] = "ROOT"

    def ended(self, *rows: tuple[str, str, str, str]) -> None:
        with sqlite3.connect(self.root / "scheduler.db") as connection:
            connection.executemany("INSERT INTO log VALUES (?, ?, ?, ?)", rows)

    def _sql(self, statement: str) -> None:
        with sqlite3.connect(self.root / "scheduler.db") as connection:
            connection.execute(statement)

    def file(self, path: str, lines: int) -> None:
        place = self.root / "w" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x\n" * lines)

    def run(self, *options: str, **environ: str) -> Ran:
        return self.dataplat("audit", "run", *options, environ=environ)

    def rows(self, *options: str) -> dict[str, int]:
        """What a run counted, by table and date."""
        document = self.run(*options, "--json").document
        return {f"{one['table_name']} {one['data_date']}": one["row_count"] for one in document["results"]}

    def watermark(self) -> str:
        with sqlite3.connect(self.dataplat.home / "ledger.db") as connection:
            found = connection.execute("SELECT last_end_time FROM watermark").fetchone()
        return str(found[0]) if found else ""


@pytest.fixture
def world(dataplat: CommandLine, config: Config, tmp_path: Path) -> World:
    found = World(dataplat, config, tmp_path)
    found.file("orders/ds=20260319/part-0", 3)
    found.file("orders/ds=20260318/part-0", 4)
    found.file("hours/2026032005/part-0", 5)
    return found


ORDERS = ("load_orders", "daily", "20260319", "2026-03-20 05:00:00")
HOURS = ("load_hours", "hourly", "2026032005", "2026-03-20 06:30:00")


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


EXPECTED = "        format: textfile\n        expect: {}\n  - task_name: load_hours"


@pytest.mark.parametrize(
    ("expect", "code", "text"),
    [
        ("{path: ROOT/w/orders/ds=20260318, tolerance: 25%}", 0, "3 rows, 1 fewer"),
        ("{path: ROOT/w/orders/ds=20260318}", 1, "orders[2026-03-19]: 3 rows, 1 fewer than the 4 of "),
        ("{path: ROOT/w/orders/ds=20260318, severity: warn}", 0, "orders[2026-03-19]: 3 rows, 1 fewer"),
        ("{path: ROOT/w/nowhere}", 1, "3 rows, compared with nothing: ROOT/w/nowhere is not known"),
        ("{history: {drop: 10%}}", 0, ""),
        ("{table: hours}", 1, "hours[2026-03-19] is not known"),
    ],
)
def test_rows_are_compared_with_what_is_expected_a52(world: World, expect: str, code: int, text: str) -> None:
    expect = expect.replace("ROOT", str(world.root))
    world.config.replace(
        "audits/nightly.yaml",
        "        format: textfile\n  - task_name: load_hours",
        f"        format: textfile\n        expect: {expect}\n  - task_name: load_hours",
    )
    ran = world.run("--tasks", "load_orders")
    assert ran.code == code
    if code or "warn" in expect:
        assert text in ran.err


def test_history_compares_with_the_counts_of_earlier_dates(world: World) -> None:
    world.config.replace(
        "audits/nightly.yaml",
        "        format: textfile\n  - task_name: load_hours",
        "        format: textfile\n        expect: {history: {drop: 10%}}\n  - task_name: load_hours",
    )
    assert world.run("--tasks", "load_orders", "--date", "20260318").code == 0
    ran = world.run("--tasks", "load_orders")
    assert ran.code == 1
    assert "orders[2026-03-19]: 3 rows, 25.0% below the average 4 of 1 count; allowed are 10%\n" in ran.err


def test_the_report_shows_newest_results_and_sums_a45(world: World) -> None:
    world.run("--tasks", "load_orders", "--date", "20260318")
    world.run("--tasks", "load_orders")
    world.file("orders/ds=20260319/part-1", 7)
    world.run("--tasks", "load_orders")

    def report(*options: str) -> Any:
        return world.dataplat("audit", "report", *options, "--json").document

    assert [one["row_count"] for one in report()["results"]] == [10, 4]
    assert [one["row_count"] for one in report("--date", "20260318")["results"]] == [4]
    assert report("--partner", "99")["results"] == report("--table", "x")["results"] == []
    assert len(report("--partner", "031", "--month", "202603", "--platform", "hub")["results"]) == 2
    assert [row["row_count"] for row in report("--totals", "day")["totals"]] == [4, 10]
    assert [row["row_count"] for row in report("--totals", "month")["totals"]] == [14]
    ran = world.dataplat("audit", "report", "--totals", "month")
    assert re.sub("─+", "──", ran.out) == (
        " month   table    platform   partner   results   rows   files   size   not counted\n"
        "──\n"
        "202603   orders   hub            031         2     14       3   28 B             0\n"
    )


def test_results_wait_on_this_disk_while_their_database_is_down_and_come_once_a44(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataplat.errors import LedgerError

    down = LedgerError("results mysql", "cannot be reached", effect="nothing was recorded")
    down.retryable = True

    def refuse(*_: object) -> None:
        raise down

    world.ended(ORDERS)
    with monkeypatch.context() as broken:
        broken.setattr(AuditResults, "keep", refuse)
        ran = world.run()
    assert ran.code == 1
    assert "results mysql: cannot be reached\n  effect   nothing was recorded\n" in ran.err
    assert "HOME/audit_spool/nightly: 1 result for the next run to deliver\n" in ran.err
    assert world.watermark() != "", "they are safe on this disk"
    assert world.dataplat("audit", "report", "--json").document["results"] == []
    ran = world.run()
    assert ran.code == 0
    assert "1 result of earlier runs reached ledger sqlite:///HOME/ledger.db\n" in ran.err
    assert len(world.dataplat("audit", "report", "--all", "--json").document["results"]) == 1
    assert not list((world.dataplat.home / "audit_spool" / "nightly").iterdir())


def test_which_audit_is_meant_must_be_clear(world: World) -> None:
    (world.root / "scheduler.db").touch()
    world.config.write(
        "audits/weekly.yaml", "schedules: [{task_name: w, tables: [{name: w, hdfs_path: /w, format: orc}]}]"
    )
    ran = world.run("--dry-run")
    assert (ran.code, ran.err) == (
        2,
        "audit: which audit is meant?\n  declared   nightly, weekly\n  effect     nothing was audited\n",
    )
    assert world.run("nightl", "--dry-run").err.startswith(
        "nightl: there is no audit of this name; did you mean 'nightly'?\n"
    )
    assert world.run("weekly", "--dry-run").code == 0


def test_results_that_can_be_written_nowhere_are_told_whole(world: World) -> None:
    world.config.replace(
        "audits/nightly.yaml", "schedules:\n", "results: {connect: 'postgresql://h/d'}\nschedules:\n"
    )
    ran = world.run("--tasks", "load_orders")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "counting 1 table\nresults of audit nightly: connect is no URL that can be used\n"
        "  expected   mysql+pymysql://user:${NAME}@host/data_audit or sqlite:///path\n"
        "  declared   config/audits/nightly.yaml:6 results.connect\n"
        "  effect     nothing was audited\n"
    )


def test_a_spool_that_cannot_be_read_is_told_and_kept(world: World) -> None:
    file = world.dataplat.home / "audit_spool" / "nightly" / "20260320T010000-abc.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text("{")
    ran = world.run("--tasks", "load_orders")
    assert ran.code == 1
    assert ran.err.splitlines()[1:] == [
        f"HOME/audit_spool/nightly/{file.name}: results that wait to be delivered cannot be read",
        "  found    Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "  effect   they are not in the database; the file is as it was",
        "  next     move the file away, and audit its dates again",
    ]
    assert file.exists()


def test_31_provinces_times_24_hours_are_744_counts_and_rows_a42(world: World) -> None:
    provinces = [f"p{number:02}" for number in range(31)]
    for number, province in enumerate(provinces):
        for hour in range(24):
            world.file(f"loop/{province}/ds=20260319/hr={hour:02}/part-0", number + hour)
    world.config.write(
        "audits/nightly.yaml",
        f"""\
defaults: {{python_concurrency: 4}}
loop_variables:
  province: {{type: enum, values: [{", ".join(provinces)}]}}
  hour: {{type: range, end: 23, pad: 2}}
schedules:
  - task_name: loop_${{province}}
    period_type: daily
    loop_var: province&hour
    tables:
      - name: loop
        hdfs_path: {world.root}/w/loop/${{province}}
        partition_template: ds=${{data_date}}/hr=${{hour}}
        format: textfile
""",
    )
    document = world.run("--json").document
    assert document["summary"] == {"total": 744, "success": 744, "partial": 0, "failed": 0}
    expected = sum(number + hour for number in range(31) for hour in range(24))
    assert sum(one["row_count"] for one in document["results"]) == expected
    totals = world.dataplat("audit", "report", "--totals", "day", "--json").document["totals"]
    assert [(row["results"], row["row_count"]) for row in totals] == [(744, expected)]
    assert world.rows("--tasks", "loop_p30")["loop 20260319"] == 53


def test_an_interrupt_says_what_it_leaves_and_moves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> PathCount:
        raise KeyboardInterrupt

    monkeypatch.setattr(counting, "count_path", interrupted)
    world.ended(ORDERS)
    ran = world.run()
    assert (ran.code, ran.out) == (130, "")
    assert ran.err.splitlines()[-1] == ("interrupted: what was not written down is counted by the next run")
    assert world.watermark() == ""


def test_check_connect_asks_the_task_list_and_finds_the_table_of_results(world: World) -> None:
    from dataplat.cli.connect import _try_audit
    from dataplat.cli.session import Session

    world.ended(ORDERS, ("somebody_else", "daily", "20260319", "2026-03-20 05:00:00"))
    environ = {"DATAPLAT_CONFIG": str(world.config.dir), "DATAPLAT_HOME": str(world.dataplat.home)}
    session = Session(environ)
    tasks, results = _try_audit(session, "nightly")
    assert (tasks.error, results.error) == (None, None)
    assert tasks.found == "2 ended within 24 h, with their ends; 1 are configured"
    assert results.found == f"audit_result in ledger sqlite:///{world.dataplat.home}/ledger.db"
    world._sql("DROP TABLE log")
    tasks, _ = _try_audit(session, "nightly")
    assert tasks.error is not None
    assert tasks.error.problem == "the query for finished tasks was refused"
    session.close()


def test_the_environment_fills_in_results_and_never_decides_that_there_are_some_a43(world: World) -> None:
    assert world.run("--tasks", "load_orders", MYSQL_HOST="127.0.0.1").code == 0
    world.config.replace("audits/nightly.yaml", "schedules:\n", "results: {}\nschedules:\n")
    ran = world.run("--tasks", "load_orders", MYSQL_HOST="127.0.0.1")
    assert ran.code == 2
    assert "results of audit nightly: no database is named\n" in ran.err
    assert "export MYSQL_DATABASE=…" in ran.err


TWIN = """\
schedules:
  - task_name: one
    period_type: daily
    tables: [{{name: one, hdfs_path: "{root}/w/one/ds=${{data_date}}", format: textfile}}]
  - task_name: two
    period_type: daily
    tables:
      - name: two
        hdfs_path: {root}/w/two/ds=${{data_date}}
        format: textfile
        expect: {expect}
"""


@pytest.mark.parametrize(
    ("expect", "what"),
    [
        ("{table: one}", "one[2026-03-19]"),
        ("{table: {name: one, partition_template: 'ds=${data_date}'}}", "one/ds=20260319"),
    ],
)
def test_rows_are_compared_with_another_table_of_this_run_or_as_last_written_down(
    world: World, expect: str, what: str
) -> None:
    world.config.write("audits/nightly.yaml", TWIN.format(root=world.root, expect=expect))
    world.file("one/ds=20260319/part-0", 3)
    world.file("two/ds=20260319/part-0", 3)
    document = world.run("--tasks", "two", "--json").document
    assert document["results"][0]["verdict_text"] == f"3 rows, compared with nothing: {what} is not known"
    assert world.run("--json").document["results"][1]["verdict_text"] == f"3 rows, 3 of {what}"
    world.file("two/ds=20260319/part-1", 1)
    ran = world.run("--tasks", "two")
    assert ran.code == 1
    assert f"two[2026-03-19]: 4 rows, 1 more than the 3 of {what}; allowed are 0\n" in ran.err
