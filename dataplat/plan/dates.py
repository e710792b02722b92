r"""Date expressions: ``$[format(+|-)N(_U)]`` in any SQL text becomes a date.

The base is the start of the partition that is loaded, never the clock: loading March again in June
renders March. A text may hold any number of expressions. Nothing is evaluated: an expression is parsed
by the rules below, or refused before any SQL exists.

=============  ==========================================================================
format         tokens ``yyyy MM dd HH mm ss``; separators and literal digits stay as they are
N              ``8`` or a product, ``7*2``
U              ``Y M d H m s``; without one, the smallest token of the format
=============  ==========================================================================

**Is a trailing ``-8`` a separator or an offset?** A sign and a number at the very end are the offset:
``$[yyyy-MM-dd-8]`` is eight days ago. The exception is a number of two or more digits that begins with
0 and has no unit; no one writes an offset that way, so it is text: ``$[yyyy-MM-01]`` is the first of the
month. Any other signed number inside a format would be a guess and is refused, unless an offset follows
it and it has two digits: ``$[yyyy-MM-15+0]`` is the fifteenth.

Years, months and days move on the calendar and keep the time of day; a day that the target month does
not have becomes its last (2026-03-31 ``-1_M`` is 2026-02-28). Hours, minutes and seconds are elapsed
time, so ``-1_H`` is the hour before even where clocks change.

``$[0]``, ``$[*]``, ``$[last]`` and ``$[1 to 3]`` are JSON paths of MySQL and pass unchanged.
"""

import math
import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dataplat.errors import DateExpressionError
from dataplat.plan.tokens import UNIT_NAMES, DateFormat, DateSyntaxError, Unit, parse_format

_OPEN = "$["
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<count>[0-9]+(?:\*[0-9]+)*)(?:_(?P<unit>[A-Za-z]+))?\Z")
_SIGNED_NUMBER = re.compile(r"[+-]\s*([0-9]+)")
_TRAILING_SIGN = re.compile(r"[+-]\s*\Z")
_JSON_PATH = re.compile(r"[0-9]+|\*|last(-[0-9]+)?|[0-9]+ to ([0-9]+|last(-[0-9]+)?)")
_MAX_COUNT_DIGITS = 9
_ELAPSED: dict[Unit, timedelta] = {
    "H": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}


@dataclass(frozen=True, slots=True)
class DateExpression:
    """One expression that has been read.

    ``count`` is signed and multiplied out. ``unit_given`` is false where the unit is the smallest token.
    """

    format: DateFormat
    count: int
    unit: Unit
    unit_given: bool

    def moment(self, base: datetime) -> datetime:
        """Return the moment that is rendered: ``base`` moved by the offset, in the zone of ``base``.

        Raises:
            OverflowError: If it lies outside the years 1 to 9999.
        """
        if not self.count:
            return base
        if self.unit in _ELAPSED:
            moved = base if base.tzinfo is None else base.astimezone(UTC)
            moved += _ELAPSED[self.unit] * self.count
        elif self.unit == "d":
            moved = base.replace(fold=0) + timedelta(days=self.count)
        else:
            moved = _add_months(base.replace(fold=0), self.count * (12 if self.unit == "Y" else 1))
        return moved if base.tzinfo is None else moved.astimezone(UTC).astimezone(base.tzinfo)


@dataclass(frozen=True, slots=True)
class FoundDate:
    """One ``$[…]`` in a text: where it stands, and what it is or why it is none.

    ``text[start:end]`` is the expression. Exactly one of ``expression`` and ``problem`` is set.
    """

    text: str
    start: int
    end: int
    expression: DateExpression | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class DateExplanation:
    """How one expression came to its result, for people (``render``) and for JSON (the fields)."""

    expression: str
    start: int
    format: str
    offset: int
    unit: Unit
    unit_given: bool
    base: datetime
    moment: datetime
    result: str

    def render(self) -> str:
        """Return the explanation as lines, without a trailing newline."""
        why = "" if self.unit_given else ", the smallest token of the format"
        counted = f"{self.offset:+d} {UNIT_NAMES[self.unit]}{why}"
        offset = counted if self.offset or self.unit_given else "none"
        return (
            f"{self.expression} = {self.result}\n"
            f"  base     {self.base.isoformat(sep=' ')}\n"
            f"  offset   {offset}\n"
            f"  moment   {self.moment.isoformat(sep=' ')}\n"
            f"  format   {self.format}"
        )


def render_dates(text: str, base: datetime, *, subject: str = "") -> str:
    """Return ``text`` with every date expression replaced by its date.

    Text without expressions comes back unchanged, and what is returned holds no ``$[`` but JSON paths.

    Args:
        text: SQL, or anything else.
        base: The start of the partition, in the zone in which dates are meant.
        subject: What the error is about: ``config/ods/x.yaml:14 where``. Without one, the expression.

    Raises:
        DateExpressionError: For the first expression that cannot be read. Nothing was rendered.

    >>> render_dates("d >= '$[yyyy-MM-dd-8]' AND m = $[yyyyMM-1_M]", datetime.fromisoformat("2026-11-20"))
    "d >= '2026-11-12' AND m = 202610"
    """
    rendered: list[str] = []
    done = 0
    for found in find_date_expressions(text):
        rendered += [text[done : found.start], _result(found, base, subject)[1]]
        done = found.end
    return "".join([*rendered, text[done:]])


