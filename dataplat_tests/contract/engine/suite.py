"""What every engine mode keeps, whatever is behind it. One function a promise, run in this order.

pytest does not run these itself: one process cannot hold a Connect and a classic session, so ``worker``
runs them in a process of their own for each mode, and ``test_modes`` reports what came of each.
"""

import os
import random
import re
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import unquote, urlsplit

import psutil
import pyarrow.dataset as pads
from pyspark.sql import Row

from dataplat.demo.every_type import COLUMNS, DAY
from dataplat.engine.aggregate import aggregate_partitions
from dataplat.engine.hive import HiveCatalog
from dataplat.engine.jdbc import JdbcAccess, read_frame
from dataplat.engine.partition_store import partition_store
from dataplat.engine.session import SparkEngine
from dataplat.engine.stage import stage_frame
from dataplat.engine.translate import engine_errors
from dataplat.plan.ddl import HiveColumn
from dataplat.plan.partitions import hive_path
from dataplat.plan.reads import JdbcRead
from dataplat.plan.types import map_type
from dataplat_tests.contract.engine.time_promises import TIME_PROMISES
from dataplat_tests.contract.engine.udf_promises import UDF_PROMISES
from dataplat_tests.services.effort import repetitions

TABLE = "engine_contract.t_day"
FIRST, SECOND = (("ds", "2026-01-05"),), (("ds", "2026-01-06"),)
LOOPBACK = re.compile(r"127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+")


@dataclass
class World:
    """What a worker hands to each promise, and what it notes for the comparison of the modes."""

    engine: SparkEngine
    access: JdbcAccess
    warehouse: str
    rows: int
    notes: dict[str, int] = field(default_factory=dict)

    def catalog(self) -> HiveCatalog:
        return HiveCatalog(self.engine.session(), self.warehouse)

    def version(self, name: str) -> str:
        return f"{self.catalog().table_location(TABLE)}/_versions/{name}"

    def sql(self, text: str) -> list[Row]:
        return self.engine.session().sql(text).collect()


def a_session_answers(world: World) -> None:
    assert world.sql("SELECT 1 + 1") == [Row(2)]


def the_engine_says_that_it_runs(world: World) -> None:
    assert world.engine.status().running


def the_same_session_is_handed_out_again(world: World) -> None:
    assert world.engine.session() is world.engine.session()


def settings_are_as_the_reads_and_writes_rely_on(world: World) -> None:
    conf = world.engine.session().conf
    wanted = {
        "spark.sql.session.timeZone": "Asia/Shanghai",
        "spark.sql.sources.partitionOverwriteMode": "dynamic",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": world.warehouse.replace("file:///", "file:/"),
        "spark.sql.shuffle.partitions": "3",  # the user's own, from `conf` of the engine
    }
    found = {key: conf.get(key) for key in wanted}
    found["spark.sql.warehouse.dir"] = found["spark.sql.warehouse.dir"].replace("file:///", "file:/")
    assert found == wanted, found


def the_jvm_runs_in_utc(world: World) -> None:
    [row] = world.sql("SELECT reflect('java.lang.System', 'getProperty', 'user.timezone')")
    assert row[0] == "UTC"


def every_kind_of_column_is_read_with_the_mapped_type(world: World) -> None:
    columns = [(column.name, map_type(column.declared)) for column in COLUMNS]
    missing = [name for name, mapped in columns if mapped is None]
    assert missing == []
    selected = ", ".join(f"{kind.expression(f'`{name}`')} AS `{name}`" for name, kind in columns if kind)
    reads = [JdbcRead(f"SELECT id, {selected} FROM engine_contract.t_every_type", ("id < 40", "id >= 40"))]
    casts = [f"CAST(`{name}` AS {kind.spark_cast}) AS `{name}`" for name, kind in columns if kind]
    frame = read_frame(world.engine.session(), reads, world.access).selectExpr("id", *casts)
    found = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    assert found == {"id": "decimal(20,0)", **{name: kind.hive for name, kind in columns if kind}}
    hashes = {name: f"bit_xor(xxhash64(id, `{name}`))" for name in found}
    answers = frame.selectExpr("count(1)", "max(id)", *hashes.values()).collect()[0]
    assert answers[:2] == (world.rows, world.rows)
    world.notes |= dict(zip(hashes, answers[2:], strict=True))


