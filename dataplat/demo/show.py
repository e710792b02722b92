"""What ``make demo`` tells: a business is loaded, a day is damaged, the promise is kept, the day is repaired.

Nothing is staged for the audience: rows are read from a real MariaDB by Spark, written as Hive partitions,
counted by their footers and published; the damage is done at the source, exactly while it is read.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from dagster import DagsterInstance
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from dataplat.demo import business
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.demo.mishaps import reimport_during_read
from dataplat.demo.story import DAYS, FIRST_DAY
from dataplat.errors import DemoError
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.report import Listener, LoadReport, PartitionReport, Verdict, ignore_progress
from dataplat.orchestration.launch import RunResult, run_table
from dataplat.orchestration.observer import Observer
from dataplat.plan.ddl import quote_literal, quote_table
from dataplat.plan.partitions import select_partitions
from dataplat.specs import TableSpec

DAMAGED_TABLE = "ods.ods_t_money_record"
DAMAGED_DAY = date(2026, 1, 9)


@dataclass
class _Day:
    """Sums of the partitions of one day of one table."""

    source: int = 0
    written: int = 0
    files: int = 0
    partitions: int = 0
    rejected: int = 0

    def add(self, item: PartitionReport) -> None:
        self.source += item.source_after or 0
        self.written += item.written
        self.files += item.rows
        self.partitions += 1
        self.rejected += item.verdict is Verdict.REJECTED


@dataclass
class _Heard:
    """What the loads of one table reported."""

    days: dict[str, _Day] = field(default_factory=lambda: defaultdict(_Day))
    seconds: float = 0.0

    def hear(self, report: LoadReport) -> None:
        self.seconds += report.seconds.get("total", 0.0)
        for item in report.partitions:
            self.days[item.partition[:10]].add(item)


class Demo:
    """The demonstration over one platform and one private MariaDB. Each act can be shown alone."""

    def __init__(
        self, console: Console, platform: Platform, instance: DagsterInstance, database: PrivateMariaDB
    ) -> None:
        self._console = console
        self._platform = platform
        self._instance = instance
        self._database = database

    def fill(self) -> None:
        """Fill the private MariaDB with the business."""
        self._heading("1. A business", "rows that look like somebody's production database")
        with self._progress() as progress:
            task = progress.add_task("filling MariaDB", total=None)

            def step(table: str, done: int, total: int) -> None:
                progress.update(task, description=f"filling {table}", completed=done, total=total)

            summary = business.fill(self._database.connect, progress=step)
        shards = sum(1 for name in summary.tables if "t_package_flow_log" in name)
        self._say(
            f"{summary.rows:,} rows in {len(summary.tables)} physical tables, {shards} of them shards of one "
            f"log; {summary.first_day} to {summary.last_day}, Asia/Shanghai"
        )

    def load_all(self) -> None:
        """Load every declared table for all days through Dagster and print each day's counts.

        Raises:
            DemoError: A partition was not published. What was loaded before is.
        """
        self._heading(
            "2. Fourteen days into Hive", "counted at the source, and again in the files, before they show"
        )
        with self._console.status("starting the engine"):
            self._platform.engine().session()
        for spec in self._platform.catalog.tables.values():
            heard, results = self._load(spec, f"{FIRST_DAY}~{FIRST_DAY + timedelta(days=DAYS - 1)}")
            self._console.print(_render_days(spec, heard))
            failed = [result.message for result in results if not result.succeeded]
            if failed:
                raise DemoError(
                    spec.table, "the demo's own data was not published", facts=[("found", failed[0])]
                )

    def keep_the_promise(self) -> None:
        """Damage a day while it is read, show that nobody sees it, repair it.

        Raises:
            DemoError: The damage was published, or the repair was not: the promise is broken.
        """
        spec, key = self._platform.catalog.table(DAMAGED_TABLE), f"{DAMAGED_DAY}"
        name = f"{DAMAGED_TABLE}[{key}]"
        self._heading("3. The promise", "no partition is ever visible before it is proven")
        before = self._ask(spec, key)
        self._say(
            f"readers of {name} see {before:,} rows. Now somebody re-imports that day while we read it …"
        )
        with reimport_during_read(self._database.connect, DAMAGED_DAY) as damage:
            _, results = self._load(spec, key, damage)
        self._console.print()
        self._console.print(results[0].message, style="red", highlight=False)
        during = self._ask(spec, key)
        if results[0].succeeded or during != before:
            raise DemoError(name, "a damaged day became visible", facts=[("found", f"{during:,} rows")])
        self._say(f"\nreaders of {name} still see {during:,} rows. The re-import is over; load again:")
        heard, results = self._load(spec, key)
        self._console.print(_render_days(spec, heard))
        if not results[0].succeeded:
            raise DemoError(name, "the repair was not published", facts=[("found", results[0].message)])
        self._console.print(self._render_versions(key))

    def _load(
        self, spec: TableSpec, dates: str, extra: Listener = ignore_progress
    ) -> tuple[_Heard, list[RunResult]]:
        keys = select_partitions(
            dates,
            spec.window.grain,
            first=spec.window.start or self._platform.catalog.platform.start,
            now=datetime.now(UTC),
            zone=self._platform.catalog.platform.zone,
            subject=spec.table,
        )
        heard = _Heard()
        with self._progress() as progress:
            task = progress.add_task(f"loading {spec.table}", total=len(keys))

            def hear(report: LoadReport) -> None:
                heard.hear(report)
                progress.advance(task, len(report.partitions))

            observer = Observer(progress=extra, report=hear, wait_seconds=60, command="dataplat demo")
            return heard, run_table(self._platform, self._instance, spec, keys, observer)

    def _ask(self, spec: TableSpec, key: str) -> int:
        query = f"SELECT count(*) FROM {quote_table(spec.table)} WHERE ds = {quote_literal(key)}"
        return int(self._platform.engine().session().sql(query).collect()[0][0])

    def _render_versions(self, key: str) -> Table:
        table = Table(
            "version",
            "state",
            "rows",
            "why",
            title=f"versions of {DAMAGED_TABLE}[{key}]",
            title_justify="left",
        )
        for row in self._platform.ledger.history(DAMAGED_TABLE, key):
            table.add_row(row.version, row.state, f"{row.rows or 0:,}", row.reason[:60])
        return table

    def _heading(self, title: str, text: str) -> None:
        self._console.print(f"\n[bold]{title}[/bold]  {text}")

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False)

    @contextmanager
    def _progress(self) -> Iterator[Progress]:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(30), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=self._console, transient=True) as progress:
            yield progress


@contextmanager
def demo_source(
    database: PrivateMariaDB, environ: Mapping[str, str], *, keep: bool
) -> Iterator[dict[str, str]]:
    """Run the private MariaDB and give the environment in which the shipped configuration finds it.

    Args:
        database: Started when it is not running.
        environ: Of this process.
        keep: Whether the server goes on running afterwards.
    """
    with ExitStack() as stack:
        instance = database.ensure_running()
        if not keep:
            stack.callback(database.stop)
        yield {**environ, **demo_variables(instance)}


def demo_variables(instance: Any) -> dict[str, str]:
    """Return the variables to which ``config/sources/*.yaml`` refer."""
    return {
        "DATAPLAT_DEMO_HOST": instance.host,
        "DATAPLAT_DEMO_PORT": str(instance.port),
        "MARKET_PASSWORD": instance.etl_password,
        "LOGISTICS_PASSWORD": instance.etl_password,
    }


def _render_days(spec: TableSpec, heard: _Heard) -> Table:
    unit = {"hour": "hours", "day": "days", "month": "months"}[spec.window.grain]
    total = sum(day.partitions for day in heard.days.values())
    title = f"{spec.table}: {total} {unit}, {spec.load}, {heard.seconds:.1f} s"
    table = Table(title=title, title_justify="left", title_style="bold", padding=(0, 1))
    for name in ("day", "source rows", "written", "in files", "verdict", "s"):
        table.add_column(name, justify="left" if name in ("day", "verdict") else "right")
    for key, day in sorted(heard.days.items()):
        verdict = "[green]published[/green]" if not day.rejected else "[red]rejected[/red]"
        share = heard.seconds * day.partitions / total
        table.add_row(key, f"{day.source:,}", f"{day.written:,}", f"{day.files:,}", verdict, f"{share:.2f}")
    return table
