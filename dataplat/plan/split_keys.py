"""What a read may be cut by: a column or a few that an index serves, and how bounds of them are written.

A bound is compared at the server, in the column's own collation and type, and every range is half-open, so
each row with a key is in exactly one range whatever the server thinks of case, accents or trailing blanks.
``(a, b) >= (x, y)`` is written out: as a comparison of rows it reads the whole table.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dataplat.plan.sql import quote_name, quote_text

KeyKind = Literal["number", "day", "time", "text", "binary", "uuid"]
# Of a binary column the hexadecimal digits; of times the text that the server shows.
Bound = tuple[int | str, ...]

_KINDS: Mapping[str, KeyKind] = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "decimal"), "number"),
    **dict.fromkeys(("char", "varchar"), "text"),
    **dict.fromkeys(("binary", "varbinary"), "binary"),
    **dict.fromkeys(("datetime", "timestamp"), "time"),
    "date": "day",
    "uuid": "uuid",
}
_TYPE = re.compile(r"\w+")
# What looks the same in every character set and mode of a server; anything else travels as digits.
_PLAIN = re.compile(r"[A-Za-z0-9 _.:@/+-]*")


@dataclass(frozen=True)
class KeyColumn:
    """A column that bounds are written for."""

    name: str
    kind: KeyKind
    nullable: bool = True

    def literal(self, value: int | str) -> str:
        """Return a bound as the server reads it.

        >>> KeyColumn("name", "text").literal("it's"), KeyColumn("id", "binary").literal("00FF")
        ("_utf8mb4 X'69742773'", "X'00FF'")
        """
        if self.kind == "number":
            return str(value)
        if self.kind == "binary":
            return f"X'{value}'"
        text = str(value)
        return quote_text(text) if _PLAIN.fullmatch(text) else f"_utf8mb4 X'{text.encode().hex().upper()}'"

    @property
    def selected(self) -> str:
        """The expression that returns a value as a bound holds it."""
        name = quote_name(self.name)
        if self.kind == "binary":
            return f"HEX({name})"
        return f"CAST({name} AS CHAR)" if self.kind in ("day", "time", "uuid") else name


@dataclass(frozen=True)
class SplitKey:
    """Columns that rows are ordered by, and the index that serves them (``None``: none is known)."""

    columns: tuple[KeyColumn, ...]
    index: str | None = None

    @property
    def name(self) -> str:
        """What people call it: ``tenant, id``."""
        return ", ".join(column.name for column in self.columns)

    @property
    def counted_column(self) -> str | None:
        """The column whose smallest and largest value a count should find: only numbers are worth it."""
        return self.columns[0].name if self.columns[0].kind == "number" else None


def key_kind(mysql_type: str) -> KeyKind | None:
    """Return how bounds of a type are written; none for types whose order is not that of their text.

    An ENUM is sorted by number and compared by name, a FLOAT is not what it shows.
    """
    word = _TYPE.match(mysql_type.lower())
    return _KINDS.get(word[0]) if word else None


def at_least(names: Sequence[str], literals: Sequence[str]) -> str:
    """Return the condition that columns are not below a bound, so that an index on the first one serves it.

    >>> at_least(["a", "b"], ["1", "2"])
    '`a` >= 1 AND (`a` > 1 OR `b` >= 2)'
    """
    name, literal = quote_name(names[0]), literals[0]
    if len(literals) == 1:
        return f"{name} >= {literal}"
    rest = at_least(names[1:], literals[1:])
    rest = rest if len(literals) == 2 else f"({rest})"
    return f"{name} >= {literal} AND ({name} > {literal} OR {rest})"


def below(names: Sequence[str], literals: Sequence[str]) -> str:
    """Return the opposite of ``at_least``, for rows that have a key.

    >>> below(["a", "b"], ["1", "2"])
    '`a` <= 1 AND (`a` < 1 OR `b` < 2)'
    """
    name, literal = quote_name(names[0]), literals[0]
    if len(literals) == 1:
        return f"{name} < {literal}"
    rest = below(names[1:], literals[1:])
    rest = rest if len(literals) == 2 else f"({rest})"
    return f"{name} <= {literal} AND ({name} < {literal} OR {rest})"
