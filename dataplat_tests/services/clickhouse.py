"""A ClickHouse for the tests: a real engine behind an HTTP front of ours (``clickhouse_front``)."""

import os
import sys
import urllib.request
from pathlib import Path

from dataplat_tests.services.hdfs import DIRECT
from dataplat_tests.services.process import LOOPBACK, ServerProcess, free_port

PROJECT = Path(__file__).resolve().parents[2]


class ClickHouse:
    """One engine in one process: ``run`` carries out statements, ``port`` speaks HTTP."""

    host = LOOPBACK
    user = "auditor"
    password = "p@ss:w/ord"

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        module = "dataplat_tests.services.clickhouse_front"
        command = [
            sys.executable,
            "-m",
            module,
            str(self.port),
            str(home / "engine"),
            self.user,
            self.password,
        ]
        self._server = ServerProcess(
            "clickhouse",
            command,
            log=home / "clickhouse.log",
            environ={**os.environ, "PYTHONPATH": str(PROJECT)},
            answers=self._answers,
        )
        self.start, self.stop = self._server.start, self._server.stop

    def run(self, *statements: str) -> str:
        """Carry out statements and return what the last one answers."""
        found = ""
        for statement in statements:
            found = self._post(statement)
        return found

    def _post(self, statement: str) -> str:
        request = urllib.request.Request(
            f"http://{self.host}:{self.port}/", statement.encode(), method="POST"
        )
        request.add_header("X-ClickHouse-User", self.user)
        request.add_header("X-ClickHouse-Key", self.password)
        with DIRECT.open(request, timeout=60) as answer:
            return str(answer.read().decode())

    def _answers(self) -> bool:
        try:
            return self._post("SELECT 1") == "1\n"
        except OSError:
            return False
