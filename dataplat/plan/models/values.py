"""Spark's conversions and functions, as far as partition filters use them, on Python values.

Text is ``str``, whole numbers ``int``, NULL ``None``. What cannot be converted is NULL, as with Spark's
``try_cast``; under ANSI rules Spark would fail instead, and no partition is read either way.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache


@dataclass(frozen=True)
class Span:
    """An interval: months and elapsed time."""

    months: int = 0
    elapsed: timedelta = timedelta()

    def __neg__(self) -> "Span":
        return Span(-self.months, -self.elapsed)


class _Unknown:
    """What depends on rows: it may be anything."""


UNKNOWN = _Unknown()
Value = str | int | bool | date | datetime | Span | None | _Unknown | tuple["Value", ...]

_DATE = re.compile(r"\s*([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2})(?:[ T].*)?)?)?\s*")
_TIME = re.compile(r"\s*([0-9-]+)(?:[ T]([0-9]{1,2})(?::([0-9]{1,2})(?::([0-9]{1,2}))?)?)?\s*")
_TOKENS = {"%Y": "%Y", "%m": "%m", "%d": "%d", "%H": "%H", "%M": "%M", "%S": "%S"}
_UNITS = {
    "YEAR": 12, "MONTH": 1, "QUARTER": 3,
}  # fmt: skip
_ELAPSED = {
    "WEEK": timedelta(weeks=1), "DAY": timedelta(days=1), "HOUR": timedelta(hours=1),
    "MINUTE": timedelta(minutes=1), "SECOND": timedelta(seconds=1),
}  # fmt: skip


def as_text(value: Value) -> str | None:
    """Return what Spark writes for a value."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, str | int) else None


def as_int(value: Value) -> int | None:
    """Return a whole number, also of text such as ``05``."""
    if isinstance(value, bool | int):
        return int(value)
    found = re.fullmatch(r"\s*([+-]?[0-9]{1,18})\s*", value) if isinstance(value, str) else None
    return int(found[1]) if found else None


def as_date(value: Value) -> date | None:
    """Return a day, also of text such as ``2026-01-09`` or ``2026-1-9 12:00:00``."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    return day_of_text(value) if isinstance(value, str) else None


@lru_cache(maxsize=8192)
def day_of_text(text: str) -> date | None:
    """Return the day that text names; asked again and again for the same partitions."""
    found = _DATE.fullmatch(text)
    return _day(int(found[1]), int(found[2] or 1), int(found[3] or 1)) if found else None


def as_moment(value: Value) -> datetime | None:
    """Return a point of time on a clock without a zone."""
    if isinstance(value, datetime):
        return value
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    day = as_date(found[1] if found else value)
    if day is None or (isinstance(value, str) and found is None):
        return None
    hour, minute, second = (int(part or 0) for part in (found.groups()[1:] if found else ("", "", "")))
    if hour > 23 or minute > 59 or second > 59:
        return None
    return datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001 - a wall clock


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def cast_to(kind: str) -> Callable[[Value], Value] | None:
    """Return the conversion to a type of SQL, nothing for a type that no partition has."""
    if kind in ("TEXT", "VARCHAR", "CHAR", "NCHAR", "NVARCHAR"):
        return as_text
    if kind in ("INT", "BIGINT", "SMALLINT", "TINYINT"):
        return as_int
    if kind == "DATE":
        return as_date
    return as_moment if kind.startswith("TIMESTAMP") or kind == "DATETIME" else None


def compare(left: Value, right: Value) -> int | _Unknown | None:
    """Return -1, 0 or 1, converting as Spark does between text and numbers or dates; NULL if it cannot."""
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    for kind, convert in ((datetime, as_moment), (date, as_date), (int, as_int)):
        if isinstance(left, kind) or isinstance(right, kind):
            a, b = convert(left), convert(right)
            return None if a is None or b is None else (a > b) - (a < b)  # type: ignore[operator]
    return UNKNOWN


def add_days(value: Value, days: Value) -> Value:
    """Do what ``date_add`` does."""
    day, count = as_date(value), as_int(days)
    return None if day is None or count is None else day + timedelta(days=count)


def add_months(value: Value, months: Value) -> Value:
    """Do what ``add_months`` does: a day that the month lacks becomes its last."""
    day, count = as_date(value), as_int(months)
    return None if day is None or count is None else _months_later(day, count)


def _months_later(day: date, months: int) -> date:
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month0 + 1, day=min(day.day, monthrange(year, month0 + 1)[1]))


def plus(left: Value, right: Value) -> Value:
    """Do what ``+`` does: numbers, days later, or an interval later."""
    if isinstance(right, Span):
        return _later(left, right)
    if isinstance(left, Span):
        return _later(right, left)
    if isinstance(left, date) and not isinstance(left, datetime):
        return add_days(left, right)
    a, b = as_int(left), as_int(right)
    return None if a is None or b is None else a + b


def minus(left: Value, right: Value) -> Value:
    """Do what ``-`` does: numbers, days before, an interval before."""
    if isinstance(right, Span):
        return _later(left, -right)
    if isinstance(left, date) and isinstance(right, date):
        return UNKNOWN  # an interval of days, which no partition is
    return plus(left, negative(right))


def times(left: Value, right: Value) -> Value:
    """Do what ``*`` does to whole numbers."""
    a, b = as_int(left), as_int(right)
    return None if a is None or b is None else a * b


def negative(value: Value) -> Value:
    """Do what a leading ``-`` does."""
    if isinstance(value, Span):
        return -value
    number = as_int(value)
    return None if number is None else -number


def _later(value: Value, span: Span) -> Value:
    if isinstance(value, date) and not isinstance(value, datetime) and not span.elapsed % timedelta(days=1):
        return _months_later(value, span.months) + span.elapsed
    moment = as_moment(value)
    if moment is None:
        return None
    day = _months_later(moment.date(), span.months)
    moved = datetime.combine(day, moment.time()) + span.elapsed
    return as_text(moved) if isinstance(value, str) else moved


def interval(count: Value, unit: str) -> Value:
    """Return an interval; UNKNOWN for units that partitions do not have."""
    number, unit = as_int(count), unit.upper().removesuffix("S")
    if number is None:
        return None
    if unit in _UNITS:
        return Span(months=number * _UNITS[unit])
    return Span(elapsed=number * _ELAPSED[unit]) if unit in _ELAPSED else UNKNOWN


def truncated(value: Value, unit: str) -> Value:
    """Return the first day of the year, quarter, month or week that a day lies in."""
    day = as_date(value)
    if day is None:
        return None
    match unit.upper():
        case "YEAR" | "YYYY" | "YY":
            return day.replace(month=1, day=1)
        case "QUARTER":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "MONTH" | "MM" | "MON":
            return day.replace(day=1)
        case "WEEK":
            return day - timedelta(days=day.weekday())
    return UNKNOWN


def last_day(value: Value) -> Value:
    """Return the last day of the month that a day lies in."""
    day = as_date(value)
    return None if day is None else day.replace(day=monthrange(day.year, day.month)[1])


def days_between(end: Value, start: Value) -> Value:
    """Do what ``datediff`` does."""
    a, b = as_date(end), as_date(start)
    return None if a is None or b is None else (a - b).days


def formatted(value: Value, template: Value) -> Value:
    """Do what ``date_format`` does, for formats of numbers; ``template`` is in Python's letters."""
    moment, plain = as_moment(value), _plain_format(template)
    if plain is None:
        return UNKNOWN
    return None if moment is None else moment.strftime(plain)


