"""Which Hive type holds everything that two others hold, and how the source is asked for a typed NULL.

Only what loses nothing counts as wider: an ``int`` fits into a ``bigint``, a ``decimal`` and a ``double``; a
``bigint`` fits into no ``double``, which has 53 bits. Kinds never mix: a number is not made text, nor a day a
moment, because somebody compares them.
"""

import re
from collections.abc import Sequence

from dataplat.plan.types import MAX_HIVE_DECIMAL

_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_EXACT_IN_DOUBLE = frozenset({"tinyint", "smallint", "int", "float"})
_DECIMAL = re.compile(r"decimal\(([0-9]+),([0-9]+)\)")
_NULLS = {
    "double": "(NULL + 0e0)",
    "float": "(NULL + 0e0)",
    "string": "CAST(NULL AS CHAR(1))",
    "binary": "CAST(NULL AS BINARY(1))",
    "date": "CAST(NULL AS DATE)",
    "timestamp": "CAST(NULL AS DATETIME)",
}


def widen(one: str, other: str) -> str | None:
    """Return the narrowest Hive type that holds every value of both, or None if there is none.

    >>> widen("int", "bigint"), widen("decimal(10,2)", "decimal(8,4)"), widen("bigint", "double")
    ('bigint', 'decimal(12,4)', None)
    """
    if one == other:
        return one
    if one in _DIGITS and other in _DIGITS:
        return max(one, other, key=_DIGITS.__getitem__)
    if "double" in (one, other):
        return "double" if {one, other} - {"double"} <= _EXACT_IN_DOUBLE else None
    first, second = _whole_and_scale(one), _whole_and_scale(other)
    if first is None or second is None:
        return None
    whole, scale = max(first[0], second[0]), max(first[1], second[1])
    return f"decimal({whole + scale},{scale})" if whole + scale <= MAX_HIVE_DECIMAL else None


def widen_all(types: Sequence[str]) -> str | None:
    """Return the narrowest Hive type that holds every value of all, or None if there is none."""
    widest: str | None = types[0]
    for other in types[1:]:
        widest = widen(widest, other) if widest is not None else None
    return widest


def null_of(hive: str) -> str:
    """Return an expression for the source that is NULL and arrives as something that casts to this type.

    A bare ``NULL`` has no type of its own, and the engine would not know what to make of it.
    """
    if hive.startswith("decimal"):
        return f"CAST(NULL AS {hive.upper()})"
    return _NULLS.get(hive, "CAST(NULL AS SIGNED)")


def _whole_and_scale(hive: str) -> tuple[int, int] | None:
    """Return the digits before and behind the point; none for what is no exact number."""
    if hive in _DIGITS:
        return _DIGITS[hive], 0
    found = _DECIMAL.fullmatch(hive)
    return (int(found[1]) - int(found[2]), int(found[2])) if found else None
