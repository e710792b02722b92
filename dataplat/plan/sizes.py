"""From the counts of shards to the sizes of partitions."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from dataplat.plan.counts import SourceCount
from dataplat.plan.splits import PartitionSize

# Rows by number of the partition and of the shard.
ShardCounts = Mapping[tuple[int, int], int]


def rows_by_shard(counts: Sequence[SourceCount]) -> ShardCounts:
    """Return the rows of each shard in each partition."""
    rows: Counter[tuple[int, int]] = Counter()
    for count in counts:
        rows[count.part, count.shard] += count.rows
    return rows


def partition_sizes(counts: Sequence[SourceCount], spans: int) -> list[PartitionSize]:
    """Return the size of each of ``spans`` partitions over all of its shards, empty ones too."""
    by_part: dict[int, list[SourceCount]] = defaultdict(list)
    for count in counts:
        by_part[count.part].append(count)
    return [_size(part, by_part[part]) for part in range(spans)]


def _size(part: int, counts: Sequence[SourceCount]) -> PartitionSize:
    lows = [count.low for count in counts if count.low is not None]
    highs = [count.high for count in counts if count.high is not None]
    rows = sum(count.rows for count in counts)
    return PartitionSize(part, rows, min(lows, default=None), max(highs, default=None))
