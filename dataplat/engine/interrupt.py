"""Interrupts kept out of gRPC, and answered by ending the work at the engine.

A signal's handler runs between any two steps of the main thread. gRPC's client does not survive an
exception that a handler raises inside it: a call is begun and not recorded, its thread dies with a
``KeyError``, and now and then the process with ``malloc(): mismatching next->prev_size``. While the client
works, an interrupt is therefore noted, the engine is told to stop what this process asked of it, and the
handler that was meant runs as soon as the call has returned.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any
from weakref import WeakSet

import grpc
from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # ships no types
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# gRPC raises ValueError where a channel is closed.
_GONE = (PySparkException, Py4JError, grpc.RpcError, ConnectionError, ValueError)
_AGAIN_SECONDS = 0.2
_LAST_CALL_SECONDS = 5

_sessions: WeakSet[SparkSession] = WeakSet()
_Handler = Callable[[int, FrameType | None], Any]


def ends_when_interrupted(session: SparkSession) -> None:
    """Remember a session of this process: an interrupt ends what it is doing."""
    _sessions.add(session)


@contextmanager
def interrupts_kept_out() -> Iterator[None]:
    """Run the handler of an interrupt that comes during the block when the block has ended, which is soon.

    The second interrupt is not kept: whoever sends it does not want to wait. Only in the main thread, where
    signals are handled, and only for handlers of Python; a block within a block adds nothing.

    Raises:
        BaseException: What the handler raises, in place of the error of the work that was ended.
    """
    noted = _Noted()
    if threading.current_thread() is not threading.main_thread() or not noted.listen():
        yield
        return
    try:
        yield
    finally:
        noted.answer()


class _Noted:
    """The handlers of a process, put aside for the time of a block."""

    def __init__(self) -> None:
        self._meant: dict[int, _Handler] = {}
        self._first: int | None = None
        self._over = threading.Event()
        self._ending: threading.Thread | None = None

    def listen(self) -> bool:
        """Take the place of the handlers; return whether there were any that are not ours already."""
        try:
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler) and not isinstance(getattr(handler, "__self__", None), _Noted):
                    self._meant[number] = handler
                    signal.signal(number, self._note)
        except BaseException:  # one of them was called before its place was taken
            self._put_back(list(self._meant.items()))
            raise
        return bool(self._meant)

    def answer(self) -> None:
        """Put the handlers back, and run the one that was called meanwhile."""
        self._over.set()
        self._put_back(list(self._meant.items()))
        if self._ending is not None:
            # What it sends last must not arrive during the next piece of work.
            self._ending.join(_LAST_CALL_SECONDS)
        if self._first is not None:
            self._meant[self._first](self._first, None)

    def _put_back(self, meant: list[tuple[int, _Handler]]) -> None:
        if meant:
            try:
                signal.signal(*meant[0])
            finally:  # it may be called at once
                self._put_back(meant[1:])

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._first is not None:
            self._meant[number](number, frame)
            return
        self._first = number
        self._ending = threading.Thread(target=self._end_work, name="dataplat-interrupt", daemon=True)
        self._ending.start()

    def _end_work(self) -> None:
        """Tell the engine until the block is left: what is asked in this moment may not have reached it."""
        while True:
            for session in list(_sessions):
                with suppress(*_GONE):
                    session.interruptAll()
            if self._over.wait(_AGAIN_SECONDS):
                return
