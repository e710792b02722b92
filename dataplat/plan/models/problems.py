"""What is wrong with a model's SQL, until somebody who knows the other models collects it."""

from collections.abc import Sequence

from dataplat.errors import SpecError
from dataplat.specs import ModelSpec
from dataplat.specs.problems import Problem, spec_error


class SqlRefusedError(Exception):
    """The SQL of one model cannot be used, for the reasons in ``problems``. Never reaches people as it is."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("; ".join(problem.message for problem in problems))


def as_spec_error(spec: ModelSpec, problems: Sequence[Problem]) -> SpecError:
    """Return the error that tells people about the problems of one model."""
    return spec_error(spec.declared.file.split("/")[0], problems)
