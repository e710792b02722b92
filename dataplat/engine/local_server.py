"""The one Spark Connect server of a machine, shared by every run and command.

Spark 4.3 brings the supervisor itself (``pyspark.sql.connect.local_server``): a discovery file under a
lock, a token, loopback only, and a new server when the recorded one is dead. dataplat adds where it
lives (under its own home, so that two homes do not share a catalog) and the static settings, which
the public opt-in ``spark.local.connect.reuse`` would also send to the session as noise. The functions
used here are internal to pyspark, which is pinned; ``dataplat_tests/contract`` notices a change.
"""

import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psutil
from pyspark.errors import PySparkException
from pyspark.sql.connect import local_server

from dataplat.engine.conf import EngineHome
from dataplat.errors import EngineError

_DISCOVERY = "connect.json"
_PORT = "spark.local.connect.server.port"


@dataclass(frozen=True)
class ServerStatus:
    """What is known of a local server without talking to it."""

    running: bool
    pid: int | None = None
    url: str | None = None
    memory_bytes: int | None = None


def ensure_server(home: EngineHome, master: str, conf: Mapping[str, str], python: str = "") -> str:
    """Return the ``sc://`` address of the running server, starting one when none is alive.

    Several processes may call this at once: one starts it, the others wait. The token to
    authenticate with is left in this process's environment, where pyspark looks for it.

    Args:
        home: Where the server keeps what it owns.
        master: Spark's master.
        conf: Settings that it can only take when it starts.
        python: What its Python workers are; without it the first ``python3`` of PATH.

    Raises:
        EngineError: When the server does not come up; the message points at its log.
    """
    with _environment(home, {"PYSPARK_PYTHON": python} if python else {}):
        _forget_killed(home)
        looked_alive = server_status(home).running
        try:
            return local_server.reuse_or_start_local_connect_server(master, {_PORT: _free_port(), **conf})
        except (PySparkException, subprocess.SubprocessError, OSError) as error:
            if looked_alive and not server_status(home).running:  # killed while we asked
                return ensure_server(home, master, conf, python)
            raise EngineError(
                "engine",
                "the local Spark server did not start",
                facts=[("found", str(error)), ("log", _last_log_lines(home))],
                effect="nothing was read or written",
                next_steps=["dataplat engine stop", "dataplat engine start"],
            ) from error


def _free_port() -> str:
    """Return a port for a server that may have to be started.

    Left to itself pyspark takes 15002 where nobody listens yet. A server needs seconds until it does, and of
    two homes that start one at the same time, one would take the other's for its own.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def stop_server(home: EngineHome) -> bool:
    """Stop the recorded server; return whether there was one. Work in it is lost, nothing visible is."""
    if not (home.directory / _DISCOVERY).exists():
        return False
    pid = server_status(home).pid
    with _environment(home):
        stopped = bool(local_server.stop_local_connect_server())
    if stopped and pid is not None and psutil.pid_exists(pid):
        psutil.wait_procs([psutil.Process(pid)], timeout=30)
    return stopped


def server_status(home: EngineHome) -> ServerStatus:
    """Read the discovery file; a recorded process that is no Spark server counts as not running."""
    try:
        recorded = json.loads((home.directory / _DISCOVERY).read_text())
        pid = int(recorded["pid"])
        if not _is_live_server(pid):
            return ServerStatus(running=False)
        memory = psutil.Process(pid).memory_info().rss
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return ServerStatus(running=False)
    return ServerStatus(True, pid, f"sc://{recorded['host']}:{recorded['port']}", memory)


def _is_live_server(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and "SparkConnectServer" in " ".join(
            process.cmdline()
        )
    except psutil.Error:
        return False


def _forget_killed(home: EngineHome) -> None:
    """Clear the record of a server that has ended.

    A killed server that nobody has waited for yet is still a process. pyspark would hand out its address,
    and Spark's own script would refuse to start another one beside it.
    """
    with local_server.Discovery(str(home.directory / _DISCOVERY)) as discovery:
        recorded = discovery.load()
        pid = recorded["pid"] if recorded else discovery.daemon_pid()
        if pid is not None and not _is_live_server(pid):
            discovery.clear()


def make_engine_home(home: EngineHome) -> None:
    """Make the folders that a Spark process writes to, for their owner alone."""
    for folder in (home.directory, home.scratch):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


@contextmanager
def _environment(home: EngineHome, further: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    make_engine_home(home)
    ours = {
        **further,
        "SPARK_LOCAL_CONNECT_DISCOVERY": str(home.directory / _DISCOVERY),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_CONF_DIR": str(home.directory),
    }
    before = {key: os.environ.get(key) for key in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


def _last_log_lines(home: EngineHome, lines: int = 3) -> str:
    logs = sorted((home.directory / "logs").glob("*.out"), key=lambda path: path.stat().st_mtime)
    if not logs:
        return f"{home.directory}/logs (empty)"
    found = Path(logs[-1]).read_text(errors="replace").strip().splitlines()
    return "\n".join([str(logs[-1]), *found[-lines:]])
