"""``docs/audit.md``: its file is valid, and its commands do what the page says, on a task list in SQLite."""

import re
import sqlite3
from pathlib import Path

from dataplat.specs.audit_tasks import TaskListSpec
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.specs.folder import Config

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
((NAME, FILE),) = re.findall(r"^```yaml\n# config/(\S+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```$", TEXT, re.M | re.S) for line in block.splitlines()
]
QUERY = "SELECT task_name FROM log WHERE e >= '{start_time}' AND e < '{end_time}'"


def test_the_file_of_the_page_is_valid_and_its_loops_multiply(config: Config) -> None:
    config.write(NAME, FILE)
    catalog = config.load()
    assert list(catalog.audits) == ["nightly"]
    assert list(catalog.audited) == ["ext.signals"]


def test_the_defaults_of_the_page_are_those_of_the_code() -> None:
    spec = TaskListSpec(query_template="x")
    told = (
        f"`watermark_overlap_seconds` ({spec.watermark_overlap_seconds:g})",
        f"`watermark_max_window_hours` ({spec.watermark_max_window_hours:g})",
    )
    assert all(text in TEXT for text in told)


def test_the_commands_of_the_page_run_in_their_order(dataplat: CommandLine, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "scheduler.db") as connection:
        connection.execute("CREATE TABLE log (task_name, e)")
        connection.execute("INSERT INTO log VALUES ('load_signals_gd', '2026-03-20 05:00:00')")
    table = f"{{name: signals, hdfs_path: '{tmp_path}/w/${{data_date}}', format: orc}}"
    schedule = f"{{task_name: load_signals_gd, partner_id: '031', period_type: daily, tables: [{table}]}}"
    tasks = f"{{connect: 'sqlite:///{tmp_path}/scheduler.db', query_template: \"{QUERY}\"}}"
    results = f"{{connect: 'sqlite:///{tmp_path}/results.db'}}"
    places = {
        "config.yaml": f"schedules: [{schedule}]\n",
        "db_config.yaml": f"clickhouse: {tasks}\nmysql: {results}\n",
    }
    for name, text in places.items():
        (tmp_path / name).write_text(text)
    codes = {}
    for command in COMMANDS:
        words = [str(tmp_path / word) if word.endswith(".yaml") else word for word in command.split()]
        ran = dataplat(*words[1:])
        codes[command] = ran.code
        assert ran.code == 0, f"{command}: {ran.err}"
    assert len(codes) == 8
    assert dataplat("audit", "run").code == 1, "its files are not there"
    assert "signals" in dataplat(*COMMANDS[-2].replace("202601", "202603").split()[1:]).out
