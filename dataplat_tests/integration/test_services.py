"""The tests' own servers: each starts, answers, listens on loopback only, and leaves nothing behind."""

from pathlib import Path

import psutil
import pymysql
import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat_tests.services.process import LOOPBACK, die_with_parent, listening_addresses

pytestmark = pytest.mark.integration


def test_mariadb_answers_on_loopback_only(mariadb: PrivateMariaDB) -> None:
    with mariadb.connect("etl") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT CAST('0000-00-00' AS CHAR), @@port")
        assert cursor.fetchone() == ("0000-00-00", mariadb.instance.port)
    assert listening_addresses(mariadb.instance.pid) == {LOOPBACK}


def test_the_etl_account_reads_and_does_not_write(mariadb: PrivateMariaDB) -> None:
    with mariadb.connect("etl") as connection, connection.cursor() as cursor:
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            cursor.execute("CREATE DATABASE not_by_etl")


def test_zero_dates_can_be_stored_and_bad_numbers_cannot(mariadb: PrivateMariaDB) -> None:
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE zero_dates")
        cursor.execute("CREATE TABLE zero_dates.t (at DATETIME NOT NULL, small TINYINT)")
        cursor.execute("INSERT INTO zero_dates.t VALUES ('0000-00-00', 1)")
        with pytest.raises(pymysql.err.DataError):
            cursor.execute("INSERT INTO zero_dates.t VALUES ('2026-01-01', 1000)")
        cursor.execute("DROP DATABASE zero_dates")


def test_a_stopped_mariadb_leaves_its_tables_and_no_process(tmp_path: Path) -> None:
    server = PrivateMariaDB(tmp_path, in_child=die_with_parent)
    with server:
        first = server.instance
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE stays")
    assert not psutil.pid_exists(first.pid)
    with server:
        assert server.instance.port == first.port
        with server.connect(database="stays"):
            pass


def test_a_killed_mariadb_starts_again(tmp_path: Path) -> None:
    server = PrivateMariaDB(tmp_path, in_child=die_with_parent)
    with server:
        psutil.Process(server.instance.pid).kill()
        server.stop()
        assert server.ensure_running().pid == server.instance.pid


def test_two_objects_share_one_running_mariadb(tmp_path: Path) -> None:
    with PrivateMariaDB(tmp_path, in_child=die_with_parent) as server:
        other = PrivateMariaDB(tmp_path)
        assert other.running()
        assert other.ensure_running() == server.instance


def test_a_long_folder_name_does_not_keep_mariadb_from_starting(tmp_path: Path) -> None:
    with PrivateMariaDB(tmp_path / ("long" * 30), in_child=die_with_parent) as server:
        socket_folder = Path(server.instance.socket).parent
    assert not socket_folder.exists()