def parsed(value: Value, template: Value) -> Value:
    """Return the point of time that text in a format means."""
    text, plain = as_text(value), _plain_format(template)
    if plain is None:
        return UNKNOWN
    try:
        return None if text is None else datetime.strptime(text, plain)  # noqa: DTZ007 - a wall clock
    except ValueError:
        return None


def to_epoch(value: Value, template: Value) -> Value:
    """Do what ``unix_timestamp`` does, in UTC: what is made of it again is in UTC too."""
    moment = parsed(value, template)
    return int(moment.replace(tzinfo=UTC).timestamp()) if isinstance(moment, datetime) else moment


def from_epoch(value: Value, template: Value) -> Value:
    """Do what ``from_unixtime`` does, in UTC."""
    seconds = as_int(value)
    return None if seconds is None else formatted(_moment_of(seconds), template)


def _moment_of(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _plain_format(template: Value) -> str | None:
    text = template.replace("strict", "") if isinstance(template, str) else ""
    rest = re.sub("%[YmdHMS]", "", text)
    return text if text and not re.search("[%A-Za-z]", rest) else None


def part(value: Value, start: Value, length: Value = 1 << 30) -> Value:
    """Do what ``substring`` does: positions count from 1, negative ones from the end."""
    text, first, count = as_text(value), as_int(start), as_int(length)
    if text is None or first is None or count is None:
        return None
    begin = first - 1 if first > 0 else (len(text) + first if first else 0)
    return text[max(begin, 0) : max(begin + count, 0)]


def padded(value: Value, length: Value, fill: Value) -> Value:
    """Do what ``lpad`` does."""
    text, count, filling = as_text(value), as_int(length), as_text(fill)
    if text is None or count is None or not filling:
        return None
    return text[:count] if len(text) >= count else (filling * count)[: count - len(text)] + text


def like(value: Value, pattern: Value) -> Value:
    """Do what ``LIKE`` does, without escapes."""
    text, shape = as_text(value), as_text(pattern)
    if text is None or shape is None:
        return None
    if "\\" in shape:
        return UNKNOWN
    regex = "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in shape)
    return re.fullmatch(regex, text, re.DOTALL) is not None
