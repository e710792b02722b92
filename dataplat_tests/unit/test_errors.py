import inspect
import pickle

import pytest

from dataplat import errors
from dataplat.errors import AuditFailedError, DataplatError

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, DataplatError)]


def row_count_error(kind: type[DataplatError] = AuditFailedError) -> DataplatError:
    return kind(
        "ods.orders[2026-03-01]",
        "row count check failed",
        facts=[
            ("source", "1,204,331 rows"),
            ("target", "1,204,118 rows"),
            ("missing", "213, allowed 0\n(config/ods/orders.yaml:14)"),
        ],
        effect="nothing was published",
        next_steps=["dataplat diff ods.orders 2026-03-01", "dataplat load ods.orders --date 2026-03-01"],
    )


def test_a_message_is_subject_facts_effect_and_next() -> None:
    assert str(row_count_error()) == (
        "ods.orders[2026-03-01]: row count check failed\n"
        "  source    1,204,331 rows\n"
        "  target    1,204,118 rows\n"
        "  missing   213, allowed 0\n"
        "            (config/ods/orders.yaml:14)\n"
        "  effect    nothing was published\n"
        "  next      dataplat diff ods.orders 2026-03-01   or   dataplat load ods.orders --date 2026-03-01"
    )


def test_a_message_without_facts_is_one_line() -> None:
    assert str(DataplatError("ods.orders", "is gone")) == "ods.orders: is gone"


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_survives_a_pickle_whole(kind: type[DataplatError]) -> None:
    error = row_count_error(kind)
    again = pickle.loads(pickle.dumps(error))

    assert type(again) is kind
    assert (str(again), vars(again), again.retryable) == (str(error), vars(error), error.retryable)


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_says_when_it_is_for_and_can_be_a_key(kind: type[DataplatError]) -> None:
    assert kind.__doc__
    assert {row_count_error(kind): 1}


def test_only_what_may_pass_by_itself_is_worth_another_attempt() -> None:
    assert {kind.__name__ for kind in CLASSES if kind.retryable} == {
        "EngineLostError",
        "LoadInProgressError",
        "SourceBehindError",
        "SourceUnavailableError",
    }


def test_every_class_can_be_caught_as_the_one_root() -> None:
    own = [
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__
    ]

    assert [kind for kind in own if not issubclass(kind, DataplatError)] == []
