"""The gate of two log tables on a real MariaDB: ready when both say so, whatever was run before."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.lifecycle.readiness import Answer, ask_partition
from dataplat.specs import Catalog, SecretResolver, load_catalog

pytestmark = pytest.mark.integration
ZONE = ZoneInfo("Asia/Shanghai")
GATE = """\
table: logs.job_dw_user
source: scheduler
database: readiness_logs
timeout: 3s
probes:
  - sql: "SELECT step FROM t_step_log WHERE data_date = '$[yyyyMMdd]' AND step = 0"
  - sql: >
      SELECT task_stat, end_time FROM t_sys_log
      WHERE task_name LIKE '%job_dw_user%' AND date(task_sign) = '$[yyyy-MM-dd]' ORDER BY id DESC
    newest: {task_stat: 2}
    landed: end_time
"""
TABLES = (
    "DROP DATABASE IF EXISTS readiness_logs",
    "CREATE DATABASE readiness_logs",
    "CREATE TABLE readiness_logs.t_step_log (data_date INT, step INT)",
    """CREATE TABLE readiness_logs.t_sys_log (id INT AUTO_INCREMENT PRIMARY KEY, task_name VARCHAR(50),
         task_sign DATETIME, task_stat TINYINT, end_time DATETIME)""",
)
SUCCESS = (
    "INSERT INTO readiness_logs.t_sys_log (task_name, task_sign, task_stat, end_time)"
    " VALUES ('x job_dw_user', '2026-01-09 00:00:00', {stat}, '2026-01-10 03:15:00')"
)


class Scheduler:
    """The scheduler's database, and a readiness that asks it."""

    def __init__(self, mariadb: PrivateMariaDB, root: Path, port: int | None = None) -> None:
        where = mariadb.instance
        texts = {
            "platform.yaml": "timezone: Asia/Shanghai\nwarehouse: file:///w\nledger: sqlite:///l.db\n",
            "sources/scheduler.yaml": f"kind: mysql\nhost: {where.host}\nport: {port or where.port}\n"
            "user: etl\npassword: ${ETL_PASSWORD}\n",
            "readiness/job.yaml": GATE,
        }
        for name, text in texts.items():
            (root / "config" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "config" / name).write_text(text)
        self._mariadb = mariadb
        self._catalog: Catalog = load_catalog(root / "config", {})
        self._secrets = SecretResolver({"ETL_PASSWORD": where.etl_password})

    def run(self, *statements: str) -> None:
        with self._mariadb.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    def ask(self) -> Answer:
        return ask_partition(self._catalog, self._secrets, self._catalog.readiness["job"], "2026-01-09")


@pytest.fixture
def scheduler(mariadb: PrivateMariaDB, tmp_path: Path) -> Iterator[Scheduler]:
    found = Scheduler(mariadb, tmp_path)
    found.run(*TABLES)
    yield found
    found.run("DROP DATABASE readiness_logs")


def test_the_day_is_ready_when_both_tables_say_so_however_often_the_job_ran(scheduler: Scheduler) -> None:
    assert not scheduler.ask().ready
    scheduler.run(SUCCESS.format(stat=2))
    first = scheduler.ask()
    assert (first.ready, first.evidence) == (
        False,
        "expected >= 1 rows, found 0 rows; expected newest task_stat = 2, found 1 row, newest task_stat = 2",
    )
    scheduler.run("INSERT INTO readiness_logs.t_step_log VALUES (20260109, 0)")
    landed = datetime(2026, 1, 10, 3, 15, tzinfo=ZONE)
    for _ in range(4):
        answer = scheduler.ask()
        assert (answer.ready, answer.landed_at) == (True, landed)
        scheduler.run(SUCCESS.format(stat=2))
    scheduler.run(SUCCESS.format(stat=1))
    assert not scheduler.ask().ready, "it runs again"


def test_a_server_that_is_down_and_one_that_refuses_are_errors_and_no_answers(
    scheduler: Scheduler, mariadb: PrivateMariaDB, tmp_path: Path
) -> None:
    down = Scheduler(mariadb, tmp_path / "down", port=1).ask()
    assert (down.ready, down.error is not None and down.error.retryable) == (False, True)
    scheduler.run("DROP TABLE readiness_logs.t_sys_log")
    refused = scheduler.ask()
    assert refused.error is not None
    assert not refused.error.retryable
    assert "1146 Table 'readiness_logs.t_sys_log' doesn't exist" in str(refused.error)
