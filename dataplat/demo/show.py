"""What ``make demo`` tells: a business is loaded, a day is damaged, the promise is kept, the day is repaired.

Nothing is staged for the audience: rows are read from a real MariaDB by Spark, written as Hive partitions,
counted by their footers and published; the damage is done at the source, exactly while it is read.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from typing import Any

from dataplat.demo import business
from dataplat.demo.act import Act
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.demo.mishaps import reimport_during_read
from dataplat.demo.story import DAYS, FIRST_DAY
from dataplat.demo.tally import DayTally, render_days, render_loads, render_versions
from dataplat.errors import DemoError

DAMAGED_TABLE = "ods.ods_t_money_record"
DAMAGED_DAY = date(2026, 1, 9)


class Demo(Act):
    """The demonstration over one platform and one private MariaDB. Each act can be shown alone."""

    def fill(self) -> None:
        """Fill the private MariaDB with the business."""
        self._heading("1. A business", "rows that look like somebody's production database")
        with self._progress("filling MariaDB") as progress:
            task = progress.add_task("filling MariaDB", total=None)

            def step(table: str, done: int, total: int) -> None:
                progress.update(task, description=f"filling {table}", completed=done, total=total)

            summary = business.fill(self._database.connect, progress=step)
        shards = sum(1 for name in summary.tables if "t_package_flow_log" in name)
        self._say(
            f"{summary.rows:,} rows in {len(summary.tables)} physical tables, "
            f"{shards} of them shards of one log.\n"
            f"{summary.first_day} to {summary.last_day}, the days of Asia/Shanghai."
        )

    def load_all(self) -> None:
        """Load every declared table for all days through Dagster and print each day's counts, and their sums.

        Raises:
            DemoError: A partition was not published. What was loaded before is.
        """
        self._heading("2. Fourteen days into Hive", "counted at the source, and again in the files")
        with self._progress("starting the engine: Spark, on loopback") as progress:
            progress.add_task("starting the engine", total=None)
            self._platform.engine().session()
        started, total = time.monotonic(), DayTally()
        tables = self._platform.catalog.tables.values()
        days = f"{FIRST_DAY}~{FIRST_DAY + timedelta(days=DAYS - 1)}"
        loaded = []
        for number, spec in enumerate(tables, start=1):
            tally, results = self._load(spec, days, note=f"  ({number} of {len(tables)})")
            self._console.print(render_days(spec, tally))
            self._console.print()
            loaded.append((spec, tally.total))
            total.add(tally.total)
            failed = [result.message for result in results if not result.succeeded]
            if failed:
                raise DemoError(
                    spec.table, "the demo's own data was not published", facts=[("found", failed[0])]
                )
        self._console.print(render_loads(loaded))
        seconds = time.monotonic() - started
        self._say(
            f"\n{total.partitions:,} partitions of {len(tables)} tables in {seconds:.0f} s: "
            f"{total.source:,} rows at the source,\n"
            f"{total.files:,} in the files, every partition proven before it showed."
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
        self._say(f"Readers of {name} see {before:,} rows.")
        self._say("Now somebody re-imports that day, exactly while it is read again …")
        with reimport_during_read(self._database.connect, DAMAGED_DAY) as damage:
            _, results = self._load(spec, key, damage)
        self._say_message(results[0].message)
        during = self._ask(spec, key)
        if results[0].succeeded or during != before:
            raise DemoError(name, "a damaged day became visible", facts=[("found", f"{during:,} rows")])
        self._say(f"\nReaders of {name} still see {during:,} rows.")
        self._say("The re-import is over; the same load again:")
        tally, results = self._load(spec, key)
        self._console.print(render_days(spec, tally))
        if not results[0].succeeded:
            raise DemoError(name, "the repair was not published", facts=[("found", results[0].message)])
        self._console.print()
        history = self._platform.ledger.history(DAMAGED_TABLE, key)
        self._console.print(render_versions(f"What the ledger knows of {name}", history))


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
