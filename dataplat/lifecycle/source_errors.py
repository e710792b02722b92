"""What a source says about itself, with the line of the table's file that asked for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from dataplat.errors import SourceError


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
