"""What every act of the demo does: says what happens, shows progress, loads tables through Dagster."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

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

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.demo.tally import Tally, say_partitions
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.report import Listener, LoadReport, ignore_progress
from dataplat.orchestration.launch import RunResult, run_table
from dataplat.orchestration.observer import Observer
from dataplat.plan.ddl import quote_literal, quote_table
from dataplat.plan.partitions import select_partitions
from dataplat.specs import AnyTable, ModelSpec


class Act:
    """One platform, one private MariaDB, and a terminal."""

    def __init__(
        self, console: Console, platform: Platform, instance: DagsterInstance, database: PrivateMariaDB
    ) -> None:
        self._console = console
        self._platform = platform
        self._instance = instance
        self._database = database

    def _load(
        self,
        spec: AnyTable,
        dates: str | Sequence[str],
        extra: Listener = ignore_progress,
        note: str = "",
    ) -> tuple[Tally, list[RunResult]]:
        keys = self._keys(spec, dates) if isinstance(dates, str) else list(dates)
        verb = "making" if isinstance(spec, ModelSpec) else "loading"
        tally, what = Tally(), f"{verb} {spec.table}"
        with self._progress(f"{what}: {say_partitions(spec, len(keys))}{note}") as progress:
            task = progress.add_task(f"{what}{note}", total=len(keys))

            def hear(report: LoadReport) -> None:
                tally.hear(report)
                progress.advance(task, len(report.partitions))
                if tally.total.partitions == len(keys):
                    progress.update(task, description=f"recording {spec.table} in Dagster{note}")

            observer = Observer(progress=extra, report=hear, wait_seconds=60, command="dataplat demo")
            return tally, run_table(self._platform, self._instance, spec, keys, observer)

    def _keys(self, spec: AnyTable, dates: str) -> list[str]:
        platform = self._platform.catalog.platform
        return list(
            select_partitions(
                dates,
                spec.window.grain,
                first=spec.window.start or platform.start,
                now=datetime.now(UTC),
                zone=platform.zone,
                subject=spec.table,
            )
        )

    def _ask(self, spec: AnyTable, key: str) -> int:
        query = f"SELECT count(*) FROM {quote_table(spec.table)} WHERE ds = {quote_literal(key)}"
        return int(self._platform.engine().session().sql(query).collect()[0][0])

    def _heading(self, title: str, text: str) -> None:
        self._console.print(f"\n[bold]{title}[/bold]  {text}")

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False)

    def _say_message(self, message: str) -> None:
        self._console.print(message, style="red", highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def _progress(self, text: str) -> Iterator[Progress]:
        """Show a bar that goes away again; where there is no terminal, one line that says what begins."""
        if not self._console.is_terminal:
            self._say(f"… {text}")
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn())
        with Progress(
            *columns,
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        ) as progress:
            yield progress
