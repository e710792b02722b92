"""The behaviour of the ledger, the same suite, on a real MariaDB whose own time zone is not UTC."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote_plus
from uuid import uuid4

import pytest
import sqlalchemy as sa

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.errors import LedgerError
from dataplat.ledger import Ledger
from dataplat.ledger.tables import table_version
from dataplat_tests.unit.ledger.behaviour.audit_results import AuditResultBehaviour
from dataplat_tests.unit.ledger.behaviour.automation import AutomationBehaviour
from dataplat_tests.unit.ledger.behaviour.connections import ConnectionBehaviour
from dataplat_tests.unit.ledger.behaviour.counts import CountBehaviour
from dataplat_tests.unit.ledger.behaviour.gate import GateBehaviour
from dataplat_tests.unit.ledger.behaviour.locks import LockBehaviour
from dataplat_tests.unit.ledger.behaviour.migrations import MigrationBehaviour
from dataplat_tests.unit.ledger.behaviour.processes import ProcessBehaviour
from dataplat_tests.unit.ledger.behaviour.versions import VersionBehaviour
from dataplat_tests.unit.ledger.behaviour.watermarks import WatermarkBehaviour
from dataplat_tests.unit.ledger.builders import DAY, NEXT_DAY, ORDERS, begin, load
from dataplat_tests.unit.ledger.fixtures import clock, ledger

__all__ = ["clock", "ledger"]

pytestmark = pytest.mark.integration


@pytest.fixture
def ledger_url(mariadb: PrivateMariaDB) -> Iterator[str]:
    """A URL of an empty database, as a server gives it: its character set is not ours."""
    name = f"ledger_{uuid4().hex[:12]}"
    where = mariadb.instance
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET latin1")
        yield f"mysql+pymysql://root:{quote_plus(where.root_password)}@{where.host}:{where.port}/{name}"
        cursor.execute(f"DROP DATABASE {name}")


class TestVersions(VersionBehaviour):
    pass


class TestConnections(ConnectionBehaviour):
    pass


class TestLocks(LockBehaviour):
    pass


class TestGate(GateBehaviour):
    pass


class TestCounts(CountBehaviour):
    pass


class TestAuditResults(AuditResultBehaviour):
    pass


class TestAutomation(AutomationBehaviour):
    pass


class TestWatermarks(WatermarkBehaviour):
    pass


class TestMigrations(MigrationBehaviour):
    pass


class TestProcesses(ProcessBehaviour):
    pass


def test_a_wrong_password_is_told_without_showing_it(mariadb: PrivateMariaDB) -> None:
    where = f"{mariadb.instance.host}:{mariadb.instance.port}/dataplat"
    with pytest.raises(LedgerError) as error:
        Ledger.open(f"mysql+pymysql://etl:hunter2@{where}")
    found = str(error.value).splitlines()[1]
    assert str(error.value) == (
        f"ledger mysql+pymysql://etl:***@{where}: the user or the password was refused\n"
        f"{found}\n"
        "  effect   nothing was recorded\n"
        "  next     dataplat check --connect"
    )
    assert re.fullmatch(
        r"  found    \(1045\) Access denied for user 'etl'@'[\w.]+' \(using password: YES\)", found
    )


def test_a_database_that_is_not_there_is_told(mariadb: PrivateMariaDB) -> None:
    server = mariadb.instance
    where = f"{server.host}:{server.port}/nowhere"
    with pytest.raises(LedgerError) as error:
        Ledger.open(f"mysql+pymysql://root:{quote_plus(server.root_password)}@{where}")
    assert str(error.value) == (
        f"ledger mysql+pymysql://root:***@{where}: the database does not exist\n"
        "  found    (1049) Unknown database 'nowhere'\n"
        "  effect   nothing was recorded\n"
        "  next     CREATE DATABASE … CHARACTER SET utf8mb4"
    )


def test_a_connection_that_the_server_dropped_is_replaced(ledger: Ledger, mariadb: PrivateMariaDB) -> None:
    load(ledger, "v1")
    query = sa.text("SELECT connection_id()")
    number = ledger._database.read(lambda connection: connection.execute(query).scalar_one())
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"KILL {number}")
    load(ledger, "v2")
    assert ledger.visible(ORDERS)[DAY].version == "v2"


def test_a_connection_that_is_lost_during_a_write_changes_nothing_and_may_be_tried_again(
    ledger: Ledger, mariadb: PrivateMariaDB
) -> None:
    load(ledger, "v1")

    def write_half_and_lose(connection: sa.Connection) -> None:
        connection.execute(table_version.delete())
        number = connection.execute(sa.text("SELECT connection_id()")).scalar_one()
        with mariadb.connect() as other, other.cursor() as cursor:
            cursor.execute(f"KILL {number}")
        connection.execute(table_version.select())

    with pytest.raises(LedgerError, match="the connection was lost") as error:
        ledger._database.write(write_half_and_lose)
    assert error.value.retryable
    assert ledger.visible(ORDERS)[DAY].version == "v1"


def test_the_tables_are_innodb_and_keep_every_character(ledger: Ledger) -> None:
    query = sa.text(
        "SELECT DISTINCT engine, table_collation FROM information_schema.tables"
        " WHERE table_schema = database() AND table_name <> 'alembic_version'"
    )
    found = ledger._database.read(lambda connection: connection.execute(query).all())
    assert found == [("InnoDB", "utf8mb4_bin")]
    ledger.hold(ORDERS, DAY, "价格不对 🐢", "安")
    assert ledger.holds(ORDERS)[0].reason == "价格不对 🐢"


def test_a_deadlocks_victim_runs_again_and_both_writes_happen(ledger: Ledger) -> None:
    begin(ledger, "v1", [DAY, NEXT_DAY])
    both_hold_one_row = threading.Barrier(2)
    attempts: list[str] = []

    def write(first: str, second: str) -> None:
        def work(connection: sa.Connection) -> None:
            attempts.append(first)
            row = table_version.update().where(table_version.c.table_name == ORDERS)
            add = {"reason": table_version.c.reason + "x"}
            connection.execute(row.where(table_version.c.partition_key == first).values(add))
            if attempts.count(first) == 1:
                both_hold_one_row.wait(timeout=30)
            connection.execute(row.where(table_version.c.partition_key == second).values(add))

        ledger._database.write(work)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, (DAY, NEXT_DAY), (NEXT_DAY, DAY)))
    assert sorted(attempts) in ([DAY, DAY, NEXT_DAY], [DAY, NEXT_DAY, NEXT_DAY])
    assert {row.reason for row in ledger.history(ORDERS)} == {"xx"}
