"""Rows that a test of a model expects, compared with those that were made.

Values are compared as text, after each kind is written in one way: ``3.50``, ``3.5`` and a decimal of any
scale are the same, a date is ``2026-01-09``, a time ``2026-01-09 05:00:00``. Text stays as it is, and is read
as a number where the column that was made holds numbers. Rows are compared as a multiset unless their order
matters.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from dataplat.plan.display import display_width, padded

Cells = tuple[str, ...]

_WIDTH = 80
_WIDEST = 24
_ROWS_SHOWN = 10
NULL = "NULL"


@dataclass(frozen=True)
class RowDiff:
    """What differs between expected and made rows.

    Attributes:
        columns: The columns that are compared.
        missing: Rows that were expected and not made.
        surplus: Rows that were made and not expected; next to the missing row that they are most like, as
            far as there is one.
        expected: How many rows were expected.
        made: How many rows were made.
        out_of_order: Whether the rows are right, and only their order is not.
    """

    columns: tuple[str, ...]
    missing: tuple[Cells, ...]
    surplus: tuple[Cells, ...]
    expected: int
    made: int
    out_of_order: bool = False

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.missing and not self.surplus and not self.out_of_order

    def render(self) -> str:
        """Return the difference for people, in lines of at most 80 columns, without a trailing newline."""
        if self.equal:
            return f"{self.made} rows, as expected"
        head = f"expected {self.expected} rows, made {self.made}"
        if self.out_of_order:
            return f"{head}: the same, in another order"
        columns = self._columns_shown()
        lines = [("", self.columns)]
        for index in range(max(len(self.missing), len(self.surplus))):
            lines += [("-", row) for row in self.missing[index : index + 1]]
            lines += [("+", row) for row in self.surplus[index : index + 1]]
        shown = lines[: _ROWS_SHOWN + 1]
        widths = {at: max(display_width(_cut(row[at])) for _, row in shown) for at in columns}
        table = [
            f"{sign:<1} {'   '.join(padded(_cut(row[at]), widths[at]) for at in columns)}".rstrip()
            for sign, row in shown
        ]
        rest = [f"… and {len(lines) - len(shown)} more"] if len(lines) > len(shown) else []
        hidden = len(self.columns) - len(columns)
        note = [f"({hidden} more columns)"] if hidden else []
        return "\n".join([f"{head}: - is missing, + is too much", *table, *rest, *note])

    def _columns_shown(self) -> list[int]:
        """Return the columns to show: those that differ first, then the others as long as they fit."""
        pairs = list(zip(self.missing, self.surplus, strict=False))
        differ = [at for at in range(len(self.columns)) if any(a[at] != b[at] for a, b in pairs)]
        others = [at for at in range(len(self.columns)) if at not in differ]
        chosen: list[int] = []
        left = _WIDTH - 2
        rows = [self.columns, *self.missing, *self.surplus]
        for at in [*others[:1], *differ, *others[1:]]:
            width = max(display_width(_cut(row[at])) for row in rows) + 3
            if left - width >= -3:
                chosen.append(at)
                left -= width
        return sorted(chosen)


def compare_rows(
    expected: Sequence[Mapping[str, object]], made: Sequence[Mapping[str, object]], *, ordered: bool = False
) -> RowDiff:
    """Compare the rows a test expects with the rows a model made.

    Args:
        expected: What the test says. Columns that no row names are not compared; one that some rows name is
            NULL in the others. Without any row, all columns are shown and none may be made.
        made: What the model made, all columns in each row.
        ordered: Whether the order counts.
    """
    columns = tuple(dict.fromkeys(name.lower() for row in expected for name in row)) or (
        tuple(name.lower() for name in made[0]) if made else ()
    )
    numeric = {
        name for row in made for name, value in row.items()
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    }  # fmt: skip
    wanted = [_cells(row, columns, numeric) for row in expected]
    found = [_cells(row, columns, numeric) for row in made]
    missing = list((Counter(wanted) - Counter(found)).elements())
    surplus = list((Counter(found) - Counter(wanted)).elements())
    out_of_order = ordered and not missing and not surplus and wanted != found
    missing, surplus = sorted(missing), sorted(surplus)
    return RowDiff(
        columns, tuple(missing), tuple(_alike(missing, surplus)), len(wanted), len(found), out_of_order
    )


def written(value: object, *, as_number: bool = False) -> str:
    """Return the one way in which a value is compared and shown.

    >>> written(Decimal("3.50")), written(3.0), written("2026-01-09"), written(None)
    ('3.5', '3', '2026-01-09', 'NULL')
    """
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal) or (as_number and isinstance(value, str)):
        return _number(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {written(item)}" for key, item in sorted(value.items())) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written, value))}]"
    return repr(value) if value == NULL else str(value)


def _number(value: int | float | Decimal | str) -> str:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return str(value)
    if not number.is_finite():
        return str(number)
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _cells(row: Mapping[str, object], columns: Sequence[str], numeric: set[str]) -> Cells:
    values = {name.lower(): value for name, value in row.items()}
    numbers = {name.lower() for name in numeric}
    return tuple(written(values.get(name), as_number=name in numbers) for name in columns)


def _alike(missing: Sequence[Cells], surplus: Sequence[Cells]) -> list[Cells]:
    """Return the surplus rows, each beside the missing row that it shares most cells with."""
    left = list(surplus)
    paired: list[Cells] = []
    for row in missing:
        if not left:
            break
        best = max(left, key=lambda other: sum(a == b for a, b in zip(row, other, strict=True)))
        left.remove(best)
        paired.append(best)
    return paired + left


def _cut(cell: str) -> str:
    text = cell.replace("\n", "⏎")
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