def find_date_expressions(text: str) -> tuple[FoundDate, ...]:
    """Return every date expression of ``text`` in order, readable or not, with its position.

    Never raises: a validator reports all problems at once.

    >>> [(d.start, d.problem) for d in find_date_expressions("$[yyyy] $[yyyyMMDD]")]
    [(0, None), (8, "'DD' is no date token; did you mean 'dd'? (character 9)")]
    """
    return tuple(_find(text))


def explain_date(text: str, base: datetime, *, subject: str = "") -> tuple[DateExplanation, ...]:
    """Return how each expression of ``text`` comes to its result; empty if there is none.

    Raises:
        DateExpressionError: As ``render_dates`` does.

    >>> print(explain_date("$[yyyy-MM-dd-8]", datetime.fromisoformat("2026-03-31"))[0].render())
    $[yyyy-MM-dd-8] = 2026-03-23
      base     2026-03-31 00:00:00
      offset   -8 days, the smallest token of the format
      moment   2026-03-23 00:00:00
      format   yyyy-MM-dd
    """
    explained = []
    for found in find_date_expressions(text):
        moment, result = _result(found, base, subject)
        expression = found.expression
        assert expression is not None
        explained.append(
            DateExplanation(
                expression=found.text,
                start=found.start,
                format=expression.format.text,
                offset=expression.count,
                unit=expression.unit,
                unit_given=expression.unit_given,
                base=base,
                moment=moment,
                result=result,
            )
        )
    return tuple(explained)


def _find(text: str) -> Iterator[FoundDate]:
    start = text.find(_OPEN)
    while start >= 0:
        close = text.find("]", start)
        following = text.find(_OPEN, start + len(_OPEN))
        if close < 0 or 0 <= following < close:
            end = following if following >= 0 else len(text)
            yield FoundDate(text[start:end], start, end, None, "it is never closed by ']'")
        else:
            end = close + 1
            if not _JSON_PATH.fullmatch(text, start + len(_OPEN), close):
                yield _read(text[start:end], start)
        start = following


def _read(text: str, start: int) -> FoundDate:
    end = start + len(text)
    try:
        return FoundDate(text, start, end, _parse(text[len(_OPEN) : -1]), None)
    except DateSyntaxError as error:
        problem = f"{error.found} (character {error.at + len(_OPEN) + 1})"
        return FoundDate(text, start, end, None, problem)


def _parse(body: str) -> DateExpression:
    offset = _OFFSET.search(body)
    if offset and offset["unit"] is None and re.match("0[0-9]", offset["count"]):
        offset = None  # `-01`: text, by the rule at the top of this module
    format_text = body[: offset.start()] if offset else body
    made = parse_format(format_text)
    _refuse_stray_signs(format_text, offset is not None)
    if offset is None:
        return DateExpression(made, 0, made.smallest_unit, unit_given=False)
    count = _multiplied(offset)
    return DateExpression(
        made,
        -count if offset["sign"] == "-" else count,
        _unit(offset) or made.smallest_unit,
        unit_given=offset["unit"] is not None,
    )


def _refuse_stray_signs(format_text: str, has_offset: bool) -> None:
    if sign := _TRAILING_SIGN.search(format_text):
        raise DateSyntaxError(f"'{sign[0].strip()}' is followed by no number", sign.start())
    for signed in _SIGNED_NUMBER.finditer(format_text):
        digits = signed[1]
        if len(digits) > 1 and (digits[0] == "0" or (has_offset and len(digits) == 2)):
            continue
        raise DateSyntaxError(
            f"'{signed[0]}' is neither an offset at the end nor text with two digits"
            " and an offset after it, as in $[yyyy-MM-15+0]",
            signed.start(),
        )


def _multiplied(offset: re.Match[str]) -> int:
    factors = offset["count"].split("*")
    too_long = any(len(factor) > _MAX_COUNT_DIGITS for factor in factors)
    count = 0 if too_long else math.prod(int(factor) for factor in factors)
    if too_long or count >= 10**_MAX_COUNT_DIGITS:
        raise DateSyntaxError(f"'{offset['count']}' is too large an offset", offset.start("count"))
    return count


def _unit(offset: re.Match[str]) -> Unit | None:
    if offset["unit"] is None:
        return None
    for unit in UNIT_NAMES:
        if unit == offset["unit"]:
            return unit
    raise DateSyntaxError(f"'{offset['unit']}' is no unit, use one of Y M d H m s", offset.start("unit"))


def _result(found: FoundDate, base: datetime, subject: str) -> tuple[datetime, str]:
    if found.expression is None:
        raise _unreadable(found.text, found.problem or "", subject)
    try:
        moment = found.expression.moment(base)
    except OverflowError:
        offset = f"{found.expression.count:+d} {UNIT_NAMES[found.expression.unit]}"
        problem = f"{offset} from {base:%Y-%m-%d} leaves the years 1 to 9999"
        raise _unreadable(found.text, problem, subject) from None
    return moment, found.expression.format.render(moment)


def _unreadable(expression: str, problem: str, subject: str) -> DateExpressionError:
    shown = expression if len(expression) <= 60 else expression[:60] + "…"
    return DateExpressionError(
        subject or shown,
        f"date expression {shown} cannot be read" if subject else "this date expression cannot be read",
        facts=(
            ("expected", "$[format(+|-)N(_U)], format of yyyy MM dd HH mm ss, U one of Y M d H m s"),
            ("found", problem),
        ),
        effect="nothing was sent to any source",
        next_steps=("dataplat expr '$[yyyy-MM-dd-8_d]' --at 2026-03-31",),
    )


def _add_months(moment: datetime, months: int) -> datetime:
    year, month0 = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError(year)
    return moment.replace(year=year, month=month0 + 1, day=min(moment.day, monthrange(year, month0 + 1)[1]))
