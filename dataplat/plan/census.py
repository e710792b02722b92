"""Which physical tables a partition should be read from, and how that differs from what was found.

A sharded table is whole only if all of its shards were there when it was read: one that somebody archived,
renamed or has not created yet is a hole that no row count shows, because it is missing on both sides. So
what is expected is known beforehand, in one of three ways:

* a **list** of names, which may hold date expressions and ranges: ``t_flow_{00..63}_$[yyyy_MM]`` is a rule;
* a **number** of shards;
* **history**: what the partition itself was last made of, or else what the one before it was made of.

History follows the dates in the names. What was ``t_flow_0_2025_12`` for a partition of December is
``t_flow_0_2026_01`` for one of January, because discovery asks for ``…_$[yyyy_MM]``. A name without such
a date is expected as it is. Of several discovery statements that one counts whose dates explain most of the
name. A shard that is gone for good is declared ``retired``; nothing else makes history forget it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import product

from dataplat.plan.dates import find_date_expressions, render_dates
from dataplat.plan.sql import PhysicalTable
from dataplat.specs import FromSpec

MAX_EXPECTED = 20_000

_RANGE = re.compile(r"\{([0-9]{1,9})\.\.([0-9]{1,9})\}")


@dataclass(frozen=True)
class Expectation:
    """What a partition should be read from.

    Attributes:
        shards: The physical tables; ``None`` where nothing says so.
        at_least: How many there should be.
        because: Where that comes from, for people: ``history: 2026-01-08``.
    """

    shards: tuple[PhysicalTable, ...] | None = None
    at_least: int = 1
    because: str = ""


@dataclass(frozen=True)
class Census:
    """The shards of one partition: found against expected.

    Attributes:
        key: The partition.
        found: What is there, in name order.
        expectation: What should be.
        missing: Expected, and not there.
        new: There, and not expected; empty where nothing says which are expected.
        different: A sentence for each column in which the shards differ.
        rows: Rows of the partition in each shard, where they were counted.
    """

    key: str
    found: tuple[PhysicalTable, ...]
    expectation: Expectation
    missing: tuple[PhysicalTable, ...] = ()
    new: tuple[PhysicalTable, ...] = ()
    different: tuple[str, ...] = ()
    rows: Mapping[PhysicalTable, int] = field(default_factory=dict)

    @property
    def lacking(self) -> int:
        """How many shards are not there, named or not."""
        return max(len(self.missing), self.expectation.at_least - len(self.found), 0)

    @property
    def empty(self) -> tuple[PhysicalTable, ...]:
        """The shards that were counted and hold no row of the partition."""
        return tuple(shard for shard in self.found if self.rows.get(shard) == 0)


def take_census(key: str, found: Sequence[PhysicalTable], expectation: Expectation) -> Census:
    """Return what is missing and what is new.

    >>> a, b, c = (PhysicalTable("shop", name) for name in "abc")
    >>> census = take_census("2026-01-09", [b, c], Expectation((a, b)))
    >>> [str(shard) for shard in (*census.missing, *census.new)]
    ['shop.a', 'shop.c']
    """
    there, expected = set(found), expectation.shards
    return Census(
        key,
        tuple(sorted(there)),
        expectation,
        missing=tuple(sorted(set(expected or ()) - there)),
        new=() if expected is None else tuple(sorted(there - set(expected))),
    )


def expected_by_rule(origin: FromSpec, base: datetime, sources: Sequence[str] = ("",)) -> Expectation | None:
    """Return what a list or a number declares for the partition that begins at ``base``; else nothing.

    A name without a database is expected in each of the table's databases, and one without an instance,
    which stands before a slash, on each of its instances.
    """
    shards = origin.shards
    if shards is None or shards.expect is None or shards.expect == "history":
        return None
    if isinstance(shards.expect, int):
        return Expectation(at_least=shards.expect, because=f"expect: {shards.expect}")
    names = [name for text in shards.expect for name in expand_range(render_dates(text, base))]
    tables = {table for name in names for table in _everywhere(name, origin.all_databases, sources)}
    return Expectation(tuple(sorted(tables)), because="the names in expect")


def expand_range(text: str) -> tuple[str, ...]:
    """Return a name for each number of its ranges; zeros in front of the first number are kept.

    >>> expand_range("t_{08..10}")
    ('t_08', 't_09', 't_10')
    """
    parts = _RANGE.split(text)
    choices: list[Sequence[str]] = [[parts[0]]]
    for first, last, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        numbers = range(int(first), int(last) + 1)
        choices += [[str(number).zfill(len(first)) for number in numbers], [rest]]
    return tuple("".join(chosen) for chosen in product(*choices))


def range_problem(text: str) -> str | None:
    """Return what is wrong with the ranges of a name, if anything is.

    >>> range_problem("t_{9..1}")
    'the range {9..1} ends before it begins'
    """
    size = 1
    for found in _RANGE.finditer(text):
        first, last = int(found[1]), int(found[2])
        if last < first:
            return f"the range {found[0]} ends before it begins"
        size *= last - first + 1
    if size > MAX_EXPECTED:
        return f"{size:,} names are more than the {MAX_EXPECTED:,} that can be expected"
    if re.search(r"[{}]", _RANGE.sub("", text)):
        return "a range is written {0..63} or {00..63}"
    return None


def expected_by_history(
    origin: FromSpec,
    starts: Mapping[str, datetime],
    found: Mapping[str, Sequence[PhysicalTable]],
    own: Mapping[str, Sequence[PhysicalTable]],
    before: tuple[str, datetime, Sequence[PhysicalTable]] | None,
) -> dict[str, Expectation]:
    """Return what each partition of a load should be read from, by what earlier ones were read from.

    Args:
        origin: The table's ``from``.
        starts: Where each partition begins, in order.
        found: The shards that are there, by partition.
        own: What the visible version of a partition was made of, where that is known.
        before: The last partition before all of these, where it begins, and what it was made of.
    """
    shards = origin.shards
    assert shards is not None
    retired = [like_pattern(text) for text in shards.retired]
    expected: dict[str, Expectation] = {}
    for key, start in starts.items():
        if own.get(key):
            known, because = tuple(own[key]), f"history: {key} itself"
        elif before is not None:
            earlier, began, tables = before
            names = _followed(tables, shards.discover, began, start)
            known, because = names, f"history: {earlier}"
        else:
            known, because = (), ""
        kept = tuple(sorted(table for table in known if not _matches(table, retired)))
        expected[key] = Expectation(kept, because=because) if because else Expectation()
        # What is missing in one partition of a load must not be forgotten in the next.
        before = (key, start, tuple({*found.get(key, ()), *kept}))
    return expected


def like_pattern(text: str) -> re.Pattern[str]:
    r"""Return a LIKE pattern as a regular expression.

    >>> bool(like_pattern(r"t\_%").fullmatch("t_flow")), bool(like_pattern(r"t\_%").fullmatch("tx"))
    (True, False)
    """
    pieces = (
        {"%": ".*", "_": "."}.get(piece, re.escape(piece[-1]))
        for piece in re.findall(r"\\.|.", text, re.DOTALL)
    )
    return re.compile("".join(pieces), re.IGNORECASE | re.DOTALL)


def _matches(table: PhysicalTable, patterns: Sequence[re.Pattern[str]]) -> bool:
    return any(pattern.fullmatch(name) for pattern in patterns for name in (table.name, str(table)))


def _everywhere(text: str, databases: Sequence[str], sources: Sequence[str]) -> Iterator[PhysicalTable]:
    source, slash, qualified = text.rpartition("/")
    database, dot, table = qualified.rpartition(".")
    for on in (source,) if slash else sources:
        for within in (database,) if dot else databases:
            yield PhysicalTable(within, table, on)


def _followed(
    tables: Sequence[PhysicalTable], discover: Sequence[str], before: datetime, now: datetime
) -> tuple[PhysicalTable, ...]:
    """Return what the shards of an earlier partition are called in a later one."""
    dates = [
        {
            render_dates(found.text, before): render_dates(found.text, now)
            for found in find_date_expressions(text)
            if found.expression is not None
        }
        for text in discover
    ]
    if all(text == later for one in dates for text, later in one.items()):
        return tuple(tables)  # as on most days: the month is the same
    return tuple(replace(table, name=name) for table in tables for name in _renamed(table.name, dates))


def _renamed(name: str, statements: Sequence[Mapping[str, str]]) -> set[str]:
    """Return what a name becomes by those statements whose dates explain most of its characters."""
    found: list[tuple[int, str]] = []
    for dates in statements:
        renamed, end, explained = name, len(name), 0
        for place, text in sorted(_places(name, dates), reverse=True):
            if place + len(text) <= end:
                renamed = renamed[:place] + dates[text] + renamed[place + len(text) :]
                end, explained = place, explained + len(text)
        found.append((explained, renamed))
    most = max((explained for explained, _ in found), default=0)
    return {renamed for explained, renamed in found if explained == most} if most else {name}


def _places(name: str, dates: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Yield where each date stands in a name: its last place there that is no part of a longer number."""
    for text in dates:
        places = [found.start() for found in re.finditer(rf"(?<![0-9]){re.escape(text)}(?![0-9])", name)]
        if places:
            yield places[-1], text
