"""What becomes of each MySQL type: the documented map once more, in other words than ``plan.types``.

For every kind of column: its type in Hive, from the server's own text or bytes to the value that the file
must hold, and one text of the value that the server and Python can both compute, for checksums.

Dates and times are compared as the numbers that the file holds: days, and microseconds of the instant that
the wall clock names in the source's zone. A wall clock that the zone skipped is moved past the jump.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGERS = {
    "TINYINT": "tinyint",
    "TINYINT UNSIGNED": "smallint",
    "TINYINT(1)": "tinyint",
    "BOOLEAN": "tinyint",
    "SMALLINT": "smallint",
    "SMALLINT UNSIGNED": "int",
    "MEDIUMINT": "int",
    "MEDIUMINT UNSIGNED": "int",
    "INT": "int",
    "INT UNSIGNED": "bigint",
    "INT(8) UNSIGNED ZEROFILL": "bigint",
    "BIGINT": "bigint",
}
_SKIPPED_IN_SHANGHAI = (
    "({0} >= '1986-05-04 02:00:00' AND {0} < '1986-05-04 03:00:00'"
    " OR {0} >= '1940-06-01 00:00:00' AND {0} < '1940-06-01 01:00:00')"
)


@dataclass(frozen=True)
class Kind:
    """What becomes of a column.

    Attributes:
        hive: The type in Hive.
        expected: From the server's text or bytes to the value that the file must hold.
        text_sql: The text for checksums at the server; ``{0}`` stands for the column.
        text: The same text, from the value in the file.
        ask: What to select instead of the bare column.
    """

    hive: str
    expected: Callable[[Any], Any] = str
    text_sql: str = "CAST({0} AS CHAR)"
    text: Callable[[Any], str] = str
    ask: str = "{0}"


_STRING = Kind("string", text_sql="HEX(CONVERT({0} USING utf8mb4))", text=lambda v: v.encode().hex().upper())
_BYTES = Kind("binary", bytes, "HEX({0})", lambda value: value.hex().upper())
_NUMBER_TEXT = Kind("string", str, "CAST({0} AS CHAR)", str)


def kind_of(declared: str, zone: ZoneInfo) -> Kind:
    """Return what becomes of a column that is declared so, at a source in ``zone``."""
    name = declared.split("(")[0].split(" ")[0]
    if declared in _INTEGERS:
        return Kind(_INTEGERS[declared], int, "CAST({0} + 0 AS CHAR)")
    if declared == "BIGINT UNSIGNED":
        return Kind("decimal(20,0)", int, text=lambda value: str(int(value)))
    if name in ("DECIMAL", "BIT"):
        return _decimal(declared) if name == "DECIMAL" else _bits(declared)
    if name in ("FLOAT", "DOUBLE"):
        return _floating(name)
    if name == "DATE":
        moved = "IF({0} BETWEEN '1582-10-05' AND '1582-10-14', {0} + INTERVAL 10 DAY, {0})"
        text = f"IF(CAST({{0}} AS CHAR) LIKE '%-00%', NULL, CAST({moved} AS CHAR))"
        return Kind("date", days, text, lambda value: (date(1970, 1, 1) + timedelta(days=value)).isoformat())
    if name in ("DATETIME", "TIMESTAMP"):
        return _moment(zone)
    if name == "YEAR":
        return Kind("int", int, "CAST({0} + 0 AS CHAR)")
    if name == "TIME":
        return _NUMBER_TEXT
    if name in ("POINT", "GEOMETRY"):
        return replace(_BYTES, expected=lambda raw: raw[4:], text_sql="SUBSTR(HEX({0}), 9)")  # without SRID
    if name in ("BINARY", "VARBINARY") or name.endswith("BLOB"):
        return _BYTES
    assert re.fullmatch(r"(VAR)?CHAR|\w*TEXT|ENUM|SET|JSON", name), f"what is {declared}?"
    return _STRING


def comparable(column: pa.ChunkedArray) -> list[Any]:
    """Return a column's values, dates and times as the numbers that the file holds."""
    if pa.types.is_timestamp(column.type):
        assert column.type.unit == "us", column.type
        return list(column.cast(pa.int64()).to_pylist())
    if pa.types.is_date(column.type):
        return list(column.cast(pa.int32()).to_pylist())
    if pa.types.is_float32(column.type):
        return [None if value is None else np.float32(value) for value in column.to_pylist()]
    return list(column.to_pylist())


def days(text: str) -> int | None:
    """Return the days since 1970 of MySQL's text of a date; None for a date without day or month."""
    year, month, day = map(int, text.split("-"))
    if not (month and day):
        return None
    moved = 10 if "1582-10-05" <= text <= "1582-10-14" else 0  # days that the driver's calendar never had
    return (date(year, month, day) - date(1970, 1, 1)).days + moved


def micros(zone: ZoneInfo, text: str) -> int | None:
    """Return the microseconds since 1970 of MySQL's text of a wall clock in ``zone``."""
    if days(text.split(" ")[0]) is None:
        return None
    wall = datetime.fromisoformat(text).replace(tzinfo=UTC)
    offset = wall.replace(tzinfo=zone).utcoffset() or timedelta()
    return (wall - _EPOCH - offset) // timedelta.resolution


def _decimal(declared: str) -> Kind:
    precision, scale = map(int, re.findall(r"\d+", declared))
    if precision > 38:
        return _NUMBER_TEXT
    return Kind(f"decimal({precision},{scale})", Decimal, text=lambda value: f"{value:.{scale}f}")


def _bits(declared: str) -> Kind:
    bits = int(declared[4:-1])
    number = partial(int.from_bytes, byteorder="big")
    kind = Kind("bigint" if bits < 64 else "decimal(20,0)", number, "CAST({0} + 0 AS CHAR)")
    if bits == 1:
        return replace(kind, hive="boolean", expected=lambda raw: raw == b"\x01", text=lambda v: str(int(v)))
    return kind


def _floating(name: str) -> Kind:
    """The server's text of a float has six digits; ``+ 0e0`` makes it tell all.

    The two write numbers differently, so the text is a whole number that both compute without rounding:
    1024ths of the value, or of its share of 2 to the power of 1000 when it is large.
    """
    exact = "({0} + 0e0)"
    near_zero = f"IF(ABS{exact} < POW(2, 40), {exact}, {exact} / POW(2, 1000))"
    text_sql = f"CAST(FLOOR({near_zero} * 1024) AS DECIMAL(65))"

    def text(value: float) -> str:
        number = float(value)
        return str(math.floor((number if abs(number) < 2**40 else number / 2**1000) * 1024))

    return Kind(name.lower(), np.float32 if name == "FLOAT" else float, text_sql, text, exact)


def _moment(zone: ZoneInfo) -> Kind:
    moved = f"IF({_SKIPPED_IN_SHANGHAI}, {{0}} + INTERVAL 1 HOUR, {{0}})"
    text_sql = f"IF(CAST({{0}} AS CHAR) LIKE '%-00%', NULL, DATE_FORMAT({moved}, '%Y-%m-%d %H:%i:%s.%f'))"

    def text(value: int) -> str:
        wall = (_EPOCH + timedelta(microseconds=value)).astimezone(zone)
        return f"{wall.year:04d}-{wall:%m-%d %H:%M:%S.%f}"

    return Kind("timestamp", partial(micros, zone), text_sql, text)
