"""A source that went away is asked again, here and for the interrupted read alone.

Each attempt is a whole life of its partitions: a version of its own, counted before and after, so that
nothing of the first attempt is in the second and the counts are as exact as if there had been one. The
version that was given up is abandoned in the ledger, and its files are collected like others. Whatever
else fails is for ``orchestration`` to repeat.
"""

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from dataplat.errors import DataplatError, SourceBehindError, SourceUnavailableError

T = TypeVar("T")
FIRST_WAIT_SECONDS = 2
LONGEST_WAIT_SECONDS = 60


def patiently(work: Callable[[], T], *, tries: int, say: Callable[[str], None]) -> T:
    """Do ``work`` until it succeeds, at most ``tries`` times; the pause doubles. ``say`` hears of each pause.

    Raises:
        SourceUnavailableError: The last attempt's, when there are no more.
    """

    def announce(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        problem = error.problem if isinstance(error, DataplatError) else str(error)
        seconds = state.next_action.sleep if state.next_action else 0
        say(f"{problem}, trying again in {seconds:g} s ({state.attempt_number + 1} of {tries})")

    retrying = Retrying(
        retry=retry_if_exception(_went_away),
        stop=stop_after_attempt(tries),
        wait=wait_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS),
        before_sleep=announce,
        reraise=True,
    )
    return retrying(work)


def _went_away(error: BaseException) -> bool:
    """Whether asking again may help; a replica that is behind has been waited for already."""
    return isinstance(error, SourceUnavailableError) and not isinstance(error, SourceBehindError)
