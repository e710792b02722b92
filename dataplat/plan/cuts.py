"""Where a large partition is cut, so that the pieces hold about equal rows.

Ids have holes: of a range cut into equal widths one piece may hold everything. So the server is asked how
many rows it expects between two keys, which it answers from its index without reading rows, and the heaviest
range is halved until all are small. Then neighbours are joined into as many pieces as are wanted. Its answers
may be wrong by half or twice; only their proportions are used.

Text has no middle, but its first characters have: they are read as digits of a number. Where that tells
nothing (all rows begin alike, or not in these characters) the pieces come out uneven, and the caller looks
for real keys by walking the index instead.
"""

import string
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import accumulate, pairwise, takewhile
from typing import Literal

from dataplat.plan.split_keys import Bound, KeyKind

# Leaves for each wanted piece: what a piece can be wrong by is an eighth.
_FINENESS = 8
# As many halvings as an unsigned BIGINT has bits.
_MOST_ROUNDS = 64
_DAY = 86_400
_BEGINNING = datetime(1, 1, 1)  # noqa: DTZ001 - a source's wall clock has no zone
_DIGITS = 8

Edges = tuple[int, int]


@dataclass(frozen=True)
class Cut:
    """Bounds between the pieces of one partition, and the share of its rows in each piece.

    Attributes:
        bounds: In the server's order; none when the partition stays whole.
        shares: One more than there are bounds; they add up to one.
        on: What is compared with the bounds: the split key, or the window column.
    """

    bounds: tuple[Bound, ...] = ()
    shares: tuple[float, ...] = (1.0,)
    on: Literal["key", "window"] = "key"

    def is_even(self, pieces: int) -> bool:
        """Whether there are so many pieces, and the heaviest holds less than twice its share."""
        return len(self.shares) == pieces and max(self.shares) * pieces < 2


@dataclass(frozen=True)
class Positions:
    """The values of a column as whole numbers from ``low`` to ``high``, in the same order.

    ``is_open`` says that there may be values below and above; then the ends have no value.
    """

    kind: KeyKind
    low: int
    high: int
    prefix: str = ""
    digits: str = ""

    @property
    def is_open(self) -> bool:
        """Whether values may lie outside."""
        return self.kind in ("text", "binary")

    def value(self, position: int) -> int | str | None:
        """Return the value at a position; ``None`` stands for an open end."""
        if self.is_open and position in (self.low, self.high):
            return None
        if self.kind == "number":
            return position
        if self.kind == "binary":
            return self.prefix + f"{position:0{2 * _DIGITS}X}"
        if self.kind == "text":
            return self.prefix + _spell(position, self.digits)
        seconds = position * _DAY if self.kind == "day" else position
        moment = _BEGINNING + timedelta(seconds=seconds)
        return str(moment.date()) if self.kind == "day" else moment.isoformat(" ", "seconds")


def plan_positions(kind: KeyKind, low: object, high: object) -> Positions | None:
    """Return the positions between the smallest and the largest value; ``None`` if they tell nothing.

    >>> found = plan_positions("text", "49a0c3", "49f1")
    >>> found.value((found.low + found.high) // 2)
    '4980000000'
    >>> plan_positions("number", 1, 9)
    Positions(kind='number', low=1, high=10, prefix='', digits='')
    """
    if low is None or high is None or kind == "uuid":
        return None
    try:
        return _positions(kind, str(low), str(high))
    except (ValueError, OverflowError, InvalidOperation):  # a zero date, or a year that Python has not
        return None


