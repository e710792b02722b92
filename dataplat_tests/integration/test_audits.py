"""A whole audit on real components: ClickHouse's engine, HDFS, MariaDB; and a table that others filled."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import hdfs_native
import pyarrow as pa
import pyarrow.orc as orc
import pytest

from dataplat.cli.main import run
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat_tests.services.clickhouse import ClickHouse
from dataplat_tests.services.hdfs import Hdfs
from dataplat_tests.services.process import free_port

pytestmark = pytest.mark.integration
PLATFORM = (
    "timezone: Asia/Shanghai\nwarehouse: file:///w\nhome: {root}/home\nledger: sqlite:///{root}/home/l.db\n"
)
AUDIT = """\
tasks:
  hosts: [{dead}, {live}]
  user: auditor
  password: ${{CLICKHOUSE_PASSWORD}}
  query_template: >
    SELECT task_name, period_type, batch_no, end_time FROM {name}.log
    WHERE state = 'success' AND end_time >= '{{start_time}}' AND end_time < '{{end_time}}' ORDER BY end_time
  watermark_path: clickhouse_watermark.json
results: {{host: 127.0.0.1, port: {port}, database: {name}, user: root, password: '${{MYSQL_PASSWORD}}'}}
defaults: {{python_concurrency: 2}}
schedules:
  - task_name: load_orders
    interface_id: "7"
    platform_id: hub
    partner_id: "031"
    period_type: hourly
    tables:
      - name: orders
        hdfs_path: /warehouse/{name}/订单 表
        partition_template: ds=${{data_date}}/hr=${{data_hour}}
        format: orc
