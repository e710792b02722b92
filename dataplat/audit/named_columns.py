"""Columns that the configuration names, held against the columns that there are.

Where a table lists its columns this is known when the configuration is read. Where it takes ``"*"``, or where
SQL makes them, it is known when a load has asked: before anything is read. A ``sensitive`` column that is not
there is refused like any other: a misspelled one would leave the real one unmasked.
"""

from collections.abc import Iterator, Sequence

from dataplat.specs import AnyTable
from dataplat.specs.check_names import written_at
from dataplat.specs.problems import Loc, Problem, did_you_mean, spec_error


def require_named_columns(spec: AnyTable, columns: Sequence[str], partition_names: Sequence[str]) -> None:
    """Return if the table has every column that its key, ``sensitive`` and checks name.

    Args:
        spec: The table.
        columns: The columns it has.
        partition_names: Its partition columns; checks may read them.

    Raises:
        SpecError: With each name that is not there, by file and line. Nothing was read.
    """
    problems = [*_problems(spec, columns, partition_names)]
    if problems:
        raise spec_error(spec.declared.file.split("/")[0], problems)


def _problems(spec: AnyTable, columns: Sequence[str], partition_names: Sequence[str]) -> Iterator[Problem]:
    known = {name.lower() for name in columns}
    for loc, what, name in _named(spec):
        if name.lower() not in known and not (loc[0] == "checks" and name.lower() in partition_names):
            hint = did_you_mean(name, known)
            text = f"{what} '{name}', and {spec.table} has no such column{hint}"
            yield spec.declared.problem(loc, text)


def _named(spec: AnyTable) -> Iterator[tuple[Loc, str, str]]:
    for index, name in enumerate(spec.key):
        yield ("key", index), "the key is", name
    for index, name in enumerate(spec.sensitive):
        yield ("sensitive", index), "sensitive is", name
    for index, check in enumerate(spec.checks):
        for loc, name in check.columns_at():
            yield written_at(spec, index, check, loc), f"check {check.name} reads", name
