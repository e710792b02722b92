"""Which chunks of a partition are compared next, and what two sides of the same rows differ in.

A row belongs to the chunk that the last bits of its key's CRC-32 name, so a chunk holds the same keys on both
sides, whatever their type, and chunks are about equally large. A step compares the checksums of chunks; only
unequal ones are cut into smaller ones, by more bits, until they hold few rows. Of these the keys and hashes
of rows are fetched, a bounded number at a time; and of the rows that differ, the columns of as many as
somebody wants to see.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal

from dataplat.plan.checksums import Checksum

LEAF_ROWS = 64
BITS_A_STEP = 10
MAX_BITS = 32
MAX_CHUNKS_A_STEP = 1 << 17
MAX_ROWS_A_FETCH = 100_000
MAX_CHUNKS_A_FETCH = 5_000

RowKind = Literal["lost", "extra", "changed"]


@dataclass(frozen=True)
class Chunks:
    """Some chunks: those whose keys' checksums end in one of ``numbers``, ``bits`` of them compared.

    ``bits`` 0 and the number 0 are all rows.
    """

    bits: int
    numbers: tuple[int, ...]

    @property
    def mask(self) -> int:
        """What takes the number of its chunk from the checksum of a key."""
        return (1 << self.bits) - 1


ALL_ROWS = Chunks(0, (0,))


@dataclass(frozen=True)
class Step:
    """One comparison of checksums: of the rows in ``within``, by chunks of ``bits``."""

    within: Chunks
    bits: int


@dataclass(frozen=True)
class HashedRow:
    """Rows that are equal in every column: the text of their key, their hash, how many there are."""

    key: bytes
    hash: int
    rows: int = 1


@dataclass(frozen=True)
class FoundRow:
    """What differs about some rows of a key; the hash of a side that has no such row is ``None``."""

    kind: RowKind
    key: bytes
    source: int | None
    hive: int | None
    rows: int


@dataclass
class Tally:
    """How many rows differ, and the first few of each kind."""

    limit: int
    lost: int = 0
    extra: int = 0
    changed: int = 0
    _first: dict[RowKind, list[FoundRow]] = field(default_factory=dict)

    def add(self, row: FoundRow) -> None:
        """Count what was found."""
        setattr(self, row.kind, getattr(self, row.kind) + row.rows)
        kept = self._first.setdefault(row.kind, [])
        if len(kept) < self.limit:
            kept.append(row)

    @property
    def shown(self) -> list[FoundRow]:
        """What is shown: some of each kind, so that none hides another, and one row of several equal ones."""
        turns = zip_longest(*self._first.values())
        return [row for turn in turns for row in turn if row is not None][: self.limit]


def first_step(rows: int) -> Step:
    """Return the first comparison of a partition that is believed to have so many rows.

    >>> first_step(0).bits, first_step(3_000).bits, first_step(6_000_000).bits
    (0, 6, 10)
    """
    return Step(ALL_ROWS, _bits_for(rows))


def unequal_chunks(source: Mapping[int, Checksum], hive: Mapping[int, Checksum]) -> dict[int, int]:
    """Return the chunks whose checksums differ, with the rows of both sides together."""
    nothing = Checksum()
    pairs = {
        number: (source.get(number, nothing), hive.get(number, nothing))
        for number in sorted({*source, *hive})
    }
    return {number: one.rows + other.rows for number, (one, other) in pairs.items() if one != other}


def next_steps(bits: int, unequal: Mapping[int, int]) -> tuple[list[Step], list[Chunks]]:
    """Return the comparisons that cut large unequal chunks, and the chunks whose rows are fetched."""
    large = {number: rows for number, rows in unequal.items() if rows > 4 * LEAF_ROWS and bits < MAX_BITS}
    more = min(_bits_for(max(large.values(), default=0) // 2), MAX_BITS - bits)
    each = max(MAX_CHUNKS_A_STEP >> more, 1)
    numbers = tuple(large)
    portions = [numbers[start : start + each] for start in range(0, len(numbers), each)]
    steps = [Step(Chunks(bits, portion), bits + more) for portion in portions]
    return steps, list(
        _fetches(bits, {number: rows for number, rows in unequal.items() if number not in large})
    )


def compare_rows(source: Iterable[HashedRow], hive: Iterable[HashedRow]) -> Iterator[FoundRow]:
    """Return what differs between all rows of some chunks, key by key.

    Of a key that occurs several times, rows that are equal on both sides are taken out first; the others are
    paired as changed, and what is left over is lost or extra.
    """
    by_key: dict[bytes, tuple[Counter[int], Counter[int]]] = defaultdict(lambda: (Counter(), Counter()))
    for side, rows in enumerate((source, hive)):
        for row in rows:
            by_key[row.key][side][row.hash] += row.rows
    for key, (here, there) in sorted(by_key.items()):
        yield from _differences(key, here - there, there - here)


def _differences(key: bytes, source: Counter[int], hive: Counter[int]) -> Iterator[FoundRow]:
    left, right = sorted(source.items()), sorted(hive.items())
    while left and right:
        (one, many), (other, several) = left.pop(), right.pop()
        rows = min(many, several)
        yield FoundRow("changed", key, one, other, rows)
        if many > rows:
            left.append((one, many - rows))
        if several > rows:
            right.append((other, several - rows))
    for one, rows in reversed(left):
        yield FoundRow("lost", key, one, None, rows)
    for other, rows in reversed(right):
        yield FoundRow("extra", key, None, other, rows)


def _bits_for(rows: int) -> int:
    """Return how many bits leave about ``LEAF_ROWS`` in a chunk; at most those of a step."""
    return min((max(rows - 1, 0) // LEAF_ROWS).bit_length(), BITS_A_STEP)


def _fetches(bits: int, chunks: Mapping[int, int]) -> Iterator[Chunks]:
    """Return the chunks in portions that are not too large for memory, nor too many to name in a query."""
    portion: list[int] = []
    held = 0
    for number, rows in chunks.items():
        if portion and (held + rows > MAX_ROWS_A_FETCH or len(portion) == MAX_CHUNKS_A_FETCH):
            yield Chunks(bits, tuple(portion))
            portion, held = [], 0
        portion.append(number)
        held += rows
    if portion:
        yield Chunks(bits, tuple(portion))
