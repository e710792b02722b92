"""A source that fails in the middle of a load: read again and exact, or refused with one clear message.

The moment of each repair is a handshake: the load says that it will try again, and only then the source
is made whole. Rows are counted again by a reader that knows nothing of the writer.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.errors import QueryTooLongError, SourceBehindError, SourceError
from dataplat.ledger import VersionState
from dataplat.lifecycle import patience, replica_wait
from dataplat.lifecycle.report import Progress, Step
from dataplat.specs import TableSpec
from dataplat_tests.integration.warehouse import DATABASE, Warehouse, verdicts
from dataplat_tests.services.process import DIES_WITH_US

pytestmark = pytest.mark.integration

DAY = "2026-01-01"
IDS = list(range(1, 41))
SEVERAL_TRIES = "{connections: 2, tries: 4, lock_wait_seconds: 1}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateMariaDB]:
    """One of our own: it is stopped and killed."""
    with PrivateMariaDB(tmp_path_factory.mktemp("failing"), launcher=DIES_WITH_US) as started:
        yield started


@pytest.fixture(scope="module")
def warehouse(server: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("failures")
    opened = Warehouse(root, server, uri=f"file://{root}/warehouse", database="failing")
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def short_pauses(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_WAIT_SECONDS", 0.25)
    warehouse.write_source("shop", budget=SEVERAL_TRIES)


def orders(warehouse: Warehouse, name: str, **changes: str) -> TableSpec:
    warehouse.orders(name, [(number, f"{DAY} 12:00:00") for number in IDS])
    return warehouse.declare(name, checks="[{unique: [id]}]", **changes)


class Load:
    """A load that hears of every pause, and does something about the source in the first one."""

    def __init__(self, warehouse: Warehouse, spec: TableSpec, repair: Callable[[], object]) -> None:
        self.said: list[str] = []
        self._repair = repair
        self._warehouse, self._spec = warehouse, spec

    def hear(self, progress: Progress) -> None:
        if progress.step is Step.WAIT:
            self.said.append(progress.detail)
            if len(self.said) == 1:
                self._repair()

    def must_be_exact(self, pauses: int = 1) -> None:
        reports = self._warehouse.load(self._spec, DAY, listen=self.hear)
        assert verdicts(reports) == {DAY: "published"}
        read = self._warehouse.reader.partitions(self._spec.table)
        assert sorted(read[f"ds={DAY}"].values("id")) == IDS
        rows = self._warehouse.platform.ledger.history(self._spec.table, DAY, limit=None)
        assert [row.state for row in rows].count(VersionState.PUBLISHED) == 1
        assert {row.state for row in rows} <= {VersionState.PUBLISHED, VersionState.ABANDONED}
        assert len(self.said) == pauses, self.said


def kill(server: PrivateMariaDB) -> None:
    process = server.instance.process()
    assert process is not None
    process.kill()


def test_a_server_that_is_down_is_asked_again_until_it_is_up(
    warehouse: Warehouse, server: PrivateMariaDB
) -> None:
    load = Load(warehouse, orders(warehouse, "down"), server.start)
    server.stop()
    load.must_be_exact()
    assert load.said == ["the server cannot be reached, trying again in 0.25 s (2 of 4)"]


def test_a_server_that_dies_in_the_middle_of_a_read_is_read_again_from_the_beginning(
    warehouse: Warehouse, server: PrivateMariaDB
) -> None:
    below = warehouse.orders("below_dies", columns="id BIGINT PRIMARY KEY, at DATETIME, nap INT, KEY (at)")
    rows = ", ".join(f"({number}, '{DAY} 12:00:00', {600 if number == 30 else 0})" for number in IDS)
    warehouse.sql(
        f"INSERT INTO {below} VALUES {rows}",
        f"CREATE VIEW {DATABASE}.dies AS SELECT id, at, SLEEP(nap) AS nap FROM {below}",
    )
    spec = warehouse.declare("dies")

    def start_again() -> None:
        server.stop()
        server.start()
        warehouse.sql(f"UPDATE {below} SET nap = 0")

    load = Load(warehouse, spec, start_again)

    def kill_while_it_reads(progress: Progress) -> None:
        if progress.step is Step.STAGE and not load.said:
            when_it_sleeps(warehouse, lambda: kill(server))
        load_hears(progress)

    load_hears, load.hear = load.hear, kill_while_it_reads
    load.must_be_exact()
    assert re.fullmatch(r"the source went away during the read, trying again in .* \(2 of 4\)", load.said[0])


def test_a_lock_that_is_not_released_is_waited_for_a_while_and_then_again(warehouse: Warehouse) -> None:
    spec = orders(warehouse, "locked")
    with warehouse.mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLES {DATABASE}.locked WRITE")
        load = Load(warehouse, spec, lambda: cursor.execute("UNLOCK TABLES"))
        load.must_be_exact()
    assert load.said == ["a lock at the source was not released in time, trying again in 0.25 s (2 of 4)"]


def test_a_read_only_server_is_read_as_ever(warehouse: Warehouse) -> None:
    spec = orders(warehouse, "read_only")
    warehouse.sql("SET GLOBAL read_only = 1")
    try:
        Load(warehouse, spec, lambda: None).must_be_exact(pauses=0)
    finally:
        warehouse.sql("SET GLOBAL read_only = 0")


def test_a_server_without_a_free_connection_is_asked_again(
    warehouse: Warehouse, server: PrivateMariaDB
) -> None:
    spec = orders(warehouse, "busy")
    ((usual,),) = warehouse.sql("SELECT @@max_connections")
    warehouse.sql("SET GLOBAL max_connections = 10")
    with ExitStack() as taken:
        for _ in range(10):
            taken.enter_context(server.connect())
        load = Load(warehouse, spec, taken.close)
        load.must_be_exact()
    warehouse.sql(f"SET GLOBAL max_connections = {usual}")
    assert load.said == ["the server has no connection left, trying again in 0.25 s (2 of 4)"]


def test_an_account_that_is_locked_is_refused_at_once(warehouse: Warehouse) -> None:
    spec = orders(warehouse, "denied")
    accounts = "'etl'@'localhost', 'etl'@'127.0.0.1'"
    warehouse.sql(*(f"ALTER USER {account} ACCOUNT LOCK" for account in accounts.split(", ")))
    load = Load(warehouse, spec, lambda: None)
    try:
        with pytest.raises(SourceError) as caught:
            load.must_be_exact()
    finally:
        warehouse.sql(*(f"ALTER USER {account} ACCOUNT UNLOCK" for account in accounts.split(", ")))
    assert load.said == []
    where = warehouse.mariadb.instance
    assert str(caught.value) == (
        "source shop: the server refused the login\n"
        f"  server     {where.host}:{where.port}\n"
        "  found      Access denied, this account is locked (4151)\n"
        "  declared   config/sources/shop.yaml:5 password\n"
        "  effect     nothing was read\n"
        "  next       dataplat check --connect"
    )


@pytest.mark.parametrize("slow", ["count", "read"])
def test_a_query_that_takes_too_long_is_ended_by_the_server_and_told_once(
    warehouse: Warehouse, slow: str
) -> None:
    warehouse.write_source("shop", budget="{connections: 2, tries: 4, max_execution_seconds: 1}")
    below = warehouse.orders(f"below_{slow}", columns="id BIGINT PRIMARY KEY, at DATETIME, nap INT, KEY (at)")
    warehouse.sql(
        f"INSERT INTO {below} VALUES (1, '{DAY} 12:00:00', 600)",
        f"CREATE VIEW {DATABASE}.long_{slow} AS SELECT id, at, SLEEP(nap) AS nap FROM {below}",
    )
    changes = {"where": '"nap = 0"'} if slow == "count" else {}
    load = Load(warehouse, warehouse.declare(f"long_{slow}", **changes), lambda: None)
    with pytest.raises(QueryTooLongError) as caught:
        load.must_be_exact()
    assert load.said == []
    where = warehouse.mariadb.instance
    expected = {
        "count": (
            f"source shop: the server ended the query, it took too long\n"
            f"  server     {where.host}:{where.port}\n"
            "  found      Query execution was interrupted (max_statement_time exceeded) (1969)\n"
            "  allowed    1 s a query of shop\n"
            "  declared   config/sources/shop.yaml:6 budget.max_execution_seconds\n"
            "  effect     nothing was read\n"
            "  next       raise budget.max_execution_seconds"
        ),
        "read": (
            f"failing.long_read[{DAY}]: the server ended the query, it took too long\n"
            "  found      (conn=N) Query execution was interrupted (max_statement_time exceeded)\n"
            "  allowed    1 s a query of shop\n"
            "  declared   config/sources/shop.yaml:6 budget.max_execution_seconds\n"
            "  effect     nothing was published: what was visible before is still visible\n"
            "  next       raise budget.max_execution_seconds"
        ),
    }
    assert re.sub(r"conn=\d+", "conn=N", str(caught.value)) == expected[slow]


def heartbeat(warehouse: Warehouse, lag: str, **budget: str) -> None:
    """Declare a source that is as far behind as its own table says."""
    warehouse.sql(
        f"CREATE OR REPLACE TABLE {DATABASE}.heartbeat (lag INT)",
        f"INSERT INTO {DATABASE}.heartbeat VALUES ({lag})",
    )
    keys = {"connections": "2", "replica_lag_seconds": "5"} | budget
    keys["lag_query"] = f"SELECT lag FROM {DATABASE}.heartbeat"
    warehouse.write_source(
        "shop", budget=f"{{{', '.join(f'{key}: {value}' for key, value in keys.items())}}}"
    )


@pytest.mark.parametrize(
    ("lag", "said"),
    [
        ("90", "for shop, which is 90 s behind; 5 s are allowed"),
        ("NULL", "for shop, where replication does not run"),
    ],
)
def test_a_load_waits_while_the_source_is_behind(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, lag: str, said: str
) -> None:
    monkeypatch.setattr(replica_wait, "LOOK_AGAIN_SECONDS", 0.05)
    heartbeat(warehouse, lag)
    spec = orders(warehouse, f"behind_{lag.lower()}")
    load = Load(warehouse, spec, lambda: warehouse.sql(f"UPDATE {DATABASE}.heartbeat SET lag = 5"))
    load.must_be_exact()
    assert load.said == [said]


def test_a_source_that_stays_behind_is_not_read(warehouse: Warehouse) -> None:
    heartbeat(warehouse, "90", lag_wait_seconds="1")
    load = Load(warehouse, orders(warehouse, "stays_behind"), lambda: None)
    with pytest.raises(SourceBehindError) as caught:
        load.must_be_exact()
    assert len(load.said) == 1
    assert str(caught.value) == (
        "source shop: the replica is too far behind\n"
        "  expected   at most 5 s behind\n"
        "  found      90 s behind\n"
        "  waited     1 s\n"
        "  declared   config/sources/shop.yaml:6 budget.replica_lag_seconds\n"
        "  effect     nothing was read; what was visible before is still visible\n"
        "  next       run the command again when it has caught up   or   raise budget.lag_wait_seconds"
    )


def test_a_real_server_says_whether_it_replicates_to_whom_may_ask(warehouse: Warehouse) -> None:
    warehouse.write_source("shop", budget="{connections: 2, replica_lag_seconds: 5, lag_wait_seconds: 1}")
    spec = orders(warehouse, "replica")
    load = Load(warehouse, spec, lambda: None)
    with pytest.raises(SourceError, match="the account may not ask how far the server is behind"):
        load.must_be_exact()
    accounts = ("'etl'@'localhost'", "'etl'@'127.0.0.1'")
    warehouse.sql(*(f"GRANT REPLICA MONITOR ON *.* TO {account}" for account in accounts))
    load.must_be_exact(pauses=0)
    warehouse.sql("CHANGE MASTER TO master_host='127.0.0.1', master_port=1, master_user='nobody'")
    try:
        with pytest.raises(SourceBehindError, match="replication does not run"):
            load.must_be_exact()
    finally:
        warehouse.sql("RESET SLAVE ALL")


def when_it_sleeps(warehouse: Warehouse, then: Callable[[], object]) -> None:
    """Do something in another thread once the server has begun the query that never ends."""
    asleep = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'etl' AND STATE = 'User sleep'"

    def work() -> None:
        patiently = Retrying(
            stop=stop_after_delay(60), wait=wait_fixed(0.05), retry=retry_if_result(lambda found: not found)
        )
        patiently(lambda: warehouse.sql(asleep)[0][0])
        then()

    threading.Thread(target=work, daemon=True).start()
