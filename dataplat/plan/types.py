"""MySQL and MariaDB column types -> Hive types: our own map, pinned here and in one golden file.

What arrives is the ``COLUMN_TYPE`` text of ``information_schema.columns``; what it becomes is a
Hive type, the expression that asks the source for the value, and the Spark type the value is cast to
after the read. Neither Spark's dialect nor the driver decides, so no upgrade of either changes a table.

What surprises, and what is done about it:

* An unsigned integer needs the next wider type; ``bigint unsigned`` needs ``decimal(20,0)``.
* ``tinyint(1)`` stays a number. Only ``bit(1)`` is a boolean.
* A ``float`` is sent as text with six digits, which loses value. ``+ 0e0`` asks for the exact double.
* ``char``, ``enum`` and ``set`` reach Spark as CHAR(n), which it fills with spaces to n characters. A cast at
  the source makes them VARCHAR.
* ``time`` is a span of up to 838 hours, no time of day; it stays text.
* ``decimal`` may have 65 digits at the source and 38 in Hive. A wider one becomes text, never rounded.
* ``0000-00-00`` and ``2026-00-10`` are dates for MySQL and for nobody else. The driver gives NULL for the
  first and silently invents a day for the second (2025-12-10), so the source itself turns both into NULL
  (policy ``null``). Measured on MariaDB 10.11 the expression keeps the type and costs 10 ns a DATETIME and
  50 ns a DATE, where Spark needs 2 µs a row. A TIMESTAMP can only be zero as a whole, and is read plain.
  Policy ``refuse`` sends the same, and ``zero_date_predicate`` tells the rows that are set aside (``dirty``).
  A server in mode ALLOW_INVALID_DATES may hold 2026-02-31; the driver reads it as 2026-03-03.
* The driver's calendar is Julian before 1582-10-15, as Java's is. Spark moves its days back to ours, so that
  1000-01-01 stays what it is; the ten days that it never had, 1582-10-05 to 14, come ten days later.

It refuses to guess: a type that is not in the map is a problem that names the column.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dataplat.errors import SourceError

ZeroDates = Literal["null", "refuse"]

MAX_HIVE_DECIMAL = 38

_TEXT = "{sql}"
_AS_TEXT = "CAST({sql} AS CHAR)"
_AS_NUMBER = "(({sql}) + 0)"
_AS_DOUBLE = "(({sql}) + 0e0)"
_WITHOUT_ZERO_DATES = "IF(DAYOFMONTH({sql}) AND MONTH({sql}), {sql}, NULL)"

_INTEGERS = {
    "tinyint": ("tinyint", "smallint"),
    "smallint": ("smallint", "int"),
    "mediumint": ("int", "int"),
    "int": ("int", "bigint"),
    "bigint": ("bigint", "decimal(20,0)"),
}
_ALIASES = {
    "bool": "tinyint",
    "boolean": "tinyint",
    "integer": "int",
    "numeric": "decimal",
    "dec": "decimal",
    "fixed": "decimal",
    "real": "double",
    "double precision": "double",
    "nchar": "char",
    "nvarchar": "varchar",
    "geomcollection": "geometrycollection",
}
_STRINGS = frozenset({"varchar", "tinytext", "text", "mediumtext", "longtext", "json"})
_PADDED = frozenset({"char", "enum", "set"})
_STRINGS_BY_CAST = frozenset({"uuid", "inet4", "inet6"})
_BINARIES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
_GEOMETRIES = frozenset(
    {
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geometrycollection",
    }
)
_ZERO_DATE_TYPES = {"date": "date", "datetime": "timestamp", "timestamp": "timestamp"}

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SHAPE = re.compile(
    r"""
    (?P<name>double\s+precision|[a-z][a-z0-9]*)
    \s*(?:\((?P<arguments>(?:[^()']|'(?:[^']|'')*')*)\))?
    (?P<attributes>(?:\s+(?:unsigned|signed|zerofill|binary|ascii|unicode
        |(?:character\s+set|charset|collate)\s*=?\s*[a-z0-9_]+))*)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class MappedType:
    """How one source column becomes one Hive column.

    Attributes:
        hive: The Hive type, in the spelling Hive itself prints.
        select: Template of the expression sent to the source; ``{sql}`` stands for the column.
        spark_cast: The type the value read is cast to in Spark; the cast never loses anything.
        lossy: Whether the Hive column holds less than the source column.
        reason: Why the map is not the obvious one; empty where it is.
    """

    hive: str
    select: str
    spark_cast: str
    lossy: bool = False
    reason: str = ""

    def expression(self, sql: str) -> str:
        """Return the expression that is sent to the source for the column or expression ``sql``."""
        return self.select.replace("{sql}", sql)


@dataclass(frozen=True)
class TypePlan:
    """The types of one table's columns, in order, and every column that has none."""

    types: tuple[MappedType, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class _Shape:
    name: str
    arguments: str
    unsigned: bool

    def numbers(self) -> tuple[int, ...] | None:
        if not self.arguments.strip():
            return ()
        parts = [part.strip() for part in self.arguments.split(",")]
        return tuple(map(int, parts)) if all(re.fullmatch(r"[0-9]{1,9}", part) for part in parts) else None


def map_type(mysql_type: str, zero_dates: ZeroDates = "null") -> MappedType | None:
    """Return how a column of this ``COLUMN_TYPE`` is read and stored, or None when the map has no entry.

    Case and white space do not matter. Character sets, collations, display widths, ``zerofill`` and
    comments that the server adds do not change the result.

    >>> map_type("bigint(20) unsigned").hive
    'decimal(20,0)'
    >>> map_type("datetime").expression("`paid_at`")
    'IF(DAYOFMONTH(`paid_at`) AND MONTH(`paid_at`), `paid_at`, NULL)'
    """
    shape = _parse(mysql_type)
    if shape is None:
        return None
    if shape.name in _INTEGERS:
        return _map_integer(shape)
    if shape.name in _ZERO_DATE_TYPES:
        return _map_date(shape.name, zero_dates)
    if shape.name in ("decimal", "bit"):
        return _map_decimal(shape) if shape.name == "decimal" else _map_bit(shape)
    return _map_by_name(shape.name)


def map_columns(columns: Sequence[tuple[str, str]], zero_dates: ZeroDates = "null") -> TypePlan:
    """Return the types of ``(name, COLUMN_TYPE)`` pairs, and every problem instead of the first only."""
    mapped = [(name, text, map_type(text, zero_dates)) for name, text in columns]
    return TypePlan(
        types=tuple(found for _, _, found in mapped if found is not None),
        problems=tuple(_unmapped(name, text) for name, text, found in mapped if found is None),
    )


def require_types(
    subject: str, columns: Sequence[tuple[str, str]], zero_dates: ZeroDates = "null"
) -> tuple[MappedType, ...]:
    """Return the types of ``(name, COLUMN_TYPE)`` pairs, in order.

    Raises:
        SourceError: If a column has a type that is not in the map; all of them are named. Nothing was read.
    """
    plan = map_columns(columns, zero_dates)
    if plan.problems:
        raise SourceError(
            subject,
            "the source has columns of types without a Hive type",
            facts=[("found", "\n".join(plan.problems))],
            effect="nothing was read",
            next_steps=["leave the column out of `columns`", 'read it as text: "CAST(x AS CHAR) AS x"'],
        )
    return plan.types


def has_zero_dates(mysql_type: str) -> bool:
    """Return whether a column of this type can hold ``0000-00-00`` or a date without month or day."""
    shape = _parse(mysql_type)
    return shape is not None and shape.name in _ZERO_DATE_TYPES


def zero_date_predicate(sql: str) -> str:
    """Return the condition that is true for the dates that policy ``null`` turns into NULL.

    >>> zero_date_predicate("`paid_at`")
    '(DAYOFMONTH(`paid_at`) = 0 OR MONTH(`paid_at`) = 0)'
    """
    return f"(DAYOFMONTH({sql}) = 0 OR MONTH({sql}) = 0)"


def _parse(mysql_type: str) -> _Shape | None:
    match = _SHAPE.fullmatch(_COMMENT.sub(" ", mysql_type).strip())
    if match is None:
        return None
    name = " ".join(match["name"].lower().split())
    attributes = match["attributes"].lower().split()
    return _Shape(
        name=_ALIASES.get(name, name),
        arguments=match["arguments"] or "",
        unsigned="unsigned" in attributes or "zerofill" in attributes,
    )


def _plain(hive: str, reason: str = "") -> MappedType:
    return MappedType(hive=hive, select=_TEXT, spark_cast=hive, reason=reason)


def _map_integer(shape: _Shape) -> MappedType | None:
    if shape.numbers() is None:
        return None
    signed, unsigned = _INTEGERS[shape.name]
    if not shape.unsigned or signed == unsigned:
        return _plain(signed)
    return _plain(unsigned, "unsigned: needs the next wider type")


def _map_decimal(shape: _Shape) -> MappedType | None:
    numbers = shape.numbers()
    if numbers is None or len(numbers) > 2:
        return None
    precision, scale = (*numbers, 10, 0)[:2] if not numbers else (*numbers, 0)[:2]
    if not 1 <= precision <= 65 or scale > precision:
        return None
    if precision > MAX_HIVE_DECIMAL:
        reason = f"more than {MAX_HIVE_DECIMAL} digits: exact text, never rounded"
        return MappedType("string", _AS_TEXT, "string", reason=reason)
    return _plain(f"decimal({precision},{scale})")


def _map_bit(shape: _Shape) -> MappedType | None:
    numbers = shape.numbers()
    bits = numbers[0] if numbers else 1
    if numbers is None or len(numbers) > 1 or not 1 <= bits <= 64:
        return None
    if bits == 1:
        return MappedType("boolean", _AS_NUMBER, "boolean", reason="one bit")
    hive = "bigint" if bits < 64 else "decimal(20,0)"
    return MappedType(hive, _AS_NUMBER, hive, reason="the bits as a number")


def _map_date(name: str, zero_dates: ZeroDates) -> MappedType:
    hive = _ZERO_DATE_TYPES[name]
    select = _TEXT if name == "timestamp" else _WITHOUT_ZERO_DATES
    if zero_dates == "refuse":
        return MappedType(hive, select, hive, reason="rows with zero dates are set aside")
    return MappedType(hive, select, hive, lossy=True, reason="zero dates become NULL")


def _map_by_name(name: str) -> MappedType | None:
    if name in _STRINGS:
        return _plain("string")
    if name in _PADDED:
        return MappedType("string", _AS_TEXT, "string", reason="Spark would pad a CHAR with spaces")
    if name in _BINARIES:
        return _plain("binary")
    if name in _STRINGS_BY_CAST:
        return MappedType("string", _AS_TEXT, "string", reason="as the server prints it")
    if name in _GEOMETRIES:
        return MappedType(
            "binary", "ST_AsWKB({sql})", "binary", lossy=True, reason="WKB, which does not hold the SRID"
        )
    special = {
        "float": MappedType("float", _AS_DOUBLE, "float", reason="as text it would have six digits"),
        "double": _plain("double"),
        "year": MappedType("int", _AS_NUMBER, "int", reason="the driver would make a date of it"),
        "time": MappedType("string", _AS_TEXT, "string", reason="a span of ±838 hours, no time of day"),
    }
    return special.get(name)


def _unmapped(column: str, mysql_type: str) -> str:
    return f"column '{column}' has the type '{mysql_type}', which has no Hive type in dataplat"
