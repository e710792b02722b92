"""The one place that knows what ``yyyy MM dd HH mm ss`` mean.

Date expressions (``plan.dates``) and partition values (``plan.partitions``) are written with the same
tokens, so ``ds=$[yyyyMMdd]`` in SQL and the directory ``ds=20260109`` cannot drift apart.

Letters are tokens or they are errors. Everything else stands for itself: separators, literal digits
(``HH:00:00``), characters outside ASCII (``yyyy年MM月``), and a ``T`` before ``HH``. Quotes, backslashes,
brackets, ``$``, ``*`` and control characters are refused: in SQL they would do more than separate.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Unit = Literal["Y", "M", "d", "H", "m", "s"]

TOKEN_UNITS: dict[str, Unit] = {"yyyy": "Y", "MM": "M", "dd": "d", "HH": "H", "mm": "m", "ss": "s"}
UNIT_NAMES: dict[Unit, str] = {
    "Y": "years",
    "M": "months",
    "d": "days",
    "H": "hours",
    "m": "minutes",
    "s": "seconds",
}
_SMALLEST_FIRST: tuple[Unit, ...] = ("s", "m", "H", "d", "M", "Y")
_MEANT = {
    **dict.fromkeys(("y", "yy", "Y", "YY", "YYYY"), "yyyy"),
    **dict.fromkeys(("d", "D", "DD"), "dd"),
    **dict.fromkeys(("h", "hh", "H"), "HH"),
    **dict.fromkeys(("s", "S", "SS"), "ss"),
    "M": "MM",
    "m": "mm",
}
_RUN = re.compile(r"[A-Za-z]+|[^A-Za-z]+")
_TOKEN = re.compile(r"yyyy|MM|dd|HH|mm|ss|T(?=HH)")
_REPEATED_LETTER = re.compile(r"([A-Za-z])\1*")
_REFUSED = frozenset("'\"`\\*$[]")


class DateSyntaxError(ValueError):
    """Text that is no date format or expression. Callers turn it into an error with a subject.

    Args:
        found: What stands there and why it is refused.
        at: Its offset in the text that was given.
    """

    def __init__(self, found: str, at: int) -> None:
        self.found = found
        self.at = at
        super().__init__(found)


@dataclass(frozen=True, slots=True)
class Piece:
    """One token, or one stretch of text that stands for itself (``unit`` is then ``None``)."""

    text: str
    unit: Unit | None


@dataclass(frozen=True, slots=True)
class DateFormat:
    """A date format that has been read: rendering it cannot fail.

    >>> parse_format("yyyy-MM-dd HH:00").render(datetime.fromisoformat("2026-01-09T05:30"))
    '2026-01-09 05:00'
    """

    text: str
    pieces: tuple[Piece, ...]

    @property
    def units(self) -> frozenset[Unit]:
        """Return the units of the tokens that occur."""
        return frozenset(piece.unit for piece in self.pieces if piece.unit)

    @property
    def smallest_unit(self) -> Unit:
        """Return the unit that an offset without a unit counts in."""
        return next(unit for unit in _SMALLEST_FIRST if unit in self.units)

    def render(self, moment: datetime) -> str:
        """Return ``moment`` as its own zone's clock and calendar show it."""
        fields: dict[Unit, str] = {
            "Y": f"{moment.year:04d}",
            "M": f"{moment.month:02d}",
            "d": f"{moment.day:02d}",
            "H": f"{moment.hour:02d}",
            "m": f"{moment.minute:02d}",
            "s": f"{moment.second:02d}",
        }
        return "".join(fields[piece.unit] if piece.unit else piece.text for piece in self.pieces)


def parse_format(text: str) -> DateFormat:
    """Read a format of tokens and separators.

    Besides letters that are no tokens, two mistakes that would render a wrong date are refused: ``mm``
    (minutes) in a date without hours, and ``MM`` (months) in a time without days.

    Raises:
        DateSyntaxError: With what was found and where in ``text``.
    """
    pieces: list[Piece] = []
    for run in _RUN.finditer(text):
        pieces += _tokens(run) if run[0].isascii() and run[0].isalpha() else [_literal(run)]
    made = DateFormat(text, tuple(pieces))
    if not made.units:
        raise DateSyntaxError("no date token", 0)
    if "m" in made.units and "H" not in made.units and made.units & {"Y", "M", "d"}:
        raise DateSyntaxError("'mm' is minutes, and there are no hours; did you mean 'MM'?", text.index("mm"))
    if {"M", "H"} <= made.units and "d" not in made.units:
        raise DateSyntaxError("'MM' is months, and there are no days; did you mean 'mm'?", text.index("MM"))
    return made


def _tokens(run: re.Match[str]) -> list[Piece]:
    pieces: list[Piece] = []
    at = run.start()
    while at < run.end():
        token = _TOKEN.match(run.string, at)
        if token is None:
            letters = _REPEATED_LETTER.match(run.string, at)
            assert letters is not None
            meant = f"; did you mean '{_MEANT[letters[0]]}'?" if letters[0] in _MEANT else ""
            raise DateSyntaxError(f"'{letters[0]}' is no date token{meant}", at)
        pieces.append(Piece(token[0], TOKEN_UNITS.get(token[0])))
        at = token.end()
    return pieces


def _literal(run: re.Match[str]) -> Piece:
    for at, character in enumerate(run[0], run.start()):
        foreign_digit = character.isdigit() and not character.isascii()
        if character in _REFUSED or foreign_digit or not character.isprintable():
            raise DateSyntaxError(f"{character!r} cannot stand in a date format", at)
    return Piece(run[0], None)
