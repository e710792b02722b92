"""Chunks of rows: what is asked next, and what two sides differ in."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.plan.checksums import Checksum
from dataplat.plan.row_chunks import (
    BITS_A_STEP,
    LEAF_ROWS,
    MAX_BITS,
    MAX_CHUNKS_A_FETCH,
    MAX_CHUNKS_A_STEP,
    MAX_ROWS_A_FETCH,
    Chunks,
    FoundRow,
    HashedRow,
    Step,
    Tally,
    compare_rows,
    first_step,
    next_steps,
    unequal_chunks,
)

Sides = list[tuple[int, int]]


def test_the_first_step_leaves_few_rows_in_a_chunk() -> None:
    assert first_step(LEAF_ROWS) == Step(Chunks(0, (0,)), 0)
    assert first_step(LEAF_ROWS + 1).bits == 1
    assert first_step(10**9).bits == BITS_A_STEP


def test_chunks_differ_in_their_rows_or_in_the_sum_of_their_hashes() -> None:
    source = {1: Checksum(3, 9), 2: Checksum(3, 9), 3: Checksum(3, 9), 4: Checksum(2, 7)}
    hive = {1: Checksum(3, 9), 2: Checksum(3, 8), 3: Checksum(4, 9), 5: Checksum(1, 0)}
    assert unequal_chunks(source, hive) == {2: 6, 3: 7, 4: 2, 5: 1}


def test_small_chunks_are_fetched_and_large_ones_are_cut_again() -> None:
    steps, fetches = next_steps(10, {1: 100, 2: 128 * 1_000, 3: 4 * LEAF_ROWS + 1})
    assert steps == [Step(Chunks(10, (2, 3)), 20)]
    assert fetches == [Chunks(10, (1,))]


def test_a_chunk_that_no_bit_can_cut_is_fetched() -> None:
    assert next_steps(MAX_BITS, {1: 10**6}) == ([], [Chunks(MAX_BITS, (1,))])
    ((step,), _) = next_steps(30, {1: 10**6})
    assert step.bits == MAX_BITS


def test_no_step_asks_for_more_chunks_than_fit_and_no_fetch_for_more_rows() -> None:
    steps, _ = next_steps(10, dict.fromkeys(range(1024), 10**6))
    assert [len(step.within.numbers) << 10 for step in steps] == [MAX_CHUNKS_A_STEP] * 8
    assert [number for step in steps for number in step.within.numbers] == list(range(1024))
    _, fetches = next_steps(20, dict.fromkeys(range(2_000), 200))
    assert [len(chunks.numbers) * 200 for chunks in fetches] == [MAX_ROWS_A_FETCH] * 4
    _, fetches = next_steps(20, dict.fromkeys(range(MAX_CHUNKS_A_FETCH + 1), 1))
    assert [len(chunks.numbers) for chunks in fetches] == [MAX_CHUNKS_A_FETCH, 1]


def test_equal_rows_are_taken_out_before_others_are_paired() -> None:
    source = [HashedRow(b"1", 10, 2), HashedRow(b"1", 11), HashedRow(b"2", 20, 3)]
    hive = [HashedRow(b"1", 10, 3), HashedRow(b"2", 21), HashedRow(b"3", 30)]
    assert list(compare_rows(source, hive)) == [
        FoundRow("changed", b"1", 11, 10, 1),
        FoundRow("changed", b"2", 20, 21, 1),
        FoundRow("lost", b"2", 20, None, 2),
        FoundRow("extra", b"3", None, 30, 1),
    ]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3))),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3))),
)
def test_what_is_found_turns_one_side_into_the_other(source: Sides, hive: Sides) -> None:
    def hashed(rows: Sides) -> list[HashedRow]:
        return [
            HashedRow(b"%d" % key, key * 10 + value, many) for (key, value), many in Counter(rows).items()
        ]

    left, right = (Counter(key * 10 + value for key, value in rows) for rows in (source, hive))
    lost = extra = 0
    for found in compare_rows(hashed(source), hashed(hive)):
        if found.source is not None:
            left[found.source] -= found.rows
        if found.hive is not None:
            right[found.hive] -= found.rows
        lost += found.rows if found.kind == "lost" else 0
        extra += found.rows if found.kind == "extra" else 0
    assert left == right
    assert lost - extra == len(source) - len(hive)


def test_the_tally_counts_all_and_shows_some_of_each_kind() -> None:
    tally = Tally(3)
    for number in range(5):
        tally.add(FoundRow("changed", b"%d" % number, 1, 2, 2))
    lost = FoundRow("lost", b"9", 1, None, 7)
    tally.add(lost)
    assert (tally.lost, tally.extra, tally.changed) == (7, 0, 10)
    assert [row.key for row in tally.shown] == [b"0", b"9", b"1"]


@pytest.mark.parametrize("bits", [0, 10, 32])
def test_the_mask_keeps_as_many_bits_as_are_compared(bits: int) -> None:
    assert Chunks(bits, (0,)).mask == 2**bits - 1
