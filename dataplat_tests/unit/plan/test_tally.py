"""A count's answers come in pieces, by shard and by partition; their sums are what the checks compare."""

from hypothesis import given
from hypothesis import strategies as st

from dataplat.plan.counts import SourceCount
from dataplat.plan.splits import PartitionSize
from dataplat.plan.tally import SourceTally

COUNTS = st.lists(
    st.builds(SourceCount, st.integers(0, 3), st.integers(0, 4), st.integers(0, 10**9)), max_size=30
)


@given(COUNTS)
def test_nothing_that_was_counted_is_lost_or_counted_twice(counts: list[SourceCount]) -> None:
    tally = SourceTally.of(counts, spans=5)
    assert tally.total == sum(count.rows for count in counts)
    assert [tally.rows(number) for number in range(5)] == [
        sum(tally.in_shard(number, shard) for shard in range(4)) for number in range(5)
    ]


def test_every_partition_of_a_snapshot_holds_the_whole_table() -> None:
    tally = SourceTally.of([SourceCount(0, 0, 3), SourceCount(1, 0, 4)], spans=1)
    assert [tally.rows(number) for number in range(3)] == [7, 7, 7]
    assert (tally.in_shard(2, 1), tally.total) == (4, 7)


def test_the_range_of_the_key_is_that_of_all_pieces() -> None:
    pieces = [SourceCount(0, 0, 3, 5, 9), SourceCount(0, 0, 0), SourceCount(0, 0, 4, 2, 7)]
    assert SourceTally.of(pieces, spans=1).sizes == (PartitionSize(0, 7, 2, 9),)
    assert SourceTally.of([], spans=2).sizes == (PartitionSize(0, 0), PartitionSize(1, 0))
