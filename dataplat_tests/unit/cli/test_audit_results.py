"""``dataplat audit``: rows against what is expected, and where results go (A42 to A45, A52)."""

import re
from typing import Any

import pytest

from dataplat.ledger.audit_results import AuditResults
from dataplat.lifecycle.audits import counting
from dataplat.plan.file_counts import PathCount
from dataplat_tests.unit.cli.audit_world import ORDERS, World

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
