"""Judge one column entry: is it a single MySQL expression that only reads, and what is it called?

The text is parsed to be judged, never written anew: what is sent is what was written. Positions in a
refusal are characters of the entry, so that a caret can be put under the place.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import Dialect, TokenType, exp, parse
from sqlglot.errors import ParseError, SqlglotError, TokenError

_LEAD = "SELECT "
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_BARE_AS = re.compile(rf"(?P<name>{_BARE.pattern})\s+AS\s+(?P<alias>{_BARE.pattern})", re.IGNORECASE)
_DATE_EXPRESSION = re.compile(r"\$\[[^\]]*\]")
_MYSQL = Dialect.get_or_raise("mysql")
_ACTING_FUNCTIONS = frozenset(
    {
        "benchmark",
        "get_lock",
        "lastval",
        "load_file",
        "master_gtid_wait",
        "master_pos_wait",
        "nextval",
        "release_all_locks",
        "release_lock",
        "setval",
        "sleep",
        "sys_eval",
        "sys_exec",
    }
)


class RefusedError(Exception):
    """An entry that is not read, with the character where the reason is (None: all of it)."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position


@dataclass(frozen=True)
class Expression:
    """A judged entry: its text without the alias, the name it gives itself, the column it is (or None)."""

    sql: str
    name: str
    column: str | None


@dataclass(frozen=True)
class _Word:
    kind: TokenType
    text: str
    start: int
    end: int
    commented: bool


def read_expression(text: str) -> Expression:
    """Return what a column entry asks for.

    Raises:
        RefusedError: If it is not exactly one expression, would not only read, or has no name.
    """
    if _BARE.fullmatch(text.strip()):
        return _column(text.strip(), text.strip())
    judged = _DATE_EXPRESSION.sub(lambda match: "0" * len(match[0]), one_line(text))
    words = _words(judged)
    try:
        tree = _parse(judged, words)
    except RefusedError:
        bare = _BARE_AS.fullmatch(judged.strip())
        if bare is None:
            raise
        return _column(bare["name"], bare["alias"])
    _refuse_writing(tree, words)
    _refuse_other_rows(tree, words)
    return _named(text, judged, tree, words)


def one_line(text: str) -> str:
    """Return the text with every line break as a blank; positions stay the same."""
    return "".join(" " if character in "\r\n\t\v\f" else character for character in text)


def _column(name: str, alias: str) -> Expression:
    return Expression(f"`{name}`", alias, name)


def _named(text: str, judged: str, tree: exp.Expr, words: Sequence[_Word]) -> Expression:
    bare = tree.unalias()
    column = bare.name if isinstance(bare, exp.Column) else None
    if isinstance(tree, exp.Alias):
        last = words[-3] if words[-2].kind is TokenType.ALIAS else words[-2]
        sql, name = text[: last.end].strip(), tree.alias
    elif column is not None:
        sql, name = text.strip(), column
    else:
        raise RefusedError(
            f'an expression needs a name: write "{judged.strip()} AS some_name"', words[0].start
        )
    if isinstance(bare, exp.Column) and not bare.this.args.get("quoted"):
        sql = f"`{bare.name}`"
    return Expression(sql, name, column)


def _words(judged: str) -> Sequence[_Word]:
    if not judged.strip():
        raise RefusedError("the entry is empty")
    try:
        tokens = _MYSQL.tokenize(_LEAD + judged)
    except TokenError as error:
        opened = max(judged.rfind(mark) for mark in "'\"`")
        raise RefusedError("a quote is opened and never closed", max(opened, 0)) from error
    lead = len(_LEAD)
    words = [_Word(t.token_type, t.text, t.start - lead, t.end + 1 - lead, bool(t.comments)) for t in tokens]
    commented = next((word for word in words if word.commented or word.kind is TokenType.HINT), None)
    if commented is not None:
        place = commented.start if commented.kind is TokenType.HINT else max(commented.end, 0)
        raise RefusedError("a comment is not allowed in a column", min(place, len(judged) - 1))
    return _refuse_words(words[1:], judged)


def _refuse_words(words: Sequence[_Word], judged: str) -> Sequence[_Word]:
    opened: list[_Word] = []
    for word in words:
        if word.kind is TokenType.SEMICOLON:
            raise RefusedError("';' is not allowed: an entry is one expression", word.start)
        if word.kind is TokenType.COLON_EQ:
            raise RefusedError("an assignment would change the session at the source", word.start)
        if word.kind is TokenType.COMMA and not opened:
            raise RefusedError("more than one expression: give each column its own entry", word.start)
        if word.kind is TokenType.L_PAREN:
            opened.append(word)
        if word.kind is TokenType.R_PAREN:
            if not opened:
                raise RefusedError("')' closes nothing", word.start)
            opened.pop()
    if opened:
        raise RefusedError("'(' is opened and never closed", opened[-1].start)
    if words[-1].kind is TokenType.ALIAS:
        raise RefusedError("a name is missing after AS", len(judged.rstrip()))
    return words


def _parse(judged: str, words: Sequence[_Word]) -> exp.Expr:
    try:
        statements = parse(_LEAD + judged, dialect=_MYSQL)
    except ParseError as error:
        details = error.errors[0] if error.errors else {}
        end = int(details.get("col") or 0) - len(_LEAD)
        start = next((word.start for word in words if word.end >= end), len(judged.rstrip()))
        reason = str(details.get("description") or "it cannot be parsed").rstrip(".")
        if "<class" in reason:
            reason = "something is missing"
        raise RefusedError(f"this is no MySQL expression: {reason}", start) from error
    except (SqlglotError, ValueError) as error:
        raise RefusedError("this is no MySQL expression") from error
    select = statements[0] if len(statements) == 1 else None
    if not isinstance(select, exp.Select) or len(select.expressions) != 1:
        raise RefusedError("this is not one expression", words[0].start)
    extra = sorted(key.strip("_") for key, value in select.args.items() if value and key != "expressions")
    if extra:
        place = next((word.start for word in words if word.text.lower() == extra[0]), words[0].start)
        raise RefusedError(
            f"only an expression is allowed here, not {extra[0].upper().replace('_', ' ')}", place
        )
    tree: exp.Expr = select.expressions[0].copy()
    return tree


def _refuse_writing(tree: exp.Expr, words: Sequence[_Word]) -> None:
    for node in tree.walk():
        if isinstance(node, exp.Into | exp.Lock | exp.PropertyEQ | exp.DML | exp.DDL) and not isinstance(
            node, exp.Query
        ):
            raise RefusedError("only reading is allowed", words[0].start)
        function = _function_name(node)
        if function in _ACTING_FUNCTIONS:
            place = next((word.start for word in words if word.text.lower() == function), words[0].start)
            raise RefusedError(f"the function {function} acts on the server: only reading is allowed", place)


def _refuse_other_rows(tree: exp.Expr, words: Sequence[_Word]) -> None:
    start = words[0].start
    if tree.unalias().is_star:
        raise RefusedError("'*' is not allowed in a list: write columns: \"*\", or name the columns", start)
    for node in tree.walk():
        if node.find_ancestor(exp.Query) is not None:
            continue
        if isinstance(node, exp.Window):
            raise RefusedError("a window function would see one split of the table, not the table", start)
        if isinstance(node, exp.AggFunc):
            raise RefusedError("an aggregate would make one row of all rows", start)
        if isinstance(node, exp.Column) and node.table:
            place = next((word.start for word in words if word.text == node.table), start)
            raise RefusedError(f"name the column without its table: '{node.name}'", place)


def _function_name(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return str(node.name).lower()
    return node.sql_name().lower() if isinstance(node, exp.Func) else ""
