"""Loading: 6 M rows against hand-written Spark and the wire; one small partition; thirty days at once."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from dataplat.demo.wide import fill_wide
from dataplat.engine.jdbc import JdbcAccess
from dataplat.lifecycle.load import load_partitions
from dataplat.lifecycle.stations import RunInfo
from dataplat.sources.mysql import jdbc_properties, jdbc_url
from dataplat_tests.bench.measure import Side, compare
from dataplat_tests.bench.setting import Setting, setting
from dataplat_tests.services.metastore import HiveMetastore

_RUN = RunInfo("bench", "bench")
_ROWS = 6_000_000


def load_wide(rounds: int = 3, rows: int = _ROWS) -> str:
    """Load of 6 M rows × 16 columns."""
    with setting(["wide"]) as place:
        print(f"filling {rows:,} rows")
        fill_wide(place.database.connect, "bench.wide", rows)
        hand = place.home / "by_hand"
        sides = [
            Side(
                "dataplat: count, load, footers, checks, publish",
                lambda: load_table(place, "wide", ["2026-01-01"], rows),
            ),
            Side("hand-written Spark JDBC, warm, 2 splits", lambda: _by_hand(place, hand, rows)),
            Side("wire: mariadb --quick > /dev/null", lambda: _wire(place, rows)),
        ]
        goal = "at most 1.05 × hand-written Spark in the same run"
        result = compare(f"{rows / 1e6:.0f} M rows × 16 columns from MariaDB", goal, sides, rounds=rounds)
        return result.render(sides[0].name)


def small_partition(rounds: int = 15) -> str:
    """One partition of 1,000 rows, warm."""
    with setting(["small"]) as place:
        fill_wide(place.database.connect, "bench.small", 1000)
        sides = [
            Side(
                "dataplat: whole life of a partition",
                lambda: load_table(place, "small", ["2026-01-01"], 1000),
            ),
            Side(
                "hand-written Spark JDBC: read and write alone",
                lambda: _by_hand(place, place.home / "h", 1000, "small"),
            ),
        ]
        result = compare(
            "One partition of 1,000 rows, warm engine", "at most 1.5 s", sides, rounds=rounds, warm_up=4
        )
        return result.render(sides[0].name)


def thirty_days(rounds: int = 3, rows: int = 3_000_000) -> str:
    """Thirty days of one table in one range, published through a metastore as in production."""
    with tempfile.TemporaryDirectory() as folder:
        metastore = HiveMetastore(Path(folder))
        metastore.start()
        try:
            with setting(["month"], metastore=metastore.uri) as place:
                return _thirty_days(place, rounds, rows)
        finally:
            metastore.stop()


def _thirty_days(place: Setting, rounds: int, rows: int) -> str:
    days = [f"2026-01-{day:02d}" for day in range(1, 31)]
    print(f"filling {rows:,} rows over 30 days")
    fill_wide(place.database.connect, "bench.month", rows, days=30)
    hand = place.home / "h"
    sides = [
        Side("dataplat: 30 days in one range", lambda: load_table(place, "month", days, rows)),
        Side("one raw read and write of the same range", lambda: _by_hand(place, hand, rows, "month")),
        Side("the same, into 30 folders", lambda: _by_hand(place, hand, rows, "month", by_day=True)),
    ]
    goal = "at most 1.3 × one raw read of the same range"
    return compare("30 days of one table", goal, sides, rounds=rounds).render(sides[0].name)


def load_table(place: Setting, table: str, keys: list[str], rows: int) -> None:
    """Load partitions of ``ods.<table>``; anything but a published load of so many rows is an error."""
    spec = place.platform.catalog.table(f"ods.{table}")
    reports = list(load_partitions(place.platform, spec, keys, _RUN))
    loaded = sum(item.rows for report in reports for item in report.partitions)
    if loaded != rows or any(report.rejected for report in reports):
        raise RuntimeError(f"loaded {loaded} of {rows} rows, rejected {[r.rejected for r in reports]}")
    print(
        "          ",
        {step: round(seconds, 2) for report in reports for step, seconds in report.seconds.items()},
    )


def _by_hand(place: Setting, target: Path, rows: int, table: str = "wide", *, by_day: bool = False) -> None:
    """What people write: one JDBC read split by the key, one write; no count, no check, no publishing."""
    shutil.rmtree(target, ignore_errors=True)
    source = place.platform.catalog.sources["bench"]
    account = {"user": source.user, "password": source.password.reveal(place.platform.secrets)}
    access = JdbcAccess(jdbc_url(source, "bench"), {**jdbc_properties(source), **account})
    frame = (
        place.platform.engine()
        .session()
        .read.jdbc(
            access.url if "permit" in access.url else f"{access.url}?permitMysqlScheme",
            table,
            column="id",
            lowerBound=1,
            upperBound=rows,
            numPartitions=2,
            properties={"fetchsize": "10000", **access.properties},
        )
    )
    if by_day:
        frame = frame.selectExpr("*", "date_format(update_time, 'yyyy-MM-dd') AS ds")
    # Spark's own setting, which our engine changes.
    writer = frame.write.option("parquet.dictionary.page.size", str(1024 * 1024))
    (writer.partitionBy("ds") if by_day else writer).parquet(f"file://{target}")


def _wire(place: Setting, rows: int) -> None:
    instance = place.database.instance
    with open("/dev/null", "wb") as nowhere:
        subprocess.run(
            [
                "mariadb",
                "--no-defaults",
                f"--socket={instance.socket}",
                "--user=root",
                "--quick",
                "--batch",
                "-e",
                "SELECT * FROM bench.wide",
            ],
            stdout=nowhere,
            check=True,
            env={"MYSQL_PWD": place.database.instance.root_password},
        )
