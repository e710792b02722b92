"""How a command that runs assets in its own process hears of their progress.

A run of the daemon has no listener. A command sets one for the time of the run; the in-process executor
runs assets in the same context, so nothing has to travel through Dagster's events.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataplat.errors import DataplatError, LoadInProgressError
from dataplat.lifecycle.report import Listener, LoadReport, ignore_progress

if TYPE_CHECKING:
    from dataplat.lifecycle.recheck import RecheckReport

INTERRUPTED = "interrupted: what was visible before is still visible"


@dataclass(frozen=True)
class Observer:
    """What a command wants to hear, and how long it is ready to wait for another load.

    Attributes:
        progress: Hears every step.
        report: Hears every read that ended.
        failed: Hears the error that ends an attempt, whether it is tried again or not.
        again: Hears the error of an attempt that is tried again, and after how many seconds.
        waiting: Hears for whom a place in the pool of a source is waited for.
        rechecked: Hears of every partition that was checked again.
        wait_seconds: For how long another load of the same partition is waited for.
        waits_once: Whether that is all the waiting: a person who said how long does not want retries.
        command: Shown to whoever finds the partition locked.
    """

    progress: Listener = ignore_progress
    report: Callable[[LoadReport], None] = lambda _: None
    failed: Callable[[DataplatError], None] = lambda _: None
    again: Callable[[DataplatError, float], None] = lambda _, __: None
    waiting: Callable[[str], None] = lambda _: None
    rechecked: "Callable[[RecheckReport], None]" = lambda _: None
    wait_seconds: float = 0
    waits_once: bool = False
    command: str = ""

    def may_retry(self, error: DataplatError) -> bool:
        """Say whether the same load may be tried again after ``error``."""
        return error.retryable and not (self.waits_once and isinstance(error, LoadInProgressError))


_CURRENT: ContextVar[Observer | None] = ContextVar("dataplat_observer", default=None)


def current_observer() -> Observer:
    """Return the observer of this run; one that ignores everything when nobody listens."""
    return _CURRENT.get() or Observer(wait_seconds=600, command="dagster")


@contextmanager
def observed_by(observer: Observer) -> Iterator[None]:
    """Let ``observer`` hear the runs that are executed inside the block."""
    token = _CURRENT.set(observer)
    try:
        yield
    finally:
        _CURRENT.reset(token)
