"""``dataplat ready``: what it asks, prints and remembers. It is 2026-03-20 09:00."""

import re
import sqlite3
from contextlib import closing

import pytest

from dataplat.ledger import Ledger
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.specs.folder import Config

JOB = 'table: logs.job\nconnect: sqlite:///{home}/log.db\nprobes:\n  - sql: "{sql}"\n    landed: at\n'
SQL = "SELECT at FROM t_log WHERE day = '$[yyyyMMdd]'"


@pytest.fixture(autouse=True)
def _log(config: Config, dataplat: CommandLine) -> None:
    dataplat.home.mkdir()
    with closing(sqlite3.connect(dataplat.home / "log.db")) as database, database:
        database.execute("CREATE TABLE t_log (day TEXT, at TEXT)")
        database.execute("INSERT INTO t_log VALUES ('20260318', '2026-03-19 03:15:00')")
    config.write("readiness/job.yaml", JOB.format(home=dataplat.home, sql=SQL))


def test_each_probe_is_a_row_and_what_is_not_ready_fails(dataplat: CommandLine) -> None:
    ran = dataplat("ready", "job", "--date", "20260318~20260319")
    assert (ran.code, ran.err) == (1, "")
    assert [re.split(r"\s{2,}", line) for line in ran.out.splitlines()[2:]] == [
        [
            *("logs.job", "2026-03-18", "ready", "2026-03-19 03:15:00", ">= 1 rows", "1 row"),
            "SELECT at FROM t_log WHERE day = '20260318'",
        ],
        [
            *("logs.job", "2026-03-19", "not ready", ">= 1 rows", "0 rows"),
            "SELECT at FROM t_log WHERE day = '20260319'",
        ],
    ]


def test_the_answer_is_remembered_where_the_gate_looks(dataplat: CommandLine) -> None:
    document = dataplat("ready", "--date", "20260318", "--json").document
    assert (document["ok"], document["partitions"][0]["ready"]) == (True, True)
    with Ledger.open(f"sqlite:///{dataplat.home}/ledger.db") as ledger:
        found = ledger.arrivals("logs.job")["2026-03-18"]
    assert (found.ready, found.evidence) == (True, "expected >= 1 rows, found 1 row")


def test_what_cannot_be_asked_is_told_and_nothing_is_remembered(
    dataplat: CommandLine, config: Config
) -> None:
    config.write("readiness/job.yaml", JOB.format(home=dataplat.home, sql="SELECT at FROM t_lg"))
    ran = dataplat("ready")
    assert (ran.code, "not asked" in ran.out) == (1, True)
    assert ran.err == (
        "logs.job[2026-03-19]: the query was refused\n"
        "  asked    SELECT at FROM t_lg\n"
        "  found    no such table: t_lg\n"
        "  effect   nothing was decided; the partition stays as it was\n"
    )
    with Ledger.open(f"sqlite:///{dataplat.home}/ledger.db") as ledger:
        assert ledger.arrivals("logs.job") == {}


def test_a_name_that_is_not_there_is_refused(dataplat: CommandLine) -> None:
    ran = dataplat("ready", "jb")
    assert (ran.code, ran.out, ran.err) == (
        2,
        "",
        (
            "jb: there is no readiness of this name; did you mean 'job'?\n"
            "  declared   job\n"
            "  effect     nothing was asked\n"
        ),
    )
