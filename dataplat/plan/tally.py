"""What a source held at one moment: the answers of a count, by partition and by shard."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dataplat.plan.counts import SourceCount
from dataplat.plan.splits import PartitionSize


@dataclass(frozen=True)
class SourceTally:
    """Rows of each partition of a read.

    All partitions of a snapshot are one span of the source: each of them holds what the span does.

    Attributes:
        sizes: The spans in order.
        by_shard: Rows by number of the span and of the shard; absent is none.
    """

    sizes: tuple[PartitionSize, ...] = ()
    by_shard: Mapping[tuple[int, int], int] = field(default_factory=dict)

    @classmethod
    def of(cls, counts: Sequence[SourceCount], spans: int) -> "SourceTally":
        """Add up what was counted, in pieces or whole.

        >>> tally = SourceTally.of([SourceCount(0, 1, 5), SourceCount(1, 1, 2)], spans=2)
        >>> tally.rows(0), tally.rows(1), tally.in_shard(1, 1)
        (0, 7, 2)
        """
        by_span: dict[int, list[SourceCount]] = defaultdict(list)
        by_shard: Counter[tuple[int, int]] = Counter()
        for count in counts:
            by_span[count.part].append(count)
            by_shard[count.part, count.shard] += count.rows
        return cls(tuple(_size(span, by_span[span]) for span in range(spans)), by_shard)

    @property
    def total(self) -> int:
        """Rows of all spans: what a read will send."""
        return sum(size.rows for size in self.sizes)

    def rows(self, partition: int) -> int:
        """Return the rows of a partition, by its number in the read."""
        return self.sizes[self._span(partition)].rows

    def in_shard(self, partition: int, shard: int) -> int:
        """Return the rows that a shard holds of a partition, both by their number in the read."""
        return self.by_shard.get((self._span(partition), shard), 0)

    def _span(self, partition: int) -> int:
        return 0 if len(self.sizes) == 1 else partition


def _size(span: int, counts: Sequence[SourceCount]) -> PartitionSize:
    lows = [count.low for count in counts if count.low is not None]
    highs = [count.high for count in counts if count.high is not None]
    rows = sum(count.rows for count in counts)
    return PartitionSize(span, rows, min(lows, default=None), max(highs, default=None))
