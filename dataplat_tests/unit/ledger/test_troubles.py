"""A database that refuses: one clear message each, never a password, never a statement."""

import errno
import os
import socket
import sqlite3
from pathlib import Path

import pymysql
import pytest
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError, TimeoutError

from dataplat.errors import LedgerError
from dataplat.ledger import Ledger
from dataplat.ledger.troubles import explain, is_deadlock
from dataplat_tests.unit.ledger.builders import begin

URL = "ledger mysql+pymysql://etl:***@db:3306/dataplat"


def mysql_error(code: int, text: str) -> SQLAlchemyError:
    return OperationalError(
        "INSERT … secret statement", {"p": "secret"}, pymysql.err.OperationalError(code, text)
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    "url", ["ledger.db", "", "mysql://etl:hunter2@db/x", "postgresql://etl:hunter2@db/x", "://"]
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(LedgerError) as error:
        Ledger.open(url)
    scheme = url.split("://")[0]
    found = f"{scheme}://…" if scheme in ("mysql", "postgresql") else "something that is no database URL"
    assert str(error.value) == (
        "ledger: the URL cannot be used\n"
        "  expected   sqlite:///path/ledger.db or mysql+pymysql://user:password@host:port/database\n"
        f"  found      {found}\n"
        "  declared   platform.yaml: ledger\n"
        "  effect     the ledger was not opened\n"
        "  next       dataplat check"
    )


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///:memory:"])
def test_a_ledger_in_memory_is_refused(url: str) -> None:
    with pytest.raises(LedgerError) as error:
        Ledger.open(url)
    assert str(error.value) == (
        f"ledger {url}: a ledger in memory would forget everything\n"
        "  expected   sqlite:///path/ledger.db\n"
        "  declared   platform.yaml: ledger\n"
        "  effect     the ledger was not opened\n"
        "  next       name a file in platform.yaml: ledger"
    )


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    port = free_port()
    with pytest.raises(LedgerError) as error:
        Ledger.open(f"mysql+pymysql://etl:hunter2@127.0.0.1:{port}/dataplat?read_timeout=5")
    refused = f"[Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}"
    assert str(error.value) == (
        f"ledger mysql+pymysql://etl:***@127.0.0.1:{port}/dataplat: cannot be reached\n"
        f"  found    (2003) Can't connect to MySQL server on '127.0.0.1' ({refused})\n"
        "  effect   nothing was recorded\n"
        "  next     dataplat check --connect"
    )
    assert error.value.retryable


@pytest.mark.parametrize(
    ("code", "problem", "next_step", "retryable"),
    [
        (1045, "the user or the password was refused", "dataplat check --connect", False),
        (1049, "the database does not exist", "CREATE DATABASE … CHARACTER SET utf8mb4", False),
        (1044, "the user may not do this", "GRANT ALL ON the ledger's database to the user", False),
        (1114, "there is no space left", "free space on the ledger's disk", False),
        (1290, "the server is read-only", "dataplat check --connect", False),
        (2013, "the connection was lost", "dataplat check --connect", True),
        (1040, "cannot be reached", "dataplat check --connect", True),
        (1205, "another process kept it locked for too long", "dataplat check --connect", True),
        (1064, "the database refused", "dataplat check --connect", False),
    ],
)
def test_what_mysql_says_is_told_in_words(code: int, problem: str, next_step: str, retryable: bool) -> None:
    error = explain(URL, mysql_error(code, "the server's own words"))
    assert str(error) == (
        f"{URL}: {problem}\n"
        f"  found    ({code}) the server's own words\n"
        "  effect   nothing was recorded\n"
        f"  next     {next_step}"
    )
    assert error.retryable is retryable


@pytest.mark.parametrize(
    ("text", "problem", "next_step"),
    [
        ("database disk image is malformed", "the file is damaged", "restore it from a backup"),
        ("disk I/O error", "there is no space left", "free space on the ledger's disk"),
        (
            "attempt to write a readonly database",
            "the file is read-only",
            "make the file and its folder writable",
        ),
        ("database is locked", "another process kept it locked for too long", "dataplat check --connect"),
        ("no such table: x", "the database refused", "dataplat check --connect"),
    ],
)
def test_what_sqlite_says_is_told_in_words(text: str, problem: str, next_step: str) -> None:
    error = explain("ledger sqlite:////l.db", DatabaseError("secret", {}, sqlite3.OperationalError(text)))
    assert str(error) == (
        f"ledger sqlite:////l.db: {problem}\n"
        f"  found    {text}\n"
        "  effect   nothing was recorded\n"
        f"  next     {next_step}"
    )


def test_a_pool_that_is_used_up_is_told_too() -> None:
    error = explain(URL, TimeoutError("QueuePool limit of size 5 overflow 10 reached"))
    assert str(error) == (
        f"{URL}: the database refused\n"
        "  found    TimeoutError: QueuePool limit of size 5 overflow 10 reached\n"
        "  effect   nothing was recorded\n"
        "  next     dataplat check --connect"
    )


def test_only_a_deadlocks_victim_runs_again() -> None:
    assert is_deadlock(mysql_error(1213, "Deadlock found"))
    assert not is_deadlock(mysql_error(1062, "Duplicate entry"))
    assert not is_deadlock(TimeoutError("pool"))


def test_a_file_that_is_no_database_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\n" * 1000)
    with pytest.raises(LedgerError) as error:
        Ledger.open(f"sqlite:///{path}")
    assert str(error.value) == (
        f"ledger sqlite:///{path}: the file is not an SQLite database\n"
        "  found    file is not a database\n"
        "  effect   nothing was recorded\n"
        "  next     name another file in platform.yaml: ledger"
    )
    assert path.read_text() == "my notes\n" * 1000


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(LedgerError) as error:
        Ledger.open(f"sqlite:///{tmp_path}")
    assert str(error.value) == (
        f"ledger sqlite:///{tmp_path}: the file cannot be opened\n"
        "  found    unable to open database file\n"
        "  effect   nothing was recorded\n"
        "  next     make its folder writable, or name another file"
    )


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(LedgerError) as error:
        Ledger.open(f"sqlite:///{tmp_path}/home/ledger.db")
    assert str(error.value) == (
        f"ledger sqlite:///{tmp_path}/home/ledger.db: the folder of the ledger cannot be made\n"
        f"  found      [Errno {errno.EEXIST}] File exists: '{tmp_path}/home'\n"
        "  declared   platform.yaml: ledger\n"
        "  effect     the ledger was not opened\n"
        "  next       name another file in platform.yaml: ledger"
    )


def test_a_full_disk_records_nothing_of_the_write_that_hit_it(ledger: Ledger) -> None:
    def leave_no_room(connection: object) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()  # type: ignore[attr-defined]
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")  # type: ignore[attr-defined]

    begin(ledger, "before")
    ledger._database.read(leave_no_room)
    with pytest.raises(LedgerError) as error:
        begin(ledger, "after", [f"2026-03-01-{number:05}" for number in range(2000)])
    assert str(error.value) == (
        f"ledger {ledger.url}: there is no space left\n"
        "  found    database or disk is full\n"
        "  effect   nothing was recorded\n"
        "  next     free space on the ledger's disk"
    )
    assert [row.version for row in ledger.history("ods.orders")] == ["before"]
