"""Dagster's web server as a person opens it (``dataplat demo --ui``), asked by GraphQL, and photographed."""

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dataplat_tests.e2e.shell import Shell
from dataplat_tests.services.process import LOOPBACK, ServerProcess, free_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]


class Web:
    """One web server with its daemon and code server, over one home."""

    def __init__(self, shell: Shell, log: Path) -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        command = ["dataplat", "demo", "--ui", "--port", str(self.port)]
        program = shutil.which(command[0], path=shell.environ["PATH"]) or command[0]
        self._server = ServerProcess(
            "dataplat demo --ui",
            [program, *command[1:]],
            log=log,
            environ=shell.environ,
            answers=self._definitions_are_loaded,
        )

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return self._server.log.read_text(errors="replace")

    def start(self) -> None:
        """Start and return when the definitions are loaded."""
        self._server.start(deadline_seconds=180)

    def stop(self) -> None:
        """End it as ``kill`` does, and return when it is gone."""
        self._server.stop(deadline_seconds=90)

    def ask(self, query: str, **variables: Any) -> Any:
        """Send a GraphQL query and return its data; errors fail the test."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def until(self, look: Callable[[], Any], *, deadline_seconds: float, wanted: str) -> Any:
        """Look again and again until there is something to see, or the deadline has passed."""
        deadline = time.monotonic() + deadline_seconds
        while time.monotonic() < deadline:
            if (seen := look()) is not None:
                return seen
            time.sleep(0.5)
        raise AssertionError(f"not within {deadline_seconds} s: {wanted}\n{self.log[-3000:]}")

    def photograph(self, path: str, file: Path, *, height: int) -> bytes:
        """Let a headless Chromium take a picture of a page, with a profile that is thrown away."""
        profile = file.with_suffix(".profile")
        size = f"--window-size=1400,{height}"
        subprocess.run(
            [
                *(str(CHROMIUM), *_QUIET, f"--user-data-dir={profile}", f"--screenshot={file}", size),
                *("--virtual-time-budget=15000", f"{self.url}{path}"),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        shutil.rmtree(profile, ignore_errors=True)
        return file.read_bytes()

    def _definitions_are_loaded(self) -> bool:
        try:
            data = self.ask(
                "{locationStatusesOrError{... on WorkspaceLocationStatusEntries{entries{loadStatus}}}}"
            )
        except (OSError, urllib.error.URLError):
            return False
        entries = data["locationStatusesOrError"]["entries"]
        return [entry["loadStatus"] for entry in entries] == ["LOADED"]


@contextmanager
def open_web(shell: Shell, log: Path) -> Iterator[Web]:
    """Give the UI over a home, started; it is stopped afterwards."""
    server = Web(shell, log)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def plain(text: str) -> str:
    """Return a log without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
