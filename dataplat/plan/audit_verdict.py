"""Whether the rows of an audited table are those that are expected."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowsVerdict:
    """What a comparison came to, in words for people; ``passed`` is ``None`` when it could not be made."""

    passed: bool | None
    text: str


def compare_rows(rows: int, expected: int | None, tolerance: float, what: str) -> RowsVerdict:
    """Compare rows with a number that is known from elsewhere.

    Args:
        rows: What was counted.
        expected: What it should be; ``None`` when nobody can say.
        tolerance: Share of the expected number that may be missing or too many.
        what: What the number is of: ``market: SELECT …``.

    >>> compare_rows(98, 100, 0.01, "market").text
    '98 rows, 2 fewer than the 100 of market; allowed are 1'
    >>> compare_rows(101, 100, 0.01, "market").passed
    True
    """
    if expected is None:
        return RowsVerdict(None, f"{rows:,} rows, compared with nothing: {what} is not known")
    allowed = int(expected * tolerance)
    away = rows - expected
    if abs(away) <= allowed:
        return RowsVerdict(True, f"{rows:,} rows, {expected:,} of {what}")
    distance = f"{abs(away):,} {'more' if away > 0 else 'fewer'} than the {expected:,} of {what}"
    return RowsVerdict(False, f"{rows:,} rows, {distance}; allowed are {allowed:,}")


def compare_history(rows: int, earlier: Sequence[int], drop: float | None, rise: float | None) -> RowsVerdict:
    """Compare rows with the average of earlier counts; a table that was never counted passes nothing.

    >>> compare_history(60, [100, 100], 0.3, None).text
    '60 rows, 40.0% below the average 100 of 2 counts; allowed are 30%'
    """
    if not earlier:
        return RowsVerdict(None, f"{rows:,} rows, compared with nothing: there is no earlier count")
    average = sum(earlier) / len(earlier)
    counts = f"the average {average:,.0f} of {len(earlier)} count{'s' if len(earlier) > 1 else ''}"
    if drop is not None and rows < average * (1 - drop):
        return RowsVerdict(
            False, f"{rows:,} rows, {1 - rows / average:.1%} below {counts}; allowed are {drop * 100:g}%"
        )
    if rise is not None and rows > average * (1 + rise):
        above = f"{rows / average - 1:.1%}" if average else "any number"
        return RowsVerdict(False, f"{rows:,} rows, {above} above {counts}; allowed are {rise * 100:g}%")
    return RowsVerdict(True, f"{rows:,} rows, {counts}")
