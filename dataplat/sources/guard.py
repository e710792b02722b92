"""Who is asked before connections of a source are opened outside a load, which asks for itself.

The one who starts a piece of work (a command, a sensor) sets the guard; whoever opens a source below it, in
the same thread, is counted, waits for its turn and gets the tag of its queries. Without a guard nothing is
counted: ``dataplat check --connect`` must answer also while every connection is taken.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from dataplat.specs import SourceSpec

# Gives so many connections of a source for a ``with`` block, and the tag of its queries.
Guard = Callable[[SourceSpec, int], AbstractContextManager[str]]

_guard: ContextVar[Guard | None] = ContextVar("dataplat_source_guard", default=None)


@contextmanager
def guarded_by(guard: Guard) -> Iterator[None]:
    """Let ``guard`` be asked in the block, in this thread."""
    before = _guard.set(guard)
    try:
        yield
    finally:
        _guard.reset(before)


def ask_guard(source: SourceSpec, connections: int) -> AbstractContextManager[str]:
    """Return what gives the connections and the tag; an empty tag at once where nobody guards."""
    guard = _guard.get()
    return guard(source, connections) if guard else nullcontext("")