def a_read_never_opens_more_tasks_than_the_budget(world: World) -> None:
    predicates = tuple(f"id % 9 = {remainder}" for remainder in range(9))
    reads = [JdbcRead("SELECT id FROM engine_contract.t_every_type", predicates)]
    frame = read_frame(world.engine.session(), reads, world.access)
    parts = frame.selectExpr("spark_partition_id() AS part").distinct().count()
    assert 1 <= parts <= world.access.connections == 2
    assert frame.count() == world.rows


def a_stage_writes_one_folder_a_partition_and_counts_each(world: World) -> None:
    reads = [JdbcRead("SELECT id, c_varchar, c_decimal_38_10 FROM engine_contract.t_every_type")]
    written = stage_frame(
        read_frame(world.engine.session(), reads, world.access),
        [
            "CAST(id AS decimal(20,0)) AS id",
            "c_varchar AS word",
            "CAST(c_decimal_38_10 AS decimal(38,10)) AS amount",
            "IF(id <= 30, '2026-01-05', '2026-01-06') AS ds",
        ],
        partitions=[FIRST, SECOND],
        location=world.version("one"),
        data_format="parquet",
        subject=TABLE,
    )
    assert written == [30, world.rows - 30]
    for partition, rows in ((FIRST, 30), (SECOND, world.rows - 30)):
        folder = unquote(urlsplit(f"{world.version('one')}/{hive_path(partition)}").path)
        assert pads.dataset(folder, format="parquet").count_rows() == rows


def one_aggregation_answers_for_every_staged_partition(world: World) -> None:
    found = aggregate_partitions(
        world.engine.session(), world.version("one"), "parquet", ["ds"], ["count(1)", "max(id)"], TABLE
    )
    rows = world.rows
    assert found == {("2026-01-05",): (30, 30), ("2026-01-06",): (rows - 30, rows)}


def a_table_is_created_described_and_widened(world: World) -> None:
    catalog = world.catalog()
    assert catalog.columns(TABLE) is None
    columns = [
        HiveColumn("id", "decimal(20,0)", ""),
        HiveColumn("word", "string", "a 'quoted' comment; 中文"),
    ]
    catalog.create(TABLE, columns, ["ds"], "parquet", "made by the contract")
    catalog.create(TABLE, columns, ["ds"], "parquet", "a second time changes nothing")
    assert catalog.columns(TABLE) == tuple(columns)
    amount = HiveColumn("amount", "decimal(38,10)", "")
    catalog.add_columns(TABLE, [amount])
    assert catalog.columns(TABLE) == (*columns, amount)


def a_published_partition_shows_and_no_other(world: World) -> None:
    store = partition_store(world.engine)
    assert store.locations(TABLE, [FIRST, SECOND]) == {}
    store.publish(TABLE, {FIRST: f"{world.version('one')}/{hive_path(FIRST)}"})
    assert list(store.locations(TABLE, [FIRST, SECOND])) == [FIRST]
    assert world.sql(f"SELECT ds, count(1), max(id) FROM {TABLE} GROUP BY ds") == [Row("2026-01-05", 30, 30)]


def a_published_partition_moves_to_another_version_and_leaves_its_files(world: World) -> None:
    store = partition_store(world.engine)
    elsewhere = f"{world.version('two')}/{hive_path(FIRST)}"
    world.engine.session().range(7).selectExpr("id", "'é' AS word").write.parquet(elsewhere)
    store.publish(TABLE, {FIRST: elsewhere, SECOND: f"{world.version('one')}/{hive_path(SECOND)}"})
    found = world.sql(f"SELECT ds, count(1), count(amount) FROM {TABLE} GROUP BY ds ORDER BY ds")
    assert [row[:2] for row in found] == [("2026-01-05", 7), ("2026-01-06", world.rows - 30)]
    assert found[0][2] == 0
    left = unquote(urlsplit(f"{world.version('one')}/{hive_path(FIRST)}").path)
    assert pads.dataset(left, format="parquet").count_rows() == 30


def a_dropped_partition_is_forgotten(world: World) -> None:
    store = partition_store(world.engine)
    store.drop(TABLE, [SECOND])
    store.drop(TABLE, [SECOND])
    assert list(store.locations(TABLE, [FIRST, SECOND])) == [FIRST]


