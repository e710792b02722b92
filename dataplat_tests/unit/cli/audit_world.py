"""A scheduler whose finished tasks are audited, as the tests of ``dataplat audit`` see it."""

import sqlite3
from pathlib import Path

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


ORDERS = ("load_orders", "daily", "20260319", "2026-03-20 05:00:00")
HOURS = ("load_hours", "hourly", "2026032005", "2026-03-20 06:30:00")
