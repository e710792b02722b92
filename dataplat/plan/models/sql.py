"""The SQL of a model as a tree: exactly one SELECT, in Spark's dialect.

dataplat writes the rows itself, so a model that inserts, creates or does two things is refused. Names are
folded to lower case in the tree, as Hive sees them; the text that runs is left as it was written.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import cast

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.dialects.spark import Spark
from sqlglot.errors import ParseError, TokenError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.tokenizer_core import Token, TokenType

from dataplat.plan.models.problems import SqlRefusedError
from dataplat.plan.models.render import RenderedSql
from dataplat.plan.models.spark_functions import SPARK_FUNCTIONS
from dataplat.specs.problems import Problem

_UNCLOSED = re.compile(r"Missing (?P<what>.+) from [0-9]+:(?P<position>[0-9]+)")
_BEGINNINGS = (TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN, TokenType.FROM)
_HINTS = {"BROADCAST", "BROADCASTJOIN", "MAPJOIN", "MERGE", "MERGEJOIN", "SHUFFLEMERGE", "SHUFFLE_HASH",
          "SHUFFLE_REPLICATE_NL"}  # fmt: skip
_ONE_SELECT = "a model is one SELECT, and dataplat writes its rows"


def parse_model_sql(rendered: RenderedSql) -> exp.Query:
    """Return the tree of a model's SQL.

    Raises:
        SqlRefusedError: It cannot be parsed, or is anything but one SELECT.
    """
    tokens = _tokens(rendered)
    _refuse_second_statement(rendered, tokens)
    statement = [token for token in tokens if token.token_type is not TokenType.SEMICOLON]
    if not statement:
        raise SqlRefusedError(rendered.problem(0, f"{_ONE_SELECT}; found nothing"))
    if statement[0].token_type not in _BEGINNINGS:
        raise SqlRefusedError(_no_select(rendered, statement[0]))
    try:
        trees = [tree for tree in _spark().parser().parse(statement, rendered.text) if tree is not None]
    except ParseError as error:
        raise SqlRefusedError(rendered.problem(*_refused_place(rendered.text, error))) from error
    except RecursionError as error:
        text = "this SQL is nested too deeply to be read"
        raise SqlRefusedError(rendered.problem(statement[0].start, text)) from error
    tree = trees[0] if trees else None
    if not isinstance(tree, exp.Query):
        raise SqlRefusedError(_no_select(rendered, statement[0]))
    return normalize_identifiers(tree, dialect="spark")


def position_of(node: exp.Expr) -> int:
    """Return where a node begins in the text it was parsed from: at the first of its words."""
    return min((cast(int, part.meta["start"]) for part in node.walk() if "start" in part.meta), default=0)


def table_name(table: exp.Table) -> str:
    """Return database.table in lower case, or the name alone if it has no database."""
    return f"{table.db}.{table.name}" if table.db else table.name


def conjuncts(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    """Yield the parts of a condition that all must hold."""
    if condition is None:
        return
    inner = condition.unnest()
    if isinstance(inner, exp.And):
        yield from conjuncts(inner.left)
        yield from conjuncts(inner.right)
    else:
        yield inner


def own_columns(select: exp.Select) -> Iterator[exp.Column]:
    """Yield the columns that a SELECT names itself, not those of subqueries and of what it reads from."""
    for key, value in select.args.items():
        for item in value if isinstance(value, list) else [value]:
            node = item.args.get("on") if key == "joins" else item
            if key in ("from_", "with_") or not isinstance(node, exp.Expr):
                continue
            for part in node.walk(prune=lambda part: isinstance(part, exp.Query | exp.Column)):
                if isinstance(part, exp.Column) and not part.is_star:
                    yield part


@lru_cache(maxsize=1)
def _spark() -> Dialect:
    """Return Spark's dialect without the functions that the parser brings from other databases.

    They would be read with the arguments that they have there: ``parse_ip`` of Snowflake takes two.
    """
    parser = Spark.Parser
    functions = {name: build for name, build in parser.FUNCTIONS.items() if name.lower() in SPARK_FUNCTIONS}
    parsers = {
        name: parse
        for name, parse in parser.FUNCTION_PARSERS.items()
        if name.lower() in SPARK_FUNCTIONS or name in _HINTS
    }
    narrowed = type("Parser", (parser,), {"FUNCTIONS": functions, "FUNCTION_PARSERS": parsers})
    return cast(Dialect, type("SparkOnly", (Spark,), {"Parser": narrowed})())


def _tokens(rendered: RenderedSql) -> list[Token]:
    try:
        return _spark().tokenize(rendered.text)
    except TokenError as error:
        found = _UNCLOSED.search(str(error.__cause__ or error))
        if found is None:
            position = max(rendered.text.rfind("/*"), 0)
            raise SqlRefusedError(rendered.problem(position, "this is never closed")) from error
        text = f"{found['what']} is never closed"
        raise SqlRefusedError(rendered.problem(int(found["position"]), text)) from error


def _refuse_second_statement(rendered: RenderedSql, tokens: list[Token]) -> None:
    ended = False
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            ended = True
        elif ended:
            raise SqlRefusedError(rendered.problem(token.start, f"{_ONE_SELECT}; a second statement begins"))


def _no_select(rendered: RenderedSql, token: Token) -> Problem:
    return rendered.problem(token.start, f"{_ONE_SELECT}; found {token.text.upper()}")


def _refused_place(text: str, error: ParseError) -> tuple[int, str]:
    found = error.errors[0]
    line, column, word = found["line"] or 1, found["col"] or 1, found["highlight"] or ""
    lines = text.split("\n")
    start = sum(len(before) + 1 for before in lines[: line - 1]) + column - len(word)
    why = (found["description"] or "").removeprefix("Invalid expression / ").rstrip(". ")
    shown = word if word.startswith("'") else f"'{word}'"
    return start, f"this SQL cannot be parsed: {why[:1].lower()}{why[1:]} at {shown}"
