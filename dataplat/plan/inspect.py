"""What is wrong with a table's SQL, found without a server: column entries and date expressions.

``specs`` knows that ``columns`` is a list of texts; this knows what the texts mean. A mistake that needs
the source to be seen, such as a column that is not there, is found by the load or by ``check --connect``.
"""

from collections.abc import Iterator
from dataclasses import replace

from dataplat.plan.census import range_problem
from dataplat.plan.check_sql import inspect_checks
from dataplat.plan.columns import plan_columns
from dataplat.plan.dates import find_date_expressions
from dataplat.specs import TableSpec
from dataplat.specs.problems import Loc, Problem


def inspect_table(spec: TableSpec) -> Iterator[Problem]:
    """Yield every problem of a table's SQL texts, each with its line and a caret under the place."""
    yield from _column_problems(spec)
    for loc, text in _dated_texts(spec):
        for found in find_date_expressions(text):
            if found.problem is not None:
                shown = f"date expression {found.text} cannot be read: {found.problem}"
                yield spec.declared.problem(loc, shown)
    for index, text in enumerate(_expected_names(spec)):
        reason = range_problem(text)
        if reason is not None:
            yield spec.declared.problem(("from", "shards", "expect", index), reason)
    yield from inspect_checks(spec)


def _expected_names(spec: TableSpec) -> tuple[str, ...]:
    shards = spec.read_from.shards
    return shards.expect if shards and isinstance(shards.expect, tuple) else ()


def _column_problems(spec: TableSpec) -> Iterator[Problem]:
    if isinstance(spec.columns, str):
        return
    shards = spec.read_from.shards
    reserved = [shards.identity] if shards and shards.identity else []
    for problem in plan_columns([column.text for column in spec.columns], reserved).problems:
        found = spec.declared.problem(("columns", problem.index), problem.reason)
        caret = "" if problem.position is None else f"  {problem.text}\n  {' ' * problem.position}^"
        yield replace(found, excerpt=caret)


def _dated_texts(spec: TableSpec) -> Iterator[tuple[Loc, str]]:
    if spec.where:
        yield ("where",), spec.where
    if spec.read_from.shards:
        for index, text in enumerate(spec.read_from.shards.discover):
            yield ("from", "shards", "discover", index), text
        for index, text in enumerate(_expected_names(spec)):
            yield ("from", "shards", "expect", index), text
    if not isinstance(spec.columns, str):
        for index, column in enumerate(spec.columns):
            yield ("columns", index), column.text
