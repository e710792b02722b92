"""What a source is spared, at a real server: its process list says what runs, whoever was killed."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.engine.local_server import server_status
from dataplat.ledger import LockOwner
from dataplat.lifecycle.report import Progress, Step
from dataplat.specs import TableSpec
from dataplat_tests.integration.load_worker import Job, LoadProcess
from dataplat_tests.integration.warehouse import DATABASE, Warehouse, verdicts

pytestmark = [
    pytest.mark.integration,
    # pyspark warns before it raises; in a test that kills its server both are expected.
    pytest.mark.filterwarnings(r"ignore:\[RETRIES_EXCEEDED\]:UserWarning"),
]

DAY = "2026-01-01"
ENDED_WITHIN_SECONDS = 30
NAPPING = "id BIGINT PRIMARY KEY, at DATETIME, nap INT NOT NULL, KEY (at)"
# The source is a view that sleeps for whoever asks for its column, so that counting is quick and reading is
# not, unless the condition asks for it too.
SLOW: dict[str, dict[str, str]] = {"read": {}, "count": {"where": '"nap = 0"'}}


@pytest.fixture(scope="module")
def warehouse(mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("protection")
    opened = Warehouse(root, mariadb, uri=f"file://{root}/warehouse", database="spared")
    opened.platform.engine().session()
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def usual_budget(warehouse: Warehouse) -> Iterator[None]:
    yield
    warehouse.write_source("shop")


def running(warehouse: Warehouse) -> list[str]:
    """What our account runs at the server right now."""
    rows = warehouse.sql(
        "SELECT INFO FROM information_schema.PROCESSLIST WHERE USER = 'etl' AND INFO IS NOT NULL"
    )
    return [str(row[0]) for row in rows]


def until(found: Callable[[], Any], seconds: float = ENDED_WITHIN_SECONDS) -> Any:
    """Look again until something is found; the last answer, when time is over."""
    patience = Retrying(
        stop=stop_after_delay(seconds),
        wait=wait_fixed(0.05),
        retry=retry_if_result(lambda result: not result),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    return patience(found)


def asleep(warehouse: Warehouse, load: "LoadProcess | subprocess.Popen[str]") -> list[str]:
    """Return the query that takes ten minutes once it has begun."""

    def look() -> list[str] | bool:
        ended = load.ends_within(0) if isinstance(load, LoadProcess) else load.poll() is not None
        return [sql for sql in running(warehouse) if "nap" in sql] or ended

    found = until(look, 90)
    if not isinstance(found, list):
        raise AssertionError(load.result() if isinstance(load, LoadProcess) else load.communicate())
    return found


def nothing_runs(warehouse: Warehouse) -> bool:
    return bool(until(lambda: not running(warehouse)))


def nap(warehouse: Warehouse, name: str, **changes: str) -> TableSpec:
    """A table of one row whose query takes ten minutes."""
    below = warehouse.orders(f"below_{name}", columns=NAPPING)
    warehouse.sql(
        f"INSERT INTO {below} VALUES (1, '{DAY} 12:00:00', 600)",
        f"CREATE VIEW {DATABASE}.{name} AS SELECT id, at, SLEEP(nap) AS nap FROM {below}",
    )
    return warehouse.declare(name, **changes)


def command(warehouse: Warehouse, spec: TableSpec) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "dataplat.cli.main", "load", spec.table, "--date", DAY],
        env={**os.environ, **warehouse.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@dataclass
class Census(threading.Thread):
    """Counts our connections and our running queries at the server, over and over."""

    warehouse: Warehouse
    most_connections: int = 0
    most_queries: int = 0
    looks: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        with self.warehouse.mariadb.connect(autocommit=True) as connection, connection.cursor() as cursor:
            while not self.over.is_set():
                cursor.execute(
                    "SELECT COUNT(*), COALESCE(SUM(INFO IS NOT NULL), 0)"
                    " FROM information_schema.PROCESSLIST WHERE USER = 'etl'"
                )
                connections, queries = (int(number) for number in cursor.fetchone())
                self.most_connections = max(self.most_connections, connections)
                self.most_queries = max(self.most_queries, queries)
                self.looks += 1
                self.over.wait(0.005)


def test_six_loads_in_six_processes_share_the_connections_of_the_source(warehouse: Warehouse) -> None:
    days = [f"2026-01-{day:02d}" for day in range(1, 7)]
    source = warehouse.orders("shared", columns=NAPPING)
    rows = [f"({100 * part + n}, '{day} 12:00:00', 0)" for part, day in enumerate(days) for n in range(10)]
    warehouse.sql(f"INSERT INTO {source} VALUES {', '.join(rows)}")
    warehouse.write_source("shop", budget="{connections: 4, tries: 1}")
    spec = warehouse.declare("shared", where='"SLEEP(0.02) = 0"', split="{column: id, parts: 2}")
    census = Census(warehouse)
    census.start()
    loads = [LoadProcess(Job(warehouse.environ, spec.table, [day])) for day in days]
    results = [load.result() for load in loads]
    census.over.set()
    census.join()
    assert results == [{day: "published"} for day in days]
    assert {
        name: len(read.values("id")) for name, read in warehouse.reader.partitions(spec.table).items()
    } == {f"ds={day}": 10 for day in days}
    print(
        f"{census.looks} looks, {census.most_connections} connections, {census.most_queries} queries at most"
    )
    assert 2 <= census.most_queries <= census.most_connections <= 4
    assert warehouse.platform.ledger.connections() == ()


def test_connections_read_at_once_no_more_rows_than_the_source_allows(warehouse: Warehouse) -> None:
    """Sleeping is the one thing whose least duration is known: seven pauses of a fifth of a second."""
    warehouse.orders("paced", [(number, f"{DAY} 12:00:00") for number in range(1500)])
    warehouse.write_source("shop", budget="{connections: 2, rows_per_second: 1000}")
    (report,) = warehouse.load(warehouse.declare("paced"), DAY)
    (partition,) = report.partitions
    assert (partition.verdict, partition.rows) == ("published", 1500)
    assert report.seconds["stage"] >= 1.4
    read = warehouse.reader.partitions("spared.paced")
    assert sorted(read[f"ds={DAY}"].values("id")) == list(range(1500))


def test_a_load_that_must_wait_says_for_what_and_for_whom(warehouse: Warehouse) -> None:
    warehouse.orders("waits", [(1, f"{DAY} 12:00:00")])
    spec = warehouse.declare("waits")
    ledger = warehouse.platform.ledger
    owner = LockOwner.current(run_id="r7")
    held = ledger.take_connections("shop", 2, owner, limit=2, purpose="dw.other[2026-01-01]")
    heard: list[str] = []

    def listen(progress: Progress) -> None:
        if progress.step is Step.WAIT:
            heard.append(progress.detail)
            held.release()

    assert verdicts(warehouse.load(spec, DAY, listen=listen)) == {DAY: "published"}
    (text,) = heard
    assert re.sub(r"since .* UTC", "since T", text) == (
        "for 2 of 2 connections of shop; 2 are held by dw.other[2026-01-01]"
        f" (pid {owner.pid} on {owner.host}, run r7, since T)"
    )


def test_the_process_list_of_the_server_says_who_asks(warehouse: Warehouse) -> None:
    spec = nap(warehouse, "tagged", **SLOW["read"])
    load = LoadProcess(Job(warehouse.environ, spec.table, [DAY]))
    (query,) = asleep(warehouse, load)
    (ticket,) = warehouse.platform.ledger.connections("shop")
    owner = ticket.owner
    assert query.startswith(
        f"/* dataplat {ticket.token} spared.tagged[{DAY}] run=worker {owner.host} pid={owner.pid} */ SELECT "
    )
    load.kill()
    assert nothing_runs(warehouse)


@pytest.mark.parametrize("slow", ["count", "read"])
def test_a_load_killed_with_9_leaves_no_query_at_the_source(warehouse: Warehouse, slow: str) -> None:
    spec = nap(warehouse, f"killed_{slow}", **SLOW[slow])
    load = LoadProcess(Job(warehouse.environ, spec.table, [DAY]))
    asleep(warehouse, load)
    load.kill()
    assert nothing_runs(warehouse)


def test_an_engine_killed_with_9_leaves_no_query_at_the_source(warehouse: Warehouse) -> None:
    spec = nap(warehouse, "engine_killed", **SLOW["read"])
    load = LoadProcess(Job(warehouse.environ, spec.table, [DAY]))
    asleep(warehouse, load)
    kill_engine(warehouse)
    assert load.result()["error"] == "EngineLostError"
    assert nothing_runs(warehouse)


def test_a_load_and_its_engine_killed_at_once_leave_no_query_at_the_source(warehouse: Warehouse) -> None:
    spec = nap(warehouse, "both_killed", **SLOW["read"])
    load = LoadProcess(Job(warehouse.environ, spec.table, [DAY]))
    asleep(warehouse, load)
    kill_engine(warehouse)
    load.kill()
    assert nothing_runs(warehouse)


@pytest.mark.parametrize(
    ("kind", "slow"), [(signal.SIGINT, "count"), (signal.SIGINT, "read"), (signal.SIGTERM, "read")]
)
def test_an_interrupted_command_leaves_no_query_at_the_source(
    warehouse: Warehouse, kind: signal.Signals, slow: str
) -> None:
    spec = nap(warehouse, f"interrupted_{slow}_{kind.name.lower()}", **SLOW[slow])
    load = command(warehouse, spec)
    asleep(warehouse, load)
    load.send_signal(kind)
    out, err = load.communicate(timeout=60)
    assert load.returncode != 0, out
    assert "Traceback" not in err
    assert nothing_runs(warehouse)


def kill_engine(warehouse: Warehouse) -> None:
    pid = server_status(warehouse.platform.engine().home).pid
    assert pid is not None
    process = psutil.Process(pid)
    process.kill()
    psutil.wait_procs([process], timeout=30)
