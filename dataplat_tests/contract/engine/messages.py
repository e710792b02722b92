"""Provoke what goes wrong in an engine, in this process, and print each message: run by ``test_messages``."""

import json
import os
import sys
import threading
from collections.abc import Callable

import pymysql
from pyspark.sql import DataFrame

from dataplat.engine.jdbc import JdbcAccess, read_frame
from dataplat.engine.session import SparkEngine
from dataplat.engine.stage import stage_frame
from dataplat.engine.translate import engine_errors
from dataplat.errors import DataplatError
from dataplat.plan.reads import JdbcRead
from dataplat.sources.mysql_session import JDBC_DRIVER
from dataplat_tests.contract.engine.jobs import Job

SUBJECT = "ods.orders[2026-01-05]"
DAY = (("ds", "2026-01-05"),)


def fill_the_disk(engine: SparkEngine, job: Job, folder: str) -> None:
    """Write more than the file system below ``folder`` can hold."""
    frame = engine.session().range(300_000).selectExpr("id", "uuid() AS word", "'2026-01-05' AS ds")
    _stage(frame, f"file://{folder}/version")


def write_twice(engine: SparkEngine, job: Job, folder: str) -> None:
    """Write where there is something already: Spark refuses."""
    frame = engine.session().range(3).selectExpr("id", "'2026-01-05' AS ds")
    _stage(frame, f"file://{folder}/twice")
    _stage(frame, f"file://{folder}/twice")


def cut_the_connection(engine: SparkEngine, job: Job, folder: str) -> None:
    """End the read's own connection at the server while it reads, as a restart of the server would."""
    slow = "SELECT id, SLEEP(0.3) AS slept FROM engine_contract.t_every_type"
    with engine_errors(SUBJECT):
        rows = read_frame(engine.session(), [JdbcRead(slow)], _access(job))
        frame = rows.selectExpr("id", "slept", "'2026-01-05' AS ds")
    killer = threading.Thread(target=_kill_when_seen, args=(job, "%SLEEP(0.3)%"))
    killer.start()
    try:
        _stage(frame, f"file://{folder}/cut")
    finally:
        killer.join(60)


def ask_for_a_column_that_is_not_there(engine: SparkEngine, job: Job, folder: str) -> None:
    """The source refuses the SQL."""
    with engine_errors(SUBJECT):
        wrong = JdbcRead("SELECT nothing FROM engine_contract.t_every_type")
        print(read_frame(engine.session(), [wrong], _access(job)).schema)  # Connect asks only now


def fill_the_memory(engine: SparkEngine, job: Job, folder: str) -> None:
    """Collect more than the heap holds. The last one: it may take the engine with it."""
    rows = "SELECT collect_list(repeat(CAST(id AS string), 200000)) AS c FROM range(0, 4000, 1, 2)"
    with engine_errors(SUBJECT):
        engine.session().sql(f"SELECT sum(length(concat_ws('', c))) FROM ({rows})").collect()


TROUBLES: tuple[Callable[[SparkEngine, Job, str], None], ...] = (
    write_twice,
    ask_for_a_column_that_is_not_there,
    cut_the_connection,
    fill_the_disk,
    fill_the_memory,
)


def main() -> None:
    job = Job(**json.loads(sys.argv[1]))
    folder, engine = sys.argv[2], job.engine()
    found: dict[str, list[str]] = {}
    for trouble in TROUBLES:
        try:
            trouble(engine, job, folder)
        except DataplatError as error:
            found[trouble.__name__] = [type(error).__name__, str(error), str(error.retryable)]
    engine.stop()
    print(json.dumps(found))


def _stage(frame: DataFrame, location: str) -> None:
    stage_frame(
        frame, frame.columns, partitions=[DAY], location=location, data_format="parquet", subject=SUBJECT
    )


def _access(job: Job) -> JdbcAccess:
    account = {"user": job.user, "password": job.password}
    return JdbcAccess(
        f"jdbc:mysql://127.0.0.1:{job.port}/engine_contract", {"driver": JDBC_DRIVER, **account}
    )


def _kill_when_seen(job: Job, pattern: str) -> None:
    with pymysql.connect(
        host="127.0.0.1", port=job.port, user="root", password=os.environ["ROOT_PASSWORD"], autocommit=True
    ) as connection:
        cursor = connection.cursor()
        sought = "SELECT id FROM information_schema.processlist WHERE user = 'etl' AND info LIKE %s LIMIT 1"
        for _ in range(600):
            if cursor.execute(sought, [pattern]):
                cursor.execute("KILL CONNECTION %s", [cursor.fetchone()[0]])
                return
            cursor.execute("DO SLEEP(0.05)")


if __name__ == "__main__":
    main()