def cut_evenly(
    positions: Positions, pieces: int, rows_between: Callable[[Sequence[Edges]], Sequence[int]]
) -> Cut:
    """Return bounds of about equal rows on one column.

    Args:
        positions: Of the column.
        pieces: How many are wanted; fewer come out where there are fewer values.
        rows_between: Estimates rows of half-open ranges of positions, all of one call in one round trip.
    """
    leaves = [(positions.low, positions.high)]
    rows = list(rows_between(leaves))
    for _ in range(_MOST_ROUNDS):
        limit = sum(rows) / (_FINENESS * pieces)
        heavy = [i for i, (low, high) in enumerate(leaves) if rows[i] > limit and high - low > 1]
        if not heavy:
            break
        halves = [half for i in heavy for half in _halves(leaves[i])]
        found = iter(rows_between(halves))
        known = dict(zip(leaves, rows, strict=True))
        for i in heavy:
            del known[leaves[i]]
        known.update({half: next(found) for half in halves})
        leaves = sorted(known)
        rows = [known[leaf] for leaf in leaves]
    return _join(positions, leaves, rows, pieces)


def cut_by_width(low: int, high: int, pieces: int) -> Cut:
    """Return bounds of equal width, where nobody can say how many rows lie between two keys."""
    span = high - low + 1
    bounds = sorted({low - (-span * index // pieces) for index in range(1, pieces)} - {low})
    return Cut(tuple((bound,) for bound in bounds), _equal(len(bounds) + 1))


def cut_at(bounds: Sequence[Bound], rows: Sequence[int]) -> Cut:
    """Return a cut at known bounds, with the rows between them as somebody estimated them."""
    total = sum(rows)
    if not total:
        return Cut(tuple(bounds), _equal(len(bounds) + 1))
    return Cut(tuple(bounds), tuple(number / total for number in rows))


def _join(positions: Positions, leaves: Sequence[Edges], rows: Sequence[int], pieces: int) -> Cut:
    """Join neighbouring leaves into pieces: each bound is the edge that is nearest to where it should be."""
    sums = list(accumulate(rows))
    chosen: list[int] = []
    for number in range(1, pieces):
        goal = sums[-1] * number / pieces
        above = bisect_left(sums, goal)
        nearest = min({max(above - 1, 0), min(above, len(leaves) - 1)}, key=lambda i: abs(sums[i] - goal))
        if 0 < sums[nearest] < sums[-1] and nearest not in chosen:
            chosen.append(nearest)
    chosen.sort()
    bounds = [positions.value(leaves[i][1]) for i in chosen]
    parts = [right - left for left, right in pairwise([0, *(sums[i] for i in chosen), sums[-1]])]
    return cut_at([(bound,) for bound in bounds if bound is not None], parts)


def _halves(edges: Edges) -> tuple[Edges, Edges]:
    low, high = edges
    middle = (low + high) // 2
    return (low, middle), (middle, high)


def _equal(pieces: int) -> tuple[float, ...]:
    return (1 / pieces,) * pieces


def _positions(kind: KeyKind, low: str, high: str) -> Positions:
    if kind == "number":
        # A DECIMAL lies between two whole numbers.
        return Positions(kind, int(Decimal(low) // 1), int(-(-Decimal(high) // 1)) + 1)
    if kind == "binary":
        shared = _shared(low, high)
        shared = shared[: len(shared) // 2 * 2]
        return Positions(kind, 0, 256**_DIGITS, shared)
    if kind == "text":
        shared = _shared(low, high)
        rest = low[len(shared) :] + high[len(shared) :]
        hexadecimal = set(rest.lower().replace("-", "")) <= set(string.hexdigits)
        digits = string.hexdigits[:16] if hexadecimal else string.digits + string.ascii_lowercase
        digits = digits.upper() if rest.isupper() else digits
        return Positions(kind, 0, len(digits) ** _DIGITS, shared, digits)
    width = _DAY if kind == "day" else 1
    first, last = (datetime.fromisoformat(text) - _BEGINNING for text in (low, high))
    return Positions(kind, int(first.total_seconds()) // width, int(last.total_seconds()) // width + 1)


def _shared(low: str, high: str) -> str:
    """Return the characters that both begin with."""
    return "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(low, high, strict=False)))


def _spell(position: int, digits: str) -> str:
    letters = []
    for _ in range(_DIGITS):
        position, digit = divmod(position, len(digits))
        letters.append(digits[digit])
    return "".join(reversed(letters))
