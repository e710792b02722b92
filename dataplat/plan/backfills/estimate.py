"""How many rows and seconds a backfill takes, as far as the past tells, and what each source is asked."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from dataplat.plan.backfills.document import PlannedRun, SourceLoad
from dataplat.specs import Catalog, TableSpec

QUERIES_A_READ = 3  # counted, read, counted again
_READS_REMEMBERED = 20


@dataclass(frozen=True)
class Made:
    """A partition that was made once.

    Attributes:
        version: The write; it may have covered many partitions.
        rows: Of the partition.
        seconds: Of the whole write, from its beginning until it was visible.
    """

    partition: str
    version: str
    rows: int
    seconds: float


class Estimate:
    """What is known of a table's past: rows of each partition, and seconds of the last reads.

    Args:
        history: What was made of the table, the newest first.
    """

    def __init__(self, history: Sequence[Made]) -> None:
        self._rows: dict[str, int] = {}
        by_version: dict[str, list[Made]] = {}
        for made in history:
            self._rows.setdefault(made.partition, made.rows)
            by_version.setdefault(made.version, []).append(made)
        newest = list(by_version.values())[:_READS_REMEMBERED]
        self._usual_rows = round(median(self._rows.values())) if self._rows else None
        self._seconds = median(group[0].seconds / len(group) for group in newest) if newest else None

    def rows(self, keys: Sequence[str]) -> int | None:
        """Return the rows of partitions: those they had, else the median; none if nothing was ever made."""
        if self._usual_rows is None:
            return None
        return sum(self._rows.get(key, self._usual_rows) for key in keys)

    def seconds(self, keys: Sequence[str]) -> float | None:
        """Return how long partitions take, by the median of the last reads; none if there was none."""
        return None if self._seconds is None else round(self._seconds * len(keys), 1)


def source_loads(catalog: Catalog, runs: Iterable[PlannedRun]) -> dict[str, SourceLoad]:
    """Return what each source instance is asked, by its name.

    Three queries a read are the least: a large read is cut into several, many shards are counted in groups.
    """
    reads: Counter[str] = Counter()
    rows: dict[str, int | None] = {}
    for run in runs:
        spec = catalog.any_table(run.table)
        for source in spec.all_sources if isinstance(spec, TableSpec) else ():
            reads[source] += 1
            before = rows.get(source, 0)
            rows[source] = None if before is None or run.rows is None else before + run.rows
    return {
        source: SourceLoad(
            reads=count,
            queries_at_least=count * QUERIES_A_READ,
            rows=rows[source],
            loads_at_once=catalog.sources[source].budget.loads_at_once,
        )
        for source, count in sorted(reads.items())
    }


def total(numbers: Iterable[float | None]) -> tuple[float, int]:
    """Return the sum of what is known, and how many are not.

    >>> total([1, None, 2])
    (3, 1)
    """
    found: Mapping[bool, list[float]] = {True: [], False: []}
    for number in numbers:
        found[number is None].append(number or 0)
    return sum(found[False]), len(found[True])