"""
OLD_TABLE = """CREATE TABLE {name}.audit_result (
  id BIGINT AUTO_INCREMENT PRIMARY KEY,
  task_name VARCHAR(128), interface_id VARCHAR(64), platform_id VARCHAR(64),
  partner_id VARCHAR(64), table_name VARCHAR(128), hdfs_path VARCHAR(512), period_type VARCHAR(16),
  batch_no VARCHAR(32), data_date VARCHAR(8), data_month VARCHAR(6), data_hour VARCHAR(2), row_count BIGINT,
  file_count INT, total_size_bytes BIGINT, status VARCHAR(16), error_msg TEXT, duration_ms BIGINT,
  created_at DATETIME DEFAULT CURRENT_TIMESTAMP) CHARACTER SET utf8mb4"""
OLD_ROW = """INSERT INTO {name}.audit_result
  (task_name, platform_id, partner_id, table_name, hdfs_path, data_date,
  data_month, row_count, file_count, total_size_bytes, status, created_at)
  VALUES ('load_orders', 'hub', '031', 'orders', '/old', '20260108', '202601', 99, 1, 10, 'success',
  '2026-01-09 01:00:00')"""


class Auditor:
    """The commands of an audit, with the servers that it needs."""

    def __init__(
        self, root: Path, clickhouse: ClickHouse, hdfs: Hdfs, mariadb: PrivateMariaDB, capture: Any
    ) -> None:
        self.name = f"audit_{uuid4().hex[:10]}"
        self.root, self.clickhouse, self.hdfs, self._capture = root, clickhouse, hdfs, capture
        self.mariadb = mariadb
        values = {"root": root, "name": self.name, "port": mariadb.instance.port}
        hosts = {"dead": f"127.0.0.1:{free_port()}", "live": f"127.0.0.1:{clickhouse.port}"}
        for path, text in {"platform.yaml": PLATFORM, "audits/nightly.yaml": AUDIT}.items():
            file = root / "config" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.format(**values, **hosts))
        self.environ = {
            "DATAPLAT_CONFIG": str(root / "config"),
            "DATAPLAT_HOME": str(root / "home"),
            "HADOOP_CONF_DIR": str(hdfs.conf_dir),
            "CLICKHOUSE_PASSWORD": clickhouse.password,
            "MYSQL_PASSWORD": mariadb.instance.root_password,
        }
        clickhouse.run(
            f"CREATE DATABASE {self.name}",
            f"CREATE TABLE {self.name}.log (task_name String, period_type String, batch_no String, "
            "end_time DateTime, state String) ENGINE = MergeTree ORDER BY end_time",
        )
        self.sql(f"CREATE DATABASE {self.name}")

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with self.mariadb.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement.format(name=self.name))
            connection.commit()
            return list(cursor.fetchall())

    def ended(self, batch: str, at: str) -> None:
        self.clickhouse.run(
            f"INSERT INTO {self.name}.log VALUES ('load_orders', 'hourly', '{batch}', '{at}', 'success'), "
            f"('load_orders', 'hourly', '2020010101', '{at}', 'failed')"
        )

    def file(self, hour: str, rows: int, part: int = 0) -> None:
        local = self.root / "part.orc"
        nested = pa.array([[1, 2]] * rows, pa.list_(pa.int64()))
        orc.write_table(pa.table({"id": pa.array(range(rows), pa.int64()), "nested": nested}), local)
        target = f"/warehouse/{self.name}/订单 表/ds={hour[:8]}/hr={hour[8:]}/part-{part}"
        client = hdfs_native.Client(self.hdfs.url)
        with client.create(target, hdfs_native.WriteOptions(overwrite=True)) as stream:
            stream.write(local.read_bytes())

    def run(self, *arguments: str, environ: Mapping[str, str] | None = None) -> tuple[int, Any, str]:
        self._capture.readouterr()
        code = run(["audit", *arguments, "--json"], {**self.environ, **(environ or {})})
        printed = self._capture.readouterr()
        return code, json.loads(printed.out), printed.err

    def stored(self) -> list[tuple[Any, ...]]:
        return self.sql("SELECT batch_no, row_count, status FROM {name}.audit_result ORDER BY id")


@pytest.fixture
def auditor(
    tmp_path: Path,
    clickhouse: ClickHouse,
    hdfs: Hdfs,
    mariadb: PrivateMariaDB,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Auditor]:
    found = Auditor(tmp_path, clickhouse, hdfs, mariadb, capsys)
    yield found
    clickhouse.run(f"DROP DATABASE {found.name}")
    found.sql("DROP DATABASE {name}")


def write_watermark(auditor: Auditor, at: str) -> None:
    content = json.dumps({"last_end_time": at, "updated_at": at})
    (auditor.root / "clickhouse_watermark.json").write_text(content)


def test_finished_tasks_become_rows_in_mysql_and_the_watermark_moves(auditor: Auditor) -> None:
    write_watermark(auditor, "2026-01-09T06:00:00+08:00")
    auditor.ended("2026010905", "2026-01-09 06:10:00")
    auditor.ended("2026010906", "2026-01-09 07:10:00")
    auditor.file("2026010905", 1000)
    auditor.file("2026010905", 500, part=1)
    auditor.file("2026010906", 0)
    code, document, _ = auditor.run("run")
    assert code == 0, document
    assert auditor.stored() == [("2026010905", 1500, "success"), ("2026010906", 0, "success")]
    moved = json.loads((auditor.root / "clickhouse_watermark.json").read_text())
    assert moved["last_end_time"] == "2026-01-10T06:00:00+08:00", "a day at most, from the watermark on"
    assert auditor.run("run")[1]["tasks"] == 0, "the next day is looked at now"


def test_the_table_of_the_old_auditor_is_extended_when_that_is_asked_for(auditor: Auditor) -> None:
    auditor.sql(OLD_TABLE)
    auditor.sql(OLD_ROW)
    write_watermark(auditor, "2026-01-09T06:00:00+08:00")
    auditor.ended("2026010905", "2026-01-09 06:10:00")
    auditor.file("2026010905", 10)
    code, document, error = auditor.run("run")
    assert (code, document["error"]["problem"]) == (1, "the table audit_result lacks columns")
    assert "next       dataplat audit init" in error
    assert len(auditor.stored()) == 1
    code, document, _ = auditor.run("init")
    assert document["added"] == [
        *("series_key", "job_key", "result_key", "expected_rows", "verdict", "verdict_text"),
    ]
    assert auditor.run("init")[1]["added"] == []
    assert auditor.run("run")[0] == 0
    found = auditor.run("report", "--month", "202601")[1]["results"]
    assert [(one["data_date"], one["row_count"]) for one in found] == [("20260109", 10), ("20260108", 99)]
    totals = auditor.run("report", "--totals", "month", "--partner", "031")[1]["totals"]
    assert [row["row_count"] for row in totals] == [109]


def test_results_wait_while_mysql_is_down_and_are_delivered_once(auditor: Auditor) -> None:
    write_watermark(auditor, "2026-01-09T06:00:00+08:00")
    auditor.ended("2026010905", "2026-01-09 06:10:00")
    auditor.file("2026010905", 10)
    down = {"MYSQL_PORT": str(free_port())}
    code, document, error = auditor.run("run", environ=down)
    assert (code, document["spooled"]) == (1, 1)
    assert "cannot be reached" in error
    assert auditor.clickhouse.password not in error
    assert auditor.mariadb.instance.root_password not in error
    write_watermark(auditor, "2026-01-09T06:00:00+08:00")
    code, document, _ = auditor.run("run")
    assert (code, document["delivered_late"]) == (0, 1)
    assert auditor.stored() == [("2026010905", 10, "success")]


def test_a_path_that_is_not_there_is_a_row_too_and_the_watermark_stays(auditor: Auditor) -> None:
    write_watermark(auditor, "2026-01-09T06:00:00+08:00")
    auditor.ended("2026010923", "2026-01-09 06:10:00")
    code, document, _ = auditor.run("run")
    assert (code, document["watermark"]) == (1, None)
    assert auditor.stored() == [("2026010923", -1, "failed")]
    error = json.loads(auditor.sql("SELECT error_msg FROM {name}.audit_result")[0][0])
    assert error[0]["error"] == "there is no such path"


def test_rows_are_compared_with_what_the_source_counts_a52(auditor: Auditor) -> None:
    where = auditor.mariadb.instance
    (auditor.root / "config" / "sources").mkdir()
    (auditor.root / "config" / "sources" / "market.yaml").write_text(
        f"kind: mysql\nhost: 127.0.0.1\nport: {where.port}\nuser: etl\npassword: ${{ETL_PASSWORD}}\n"
    )
    auditor.environ["ETL_PASSWORD"] = where.etl_password
    file = auditor.root / "config" / "audits" / "nightly.yaml"
    query = f"SELECT count(*) FROM {auditor.name}.truth WHERE h = '${{data_date}}${{data_hour}}'"
    expect = f'        format: orc\n        expect: {{sql: {{source: market, query: "{query}"}}}}\n'
    file.write_text(file.read_text().replace("        format: orc\n", expect))
    auditor.sql("CREATE TABLE {name}.truth (h VARCHAR(10))")
    auditor.sql("INSERT INTO {name}.truth VALUES ('2026010905'), ('2026010905')")
    auditor.file("2026010905", 2)
    auditor.file("2026010906", 2)
    write_watermark(auditor, "2026-01-09T06:00:00+08:00")
    auditor.ended("2026010905", "2026-01-09 06:10:00")
    auditor.ended("2026010906", "2026-01-09 07:10:00")
    code, document, error = auditor.run("run")
    assert code == 1
    assert [(one["verdict"], one["expected_rows"]) for one in document["results"]] == [
        ("passed", 2),
        ("failed", 0),
    ]
    assert "orders[2026-01-09-06:00]: 2 rows, 2 more than the 0 of market; allowed are 0" in error
    assert document["watermark"] == "2026-01-10T06:00:00+08:00", "what was counted is written down"
    auditor.sql("DROP TABLE {name}.truth")
    write_watermark(auditor, "2026-01-09T06:00:00+08:00")
    auditor.ended("2026010906", "2026-01-09 07:20:00")
    code, document, error = auditor.run("run")
    assert (code, [one["verdict"] for one in document["results"]]) == (1, ["unknown"])
    assert "compared with nothing: market (" in error
