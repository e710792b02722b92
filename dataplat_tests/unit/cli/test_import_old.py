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
