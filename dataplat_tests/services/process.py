"""Servers of the tests: started as our children, on loopback, ready by handshake, gone when the tests are.

A test run that is killed with -9 runs no fixture's teardown. On Linux the kernel then ends its servers:
``DIES_WITH_US`` is put before a server's command, asks the kernel for that, and becomes the server.
Asking in ``preexec_fn`` would hang sooner or later: our process has threads (hdfs-native's, gRPC's), and
after a fork Python code may wait for a lock that one of them held.
"""

import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

LOOPBACK = "127.0.0.1"
_BECOME_MORTAL = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
os.execvp(sys.argv[1], sys.argv[1:])
"""
DIES_WITH_US = (sys.executable, "-S", "-E", "-c", _BECOME_MORTAL) if sys.platform == "linux" else ()


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def accepts_connections(port: int) -> bool:
    """Say whether somebody listens on this loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=5).close()
    except OSError:
        return False
    return True


class ServerDidNotStartError(AssertionError):
    """A test's server ended, or did not answer in time; the text ends with its last log lines."""


class ServerProcess:
    """One server process that can be stopped, killed and started again with the same command.

    Args:
        name: What the error message calls it.
        command: Program and arguments.
        log: Its output; kept over restarts.
        environ: The whole environment of the process.
        answers: One attempt at a handshake; a server counts as started at the first True.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environ: Mapping[str, str],
        answers: Callable[[], bool],
    ) -> None:
        self.name = name
        self.log = log
        self._command = [*DIES_WITH_US, *command]
        self._environ = dict(environ)
        self._answers = answers
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id. Raises AssertionError when the server is not running."""
        assert self._child is not None, f"{self.name} is not running"
        return self._child.pid

    def running(self) -> bool:
        """Say whether the process is alive."""
        return self._child is not None and self._child.poll() is None

    def start(self, *, deadline_seconds: float = 90) -> None:
        """Start the process and return when it answers.

        Raises:
            ServerDidNotStartError: It ended, or did not answer in time. It was killed.
        """
        assert not self.running(), f"{self.name} is already running"
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _ in range(int(deadline_seconds * 10)):
            if self._answers():
                return
            try:
                code = self._child.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                continue
            raise ServerDidNotStartError(self._failure(f"ended with code {code}"))
        self.kill()
        raise ServerDidNotStartError(self._failure(f"did not answer within {deadline_seconds} s"))

    def stop(self, *, deadline_seconds: float = 30) -> None:
        """End the process with SIGTERM and return when it is gone; kill it when it does not obey."""
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(deadline_seconds)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child = None

    def kill(self) -> None:
        """End the process as a crash would (SIGKILL), and return when it is gone."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def _failure(self, how: str) -> str:
        last_lines = self.log.read_text(errors="replace").splitlines()[-25:]
        return "\n  ".join([f"{self.name} {how}; its log {self.log} ends:", *last_lines])


def listening_addresses(pid: int) -> set[str]:
    """Return the addresses on which a process listens, without ports."""
    connections = psutil.Process(pid).net_connections(kind="inet")
    return {entry.laddr.ip for entry in connections if entry.status == psutil.CONN_LISTEN}
