"""What a source says about itself, with the line of the table's file that asked for it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from dataplat.errors import QueryTooLongError, SourceError
from dataplat.sources.mysql_errors import time_limits
from dataplat.specs import SourceSpec


@contextmanager
def declared_at(place: str) -> Iterator[None]:
    """Add where it was declared to an error of the source that does not say so itself."""
    try:
        yield
    except SourceError as error:
        if any(label == "declared" for label, _ in error.facts):
            raise
        raise type(error)(
            error.subject,
            error.problem,
            facts=[*error.facts, ("declared", place)],
            effect=error.effect,
            next_steps=error.next_steps,
        ) from error


@contextmanager
def limits_told(sources: Iterable[SourceSpec]) -> Iterator[None]:
    """Add which limit it was to the error of an engine, which knows only that a query took too long."""
    try:
        yield
    except QueryTooLongError as error:
        raise QueryTooLongError(
            error.subject,
            error.problem,
            facts=[*error.facts, *time_limits(sources)],
            effect=error.effect,
            next_steps=error.next_steps,
        ) from error
