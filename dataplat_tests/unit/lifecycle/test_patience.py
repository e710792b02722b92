"""A source that went away is asked again, a few times, and nothing else is."""

import pytest

from dataplat.errors import EngineLostError, SourceBehindError, SourceError, SourceUnavailableError
from dataplat.lifecycle import patience
from dataplat.lifecycle.patience import patiently


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    taken: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", taken.append)
    return taken


def failing(*errors: Exception) -> tuple[list[int], "object"]:
    left, calls = list(errors), []

    def work() -> str:
        calls.append(1)
        if left:
            raise left.pop(0)
        return "read"

    return calls, work


def away(problem: str = "the connection was lost") -> SourceUnavailableError:
    return SourceUnavailableError("source market", problem)


def test_each_pause_is_told_and_twice_as_long(naps: list[float]) -> None:
    said: list[str] = []
    _, work = failing(away(), away("a lock at the source was not released in time"), away())
    assert patiently(work, tries=4, say=said.append) == "read"  # type: ignore[arg-type]
    assert said == [
        "the connection was lost, trying again in 2 s (2 of 4)",
        "a lock at the source was not released in time, trying again in 4 s (3 of 4)",
        "the connection was lost, trying again in 8 s (4 of 4)",
    ]
    assert naps == [2, 4, 8]


def test_the_last_error_is_the_one_that_is_raised() -> None:
    last = away("the server cannot be reached")
    calls, work = failing(away(), last, away())
    with pytest.raises(SourceUnavailableError) as caught:
        patiently(work, tries=2, say=lambda _: None)  # type: ignore[arg-type]
    assert caught.value is last
    assert len(calls) == 2


def test_no_pause_is_longer_than_a_minute(naps: list[float]) -> None:
    _, work = failing(*(away() for _ in range(8)))
    patiently(work, tries=9, say=lambda _: None)  # type: ignore[arg-type]
    assert max(naps) == patience.LONGEST_WAIT_SECONDS


@pytest.mark.parametrize("kind", [SourceError, SourceBehindError, EngineLostError])
def test_nothing_else_is_tried_again(kind: type[SourceError]) -> None:
    calls, work = failing(kind("source market", "no"))
    with pytest.raises(kind):
        patiently(work, tries=4, say=lambda _: None)  # type: ignore[arg-type]
    assert len(calls) == 1