def a_partition_written_by_insert_overwrite_stays_alone(world: World) -> None:
    world.sql(f"INSERT OVERWRITE {TABLE} PARTITION (ds) SELECT 1, 'x', 2, '2026-02-01'")
    found = world.sql(f"SELECT ds, count(1) FROM {TABLE} GROUP BY ds ORDER BY ds")
    assert [tuple(row) for row in found] == [("2026-01-05", 7), ("2026-02-01", 1)]


def wall_clock_is_kept_from_the_source_to_the_session(world: World) -> None:
    query = "SELECT TIMESTAMP'2026-01-05 23:59:59.999999' AS moment"
    frame = read_frame(world.engine.session(), [JdbcRead(query)], world.access)
    instant = "to_utc_timestamp(moment, 'Asia/Shanghai')"
    [(shown, seconds)] = frame.selectExpr(f"CAST({instant} AS string)", f"unix_seconds({instant})").collect()
    assert shown == f"{DAY} 23:59:59.999999"
    assert seconds == int(datetime.fromisoformat(f"{DAY}T23:59:59+08:00").timestamp())


def an_interrupt_at_any_moment_is_raised_and_leaves_a_session_that_answers(world: World) -> None:
    """Raised inside gRPC it would kill a thread of the client, now and then the process."""
    died: list[object] = []
    before, threading.excepthook = threading.excepthook, died.append
    try:
        for _ in range(repetitions(12)):
            interrupt = threading.Timer(random.uniform(0, 0.15), os.kill, (os.getpid(), signal.SIGINT))
            interrupt.start()
            try:
                while True:
                    with engine_errors("interrupted"):
                        world.sql("SELECT count(*) FROM range(100000)")
            except KeyboardInterrupt:
                interrupt.join()
    finally:
        threading.excepthook = before
    assert died == []
    assert world.sql("SELECT 1 + 1") == [Row(2)]


def an_interrupt_ends_what_the_engine_is_doing(world: World) -> None:
    """The work would take minutes; the promise would be killed for it."""
    interrupt = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    pause = "SELECT java_method('java.lang.Thread', 'sleep', 100L) AS slept FROM range(0, 6000, 1, 2)"
    try:
        with engine_errors("interrupted"):
            world.sql(f"SELECT count(slept) FROM ({pause})")
    except KeyboardInterrupt:
        return
    raise AssertionError("the interrupt was lost")


def nothing_listens_beyond_loopback(world: World) -> None:
    world.engine.session().range(10).repartition(3).count()
    jvm = _jvm(world.engine)
    processes = [jvm, *jvm.children(recursive=True), psutil.Process()]
    open_to = {
        (process.name(), connection.laddr.ip)
        for process in processes
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert any(name == "java" for name, _ in open_to)
    assert [entry for entry in open_to if not LOOPBACK.fullmatch(entry[1])] == []


def the_password_is_on_no_command_line_and_in_no_setting(world: World) -> None:
    password = world.access.properties["password"]
    settings = world.sql("SET -v") + world.sql("SET")
    assert password not in " ".join(map(str, settings))
    assert password not in " ".join(_jvm(world.engine).cmdline())
    assert password not in repr(world.access)


def _jvm(engine: SparkEngine) -> psutil.Process:
    pid = engine.status().pid
    if pid is not None:
        return psutil.Process(pid)
    children = psutil.Process().children(recursive=True)
    return next(child for child in children if child.name() == "java")


PROMISES: tuple[Callable[[World], None], ...] = (
    a_session_answers,
    the_engine_says_that_it_runs,
    the_same_session_is_handed_out_again,
    settings_are_as_the_reads_and_writes_rely_on,
    the_jvm_runs_in_utc,
    every_kind_of_column_is_read_with_the_mapped_type,
    a_read_never_opens_more_tasks_than_the_budget,
    a_stage_writes_one_folder_a_partition_and_counts_each,
    one_aggregation_answers_for_every_staged_partition,
    a_table_is_created_described_and_widened,
    a_published_partition_shows_and_no_other,
    a_published_partition_moves_to_another_version_and_leaves_its_files,
    a_dropped_partition_is_forgotten,
    a_partition_written_by_insert_overwrite_stays_alone,
    wall_clock_is_kept_from_the_source_to_the_session,
    an_interrupt_at_any_moment_is_raised_and_leaves_a_session_that_answers,
    an_interrupt_ends_what_the_engine_is_doing,
    nothing_listens_beyond_loopback,
    the_password_is_on_no_command_line_and_in_no_setting,
    *TIME_PROMISES,
    *UDF_PROMISES,
)
