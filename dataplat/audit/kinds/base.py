"""The seam between a check and the data: what a kind may ask for, and what it answers.

A kind never touches rows. It states SQL, and judges the numbers that come back:

* ``aggregates`` are computed over the staged rows, for all checks and partitions in one pass;
* ``question`` is a query of its own, for what one aggregation cannot say or what is in other tables;
* ``judge`` turns numbers into a finding;
* ``offenders`` is asked after a failure only, for a sample of keys.

A new kind is a class here and a class in ``specs.checks``, a line in each list, and a case in the contract
suite, which refuses a kind without one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from dataplat.audit.outcome import Number
from dataplat.plan.ddl import quote_identifier
from dataplat.specs import AnyTable, CheckSpec

C = TypeVar("C", bound=CheckSpec)
Value = int | float | str | None


@dataclass(frozen=True)
class StagedPartition:
    """A partition as the checks see it.

    Attributes:
        key: Its key.
        values: Its columns and values in Hive.
        rows: The rows in its files.
        starts: When it begins; date expressions count from here.
        ends: When it ends.
    """

    key: str
    values: tuple[tuple[str, str], ...]
    rows: int
    starts: datetime
    ends: datetime


def _nothing(check: str) -> Mapping[str, Number]:
    return {}


@dataclass(frozen=True)
class Past:
    """An earlier partition as it was published.

    Attributes:
        key: Its key.
        rows: Its rows.
        numbers: What a check of some name found there; nothing if there was no such check.
    """

    key: str
    rows: int
    numbers: Callable[[str], Mapping[str, Number]] = _nothing


@dataclass(frozen=True)
class Published:
    """The partitions of another table that have the time of the partition that is checked.

    Attributes:
        table: The other table.
        sql: Its rows, to stand after FROM.
        rows: How many there are, if that is known without counting.
        absent: Partitions that should be there and are not published.
        sensitive: Its columns whose values are never shown.
    """

    table: str
    sql: str
    rows: int | None = None
    absent: tuple[str, ...] = ()
    sensitive: Collection[str] = ()


@dataclass(frozen=True)
class Case:
    """One partition before a check.

    Attributes:
        partition: The partition.
        staged: SQL of its rows, to stand after FROM.
        past: The last so many partitions before it, newest first; with True the same weekdays before it.
        published: Another table at the same time.
    """

    partition: StagedPartition
    staged: str
    past: Callable[[int, bool], Sequence[Past]]
    published: Callable[[str], Published]


@dataclass(frozen=True)
class Aggregate:
    """A SQL aggregate, and what it is when there is no row."""

    sql: str
    empty: Value = 0


@dataclass(frozen=True)
class Question:
    """A query with one row of numbers: SQL expressions over ``rows``, which stands after FROM."""

    values: tuple[str, ...]
    rows: str


@dataclass(frozen=True)
class Offenders:
    """What to show of the rows that failed.

    Attributes:
        rows: Them, to stand after FROM.
        columns: What is shown of each; columns that are sensitive are masked. None: those of the table's
            key that ``rows`` has.
    """

    rows: str
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Finding:
    """What a check found. The message is one line without a full stop, empty if there is nothing to say."""

    passed: bool
    numbers: Mapping[str, Number] = field(default_factory=dict)
    message: str = ""


class Kind(ABC, Generic[C]):
    """How one kind of check is evaluated, for one declared check of one table."""

    def __init__(self, check: C, spec: AnyTable) -> None:
        self.check = check
        self.spec = spec

    @property
    def subject(self) -> str:
        """What a message about the check itself opens with."""
        return f"{self.spec.table} {self.check.name} ({self.spec.check_at(self.check.name)})"

    def aggregates(self, case: Case) -> Sequence[Aggregate]:
        """Return what is computed over the rows of the partition; equal texts are computed once."""
        return ()

    def question(self, case: Case) -> Question | None:
        """Return a query of its own, or nothing. Every partition's has the same number of values."""
        return None

    @abstractmethod
    def judge(self, case: Case, values: Sequence[Value]) -> Finding:
        """Say what the numbers mean: those of ``aggregates``, followed by those of ``question``."""

    def offenders(self, case: Case) -> Offenders | None:
        """Return the rows to blame, or nothing where no row is."""
        return None

    def rows_where(self, case: Case, condition: str, *columns: str) -> Offenders:
        """Return the rows that fit a condition, shown by the table's key and these columns."""
        shown = tuple(dict.fromkeys([*self.spec.key, *columns]))
        return Offenders(f"(SELECT * FROM {case.staged} WHERE {condition})", shown)


def distinct(columns: Sequence[str]) -> Aggregate:
    """Count the distinct rows of some columns; NULL is a value."""
    return Aggregate(f"count(DISTINCT struct({', '.join(map(quote_identifier, columns))}))")


def whole(value: Value) -> int:
    """Return a count as the number it is; NULL counts nothing."""
    return int(value or 0)


def counted_rows(number: int) -> str:
    """Return ``1 row`` or ``1,204 rows``."""
    return "1 row" if number == 1 else f"{number:,} rows"


def percent(share: float) -> str:
    """Return a share as people read it.

    >>> percent(0.3), percent(0.12345)
    ('30%', '12.35%')
    """
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + "%"


def not_comparable(there: Published) -> Finding:
    """Return the finding where the other table has nothing to compare with. Unknown is not good."""
    keys = ", ".join(there.absent[:3]) + (", …" if len(there.absent) > 3 else "")
    return Finding(False, {"absent": len(there.absent)}, f"{there.table}[{keys}] is not published")
