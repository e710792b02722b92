"""The tests' own servers: each starts, answers, listens on loopback only, and leaves nothing behind."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import psutil
import pymysql
import pytest
from pymetastore.hive_metastore.ttypes import Database

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat_tests.services.hdfs import Hdfs
from dataplat_tests.services.metastore import HiveMetastore
from dataplat_tests.services.process import (
    DIES_WITH_US,
    LOOPBACK,
    ServerDidNotStartError,
    ServerProcess,
    listening_addresses,
)

pytestmark = pytest.mark.integration


def test_mariadb_answers_on_loopback_only(mariadb: PrivateMariaDB) -> None:
    with mariadb.connect("etl") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT CAST('0000-00-00' AS CHAR), @@port")
        assert cursor.fetchone() == ("0000-00-00", mariadb.instance.port)
    assert listening_addresses(mariadb.instance.pid) == {LOOPBACK}


def test_the_etl_account_reads_and_does_not_write(mariadb: PrivateMariaDB) -> None:
    with (
        mariadb.connect("etl") as connection,
        connection.cursor() as cursor,
        pytest.raises(pymysql.err.OperationalError, match="denied"),
    ):
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
    server = PrivateMariaDB(tmp_path, launcher=DIES_WITH_US)
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
    server = PrivateMariaDB(tmp_path, launcher=DIES_WITH_US)
    with server:
        psutil.Process(server.instance.pid).kill()
        server.stop()
        assert server.ensure_running().pid == server.instance.pid


def test_two_objects_share_one_running_mariadb(tmp_path: Path) -> None:
    with PrivateMariaDB(tmp_path, launcher=DIES_WITH_US) as server:
        other = PrivateMariaDB(tmp_path)
        assert other.running()
        assert other.ensure_running() == server.instance


def test_a_long_folder_name_does_not_keep_mariadb_from_starting(tmp_path: Path) -> None:
    with PrivateMariaDB(tmp_path / ("long" * 30), launcher=DIES_WITH_US) as server:
        socket_folder = Path(server.instance.socket).parent
    assert not socket_folder.exists()


@pytest.fixture(scope="module")
def hdfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hdfs]:
    """An HDFS of this module's own: its servers are killed here, and others keep connections to theirs."""
    file_system = Hdfs(tmp_path_factory.mktemp("hdfs_to_kill"))
    try:
        file_system.start()
        yield file_system
    finally:
        file_system.stop()


@pytest.fixture(scope="module")
def metastore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HiveMetastore]:
    """A metastore of this module's own, for the same reason."""
    server = HiveMetastore(tmp_path_factory.mktemp("metastore_to_kill"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


def file_system(hdfs: Hdfs) -> fsspec.AbstractFileSystem:
    return fsspec.url_to_fs(hdfs.url)[0]


@pytest.fixture
def one_file(hdfs: Hdfs) -> Iterator[str]:
    path = "/tmp/services/one file.bin"
    with file_system(hdfs).open(path, "wb") as file:
        file.write(b"x" * 3_000_000)
    yield path
    file_system(hdfs).rm("/tmp/services", recursive=True)


def bytes_in(hdfs: Hdfs, path: str) -> int:
    with file_system(hdfs).open(path, "rb") as file:
        return len(file.read())


def test_hdfs_writes_lists_renames_and_deletes(hdfs: Hdfs, one_file: str) -> None:
    files = file_system(hdfs)
    assert [entry["name"] for entry in files.ls("/tmp/services")] == [one_file]
    files.mv(one_file, "/tmp/services/moved")
    assert bytes_in(hdfs, "/tmp/services/moved") == 3_000_000
    files.rm("/tmp/services/moved")
    assert files.find("/tmp/services") == []


def test_hdfs_listens_on_loopback_only(hdfs: Hdfs) -> None:
    assert listening_addresses(hdfs.namenode.pid) == {LOOPBACK}
    assert listening_addresses(hdfs.datanode.pid) == {LOOPBACK}


def test_hdfs_serves_its_blocks_again_after_the_namenode_was_killed(hdfs: Hdfs, one_file: str) -> None:
    hdfs.namenode.kill()
    hdfs.namenode.start()
    assert bytes_in(hdfs, one_file) == 3_000_000


def test_hdfs_serves_its_blocks_again_after_the_datanode_was_killed(hdfs: Hdfs, one_file: str) -> None:
    hdfs.datanode.kill()
    hdfs.datanode.start()
    assert bytes_in(hdfs, one_file) == 3_000_000


def test_hadoop_conf_dir_names_the_file_system(
    hdfs: Hdfs, one_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HADOOP_CONF_DIR", str(hdfs.conf_dir))
    assert fsspec.filesystem("hdfs", skip_instance_cache=True).exists(one_file)


def test_the_metastore_answers_on_loopback_only(metastore: HiveMetastore) -> None:
    with metastore.client() as client:
        assert client.get_database("default").locationUri == metastore.warehouse.replace("//", "")
    assert listening_addresses(metastore.pid) == {LOOPBACK}


def test_the_metastore_makes_the_folder_of_a_database_on_hdfs(metastore: HiveMetastore, hdfs: Hdfs) -> None:
    location = f"{hdfs.url}/warehouse/on_hdfs.db"
    with metastore.client() as client:
        client.create_database(Database(name="on_hdfs", locationUri=location))
        assert file_system(hdfs).isdir("/warehouse/on_hdfs.db")
        client.drop_database("on_hdfs", True, True)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_metastore_keeps_its_databases_when_it_ends(metastore: HiveMetastore, end: str) -> None:
    with metastore.client() as client:
        client.create_database(Database(name=f"outlives_{end}"))
    getattr(metastore, end)()
    assert not metastore.running()
    metastore.start()
    with metastore.client() as client:
        assert f"outlives_{end}" in client.get_all_databases()
        client.drop_database(f"outlives_{end}", True, True)


def test_stopped_servers_leave_no_process(tmp_path: Path) -> None:
    hdfs, metastore = Hdfs(tmp_path / "hdfs"), HiveMetastore(tmp_path / "metastore")
    hdfs.start()
    metastore.start()
    processes = [psutil.Process(pid) for pid in (hdfs.namenode.pid, hdfs.datanode.pid, metastore.pid)]
    hdfs.stop()
    metastore.stop()
    assert [process.is_running() for process in processes] == [False, False, False]


def test_a_server_that_ends_at_once_shows_its_last_words(tmp_path: Path) -> None:
    server = ServerProcess(
        "small server",
        [sys.executable, "-c", "raise SystemExit('no such port')"],
        log=tmp_path / "log",
        environ={},
        answers=lambda: False,
    )
    with pytest.raises(ServerDidNotStartError) as error:
        server.start()
    assert str(error.value) == (
        f"small server ended with code 1; its log {tmp_path / 'log'} ends:\n  no such port"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_servers_die_with_a_killed_test_run(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat_tests.services.process import DIES_WITH_US
print(PrivateMariaDB(Path({str(tmp_path)!r}), launcher=DIES_WITH_US).start().pid, flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        server = psutil.Process(int(run.stdout.readline()))
        run.kill()
    assert psutil.wait_procs([server], timeout=30)[1] == []
