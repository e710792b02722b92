"""Rows with a value that the warehouse cannot hold: found by the source, set aside, and never guessed at.

Three kinds of values have no equal in Hive, and each of them would otherwise arrive as something else
without a word (measured on MariaDB 10.11):

* ``0000-00-00`` and ``2026-00-10``: the driver gives NULL for the first, a day of December for the second;
* a number that does not fit into the narrower type of a table that was made when the source was narrower;
* text without Unicode: bytes that a column in gbk or ascii may hold, or a ``CAST(<binary> AS CHAR)`` of what
  is no UTF-8, arrive as question marks.

A ``Hazard`` is one column in which that can happen. The source evaluates its condition for each row: Spark
only sees a text of reasons, and never the value. Tables without hazards are read as if this did not exist.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dataplat.plan.sql import quote_text
from dataplat.plan.types import ZeroDates, has_zero_dates, zero_date_predicate
from dataplat.plan.widening import widen

REASONS_ALIAS = "__dp_dirty"
QUARANTINE_SUFFIX = "__quarantine"

_UNICODE = frozenset({"utf8", "utf8mb3", "utf8mb4", "ucs2", "utf16", "utf16le", "utf32", "latin1"})
_BINARY = re.compile(r"(?:var)?binary\b.*|(?:tiny|medium|long)?blob\b.*", re.IGNORECASE)
_AS_TEXT = re.compile(
    r"\s*(?:cast\s*\(\s*(?P<cast>`[^`]+`|\w+)\s+as\s+char\b.*\)"
    r"|convert\s*\(\s*(?P<using>`[^`]+`|\w+)\s+using\s+\w+\s*\)"
    r"|convert\s*\(\s*(?P<char>`[^`]+`|\w+)\s*,\s*char\b.*\))\s*",
    re.IGNORECASE | re.DOTALL,
)
_LIMITS = {"tinyint": 7, "smallint": 15, "int": 31, "bigint": 63}
_DECIMAL = re.compile(r"decimal\(\d+,\d+\)")


@dataclass(frozen=True)
class Hazard:
    """A column that may hold what the warehouse cannot.

    Attributes:
        target: Its name in Hive.
        reason: What is wrong with such a value, in a few words.
        condition: SQL of the source that is true for it, and not for NULL.
        shown: SQL of the source that gives such a value as text, losing nothing.
    """

    target: str
    reason: str
    condition: str
    shown: str


def is_binary(mysql_type: str) -> bool:
    """Say whether a column of this ``COLUMN_TYPE`` holds bytes."""
    return _BINARY.fullmatch(mysql_type) is not None


def foreign_charset(charset: str | None) -> str:
    """Return a character set in which bytes without Unicode may be stored; empty for any other.

    >>> foreign_charset("gbk"), foreign_charset("utf8mb4")
    ('gbk', '')
    """
    return "" if charset is None or charset.lower() in _UNICODE else charset.lower()


def zero_date_hazard(target: str, sql: str, mysql_type: str, policy: ZeroDates) -> Hazard | None:
    """Return the hazard of a date that is refused, if the column can hold one."""
    if policy != "refuse" or not has_zero_dates(mysql_type):
        return None
    return Hazard(target, "zero date", zero_date_predicate(sql), f"CAST({sql} AS CHAR)")


def charset_hazard(target: str, sql: str, charset: str | None) -> Hazard | None:
    """Return the hazard of a column in a character set that is not contained in Unicode."""
    name = foreign_charset(charset)
    if not name:
        return None
    there_and_back = f"CONVERT(CONVERT({sql} USING utf8mb4) USING {name})"
    condition = f"CAST({sql} AS BINARY) <> CAST({there_and_back} AS BINARY)"
    return Hazard(target, f"no text of {name}", condition, f"HEX({sql})")


def cast_binary(sql: str) -> str | None:
    """Return the column that an expression reads as text, if it is that alone.

    >>> cast_binary("CAST(payload AS CHAR)"), cast_binary("CONVERT(`a b` USING utf8mb4)")
    ('payload', '`a b`')
    >>> cast_binary("concat(a, b)")
    """
    found = _AS_TEXT.fullmatch(sql)
    return None if found is None else found["cast"] or found["using"] or found["char"]


def cast_hazard(target: str, sql: str, column: str) -> Hazard:
    """Return the hazard of bytes that are read as text: those that are no UTF-8."""
    return Hazard(target, "no UTF-8", f"CAST({sql} AS BINARY) <> {column}", f"HEX({column})")


def can_narrow(planned: str, stored: str) -> bool:
    """Say whether some values of one Hive type may fit into another, narrower one of the same kind.

    >>> can_narrow("bigint", "int"), can_narrow("decimal(12,4)", "decimal(8,2)"), can_narrow("string", "int")
    (True, True, False)
    """
    exact = stored in _LIMITS or _DECIMAL.fullmatch(stored) is not None
    return exact and planned != stored and widen(planned, stored) == planned


def narrow_hazard(target: str, sql: str, stored: str) -> Hazard:
    """Return the hazard of a number that is stored in a narrower type.

    >>> narrow_hazard("n", "`n`", "tinyint").condition
    '`n` NOT BETWEEN -128 AND 127'
    """
    if stored in _LIMITS:
        limit = 2 ** _LIMITS[stored]
        condition = f"{sql} NOT BETWEEN {-limit} AND {limit - 1}"
    else:
        condition = f"{sql} <> CAST({sql} AS {stored.upper()})"
    return Hazard(target, f"does not fit {stored}", condition, f"CAST({sql} AS CHAR)")


def render_reasons(hazards: Sequence[Hazard]) -> str:
    """Return SQL that says what is wrong with a row, and is NULL for one that is clean.

    >>> render_reasons([Hazard("d", "zero date", "x", "y")])
    "NULLIF(CONCAT_WS('; ', IF(x, 'd: zero date', NULL)), '')"
    """
    each = ", ".join(
        f"IF({one.condition}, {quote_text(f'{one.target}: {one.reason}')}, NULL)" for one in hazards
    )
    return f"NULLIF(CONCAT_WS('; ', {each}), '')"


def quarantine_table(table: str) -> str:
    """Return the name of the table that holds what was set aside."""
    return f"{table}{QUARANTINE_SUFFIX}"
