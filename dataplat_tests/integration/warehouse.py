"""A warehouse for the tests: a home, a configuration, a source database, and a reader that trusts nobody.

One object serves all tests of a combination of file system and catalog, because a Spark server takes
seconds to start. Each test makes tables of its own name, at the source and in the warehouse.
"""

import sqlite3
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.lifecycle.load import load_partitions
from dataplat.lifecycle.model import make_partitions
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.report import Listener, LoadReport, PartitionReport, ignore_progress
from dataplat.lifecycle.stations import RunInfo
from dataplat.settings import read_settings
from dataplat.specs import ModelSpec, TableSpec, load_catalog
from dataplat_tests.integration.reading import Files, Reader, SqlLocations, ThriftLocations
from dataplat_tests.services.hdfs import Hdfs
from dataplat_tests.services.metastore import HiveMetastore

JARS = Path(__file__).resolve().parents[2] / "jars" / "lib"
DATABASE = "shop"

ORDERS = """
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(50),
  amount DECIMAL(12,2),
  at DATETIME(6) NOT NULL,
  KEY (at)
"""


class Warehouse:
    """A platform of its own below ``root``.

    Args:
        root: Folder for home and configuration.
        mariadb: The source's server.
        uri: Where tables are stored, ``file://…`` or ``hdfs://…``.
        metastore: The catalog; None leaves it to the engine's embedded one.
        hdfs: The file system of an ``hdfs://`` warehouse.
        database: Where its tables are in Hive; warehouses that share a metastore need one each.
        timezone: The business zone.
    """

    def __init__(
        self,
        root: Path,
        mariadb: PrivateMariaDB,
        *,
        uri: str,
        metastore: HiveMetastore | None = None,
        hdfs: Hdfs | None = None,
        database: str = "ods",
        timezone: str = "Asia/Shanghai",
    ) -> None:
        self.root = root
        self.database = database
        self.uri = uri
        self.mariadb = mariadb
        self.environ = {
            "DATAPLAT_HOME": str(root / "home"),
            "DATAPLAT_CONFIG": str(root / "config"),
            "DATAPLAT_JARS": str(JARS),
            "DATAPLAT_ACTOR": "tests",
            "SHOP_PASSWORD": mariadb.instance.etl_password,
        }
        self._write_platform(metastore, timezone)
        self.write_source("shop")
        self.platform = self._new_platform()
        locations = (
            ThriftLocations(metastore.client)
            if metastore
            else SqlLocations(lambda: self.platform.engine().session())
        )
        self.reader = Reader(locations, Files(hdfs.http_port if hdfs else None))
        self.sql(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")

    def close(self) -> None:
        """Stop the engine and close what is open."""
        self.platform.engine().stop()
        self.platform.close()

    def sql(self, *statements: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Run statements at the source as its owner, all in one transaction; return the last one's rows."""
        with self.mariadb.connect(database=database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.commit()
            return list(cursor.fetchall())

    def orders(self, name: str, rows: Iterable[tuple[int, str]] = (), columns: str = ORDERS) -> str:
        """Make a source table of orders, ``(id, time)`` each, and return its qualified name."""
        table = f"{DATABASE}.{name}"
        self.sql(f"DROP TABLE IF EXISTS {table}", f"CREATE TABLE {table} ({columns}) CHARSET utf8mb4")
        self.add_orders(table, rows)
        return table

    def add_orders(self, table: str, rows: Iterable[tuple[int, str]]) -> None:
        values = ", ".join(f"({number}, '名{number}', {number}.25, '{at}')" for number, at in rows)
        if values:
            self.sql(f"INSERT INTO {table} (id, name, amount, at) VALUES {values}")

    def declare(self, name: str, text: str = "", **changes: str) -> TableSpec:
        """Declare ``<database>.<name>`` over the source table of the same name, and return its spec.

        ``changes`` replace or add whole top-level keys of the file, given as YAML text.
        """
        keys = {
            "table": f"{self.database}.{name}",
            "source": "shop",
            "from": f"{{database: {DATABASE}, table: {name}}}",
            "load": "incremental",
            "window": "{column: at, grain: day, start: 2026-01-01}",
            "columns": '"*"',
            "key": "[id]",
        }
        keys |= {key.rstrip("_"): value for key, value in changes.items()}
        lines = [f"{key}: {value}" for key, value in keys.items() if value]
        self._write(f"config/ods/{name}.yaml", "\n".join(lines) + "\n" + textwrap.dedent(text))
        self.reload()
        return self.platform.catalog.table(f"{self.database}.{name}")

    def declare_model(self, name: str, sql: str, text: str = "") -> ModelSpec:
        """Declare ``dw.<name>`` and return its spec; ``text`` is more of its YAML file."""
        self._write(f"config/dw/{name}.yaml", f"table: dw.{name}\n" + textwrap.dedent(text))
        self._write(f"config/dw/{name}.sql", sql)
        self.reload()
        return self.platform.catalog.models[f"dw.{name}"]

    def reload(self) -> None:
        """Read the configuration again, keeping the engine's session."""
        self.platform.catalog = load_catalog(self.root / "config", self.environ)
        self.platform._graph = None

    def make(self, spec: ModelSpec, *keys: str) -> Iterator[LoadReport]:
        """Make partitions of a model through the lifecycle, in this process, a report at a time."""
        return make_partitions(self.platform, spec, keys, RunInfo("test-run", "tests", "pytest"))

    def load(
        self, spec: TableSpec, *keys: str, listen: Listener = ignore_progress, wait_seconds: float = 0
    ) -> list[LoadReport]:
        """Load partitions through the lifecycle, in this process."""
        run = RunInfo("test-run", "tests", "pytest", wait_seconds)
        return list(load_partitions(self.platform, spec, keys, run, listen))

    def load_one(self, spec: TableSpec, key: str, listen: Listener = ignore_progress) -> PartitionReport:
        """Load one partition and return its report."""
        (report,) = self.load(spec, key, listen=listen)
        (partition,) = report.partitions
        return partition

    def expire_locks(self, table: str) -> None:
        """Let the leases on a table's partitions run out now, as if their holder had been stopped."""
        with closing(sqlite3.connect(self.root / "home" / "ledger.db")) as ledger, ledger:
            expired = ledger.execute(
                "UPDATE partition_lock SET expires_at = ? WHERE table_name = ?",
                ["2000-01-01T00:00:00.000000+00:00", table],
            )
            assert expired.rowcount > 0, "nobody holds a lock on the table"

    def write_source(self, name: str, **changes: str) -> None:
        """Declare a source over the private server; ``changes`` are further keys as YAML text."""
        instance = self.mariadb.instance
        keys = {
            "kind": "mysql",
            "host": instance.host,
            "port": str(instance.port),
            "user": "etl",
            "password": "${SHOP_PASSWORD}",
            "budget": "{connections: 2, tries: 1}",
        } | changes
        self._write(
            f"config/sources/{name}.yaml", "\n".join(f"{key}: {value}" for key, value in keys.items())
        )

    def new_platform(self) -> Platform:
        """Return another platform over the same home, as another process would have it."""
        return self._new_platform()

    def _new_platform(self) -> Platform:
        return Platform.load(read_settings(self.environ), self.environ)

    def _write_platform(self, metastore: HiveMetastore | None, timezone: str) -> None:
        engine = ["mode: local", "master: 'local[2]'", "driver_memory: 1g"]
        engine.append('conf: {spark.hadoop.dfs.replication: "1"}')
        if metastore:
            engine.append(f"hive.metastore.uris: {metastore.uri}")
        self._write(
            "config/platform.yaml",
            f"""
            timezone: {timezone}
            home: ${{DATAPLAT_HOME}}
            warehouse: {self.uri}
            ledger: sqlite:///${{DATAPLAT_HOME}}/ledger.db
            engine: {{{", ".join(engine)}}}
            """,
        )

    def _write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")


def outcomes(report: PartitionReport) -> dict[str, bool]:
    """Return whether each check passed, by name."""
    return {outcome.check: outcome.passed for outcome in report.outcomes}


def verdicts(reports: Sequence[LoadReport]) -> dict[str, str]:
    """Return the verdict of each partition of some reads."""
    return {item.partition: str(item.verdict) for report in reports for item in report.partitions}
