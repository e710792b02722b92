"""``date(column) = '2026-01-09'`` in a table's ``where``, said so that an index on the column serves it.

A function around a column makes the server read the whole table. What is recognised becomes a half-open range
of the column, and selects the same rows, NULL included. Everything else stays as it was written, character
for character: the text is only read to find the places.

Recognised are ``DATE(c)``, ``CAST(c AS DATE)`` and ``DATE_FORMAT(c, '%Y-%m-%d')`` of a DATE, DATETIME or
TIMESTAMP column, compared with a day ``'yyyy-MM-dd'`` by ``= <> != < <= > >= BETWEEN`` or ``IN``. A TIMESTAMP
is left alone where the source's clock changes: there a midnight may be skipped, or come twice.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from dataplat.plan.sql import quote_name
from dataplat.plan.windows import steady_offset

_HINT = re.compile(r"\bdate(_format)?\b", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# Without ``||``, which some servers read as concatenation.
_BEFORE = frozenset({"", "and", "or", "xor", "not", "(", ","})
_AFTER = frozenset({"", "and", "or", "xor", ")", ","})
_MIRRORED = {"=": "=", "<>": "<>", "!=": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_DATED = ("date", "datetime", "timestamp")


@dataclass(frozen=True)
class Rewritten:
    """A condition as it is sent, and what of it was written otherwise."""

    sql: str
    replaced: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Word:
    """A token: its text in lower case, its kind, and where it stands."""

    text: str
    kind: str
    start: int
    end: int
    value: str


class _NotRecognisedError(Exception):
    """The words are no comparison that is known; they stay as they are."""


def rewrite_date_conditions(where: str, types: Mapping[str, str], source_zone: str) -> Rewritten:
    """Return the condition with half-open ranges in place of functions of a date.

    Args:
        where: The condition, date expressions already rendered.
        types: Type of each column at the source, by its name in lower case.
        source_zone: Where the source's wall clock lives.

    >>> rewrite_date_conditions("date(at) = '2026-01-31' AND n > 0", {"at": "datetime"}, "UTC").sql
    "(`at` >= '2026-01-31' AND `at` < '2026-02-01') AND n > 0"
    """
    if not _HINT.search(where):
        return Rewritten(where)
    words = _read_words(where)
    steady = steady_offset(ZoneInfo(source_zone)) is not None
    replaced: list[str] = []
    sql, done, at = "", 0, 0
    while at < len(words):
        try:
            end, text = _Reader(words, at, types, steady=steady).condition()
        except _NotRecognisedError:
            at += 1
            continue
        start, stop = words[at].start, words[end - 1].end
        replaced.append(where[start:stop])
        sql += where[done:start] + text
        done, at = stop, end
    return Rewritten(sql + where[done:], tuple(replaced))


class _Reader:
    """Reads one comparison that begins at a word."""

    def __init__(self, words: Sequence[_Word], at: int, types: Mapping[str, str], *, steady: bool) -> None:
        self._words, self._begin, self._at = words, at, at
        self._types, self._steady = types, steady

    def condition(self) -> tuple[int, str]:
        """Return the number of the word after the comparison, and what it becomes."""
        self._require(self._text(-1) in _BEFORE and not self._ends_a_between())
        if self._word().kind == "string":
            day, sign = self._day(), self._sign()
            found = _compare(self._column(), _MIRRORED[sign], day)
        else:
            found = self._compared(self._column())
        self._require(self._text() in _AFTER)
        return self._at, found

    def _compared(self, column: str) -> str:
        negated = self._skip("not")
        if self._skip("between"):
            low = self._day()
            self._expect("and")
            text = f"({column} >= '{low}' AND {column} < '{_next(self._day())}')"
        elif self._skip("in"):
            self._expect("(")
            days = [self._day()]
            while self._skip(","):
                days.append(self._day())
            self._expect(")")
            text = f"({' OR '.join(_compare(column, '=', day) for day in days)})"
        else:
            self._require(not negated)
            text = _compare(column, self._sign(), self._day())
        return f"(NOT {text})" if negated else text

    def _column(self) -> str:
        if self._skip("cast"):
            name = self._argument(self._as_date)
        elif self._skip("date"):
            name = self._argument(lambda: None)
        else:
            self._expect("date_format")
            name = self._argument(self._pattern)
        kind = re.split(r"\W", self._types.get(name.lower(), ""), maxsplit=1)[0].lower()
        self._require(kind in _DATED and (self._steady or kind != "timestamp"))
        return quote_name(name)

    def _argument(self, rest: Callable[[], None]) -> str:
        self._expect("(")
        word = self._take("name")
        rest()
        self._expect(")")
        return word.value

    def _as_date(self) -> None:
        self._expect("as")
        self._expect("date")

    def _pattern(self) -> None:
        self._expect(",")
        self._require(self._take("string").value == "%Y-%m-%d")

    def _sign(self) -> str:
        sign = self._word().text
        self._require(sign in _MIRRORED)
        self._at += 1
        return "<>" if sign == "!=" else sign

    def _day(self) -> date:
        text = self._take("string").value
        self._require(bool(_DAY.fullmatch(text)))
        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise _NotRecognisedError from error
        # The server's own years, and a day after it that exists.
        self._require(day.year >= 1000 and day < date.max)
        return day

    def _ends_a_between(self) -> bool:
        """Say whether the AND before these words is that of ``x BETWEEN a AND …``."""
        depth = ands = 0
        for word in reversed(self._words[: self._begin]):
            depth += {")": 1, "(": -1}.get(word.text, 0)
            if depth < 0:
                return False
            if depth == 0 and word.text == "between":
                return ands == 1
            ands += depth == 0 and word.text == "and"
        return False

    def _take(self, kind: str) -> _Word:
        word = self._word()
        self._require(word.kind == kind)
        self._at += 1
        return word

    def _expect(self, text: str) -> None:
        self._require(self._skip(text))

    def _skip(self, text: str) -> bool:
        found = self._text() == text and self._word().kind != "string"
        self._at += found
        return found

    def _text(self, offset: int = 0) -> str:
        at = self._at + offset
        return self._words[at].text if 0 <= at < len(self._words) else ""

    def _word(self) -> _Word:
        self._require(self._at < len(self._words))
        return self._words[self._at]

    def _require(self, holds: bool) -> None:
        if not holds:
            raise _NotRecognisedError


def _compare(column: str, sign: str, day: date) -> str:
    texts = {
        "=": f"({column} >= '{day}' AND {column} < '{_next(day)}')",
        "<>": f"({column} < '{day}' OR {column} >= '{_next(day)}')",
        "<": f"{column} < '{day}'",
        "<=": f"{column} < '{_next(day)}'",
        ">": f"{column} >= '{_next(day)}'",
        ">=": f"{column} >= '{day}'",
    }
    return texts[sign]


def _next(day: date) -> date:
    return day + timedelta(days=1)


def _read_words(where: str) -> list[_Word]:
    """Return the tokens as the parser of columns reads them; none where it cannot, or where a comment is."""
    from sqlglot import Dialect, TokenType
    from sqlglot.errors import TokenError

    try:
        tokens = Dialect.get_or_raise("mysql").tokenize(where)
    except TokenError:
        return []
    if any(token.comments for token in tokens):
        return []
    words = []
    for token in tokens:
        text = where[token.start : token.end + 1]
        quoted = token.token_type is TokenType.IDENTIFIER
        kind = "string" if token.token_type is TokenType.STRING else "name" if quoted else ""
        if not kind and re.fullmatch(r"[A-Za-z_]\w*", text):
            kind = "name"
        shown = "" if kind == "string" or quoted else text.lower()
        words.append(_Word(shown, kind, token.start, token.end + 1, token.text))
    return words
