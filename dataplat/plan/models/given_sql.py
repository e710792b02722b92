"""A model's SQL over the given rows of a test: the same text, with other names where it names its upstreams.

Only names change: ``ods.orders`` becomes the view that holds the test's rows, called ``orders`` as before,
and ``ods.orders.id`` becomes ``orders.id``. Everything else runs as it does in production, and whatever the
engine says of a place in this text leads back to the line of the file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from dataplat.plan.ddl import quote_identifier
from dataplat.plan.models.origins import Origins, replaced
from dataplat.plan.models.render import RenderedSql, position_at
from dataplat.plan.models.sql import parse_model_sql, table_name
from dataplat.specs.problems import Problem

_Edit = tuple[int, int, str]


@dataclass(frozen=True)
class GivenSql:
    """The SQL of one test, and the way back to the file of the model."""

    text: str
    rendered: RenderedSql
    spans: tuple[tuple[int, int, int], ...]

    def problem_at(self, line: int, column: int, text: str) -> Problem:
        """Return a problem with a place of the text: lines count from 1, columns from 0."""
        way_back = Origins(replaced(self.rendered.pieces, self.spans))
        origin = way_back.origin(position_at(self.text, line, column))
        return self.rendered.filled.source.problem(origin, text)


def over_given_rows(rendered: RenderedSql, views: Mapping[str, str]) -> GivenSql:
    """Return the SQL with views in place of tables.

    Args:
        rendered: What production runs.
        views: The view of each table, by database.table in lower case.

    Raises:
        SqlRefusedError: The SQL cannot be parsed.
    """
    done, text, spans = 0, [], []
    for start, end, new in sorted(_edits(parse_model_sql(rendered), rendered.text, views)):
        text += [rendered.text[done:start], new]
        spans.append((start, end, len(new)))
        done = end
    return GivenSql("".join([*text, rendered.text[done:]]), rendered, tuple(spans))


def _edits(tree: exp.Query, text: str, views: Mapping[str, str]) -> Iterator[_Edit]:
    for table in tree.find_all(exp.Table):
        view = views.get(table_name(table)) if isinstance(table.this, exp.Identifier) else None
        if view is not None:
            start, end = _start(table.parts[0]), _end(table.this)
            sampled = text[end:].lstrip()[:11].upper() == "TABLESAMPLE"  # Spark wants the name behind it
            alias = "" if table.alias or sampled else f" AS {quote_identifier(table.name)}"
            yield start, end, f"{quote_identifier(view)}{alias}"
    for column in tree.find_all(exp.Column):
        if column.args.get("db") is not None:
            yield _start(column.parts[0]), _start(column.args["table"]), ""


def _start(part: exp.Expr) -> int:
    return int(part.meta["start"])


def _end(part: exp.Expr) -> int:
    return int(part.meta["end"]) + 1
