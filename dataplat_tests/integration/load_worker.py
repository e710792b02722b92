"""A load in a process of its own, which tells where it is and can be held or killed there.

Processes come from a fork server that has imported everything once: a killed load costs no start-up, and
nothing is forked from the test process with its threads.
"""

import multiprocessing
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from dataplat.errors import DataplatError
from dataplat.ledger import VersionState
from dataplat.lifecycle.load import load_partitions
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.report import Progress
from dataplat.lifecycle.stations import RunInfo
from dataplat.settings import read_settings

MOVING = "moving"  # the ledger knows that it is about to be published, the metastore does not
MOVED = "moved"  # the metastore points at the new version, the ledger does not know it
RECORDED = "recorded"  # the ledger knows it, the locks are still held
POINTS = ("plan", "stage", "count", "check", "publish", MOVING, MOVED, RECORDED)


@dataclass(frozen=True)
class Job:
    """What to load; ``hold_at`` is a point at which the load waits until it is told to go on."""

    environ: Mapping[str, str]
    table: str
    partitions: Sequence[str]
    hold_at: str = ""
    wait_seconds: float = 0


class LoadProcess:
    """One load under way. ``point`` waits for news, ``kill`` ends it as a crash would."""

    def __init__(self, job: Job) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        self._events, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=_work, args=(job, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def reaches(self, point: str) -> None:
        """Return when the load has come to ``point``. Raises AssertionError when it ends before."""
        while True:
            kind, *what = self._events.recv()
            if kind == "at" and what[0] == point:
                return
            assert kind == "at", f"the load ended before {point}: {what}"

    def go_on(self) -> None:
        self._events.send("go on")

    def ends_within(self, seconds: float) -> bool:
        self._process.join(seconds)
        return not self._process.is_alive()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._events.close()

    def result(self) -> dict[str, str]:
        """Return the verdict of each partition, or ``{"error": class, "text": message}``."""
        while True:
            kind, *what = self._events.recv()
            if kind == "at":
                continue
            self._process.join()
            self._events.close()
            return dict(what[0])


def _work(job: Job, events: Connection) -> None:
    with Platform.load(read_settings(job.environ), dict(job.environ)) as platform:

        def announce(point: str) -> None:
            events.send(("at", point))
            if point == job.hold_at:
                events.recv()

        _announce_publish(platform.ledger, announce)

        def listen(progress: Progress) -> None:
            announce(progress.step.value)

        with suppress(BrokenPipeError):
            events.send(("ended", _load(platform, job, listen)))


def _load(platform: Platform, job: Job, listen: Any) -> dict[str, str]:
    run = RunInfo("worker", "tests", "load_worker", job.wait_seconds)
    spec = platform.catalog.table(job.table)
    try:
        reports = list(load_partitions(platform, spec, job.partitions, run, listen))
    except DataplatError as error:
        return {"error": type(error).__name__, "text": str(error)}
    return {item.partition: str(item.verdict) for report in reports for item in report.partitions}


def _announce_publish(ledger: Any, announce: Any) -> None:
    publish, advance = ledger.publish, ledger.advance

    def advanced(table: str, version: str, keys: Any, to: VersionState, **more: Any) -> None:
        advance(table, version, keys, to, **more)
        if to is VersionState.PUBLISHING:
            announce(MOVING)

    def announced(*args: Any, **more: Any) -> Any:
        announce(MOVED)
        result = publish(*args, **more)
        announce(RECORDED)
        return result

    ledger.publish, ledger.advance = announced, advanced
