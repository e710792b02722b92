"""Probes ask real things: a database file, a folder, and a web server on loopback."""

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from dataplat.errors import SourceError, SourceUnavailableError
from dataplat.sources.probes import Finding, Prober
from dataplat.specs import ProbeSpec

ZONE = ZoneInfo("Asia/Shanghai")
BASE = datetime(2026, 1, 9, tzinfo=ZONE)
STEP = {"sql": "SELECT 1 FROM t_step_log WHERE data_date = '$[yyyyMMdd]' AND step = 0"}
TASK = {
    "sql": "SELECT task_stat, end_time FROM t_sys_log WHERE task_name LIKE '%job_dw_user%'"
    " AND task_sign = '$[yyyy-MM-dd]' AND start_time < '10:00' ORDER BY id DESC",
    "newest": {"task_stat": "2"},
    "landed": "end_time",
}
LOGS = """
CREATE TABLE t_step_log (data_date TEXT, step INT);
CREATE TABLE t_sys_log (id INTEGER PRIMARY KEY, task_name TEXT, task_sign TEXT, task_stat INT,
                        start_time TEXT, end_time TEXT);
INSERT INTO t_step_log VALUES ('20260109', 0);
"""


class Logs:
    """The scheduler's two log tables in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(sqlite3.connect(path)) as database:
            database.executescript(LOGS)
        self.prober = Prober("logs.job[2026-01-09]", sa.make_url(f"sqlite:///{path}"), ZONE, 5)

    def task_ran(self, stat: int, end: str = "2026-01-10 03:15:00") -> None:
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute(
                "INSERT INTO t_sys_log (task_name, task_sign, task_stat, start_time, end_time)"
                " VALUES ('daily job_dw_user run', '2026-01-09', ?, '02:00', ?)",
                [stat, end],
            )

    def ask(self, probe: dict[str, object]) -> Finding:
        return self.prober.ask(ProbeSpec.model_validate(probe), BASE)


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path / "logs.db")


def test_rows_that_are_there_are_ready(logs: Logs) -> None:
    assert logs.ask(STEP) == Finding(
        "SELECT 1 FROM t_step_log WHERE data_date = '20260109' AND step = 0", ">= 1 rows", "1 row", True
    )
    assert not logs.ask({**STEP, "rows": ">= 2"}).ready
    assert not logs.ask({**STEP, "rows": 0}).ready


@pytest.mark.parametrize("runs", [1, 2, 3, 4])
def test_a_second_successful_run_closes_nothing(logs: Logs, runs: int) -> None:
    """`len(rows) == 1 & len(number) == 1` was right for 1, 3, 5 runs and wrong for 2, 4."""
    for _ in range(runs):
        logs.task_ran(2)
    assert (logs.ask(STEP).ready, logs.ask(TASK).ready) == (True, True)


def test_the_newest_state_wins(logs: Logs) -> None:
    asked = logs.ask(TASK)
    assert (asked.ready, asked.expected, asked.found) == (False, "newest task_stat = 2", "0 rows")
    logs.task_ran(2)
    logs.task_ran(1)
    again = logs.ask(TASK)
    assert (again.ready, again.found) == (False, "2 rows, newest task_stat = 1")
    logs.task_ran(2, "2026-01-10 04:00:00")
    done = logs.ask(TASK)
    assert (done.ready, done.landed_at) == (True, datetime(2026, 1, 10, 4, tzinfo=ZONE))


def test_a_query_that_is_refused_is_told(logs: Logs) -> None:
    with pytest.raises(SourceError) as refused:
        logs.ask({"sql": "SELECT 1 FROM t_log"})
    assert (refused.value.retryable, str(refused.value)) == (
        False,
        (
            "logs.job[2026-01-09]: the query was refused\n"
            "  asked    SELECT 1 FROM t_log\n"
            "  found    no such table: t_log\n"
            "  effect   nothing was decided; the partition stays as it was"
        ),
    )


def test_a_column_that_the_query_does_not_return_is_told(logs: Logs) -> None:
    with pytest.raises(SourceError) as refused:
        logs.ask({**STEP, "newest": {"stat": "2"}})
    assert str(refused.value) == (
        "logs.job[2026-01-09]: the query returns no column 'stat'\n"
        "  asked      SELECT 1 FROM t_step_log WHERE data_date = '20260109' AND step = 0\n"
        "  returned   1\n"
        "  effect     nothing was decided; the partition stays as it was"
    )


def test_a_server_that_is_down_is_not_an_answer() -> None:
    url = sa.make_url("mysql+pymysql://etl:secret@127.0.0.1:1/logs")
    with pytest.raises(SourceUnavailableError) as down:
        Prober("logs.job[2026-01-09]", url, ZONE, 2).ask(ProbeSpec.model_validate(STEP), BASE)
    assert down.value.retryable
    assert "it could not be asked" in str(down.value)
    assert "secret" not in str(down.value)


def test_a_file_lands_when_it_was_last_changed(tmp_path: Path) -> None:
    probe = ProbeSpec.model_validate({"path": f"file://{tmp_path}/$[yyyyMMdd]/_SUCCESS"})
    prober = Prober("ext.x[2026-01-09]", None, ZONE, 5)
    assert (prober.ask(probe, BASE).ready, prober.ask(probe, BASE).found) == (False, "absent")
    mark = tmp_path / "20260109" / "_SUCCESS"
    mark.parent.mkdir()
    mark.touch()
    landed = datetime(2026, 1, 10, 3, 15, tzinfo=ZONE)
    os.utime(mark, (landed.timestamp(), landed.timestamp()))
    found = prober.ask(probe, BASE)
    assert (found.ready, found.landed_at, found.found) == (True, landed, "landed 2026-01-10 03:15:00")


Serve = Callable[[int, object], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A web server on loopback that answers as it is told last."""
    said: list[tuple[int, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = said[-1]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def answer(status: int, document: object) -> str:
        said.append((status, json.dumps(document).encode()))
        return f"http://127.0.0.1:{server.server_port}/ready?d=$[yyyy-MM-dd]"

    yield answer
    server.shutdown()
    server.server_close()


def test_an_http_answer_must_hold_what_is_expected(serve: Serve) -> None:
    prober = Prober("ext.x[2026-01-09]", None, ZONE, 5)

    def ask(status: int, document: object) -> Finding:
        url = serve(status, document)
        probe = {"url": url, "json": {"data.state": "done", "data.day": "$[yyyyMMdd]"}}
        return prober.ask(ProbeSpec.model_validate(probe), BASE)

    good = ask(200, {"data": {"state": "done", "day": 20260109}})
    assert (good.ready, good.found) == (True, "status 200, data.state = done, data.day = 20260109")
    assert good.asked.endswith("/ready?d=2026-01-09")
    assert ask(200, {"data": {"state": "running", "day": 20260109}}).found.startswith(
        "status 200, data.state = running"
    )
    assert not ask(200, ["done"]).ready
    assert not ask(404, {}).ready


def test_an_http_server_with_an_error_of_its_own_is_not_an_answer(serve: Serve) -> None:
    url = serve(503, {})
    with pytest.raises(SourceUnavailableError) as down:
        Prober("ext.x[2026-01-09]", None, ZONE, 5).ask(ProbeSpec.model_validate({"url": url}), BASE)
    assert str(down.value) == (
        "ext.x[2026-01-09]: it could not be asked\n"
        f"  asked    {url.replace('$[yyyy-MM-dd]', '2026-01-09')}\n"
        "  found    status 503\n"
        "  effect   nothing was decided; the partition stays as it was"
    )
