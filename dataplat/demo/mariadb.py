"""A private MariaDB server: the demo's and the tests' source, under one folder that can be deleted.

What arrives is a folder and the `mariadbd` that the system package brought. What it becomes is a server
of our own: its data under ``<home>/mariadb``, listening on 127.0.0.1 and on one socket file, with
passwords made up on the first start. No file under /etc is read (``--no-defaults``) and no system
service is touched, started or stopped, so it lives beside a production server on the same machine.

Two accounts exist: ``root``, who seeds, and ``etl``, who may only read, as the account that a
source's owner gives to a warehouse. Both log in over TCP and over the socket.

What surprises: the SQL mode is strict but lets zero dates in, and the named time zones are not loaded,
because that is what the sources of a warehouse look like.
"""

import os
import secrets
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import filelock
import psutil
import pymysql

from dataplat.demo.mariadb_install import create_data, did_not_start, find_server_program
from dataplat.demo.mariadb_instance import (
    LOOPBACK,
    Instance,
    choose_port,
    choose_socket,
    forget_socket,
    read_instance,
    render_accounts,
    write_instance,
    write_private,
)
from dataplat.errors import DemoError

START_DEADLINE_SECONDS = 60
STOP_DEADLINE_SECONDS = 60

ZERO_DATES_ALLOWED = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"


