"""A process that holds an engine and obeys: one command a line in, one line of JSON out."""

import json
import sys
import time
from collections.abc import Callable

from dataplat.engine.hive import HiveCatalog
from dataplat.engine.partition_store import partition_store
from dataplat.engine.session import SparkEngine
from dataplat.engine.translate import engine_errors
from dataplat.errors import DataplatError
from dataplat.plan.ddl import HiveColumn
from dataplat_tests.contract.engine.jobs import Job


def use(engine: SparkEngine) -> dict[str, object]:
    """Ask the session for something, and say how long it took to have one and who answered."""
    started = time.monotonic()
    session = engine.session()
    opened = time.monotonic() - started
    [row] = session.sql("SELECT 6 * 7").collect()
    status = engine.status()
    identity = getattr(session, "session_id", "")
    return {"answer": row[0], "seconds": opened, "pid": status.pid, "url": status.url, "session": identity}


def ask_catalog(engine: SparkEngine) -> dict[str, object]:
    columns = HiveCatalog(engine.session(), engine.home.warehouse).columns("ods.orders")
    return {"columns": columns if columns is None else [column.name for column in columns]}


def make_table(engine: SparkEngine) -> None:
    """Create ``ods.orders`` with one published partition of three rows."""
    catalog = HiveCatalog(engine.session(), engine.home.warehouse)
    catalog.create("ods.orders", [HiveColumn("id", "bigint", "")], ["ds"], "parquet", "")
    folder = f"{catalog.table_location('ods.orders')}/_versions/one/ds=2026-01-05"
    with engine_errors("ods.orders"):
        engine.session().range(3).write.parquet(folder)
    partition_store(engine).publish("ods.orders", {(("ds", "2026-01-05"),): folder})


def read_table(engine: SparkEngine) -> list[list[object]]:
    """Return what a reader of ``ods.orders`` gets."""
    with engine_errors("ods.orders"):
        return [
            list(row) for row in engine.session().sql("SELECT ds, id FROM ods.orders ORDER BY id").collect()
        ]


def count_slowly(engine: SparkEngine) -> None:
    """Work for about a minute."""
    pause = "SELECT java_method('java.lang.Thread', 'sleep', 100L) AS slept FROM range(0, 1000, 1, 2)"
    with engine_errors("ods.orders[2026-01-05]"):
        engine.session().sql(f"SELECT count(slept) FROM ({pause})").collect()


COMMANDS: dict[str, Callable[[SparkEngine], object]] = {
    "use": use,
    "ask_catalog": ask_catalog,
    "make_table": make_table,
    "read_table": read_table,
    "count_slowly": count_slowly,
    "release": lambda engine: engine.release(),
    "stop": lambda engine: engine.stop(),
}


def main() -> None:
    engine = Job(**json.loads(sys.argv[1])).engine()
    for line in sys.stdin:
        try:
            answer = COMMANDS[line.strip()](engine)
            print(json.dumps({"ok": answer}), flush=True)
        except DataplatError as error:
            print(json.dumps({"error": type(error).__name__, "text": str(error)}), flush=True)
    engine.release()


if __name__ == "__main__":
    main()
