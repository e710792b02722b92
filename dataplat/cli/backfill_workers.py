"""The worker processes of a backfill: started when there is work, told what to do, heard, ended with us.

Processes and not threads, because an interrupt ends a process's run cleanly, wherever it is, and because one
that dies takes no other with it. They are no part of the terminal's group: Ctrl-C reaches the command, which
tells them.
"""

import contextlib
import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataplat.plan.backfills.schedule import Work

_LET_GO_SECONDS = 60


@dataclass(eq=False)
class Worker:
    """One process, and the run that it is busy with."""

    process: "subprocess.Popen[str]"
    log: Path
    work: Work | None = None
    is_ending: bool = False
    hears: threading.Thread | None = None

    def let_go(self) -> None:
        """Close what connects us to a process that has ended, or is to end when it notices."""
        with contextlib.suppress(BrokenPipeError):
            assert self.process.stdin is not None
            self.process.stdin.close()


@dataclass
class Workers:
    """Up to ``limit`` worker processes.

    Attributes:
        command: What is run for one.
        environ: Its environment.
        logs: Where what they print is kept, if they print anything.
        limit: How many there are at most.
    """

    command: tuple[str, ...]
    environ: Mapping[str, str]
    logs: Path
    limit: int
    _all: list[Worker] = field(default_factory=list)
    _events: "queue.SimpleQueue[tuple[Worker, dict[str, Any]]]" = field(default_factory=queue.SimpleQueue)

    @property
    def busy(self) -> list[Worker]:
        """Those that have something to do."""
        return [worker for worker in self._all if worker.work is not None]

    @property
    def has_room(self) -> bool:
        """Whether one more run can be given."""
        return len(self.busy) < self.limit

    def give(self, work: Work) -> None:
        """Give a run to a worker that is free, or to a new one."""
        free = (one for one in self._all if one.work is None and not one.is_ending)
        worker = next(free, None) or self._start()
        worker.work = work
        assert worker.process.stdin is not None
        order = json.dumps({"table": work.table, "keys": work.keys})
        try:
            print(order, file=worker.process.stdin, flush=True)
        except BrokenPipeError:  # it has ended; its last event says so
            return

    def listen(self) -> tuple[Worker, dict[str, Any]]:
        """Return the next event of any worker; ``{"event": "gone"}`` when its process has ended."""
        worker, event = self._events.get()
        if event["event"] == "broken":
            worker.is_ending = True
        if event["event"] == "gone":
            self._all.remove(worker)
            worker.let_go()
        return worker, event

    def close(self) -> None:
        """Let go of all workers: those that are idle end, those that are busy are interrupted first."""
        for worker in self._all:
            if worker.work is not None:
                worker.process.send_signal(signal.SIGINT)
            worker.let_go()
        for worker in self._all:
            try:
                worker.process.wait(_LET_GO_SECONDS)
            except (subprocess.TimeoutExpired, KeyboardInterrupt):  # who presses Ctrl-C twice does not wait
                worker.process.kill()
                worker.process.wait()
            assert worker.hears is not None
            worker.hears.join()
        for log in {worker.log for worker in self._all}:
            if log.exists() and not log.stat().st_size:
                log.unlink()
        self._all.clear()

    def _start(self) -> Worker:
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"backfill-worker-{len(self._all) + 1}.log"
        with log.open("a", encoding="utf-8") as stream:
            process = subprocess.Popen(
                self.command,
                env=dict(self.environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
                start_new_session=True,
            )
        worker = Worker(process, log)
        self._all.append(worker)
        worker.hears = threading.Thread(target=self._read, args=(worker,), daemon=True)
        worker.hears.start()
        return worker

    def _read(self, worker: Worker) -> None:
        assert worker.process.stdout is not None
        with worker.process.stdout:
            for line in worker.process.stdout:
                self._events.put((worker, json.loads(line)))
        worker.process.wait()
        self._events.put((worker, {"event": "gone"}))


def worker_command(plan: str, command: str) -> tuple[str, ...]:
    """Return how a worker of a plan is started."""
    return (sys.executable, "-m", "dataplat.cli.backfill_worker", plan, command)
