"""Finished tasks asked of ClickHouse's engine by the client's own way into a process: no HTTP between.

What the HTTP front of the other tests could smooth over, it cannot here: types, zones and errors come
straight from the engine. One engine is one process, so the question is asked in a process of its own.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ASK = '''
import json, sys
from zoneinfo import ZoneInfo
from datetime import datetime
import clickhouse_connect
from dataplat.errors import SourceError
from dataplat.plan.watermark import ScanWindow
from dataplat.sources.task_lists import SqlTaskList
from dataplat.specs.audit_tasks import TaskListSpec

folder, query, zone = sys.argv[1:]
connect = clickhouse_connect.get_client
client = connect(interface="chdb", path=folder)
client.command("CREATE TABLE log (id Int64, task_name String, period_type Nullable(String),"
               " batch_no Nullable(String), end_time DateTime('UTC'), state LowCardinality(String))"
               " ENGINE = MergeTree ORDER BY id")
client.command("""INSERT INTO log VALUES
    (1, 'early', 'hourly', '2026010904', '2026-01-09 04:59:59', 'success'),
    (2, 'first', 'hourly', '2026010905', '2026-01-09 05:00:00', 'success'),
    (3, 'broken', 'daily', '20260108', '2026-01-09 05:20:00', 'failed'),
    (4, '名', NULL, NULL, '2026-01-09 05:59:59', 'success'),
    (5, 'next', 'daily', '20260108', '2026-01-09 06:00:00', 'success')""")
asked = []
def in_this_process(**options):
    asked.append(options["interface"])
    return connect(interface="chdb", path=folder, tz_mode=options["tz_mode"])
clickhouse_connect.get_client = in_this_process
written = {"host": "not-used", "user": "u", "password": "${CH_PASSWORD}"}
spec = TaskListSpec.model_validate({**written, "query_template": query, "timezone": zone})
window = ScanWindow(*(datetime(2026, 1, 9, hour, tzinfo=ZoneInfo(zone)) for hour in (5, 6)))
tasks = SqlTaskList(spec, ZoneInfo(zone), {"CH_PASSWORD": "x"}, "nightly")
try:
    found = [[str(one.task_name), str(one.batch_no), str(one.end_time)] for one in tasks.finished(window)]
except SourceError as error:
    found = str(error)
print(json.dumps([asked, found]))
'''
ALL = (
    "SELECT task_name, period_type, batch_no, end_time FROM log WHERE state = 'success'"
    " AND end_time >= '{start_time}' AND end_time < '{end_time}' ORDER BY id"
)


def ask(folder: Path, query: str) -> object:
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(folder / "engine"), query, "UTC"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    asked, found = json.loads(done.stdout.splitlines()[-1])
    assert asked == ["http"], "the client was asked for, once"
    return found


def test_the_tasks_of_a_window_arrive_with_their_moments_a02_a08_a10(tmp_path: Path) -> None:
    assert ask(tmp_path, ALL) == [
        ["first", "2026010905", "2026-01-09 05:00:00+00:00"],
        ["名", "", "2026-01-09 05:59:59+00:00"],
    ]


def test_what_the_engine_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    message = str(ask(tmp_path, ALL.replace("task_name", "tusk_name", 1)))
    assert message.startswith("tasks of audit nightly: the query for finished tasks was refused\n")
    assert "tusk_name" in message.split("found", 1)[1]
