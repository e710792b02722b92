"""What an engine refuses in the SQL of a model, told with the line of the model's file."""

from collections.abc import Callable

from dataplat.errors import EngineError, QueryRefusedError
from dataplat.specs.problems import Problem


def refused_at(error: QueryRefusedError, problem: Callable[[int, int, str], Problem]) -> EngineError:
    """Return the error with file, line and a caret in place of a position in SQL that nobody wrote.

    Args:
        error: What the engine said.
        problem: Leads from a line and a column of the SQL that ran to a place of the file.
    """
    place = problem(error.line or 1, error.column, "")
    shown = [place.at, *place.excerpt.split("\n")] if error.line else [place.file]
    return EngineError(
        error.subject,
        "Spark refuses the SQL",
        facts=[("found", error.reason), ("declared", "\n".join(shown))],
        effect=error.effect,
    )
