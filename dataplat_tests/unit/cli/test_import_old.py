"""``dataplat import audit-yaml``."""

from pathlib import Path

import pytest

from dataplat_tests.unit.cli.harness import CommandLine

OLD = """
mysql: {password: geheim}
schedules:
  - task_name: logs
    interface_id: 0017
    platform_id: "20260109"
    loop_var:
      hour: {type: range, start: 0, end: 23, pad: 2}
    tables:
      - {name: t, hdfs_path: "/w/t/${data_date}/${hour}", format: ORC}
"""
NEW = """\
loop_variables:
  hour:
    type: range
    start: 0
    end: 23
    pad: 2
schedules:
- task_name: logs
  interface_id: '0017'
  platform_id: '20260109'
  loop_var: hour
  tables:
  - name: t
    hdfs_path: /w/t/${data_date}/${hour}
    format: orc
"""
NOTES = """\
schedules[0].tables[0].format: ORC is called orc here
loop_variables.hour: its last value is 23, please look whether it was so
mysql: has no place in an audit, and was left out
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.yaml"
    path.write_text(OLD)
    return path


def test_numbers_are_quoted_and_no_secret_is_printed_a42(dataplat: CommandLine, old: Path) -> None:
    ran = dataplat("import", "audit-yaml", str(old))
    assert (ran.code, ran.out, ran.err) == (0, NEW, NOTES)


def test_what_is_written_is_valid_and_no_file_is_replaced(dataplat: CommandLine, old: Path) -> None:
    new = dataplat.config / "audits" / "logs.yaml"
    assert dataplat("import", "audit-yaml", str(old), "--output", str(new)).out == f"written: {new}\n"
    assert new.read_text() == NEW
    assert dataplat("check").code == 0
    again = dataplat("import", "audit-yaml", str(old), "-o", str(new))
    assert again.code == 2
    assert again.err == (
        f"--output: {new} cannot be written\n"
        f"  found    [Errno 17] File exists: '{new}'\n"
        "  effect   nothing was written\n"
    )


def test_problems_that_stay_are_listed_and_exit_1(dataplat: CommandLine, old: Path) -> None:
    old.write_text(OLD.replace("${hour}", "${our}").replace("ORC", "orc"))
    ran = dataplat("import", "audit-yaml", str(old), "--json")
    assert ran.code == 1
    assert ran.document["problems"] == [
        (
            "schedules[0].loop_var: multiplies the schedule by 'hour', which is nowhere in it: "
            "the jobs would be equal"
        ),
        "schedules[0].tables[0].hdfs_path: ${our} is not known; did you mean 'hour'?",
    ]
    assert "still wrong: schedules[0].tables[0].hdfs_path: ${our} is not known" in ran.err


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("- x", "no keys"),
        ("a: [", "line 2: is not YAML: while parsing a flow node did not find expected node content"),
    ],
)
def test_a_file_that_is_no_configuration_is_one_message(
    dataplat: CommandLine, old: Path, text: str, found: str
) -> None:
    old.write_text(text)
    ran = dataplat("import", "audit-yaml", str(old))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"{old}: this is no configuration that can be read\n"
        f"  found    {found}\n"
        "  effect   nothing was written\n"
    )


CONNECTIONS = """
mysql:
  {host: db1, port: 3307, database: data_audit, user: audit, password: geheim, charset: utf8mb4, pool_size: 9}
clickhouse:
  hosts: [ch1, ch2]
  port: 9000
  user: reader
  password: streng geheim
  query_template: "SELECT task_name FROM t WHERE e >= '{start_time}' AND e < '{end_time}'"
  timezone: Asia/Shanghai
  watermark_path: clickhouse_watermark.json
  watermark_overlap_seconds: 300
  compression: true
watermark: {max_window_hours: 12, advance_on_failure: true}
kafka: {}
"""
PLACES = """\
tasks:
  hosts:
  - ch1
  - ch2
  port: 8123
  user: reader
  password: ${CLICKHOUSE_PASSWORD}
  query_template: SELECT task_name FROM t WHERE e >= '{start_time}' AND e < '{end_time}'
  timezone: Asia/Shanghai
  watermark_path: clickhouse_watermark.json
  watermark_overlap_seconds: 300
  watermark_max_window_hours: 12
  watermark_advance_on_failure: true
results:
  host: db1
  port: 3307
  database: data_audit
  user: audit
  password: ${MYSQL_PASSWORD}
  charset: utf8mb4
"""
PLACE_NOTES = """\
clickhouse.password: is not written into files; export CLICKHOUSE_PASSWORD=…
clickhouse.compression: has no place here, and was left out
clickhouse.port: 9000 speaks the native protocol; it is asked by HTTP, 8123
clickhouse.watermark_path: counts from the folder that holds config/ now; move the file
clickhouse.query_template: may return the end of a task as its 4th column; then repeats are recognised, and \
the sensor can be used
mysql.password: is not written into files; export MYSQL_PASSWORD=…
mysql.pool_size: was left out, the pool keeps 5
kafka: has no place in an audit, and was left out
"""


def test_connections_are_taken_over_and_passwords_are_not_a43(
    dataplat: CommandLine, old: Path, tmp_path: Path
) -> None:
    connections = tmp_path / "db_config.yaml"
    connections.write_text(CONNECTIONS)
    old.write_text(OLD.replace("mysql: {password: geheim}\n", ""))
    new = dataplat.config / "audits" / "logs.yaml"
    ran = dataplat("import", "audit-yaml", str(old), "--db-config", str(connections), "-o", str(new))
    assert (ran.code, ran.out) == (0, f"written: {new}\n")
    assert ran.err == "\n".join(NOTES.splitlines()[:2]) + "\n" + PLACE_NOTES
    assert new.read_text() == PLACES + NEW
    assert dataplat("check").code == 0
    assert "geheim" not in ran.err + new.read_text()
