"""How a command that runs assets in its own process hears of their progress.

A run of the daemon has no listener. A command sets one for the time of the run; the in-process executor
runs assets in the same context, so nothing has to travel through Dagster's events.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from dataplat.lifecycle.report import Listener, LoadReport, ignore_progress


@dataclass(frozen=True)
class Observer:
    """What a command wants to hear, and how long it is ready to wait for another load."""

    progress: Listener = ignore_progress
    report: Callable[[LoadReport], None] = lambda _: None
    wait_seconds: float = 0
    command: str = ""


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
