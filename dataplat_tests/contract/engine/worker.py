"""Run the suite with one engine mode in this process, and print what came of every promise as JSON."""

import json
import sys
import time
import traceback

from dataplat.engine.jdbc import JdbcAccess
from dataplat.sources.mysql_session import JDBC_DRIVER
from dataplat_tests.contract.engine.jobs import Job
from dataplat_tests.contract.engine.suite import PROMISES, World


def main() -> None:
    job = Job(**json.loads(sys.argv[1]))
    engine = job.engine()
    access = JdbcAccess(
        f"jdbc:mysql://127.0.0.1:{job.port}/engine_contract",
        {
            "driver": JDBC_DRIVER,
            "sessionInitStatement": "SET SESSION time_zone = '+08:00'",
            "useServerPrepStmts": "true",
            "tinyInt1isBit": "false",
            "preserveInstants": "false",
            "user": job.user,
            "password": job.password,
        },
        connections=2,
    )
    world = World(engine, access, job.warehouse, job.rows)
    failures: dict[str, str] = {}
    seconds: dict[str, float] = {}
    for promise in PROMISES:
        started = time.monotonic()
        try:
            promise(world)
        except Exception:  # noqa: BLE001 - told by the test of that promise
            failures[promise.__name__] = traceback.format_exc()
        seconds[promise.__name__] = round(time.monotonic() - started, 2)
    if job.mode == "classic":
        engine.stop()
    else:
        engine.release()
    print(json.dumps({"failures": failures, "notes": world.notes, "seconds": seconds}))


if __name__ == "__main__":
    main()
