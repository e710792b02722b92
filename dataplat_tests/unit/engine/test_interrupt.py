"""Interrupts wait until a call has returned; the engine is told to end it."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from dataplat.engine import interrupt
from dataplat.engine.interrupt import interrupts_kept_out


class Told:
    """Notes that it was told to end its work."""

    def __init__(self) -> None:
        self.times = 0
        self.told = threading.Event()

    def interruptAll(self) -> list[str]:
        self.times += 1
        self.told.set()
        return []


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setattr(interrupt, "_sessions", set())
    told = Told()
    interrupt._sessions.add(told)  # what is kept of a session
    return told


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def during(*steps: Callable[[], object]) -> None:
    with interrupts_kept_out():
        for step in steps:
            step()


def interrupt_us(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


def test_an_interrupt_is_raised_when_the_block_has_ended(session: Told) -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt):
        during(interrupt_us, session.told.wait, lambda: reached.append("end of the block"))
    assert reached == ["end of the block"]


def test_it_takes_the_place_of_the_error_of_the_work_that_was_ended(session: Told) -> None:
    def fail() -> None:
        raise ConnectionError("the operation was cancelled")

    with pytest.raises(KeyboardInterrupt) as caught:
        during(interrupt_us, session.told.wait, fail)
    assert isinstance(caught.value.__context__, ConnectionError)


def test_whoever_interrupts_twice_does_not_wait(session: Told) -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt):
        during(interrupt_us, interrupt_us, lambda: reached.append("end of the block"))
    assert reached == []


def test_the_handler_that_was_meant_hears_of_it_and_stays(session: Told) -> None:
    heard: list[int] = []

    def terminate(number: int, _: FrameType | None) -> None:
        heard.append(number)

    signal.signal(signal.SIGTERM, terminate)
    with interrupts_kept_out():
        interrupt_us(signal.SIGTERM)
        assert heard == []
    assert heard == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is terminate
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_block_within_a_block_adds_nothing(session: Told) -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt):
        during(lambda: during(interrupt_us), lambda: reached.append("end of the outer block"))
    assert reached == ["end of the outer block"]


def test_without_an_interrupt_nothing_is_told_and_nothing_has_changed(session: Told) -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts_kept_out():
        assert signal.getsignal(signal.SIGINT) is not before
    assert (signal.getsignal(signal.SIGINT), session.times) == (before, 0)


def test_another_thread_keeps_nothing_out(session: Told) -> None:
    handlers: list[object] = []

    def work() -> None:
        with interrupts_kept_out():
            handlers.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [before]


def test_an_engine_that_is_gone_needs_not_to_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(Told):
        def interruptAll(self) -> list[str]:
            super().interruptAll()
            raise ConnectionError("closed")

    gone = Gone()
    monkeypatch.setattr(interrupt, "_sessions", {gone})
    with pytest.raises(KeyboardInterrupt):
        during(interrupt_us, gone.told.wait)
    assert gone.times > 0
