"""Partition columns as Hive writes them into paths: ``ds=2026-01-09/hr=05``.

Names and values are escaped by Hive's rules, which are not those of URLs: a blank and every character
outside ASCII stay as they are, the characters below become ``%`` and two upper-case hex digits.
"""

from collections.abc import Sequence

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_ESCAPED = frozenset("\"#%'*/:=?\\{[]^\x7f") | {chr(code) for code in range(1, 32)}


def hive_path(columns: Sequence[tuple[str, str]]) -> str:
    """Return the relative path of a partition; an empty value is Hive's default partition.

    >>> hive_path([("ds", "2026-01-09"), ("at", "05:00")])
    'ds=2026-01-09/at=05%3A00'
    """
    return "/".join(f"{hive_escape(name)}={hive_escape(value) or NO_VALUE}" for name, value in columns)


def hive_escape(text: str) -> str:
    """Return a partition column's name or value as it stands in a path."""
    return "".join(f"%{ord(c):02X}" if c in _ESCAPED else c for c in text)
