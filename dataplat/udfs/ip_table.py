"""A table of address ranges and their places, and the search in it.

What arrives: a CSV file with the columns ``first, last, country, province, city``, a range a line, both ends
belong to it; further columns are ignored. What it becomes: for IPv4 and for IPv6 the sorted starts and ends
of the ranges as arrays, so that a whole batch is searched at once. What it refuses, with the line: an end
that is no address, a range that ends before it begins, two ranges that overlap. An address between ranges has
no place.
"""

import csv
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from dataplat.udfs.places import normalise_place

_COLUMNS = ("first", "last", "country", "province")


class _Range(NamedTuple):
    first: int
    last: int
    place: str
    line: int


class Ranges:
    """The ranges of one kind of address, in order.

    Attributes:
        firsts: Where each begins, sorted.
        lasts: Where each ends, itself in it.
        places: The number of its place.
    """

    def __init__(self, firsts: Any, lasts: Any, places: Any) -> None:
        self.firsts = firsts
        self.lasts = lasts
        self.places = places

    def search(self, addresses: Any) -> Any:
        """Return the number of the place of each address, -1 for one that is in no range."""
        import numpy as np

        if not len(self.firsts):
            return np.full(len(addresses), -1, dtype=np.int32)
        found = np.searchsorted(self.firsts, addresses, side="right") - 1
        inside = (found >= 0) & (addresses <= self.lasts[found])
        return np.where(inside, self.places[found], np.int32(-1))


class IpTable:
    """Places by address.

    Attributes:
        v4: IPv4 ranges; their ends are unsigned integers.
        v6: IPv6 ranges; their ends are 16 bytes each, which compare as addresses do.
        names: The places by number.
    """

    def __init__(self, v4: Ranges, v6: Ranges, names: Sequence[str]) -> None:
        self.v4 = v4
        self.v6 = v6
        self.names = tuple(names)


def read_ip_table(path: Path) -> IpTable:
    """Read a table of ranges.

    Raises:
        ValueError: It is no such table; the first line that is wrong is named.
        OSError: It cannot be read.
    """
    import numpy as np

    with path.open(encoding="utf-8-sig", newline="") as lines:
        kinds = _ranges(csv.DictReader(lines))
    names = list(dict.fromkeys(one.place for kind in kinds for one in kind))
    numbers = {name: number for number, name in enumerate(names)}
    v4, v6 = (_in_order(kind) for kind in kinds)
    return IpTable(
        Ranges(
            np.array([one.first for one in v4], dtype=np.uint32),
            np.array([one.last for one in v4], dtype=np.uint32),
            np.array([numbers[one.place] for one in v4], dtype=np.int32),
        ),
        Ranges(
            np.array([one.first.to_bytes(16) for one in v6], dtype="S16"),
            np.array([one.last.to_bytes(16) for one in v6], dtype="S16"),
            np.array([numbers[one.place] for one in v6], dtype=np.int32),
        ),
        names,
    )


def _ranges(reader: "csv.DictReader[str]") -> tuple[list[_Range], list[_Range]]:
    """Return the ranges of IPv4 and of IPv6, as they come."""
    missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise ValueError(
            f"line 1: expected the columns first,last,country,province,city; {missing[0]} is missing"
        )
    kinds: tuple[list[_Range], list[_Range]] = ([], [])
    for row in reader:
        first, last = (_address(row[name], reader.line_num) for name in ("first", "last"))
        if type(first) is not type(last) or int(first) > int(last):
            raise ValueError(f"line {reader.line_num}: {row['first']} to {row['last']} is no range")
        place = normalise_place(row["country"] or "", row["province"] or "")
        kinds[isinstance(first, IPv6Address)].append(_Range(int(first), int(last), place, reader.line_num))
    return kinds


def _address(text: str | None, line: int) -> IPv4Address | IPv6Address:
    try:
        return ip_address((text or "").strip())
    except ValueError:
        raise ValueError(f"line {line}: '{text or ''}' is no IP address") from None


def _in_order(ranges: Iterable[_Range]) -> list[_Range]:
    ordered = sorted(ranges)
    for before, after in pairwise(ordered):
        if after.first <= before.last:
            earlier, later = sorted((before.line, after.line))
            raise ValueError(f"line {later}: the range overlaps the one of line {earlier}")
    return ordered
