"""Engines for these tests: what a job needs to build one, sent to processes of their own as JSON."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dataplat.engine.conf import EngineHome
from dataplat.engine.session import SparkEngine
from dataplat.specs import EngineSpec

REPOSITORY = Path(__file__).parents[3]
JARS = Path(os.environ.get("DATAPLAT_JARS") or REPOSITORY / "jars" / "lib")
ZONE = "Asia/Shanghai"
SMALL = "700m"


@dataclass(frozen=True)
class Job:
    """An engine to build, and the source it reads when there is one."""

    home: str
    mode: str = "local"
    name: str = "default"
    remote: str | None = None
    conf: dict[str, str] = field(default_factory=dict)
    metastore: str | None = None
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    rows: int = 0

    @property
    def warehouse(self) -> str:
        return f"file://{self.home}/warehouse"

    def engine(self) -> SparkEngine:
        home = Path(self.home)
        spec = EngineSpec.model_validate(
            {
                "mode": self.mode,
                "remote": self.remote,
                "master": "local[2]",
                "driver_memory": SMALL,
                "conf": self.conf,
                "hive.metastore.uris": self.metastore,
            }
        )
        return SparkEngine(
            self.name,
            spec,
            EngineHome(home / "engine" / self.name, home / "metastore_db", self.warehouse, JARS, ZONE),
        )

    def text(self) -> str:
        return json.dumps(asdict(self))


def start_process(module: str, *arguments: str, environ: dict[str, str] | None = None) -> Any:
    """Start ``python -m dataplat_tests.contract.engine.<module>``; pipes in and out, unbuffered text."""
    return subprocess.Popen(
        [sys.executable, "-m", f"dataplat_tests.contract.engine.{module}", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Client:
    """A process that holds an engine, and does what it is told; see ``client``."""

    def __init__(self, job: Job, environ: dict[str, str] | None = None) -> None:
        self.process = start_process("client", job.text(), environ=environ)

    def send(self, command: str) -> None:
        """Tell it to begin; ``receive`` waits for the end."""
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()[-6000:]
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, command: str) -> Any:
        """Do it and return what came of it; fails when it ended in an error."""
        self.send(command)
        answer = self.receive()
        assert "ok" in answer, answer.get("text")
        return answer["ok"]

    def refuse(self, command: str) -> tuple[str, str]:
        """Do it and return the error's class and text; fails when there was none."""
        self.send(command)
        answer = self.receive()
        return answer["error"], answer["text"]

    def close(self) -> None:
        """End it at once: its server may be gone, and it would try for seconds to say good-bye."""
        self.process.kill()
        self.process.communicate()


def finish(process: Any, *, timeout: float = 240) -> dict[str, Any]:
    """Return the last line that a process printed, as JSON; fails with its last words if it has none."""
    out, err = process.communicate(timeout=timeout)
    assert process.returncode == 0, f"ended with {process.returncode}:\n{out[-2000:]}\n{err[-6000:]}"
    answer: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return answer
