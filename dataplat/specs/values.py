"""The small notations that configuration values are written in, each parsed here and nowhere else.

``2d`` and ``12h`` are durations, ``30%`` is a share, ``1.5GB`` a size, ``0 2 * * *`` a schedule (in
``specs.cron``), ``2026-01-01`` a day. A parser raises ``ValueError`` with a sentence a person can act on; the
annotated types at the end are what models use, and carry what an editor should be told.
"""

import re
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from dataplat.specs.cron import parse_cron
from dataplat.specs.problems import did_you_mean

_DURATION = re.compile(r"([0-9]{1,6})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PERCENT = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*%")
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([kmgt])(?:i?b)?", re.IGNORECASE)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}
_MEBIBYTE = 1024**2
_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*")


def parse_duration(value: object) -> timedelta:
    """Return the duration written as a whole number and a unit.

    >>> parse_duration("12h")
    datetime.timedelta(seconds=43200)
    """
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"expected a duration such as 30s, 15m, 12h, 2d or 1w, found {shown(value)}")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def duration_text(value: timedelta) -> str:
    """Return the shortest text that ``parse_duration`` reads as the same duration."""
    seconds = int(value.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def parse_percent(value: object) -> float:
    """Return a percentage as a fraction. The sign is required: 30 could mean 30 % or 30 times.

    >>> parse_percent("30%")
    0.3
    """
    match = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"expected a percentage such as 30%, found {shown(value)}")
    return float(match[1]) / 100


def parse_size(value: object) -> int:
    """Return a size in bytes; units are powers of 1024, as Spark and the JVM count.

    >>> parse_size("1.5GB")
    1610612736
    """
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"expected a size such as 512MB, 2g or 1.5GB, found {shown(value)}")
    return int(float(match[1]) * 1024 ** _POWERS[match[2].lower()])


def jvm_memory(value: object) -> str:
    """Return a size as the JVM reads it, which knows whole numbers only.

    >>> jvm_memory("1.5GB")
    '1536m'
    """
    size = parse_size(value)
    if size < 512 * _MEBIBYTE:
        raise ValueError(f"expected at least 512m, which Spark needs to start, found {shown(value)}")
    return f"{size // 1024**3}g" if size % 1024**3 == 0 else f"{size // _MEBIBYTE}m"


def parse_day(value: object) -> date:
    """Return the calendar day written as 2026-01-01."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value} is not in the calendar") from None
    raise ValueError(f"expected a day such as 2026-01-01, found {shown(value)}")


def parse_zone_name(value: object) -> str:
    """Return the name of a time zone that exists, so that ``ZoneInfo(name)`` cannot fail later."""
    if not isinstance(value, str):
        raise ValueError(f"expected a time zone such as Asia/Shanghai, found {shown(value)}")
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(value, available_timezones()) or "; write it as Asia/Shanghai or UTC"
        raise ValueError(f"{shown(value)} is not a known time zone{hint}") from None
    return value


def parse_table_name(text: str) -> str:
    """Return the text if it is database.table as Hive spells them."""
    if not _TABLE_NAME.fullmatch(text):
        raise ValueError(f"{shown(text)} is not database.table of letters, digits and _")
    return text


def parse_texts(value: object) -> object:
    """Let a single text stand for a list of one."""
    return [value] if isinstance(value, str) else value


def parse_plain_text(value: object) -> object:
    """Let an unquoted ``true`` or ``7`` stand for its text, where everything is text anyway."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


def refuse_bool(value: object) -> object:
    """Keep ``true`` from counting as the number 1."""
    if isinstance(value, bool | float):
        raise ValueError(f"expected a whole number, found {shown(value)}")
    return value


def shown(value: object) -> str:
    """Return a value as a message quotes it: short, on one line, in the words of YAML.

    >>> shown("varchr"), shown(True), shown(None), shown([1, 2])
    ("'varchr'", 'true', 'nothing', 'a list')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, str):
        text = " ".join(value.split()) if value.strip() else value
        return f"'{text[:60]}…'" if len(text) > 60 else f"'{text}'"
    return str(value)


def _written_as(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(duration_text, return_type=str),
    _written_as(r"^[0-9]+\s*[smhdw]$", "2d"),
]
Percent = Annotated[
    float,
    BeforeValidator(parse_percent),
    PlainSerializer(lambda fraction: f"{fraction:.6%}", return_type=str),
    _written_as(r"^[0-9]+(\.[0-9]+)?\s*%$", "30%"),
]
JvmMemory = Annotated[
    str, BeforeValidator(jvm_memory), _written_as(r"^[0-9.]+\s*[kKmMgGtT][iI]?[bB]?$", "2g")
]
Day = Annotated[date, BeforeValidator(parse_day)]
ZoneName = Annotated[str, BeforeValidator(parse_zone_name)]
Cron = Annotated[str, BeforeValidator(parse_cron)]
Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[
    tuple[Text, ...],
    BeforeValidator(parse_texts),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
PlainText = Annotated[
    str, BeforeValidator(parse_plain_text), WithJsonSchema({"type": ["string", "integer", "boolean"]})
]
WholeNumber = Annotated[int, BeforeValidator(refuse_bool)]
Count = Annotated[int, BeforeValidator(refuse_bool), Field(ge=1)]
TableName = Annotated[Text, AfterValidator(parse_table_name)]
Grain = Literal["hour", "day", "month"]
Values = dict[str, Any]
