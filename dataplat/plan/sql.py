"""Pieces of MySQL text that reads and counts share: names, windows, physical tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dataplat.plan.windows import Window, wall_clock


@dataclass(frozen=True, order=True)
class PhysicalTable:
    """One table as the source stores it; several make a sharded logical table.

    ``source`` names its instance where a logical table has several, and is empty where it has one.
    """

    database: str
    name: str
    source: str = ""

    @property
    def sql(self) -> str:
        """The quoted, qualified name."""
        return f"{quote_name(self.database)}.{quote_name(self.name)}"

    @classmethod
    def parse(cls, text: str) -> "PhysicalTable":
        """Return the table whose ``str`` this is.

        >>> PhysicalTable.parse("shop_2/orders.t_00")
        PhysicalTable(database='orders', name='t_00', source='shop_2')
        """
        place, _, rest = text.rpartition("/") if "/" in text.split(".", 1)[0] else ("", "", text)
        database, _, name = rest.partition(".")
        return cls(database, name, place)

    def __str__(self) -> str:
        place = f"{self.source}/" if self.source else ""
        return f"{place}{self.database}.{self.name}"


def quote_name(name: str) -> str:
    """Quote a MySQL identifier.

    >>> quote_name("a`b")
    '`a``b`'
    """
    return "`" + name.replace("`", "``") + "`"


def quote_text(text: str) -> str:
    """Quote a MySQL string literal, for any ``sql_mode``: only quotes and backslashes matter.

    >>> quote_text("it's")
    "'it''s'"
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def window_predicate(column: str, windows: Sequence[Window], zone: str) -> str:
    """Return the half-open, index-friendly condition for some windows of one column.

    The column stands alone on its side of each comparison: ``date(column) = …`` would read the whole
    table. Literals are wall clock in ``zone``, the session time zone of the connection, so that they
    mean the same for ``DATETIME`` (wall clock) and ``TIMESTAMP`` (instant).
    """
    place = ZoneInfo(zone)
    name = quote_name(column)
    spans = [
        f"({name} >= '{wall_clock(window.start, place)}' AND {name} < '{wall_clock(window.end, place)}')"
        for window in windows
    ]
    return spans[0] if len(spans) == 1 else f"({' OR '.join(spans)})"
