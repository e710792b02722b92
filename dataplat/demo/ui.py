"""Dagster's web server and daemon over a home, for as long as somebody looks at it.

``dagster dev`` has four children of its own. A terminal's Ctrl-C reaches all of them; a signal that is sent
to us alone does not, and a ``dagster dev`` that is killed leaves them running. So we take the signal, ask
``dagster dev`` to end, and end what is left of its family.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import psutil

from dataplat.errors import DemoError
from dataplat.settings import Settings

LOOPBACK = "127.0.0.1"
_PATIENCE_SECONDS = 30


def serve_ui(settings: Settings, environ: Mapping[str, str], port: int) -> int:
    """Serve the UI until it ends or this process is interrupted or terminated; return the exit code.

    Runs that the UI started are interrupted with it: Dagster marks them as canceled or failed, and what was
    visible stays visible. Nothing of Dagster is running afterwards.
    """
    variables = {
        "DAGSTER_HOME": str(settings.dagster_home),
        "DATAPLAT_HOME": str(settings.home),
        "DATAPLAT_CONFIG": str(settings.config_dir),
        # It recommends `dg dev`, which is a development tool and not installed with dataplat.
        "PYTHONWARNINGS": "ignore:Function `dev_command` is superseded",
    }
    program = str(Path(sys.executable).parent / "dagster")
    where = ["--host", LOOPBACK, "--port", str(port)]
    command = [program, "dev", "--module-name", "dataplat.definitions", *where]
    with _terminated_like_interrupted():
        child = subprocess.Popen(command, env={**environ, **variables})
        try:
            return child.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            _end_family(child)


def require_free_port(port: int) -> None:
    """Say clearly that the UI's port is taken.

    Raises:
        DemoError: Somebody listens there. Nothing was started.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise DemoError(
                f"{LOOPBACK}:{port}",
                "the UI's port is in use",
                facts=[("found", error.strerror or str(error))],
                effect="nothing was started",
                next_steps=[f"dataplat demo --ui --port {port + 1}"],
            ) from error


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end_family(child: "subprocess.Popen[bytes]") -> None:
    try:
        family = psutil.Process(child.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
    try:
        child.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    _, left = psutil.wait_procs(family, timeout=5)
    for process in left:
        if process.is_running() and process.pid != os.getpid():
            process.kill()
    psutil.wait_procs(left, timeout=5)
