"""What the system package brought: where MariaDB's programs are, and an empty data folder made by them."""

import os
import shutil
import subprocess
from pathlib import Path

from dataplat.errors import DemoError

SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin", "/usr/local/bin")


def find_server_program(name: str) -> str:
    """Return the path of a MariaDB program; /usr/sbin counts, although it is not on everybody's PATH.

    Raises:
        DemoError: It is not installed. The message holds the command that installs it.
    """
    path = shutil.which(name) or shutil.which(name, path=os.pathsep.join(SYSTEM_FOLDERS))
    if path is None:
        raise DemoError(
            "MariaDB",
            f"the program {name} is not installed",
            facts=[("expected", f"{name} on PATH or in {', '.join(SYSTEM_FOLDERS)}")],
            effect="nothing was started",
            next_steps=["make setup"],
        )
    return path


def create_data(data: Path, error_log: Path) -> None:
    """Make the data folder of a new server; it appears complete or not at all.

    Raises:
        DemoError: MariaDB's own program refused; the message ends with what it said.
    """
    unfinished = data.with_name("data.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [find_server_program("mariadb-install-db"), "--no-defaults", f"--datadir={unfinished}"]
    command += ["--auth-root-authentication-method=normal", "--skip-test-db"]
    if os.geteuid() == 0:
        command.append("--user=root")
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode != 0:
        error_log.write_bytes(result.stdout)
        raise did_not_start(error_log, f"mariadb-install-db ended with code {result.returncode}")
    unfinished.rename(data)


def did_not_start(error_log: Path, found: str) -> DemoError:
    """Return the error that ends with the last lines of the server's own log."""
    last_lines = error_log.read_text(errors="replace").splitlines()[-12:]
    return DemoError(
        "MariaDB",
        "the private server did not start",
        facts=[("found", found), ("log", "\n".join(last_lines))],
        effect="nothing is left running",
        next_steps=[f"less {error_log}"],
    )
