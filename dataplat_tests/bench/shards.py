"""Sharded tables: thousands of small physical tables into one partition."""

import shutil
import subprocess
from functools import reduce
from pathlib import Path

from pyspark.sql import DataFrame

from dataplat.engine.jdbc import JdbcAccess
from dataplat.lifecycle.load import load_partitions
from dataplat.lifecycle.stations import RunInfo
from dataplat.sources.mysql import jdbc_properties, jdbc_url
from dataplat_tests.bench.measure import Side, compare
from dataplat_tests.bench.setting import Setting, setting

_TABLES, _ROWS = 5_000, 200
_ONE_BY_ONE = 100
_DAY = "2026-01-01"
_DECLARED = """table: ods.pieces
source: bench
from:
  database: bench
  shards: {pattern: 'piece\\_%', identity: shard, expect: history}
load: incremental
window: {column: at, grain: day}
columns: "*"
key: [id, shard]
"""


def thousands_of_shards(rounds: int = 3, tables: int = _TABLES, rows: int = _ROWS) -> str:
    """Load of 5,000 tables × 200 rows into one partition."""
    with setting([]) as place:
        print(f"making {tables:,} tables of {rows:,} rows")
        _fill(place, tables, rows)
        (place.home / "config" / "ods" / "pieces.yaml").write_text(_DECLARED)
        place.reload()
        hand = place.home / "by_hand"
        sides = [
            Side(f"dataplat: {tables:,} tables", lambda: _load(place, tables * rows)),
            Side(f"a JDBC relation a table, {_ONE_BY_ONE} tables only", lambda: _one_by_one(place, hand)),
            Side(
                "wire: mariadb --quick, a UNION ALL for each hundred",
                lambda: _wire(place, tables),
            ),
        ]
        goal = "at most 20 s for 5,000 tables"
        result = compare(f"{tables:,} tables of {rows:,} rows into one partition", goal, sides, rounds=rounds)
        return result.render(sides[0].name)


def _fill(place: Setting, tables: int, rows: int) -> None:
    with place.database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS bench")
        cursor.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 0")
        cursor.execute(
            "CREATE TABLE bench.model (id BIGINT PRIMARY KEY, kind INT, fee DECIMAL(10,2), note VARCHAR(40),"
            " at DATETIME NOT NULL, KEY (at))"
        )
        cursor.execute(
            f"INSERT INTO bench.model SELECT seq, seq % 7, seq / 3, concat('note ', seq),"
            f" '{_DAY} 00:00:00' + INTERVAL seq SECOND FROM bench.seq_1_to_{rows}"
        )
        for number in range(tables):
            cursor.execute(f"CREATE TABLE bench.piece_{number:04} LIKE bench.model")
            cursor.execute(f"INSERT INTO bench.piece_{number:04} SELECT * FROM bench.model")
        connection.commit()


def _load(place: Setting, rows: int) -> None:
    spec = place.platform.catalog.table("ods.pieces")
    (report,) = load_partitions(place.platform, spec, [_DAY], RunInfo("bench", "bench"))
    (item,) = report.partitions
    if item.rows != rows or report.rejected:
        raise RuntimeError(f"loaded {item.rows} of {rows} rows: {item.failures}")
    print("          ", {step: round(seconds, 2) for step, seconds in report.seconds.items()})


def _one_by_one(place: Setting, target: Path) -> None:
    """What people write: a JDBC relation for each table, and their union."""
    shutil.rmtree(target, ignore_errors=True)
    source = place.platform.catalog.sources["bench"]
    account = {"user": source.user, "password": source.password.reveal(place.platform.secrets)}
    access = JdbcAccess(
        f"{jdbc_url(source, 'bench')}?permitMysqlScheme", {**jdbc_properties(source), **account}
    )
    session = place.platform.engine().session()
    frames = [
        session.read.jdbc(access.url, f"piece_{number:04}", properties=dict(access.properties))
        for number in range(_ONE_BY_ONE)
    ]
    reduce(DataFrame.union, frames).coalesce(2).write.parquet(f"file://{target}")


def _wire(place: Setting, tables: int) -> None:
    """The rows alone, as fast as the server's own client takes them."""
    selects = [f"SELECT * FROM bench.piece_{number:04}" for number in range(tables)]
    groups = [" UNION ALL ".join(selects[start : start + 100]) for start in range(0, tables, 100)]
    instance = place.database.instance
    command = [
        "mariadb",
        "--quick",
        f"--host={instance.host}",
        f"--port={instance.port}",
        "--user=etl",
        "bench",
    ]
    environ = {"MYSQL_PWD": instance.etl_password, "PATH": "/usr/bin:/bin"}
    with open("/dev/null", "w") as nothing:
        subprocess.run(command, input=";\n".join(groups), text=True, stdout=nothing, env=environ, check=True)