class PrivateMariaDB:
    """One server for one home folder. As a context manager it starts on entry and stops on exit.

    Args:
        home: The server lives in ``home/mariadb``; several processes may name the same home.
        buffer_pool: ``innodb_buffer_pool_size``.
        time_zone: ``default_time_zone``, as an offset; None is the zone of the machine.
        launcher: A command put before ``mariadbd`` that must become it. Tests tie its life to theirs.
    """

    def __init__(
        self,
        home: Path,
        *,
        buffer_pool: str = "512M",
        time_zone: str | None = "+08:00",
        launcher: Sequence[str] = (),
    ) -> None:
        self.folder = home.absolute() / "mariadb"
        self.error_log = self.folder / "error.log"
        self._record = self.folder / "instance.json"
        self._buffer_pool = buffer_pool
        self._time_zone = time_zone
        self._launcher = tuple(launcher)
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def instance(self) -> Instance:
        """How to reach the server. Raises DemoError when it was never started here."""
        recorded = read_instance(self._record)
        if recorded is None:
            raise DemoError(str(self.folder), "no MariaDB was ever started here", next_steps=["make demo"])
        return recorded

    def start(self, port: int = 0) -> Instance:
        """Start the server and return when it answers; 0 keeps the last port, or picks a free one.

        Raises:
            DemoError: A live server owns the folder, or it did not come up; then nothing is left running.
        """
        with self._alone():
            recorded = read_instance(self._record)
            if recorded and recorded.process():
                raise DemoError(
                    str(self.folder),
                    "a MariaDB server is already running here",
                    facts=[("found", f"process {recorded.pid}, port {recorded.port}")],
                    effect="it was left as it is",
                    next_steps=[f"kill {recorded.pid}"],
                )
            return self._launch(recorded, port)

    def ensure_running(self, port: int = 0) -> Instance:
        """Return the live server of this folder, starting one if there is none. Raises like start()."""
        with self._alone():
            recorded = read_instance(self._record)
            if recorded and recorded.process():
                return recorded
            return self._launch(recorded, port)

    def running(self) -> bool:
        """Say whether the server of this folder is alive, whoever started it."""
        recorded = read_instance(self._record)
        return recorded is not None and recorded.process() is not None

    def stop(self) -> None:
        """Stop the server, whoever started it, and return when it is gone; the data stays.

        A server that does not end within a minute is killed: its tables recover on the next start.
        """
        if not self.folder.is_dir():
            return
        with self._alone():
            recorded = read_instance(self._record)
            process = recorded.process() if recorded else None
            if process:
                process.terminate()
                try:
                    process.wait(STOP_DEADLINE_SECONDS)
                except psutil.TimeoutExpired:
                    process.kill()
                    process.wait()
            if self._child:
                self._child.wait()
                self._child = None
            if recorded:
                forget_socket(recorded, self.folder)

    def connect(self, user: str = "root", database: str | None = None, **options: Any) -> Any:
        """Return a PyMySQL connection over TCP as ``root`` or ``etl``; the caller closes it."""
        instance = self.instance
        password = {"root": instance.root_password, "etl": instance.etl_password}[user]
        return pymysql.connect(
            host=instance.host,
            port=instance.port,
            user=user,
            password=password,
            database=database,
            charset="utf8mb4",
            **options,
        )

    def __enter__(self) -> "PrivateMariaDB":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = filelock.FileLock(self.folder / "start.lock", timeout=2 * START_DEADLINE_SECONDS)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise DemoError(
                str(self.folder),
                "another process has been starting or stopping this MariaDB for two minutes",
                effect="nothing was started or stopped",
                next_steps=[f"less {self.error_log}"],
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _launch(self, recorded: Instance | None, port: int) -> Instance:
        server = find_server_program("mariadbd")
        data = self.folder / "data"
        if not data.is_dir():
            create_data(data, self.error_log)
        if recorded:
            forget_socket(recorded, self.folder)
        instance = replace(
            recorded or Instance(0, "", secrets.token_urlsafe(18), secrets.token_urlsafe(18)),
            port=port or choose_port(recorded.port if recorded else 0),
            socket=str(choose_socket(self.folder)),
            pid=0,
        )
        accounts = self.folder / "accounts.sql"
        write_private(accounts, render_accounts(instance))
        self.error_log.unlink(missing_ok=True)
        with self.error_log.open("ab") as log:
            child = subprocess.Popen(
                [*self._launcher, server, *self._options(instance, data, accounts)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal reaches the demo, and the demo stops us
            )
        self._child = child
        started = replace(instance, pid=child.pid, pid_started=psutil.Process(child.pid).create_time())
        write_instance(self._record, started)
        try:
            _wait_until_it_answers(started, child, self.error_log)
        except BaseException:
            child.kill()
            child.wait()
            self._child = None
            raise
        finally:
            accounts.unlink()
        return started

    def _options(self, instance: Instance, data: Path, accounts: Path) -> list[str]:
        scratch = self.folder / "tmp"
        scratch.mkdir(exist_ok=True)
        options = {
            "datadir": data,
            "tmpdir": scratch,
            "bind-address": LOOPBACK,
            "port": instance.port,
            "socket": instance.socket,
            "pid-file": self.folder / "mariadbd.pid",
            "init-file": accounts,
            "character-set-server": "utf8mb4",
            "collation-server": "utf8mb4_unicode_ci",
            "sql-mode": ZERO_DATES_ALLOWED,
            "innodb-buffer-pool-size": self._buffer_pool,
            "innodb-flush-log-at-trx-commit": 2,
            "max-connections": 200,
            "local-infile": 0,
        }
        if self._time_zone:
            options["default-time-zone"] = self._time_zone
        flags = ["--no-defaults", "--skip-log-bin", "--skip-name-resolve"]
        if os.geteuid() == 0:
            flags.append("--user=root")
        return flags + [f"--{name}={value}" for name, value in options.items()]


def _wait_until_it_answers(instance: Instance, child: subprocess.Popen[bytes], error_log: Path) -> None:
    for _ in range(START_DEADLINE_SECONDS * 20):
        if _logs_in(instance):
            return
        try:
            code = child.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
        raise did_not_start(error_log, f"mariadbd ended with code {code}")
    raise did_not_start(error_log, f"no answer within {START_DEADLINE_SECONDS} s")


def _logs_in(instance: Instance) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as probe:  # PyMySQL leaks its socket when nobody listens
            probe.connect(instance.socket)
        pymysql.connect(unix_socket=instance.socket, user="root", password=instance.root_password).close()
    except (OSError, pymysql.err.OperationalError):
        return False
    return True
