"""Result metadata of the MySQL protocol -> the ``COLUMN_TYPE`` text that the type map reads.

A user's expression has no declaration, only the field packet of its result: type code, display length,
decimals, character set, flags. Lengths of text do not matter, digits and signs do.
"""

from typing import Protocol

from pymysql.constants import FIELD_TYPE, FLAG

_BINARY_CHARSET = 63
_INTEGERS = {
    FIELD_TYPE.TINY: "tinyint",
    FIELD_TYPE.SHORT: "smallint",
    FIELD_TYPE.INT24: "mediumint",
    FIELD_TYPE.LONG: "int",
    FIELD_TYPE.LONGLONG: "bigint",
}
_PLAIN = {
    FIELD_TYPE.FLOAT: "float",
    FIELD_TYPE.DOUBLE: "double",
    FIELD_TYPE.NULL: "varchar",
    FIELD_TYPE.DATE: "date",
    FIELD_TYPE.NEWDATE: "date",
    FIELD_TYPE.TIME: "time",
    FIELD_TYPE.YEAR: "year",
    FIELD_TYPE.DATETIME: "datetime",
    FIELD_TYPE.TIMESTAMP: "timestamp",
    FIELD_TYPE.JSON: "json",
    FIELD_TYPE.GEOMETRY: "geometry",
    FIELD_TYPE.ENUM: "enum",
    FIELD_TYPE.SET: "set",
}
_TEXTS = frozenset({FIELD_TYPE.VARCHAR, FIELD_TYPE.VAR_STRING, FIELD_TYPE.STRING})
_BLOBS = frozenset({FIELD_TYPE.TINY_BLOB, FIELD_TYPE.BLOB, FIELD_TYPE.MEDIUM_BLOB, FIELD_TYPE.LONG_BLOB})


class Field(Protocol):
    """The parts of a field packet that decide its type."""

    type_code: int
    charsetnr: int
    length: int
    scale: int
    flags: int


def column_type(field: Field) -> str:
    """Return the type of one result column; ``unknown(<code>)`` when the protocol has a new one."""
    unsigned = bool(field.flags & FLAG.UNSIGNED)
    if field.type_code in _INTEGERS:
        return _INTEGERS[field.type_code] + (" unsigned" if unsigned else "")
    if field.type_code in (FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL):
        digits = field.length - (1 if field.scale else 0) - (0 if unsigned else 1)
        return f"decimal({max(digits, field.scale, 1)},{field.scale})"
    if field.type_code == FIELD_TYPE.BIT:
        return f"bit({field.length})"
    binary = field.charsetnr == _BINARY_CHARSET
    if field.type_code in _TEXTS:
        return "varbinary" if binary else "varchar"
    if field.type_code in _BLOBS:
        return "longblob" if binary else "longtext"
    return _PLAIN.get(field.type_code, f"unknown({field.type_code})")
