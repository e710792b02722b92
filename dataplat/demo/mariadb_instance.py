"""What is remembered of a private MariaDB between two starts: where it answers, and who may log in.

The record is ``instance.json``, readable by its owner alone because it holds both passwords. Process id
and start time together name the server: a recycled process id is no match, and is never signalled.
"""

import json
import os
import shutil
import socket
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from dataplat.errors import DemoError

LOOPBACK = "127.0.0.1"
LONGEST_SOCKET_PATH = 100  # the kernel's limit is 107 bytes on Linux and 103 on macOS


@dataclass(frozen=True)
class Instance:
    """How to reach the server; ``pid`` is 0 before the first start."""

    port: int
    socket: str
    root_password: str = field(repr=False)
    etl_password: str = field(repr=False)
    pid: int = 0
    pid_started: float = 0.0
    host: str = LOOPBACK
    etl_user: str = "etl"

    def process(self) -> psutil.Process | None:
        """Return the live server process, or None when it ended or its id belongs to another one now."""
        if self.pid == 0:
            return None
        try:
            process = psutil.Process(self.pid)
            alive = process.create_time() == self.pid_started and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if alive else None


def read_instance(record: Path) -> Instance | None:
    """Return the recorded instance, or None when no server was ever started here.

    Raises:
        DemoError: The file is something else. Nothing was changed.
    """
    try:
        return Instance(**json.loads(record.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise DemoError(
            str(record),
            "this is no record of a private MariaDB",
            facts=[("found", str(error))],
            effect="nothing was started or stopped",
            next_steps=[f"rm -r {record.parent}, which holds only this server's tables"],
        ) from error


def write_instance(record: Path, instance: Instance) -> None:
    """Replace the record in one step, readable by its owner alone."""
    write_private(record, json.dumps(asdict(instance), indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step by one that only its owner can read, at no moment more than that."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.replace(path)


def render_accounts(instance: Instance) -> str:
    """Return SQL that leaves exactly two accounts, one statement a line: an init file knows no other form.

    ``etl`` may read and nothing else. The server runs this before it accepts the first login.
    """
    lines = [
        "DELETE FROM mysql.global_priv WHERE User NOT IN ('root', 'etl', 'mariadb.sys');",
        "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost';",
        "FLUSH PRIVILEGES;",
    ]
    for host in ("localhost", LOOPBACK):
        root, etl = f"'root'@'{host}'", f"'{instance.etl_user}'@'{host}'"
        lines += [
            f"CREATE USER IF NOT EXISTS {root};",
            f"ALTER USER {root} IDENTIFIED BY '{instance.root_password}';",
            f"GRANT ALL PRIVILEGES ON *.* TO {root} WITH GRANT OPTION;",
            f"CREATE OR REPLACE USER {etl} IDENTIFIED BY '{instance.etl_password}';",
            f"GRANT SELECT, SHOW VIEW, EXECUTE, PROCESS ON *.* TO {etl};",
        ]
    return "\n".join(lines) + "\n"


def choose_socket(folder: Path) -> Path:
    """Return a path for the socket file: in the folder, or in a new temporary one when that is too long."""
    path = folder / "s.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    return Path(tempfile.mkdtemp(prefix="dataplat-mariadb-")) / "s.sock"


def forget_socket(instance: Instance, folder: Path) -> None:
    """Remove the temporary folder that choose_socket made for a server that has ended, if it made one."""
    made = Path(instance.socket).parent
    if made != folder and made.name.startswith("dataplat-mariadb-"):
        shutil.rmtree(made, ignore_errors=True)


def choose_port(preferred: int) -> int:
    """Return the preferred loopback port if it is free, else any free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((LOOPBACK, preferred))
        except OSError:
            probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
