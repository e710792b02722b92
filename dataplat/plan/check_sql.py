"""The SQL that people write in checks: filled in for one partition, and judged before anything runs.

The variables are those of models (``plan.models.render``), whatever kind of table declares the check; in a
query there is ``staged`` too, the rows of the partition, to stand after FROM. It is a query in brackets, so
it may be given an alias: ``FROM {{ staged }} s``.
"""

from collections.abc import Collection, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from dataplat.plan.dates import find_date_expressions, render_dates
from dataplat.plan.grains import partition_key, wall_start
from dataplat.plan.models.problems import SqlRefusedError
from dataplat.plan.models.render import template_values
from dataplat.plan.models.template import SqlFile, fill_template
from dataplat.specs import AnyTable, CheckSpec, ModelSpec, ShareCheck, SqlCheck
from dataplat.specs.problems import Loc, Problem, path_text, spec_error

_ANY_ROWS = "(SELECT 1)"


def render_check_sql(
    spec: AnyTable, check: CheckSpec, field: str, text: str, partition: str, staged: str | None = None
) -> str:
    """Return the text of one key of a check for one partition, without a semicolon at its end.

    Args:
        spec: The table.
        check: The check.
        field: The key that holds the text.
        text: What it holds.
        partition: A canonical key of the table's grain.
        staged: What ``{{ staged }}`` stands for; None where there is no such variable.

    Raises:
        SpecError: With file and line: an unknown variable, a template or date expression that cannot be
            read. Nothing was run.
    """
    try:
        return _render(spec, check, field, text, partition, staged)
    except SqlRefusedError as refused:
        raise spec_error(spec.declared.file.split("/")[0], refused.problems) from refused


def inspect_checks(spec: AnyTable) -> Iterator[Problem]:
    """Yield every problem of the SQL in a table's checks that is seen without an engine."""
    first = partition_key(spec.window.start, spec.window.grain) if spec.window.start else "2026-01-01"
    for check in spec.checks:
        if isinstance(check, SqlCheck):
            yield from _inspect(spec, check, "query", check.query, first, _ANY_ROWS)
        elif isinstance(check, ShareCheck) and check.where:
            yield from _inspect(spec, check, "where", check.where, first, None)


def tables_read(query: str) -> frozenset[str]:
    """Return the tables that a query names with their database, in lower case; none if it cannot be read."""
    tree = _parse(query)
    names = tree.find_all(exp.Table) if tree else ()
    return frozenset(f"{table.db}.{table.name}".lower() for table in names if table.db)


def may_show(query: str, hidden: Collection[str]) -> bool:
    """Return whether values of the columns ``hidden`` cannot come out of a query under another name.

    It errs on the side of no: a query that names one of them anywhere, gives columns new names by position
    or cannot be read may show it.
    """
    if not hidden:
        return True
    tree = _parse(query)
    if tree is None or tree.find(exp.SetOperation, exp.Pivot):
        return False
    folded = {name.lower() for name in hidden}
    if any(name.name.lower() in folded for name in tree.find_all(exp.Identifier)):
        return False
    renamed = any(alias.args.get("columns") for alias in tree.find_all(exp.TableAlias))
    stars = [isinstance(star.parent, exp.Select | exp.Count | exp.Column) for star in tree.find_all(exp.Star)]
    return all(stars) and not renamed


def _parse(query: str) -> exp.Expr | None:
    try:
        return sqlglot.parse_one(query, dialect="spark")
    except (SqlglotError, RecursionError):
        return None


def _inspect(
    spec: AnyTable, check: CheckSpec, field: str, text: str, partition: str, staged: str | None
) -> Iterator[Problem]:
    try:
        rendered = _render(spec, check, field, text, partition, staged)
    except SqlRefusedError as refused:
        yield from refused.problems
        return
    loc = _loc(spec, check, field)
    try:
        trees = sqlglot.parse(rendered if staged else f"SELECT * WHERE {rendered}\n", dialect="spark")
    except (SqlglotError, RecursionError) as error:
        place = ": it is never closed"
        if isinstance(error, ParseError) and error.errors:
            place = f", at '{error.errors[0].get('highlight')}'"
        yield spec.declared.problem(loc, f"this SQL cannot be parsed{place}")
        return
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        yield spec.declared.problem(loc, "expected one SELECT" if staged else "expected one condition")


def _render(
    spec: AnyTable, check: CheckSpec, field: str, text: str, partition: str, staged: str | None
) -> str:
    # The variables need of a model what every table has: its name, grain and partition format.
    like_a_model = ModelSpec.model_construct(
        table=spec.table, grain=spec.window.grain, partition=spec.partition
    )
    values = template_values(like_a_model, partition) | ({"staged": staged} if staged else {})
    loc = _loc(spec, check, field)
    try:
        filled = fill_template(SqlFile(spec.declared.file, text), values).text
    except SqlRefusedError as refused:
        raise SqlRefusedError(*(_placed(spec, loc, problem) for problem in refused.problems)) from refused
    for found in find_date_expressions(filled):
        if found.problem is not None:
            shown = f"date expression {found.text} cannot be read: {found.problem}"
            raise SqlRefusedError(spec.declared.problem(loc, shown))
    return render_dates(filled, wall_start(partition, spec.window.grain)).strip().removesuffix(";")


def _placed(spec: AnyTable, loc: Loc, problem: Problem) -> Problem:
    place = spec.declared.line(*loc)
    return Problem(spec.declared.file, place, path_text(loc), problem.text, problem.excerpt)


def _loc(spec: AnyTable, check: CheckSpec, field: str) -> Loc:
    index = next(index for index, one in enumerate(spec.checks) if one.name == check.name)
    return ("checks", index, check.kind, field)
