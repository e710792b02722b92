"""Avro and SequenceFiles are counted by their headers; a file that is cut is never a smaller number."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.storage.ranges import UnreadableFileError
from dataplat.storage.record_files import avro_rows, sequence_rows
from dataplat_tests.unit.storage.hadoop_files import (
    avro_file,
    sequence_of_blocks,
    sequence_of_records,
)

VALUES = st.lists(st.binary(max_size=300), max_size=30)
BLOCKS = st.lists(VALUES, max_size=6)
WINDOWS = st.integers(1, 400)


class Ranges:
    """A file in memory that remembers how much of it was read."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.bytes = 0

    def __call__(self, start: int, length: int) -> bytes:
        self.bytes += length
        return self.content[start : start + length]


@given(BLOCKS, st.sampled_from(["null", "deflate"]), st.booleans(), WINDOWS)
def test_the_objects_of_all_blocks_of_an_avro_file_are_counted(
    blocks: list[list[bytes]], codec: str, sized: bool, window: int
) -> None:
    content = avro_file(blocks, codec, sized_metadata=sized)
    assert avro_rows(Ranges(content), len(content), window) == sum(map(len, blocks))


@given(VALUES, st.booleans(), WINDOWS)
def test_the_records_of_a_sequence_file_are_counted(
    values: list[bytes], compressed: bool, window: int
) -> None:
    content = sequence_of_records(values, compressed=compressed)
    assert sequence_rows(Ranges(content), len(content), window) == len(values)


@given(BLOCKS, WINDOWS)
def test_the_records_of_compressed_blocks_are_counted(blocks: list[list[bytes]], window: int) -> None:
    content = sequence_of_blocks(blocks)
    assert sequence_rows(Ranges(content), len(content), window) == sum(map(len, blocks))


def test_payloads_are_passed_over_and_not_read() -> None:
    avro = Ranges(avro_file([[b"x" * 1_000_000] * 3] * 4))
    assert avro_rows(avro, len(avro.content), 4096) == 12
    sequence = Ranges(sequence_of_records([b"x" * 1_000_000] * 12))
    assert sequence_rows(sequence, len(sequence.content), 4096) == 12
    assert avro.bytes + sequence.bytes < 200_000


@given(st.data())
def test_a_cut_is_found_wherever_it_is_unless_it_is_between_blocks(data: st.DataObject) -> None:
    blocks = [[b"a" * 200, b"b"], [b"c"], [b"d" * 50] * 40]
    whole, rows_of = data.draw(
        st.sampled_from(
            [
                (avro_file(blocks), avro_rows),
                (sequence_of_blocks(blocks), sequence_rows),
                (sequence_of_records([item for block in blocks for item in block]), sequence_rows),
            ]
        )
    )
    content = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        rows = rows_of(Ranges(content), len(content), 64)
    except UnreadableFileError:
        return
    ends = [sum(map(len, blocks[:count])) for count in range(4)] + list(range(43))
    assert rows in ends, "a file that ends between two blocks is a whole file by its format"


@given(st.binary(max_size=300), st.sampled_from([b"", b"Obj\x01", b"SEQ\x06"]))
def test_any_bytes_are_a_number_or_refused(content: bytes, beginning: bytes) -> None:
    content = beginning + content
    for rows_of in (avro_rows, sequence_rows):
        with suppress(UnreadableFileError):
            assert rows_of(Ranges(content), len(content), 64) >= 0


def test_what_is_damaged_says_after_how_many_rows() -> None:
    avro = bytearray(avro_file([[b"a"] * 5, [b"b"] * 5]))
    avro[-1] ^= 1
    blocks = bytearray(sequence_of_blocks([[b"a"] * 5, [b"b"] * 5]))
    blocks[blocks.rindex(bytes(range(100, 116)))] ^= 1
    records = bytearray(sequence_of_records([b"a"] * 10))
    records[records.rindex(bytes(range(100, 116)))] ^= 1
    found = []
    for content, rows_of in ((avro, avro_rows), (blocks, sequence_rows), (records, sequence_rows)):
        with pytest.raises(UnreadableFileError) as caught:
            rows_of(Ranges(bytes(content)), len(content), 64)
        found.append(str(caught.value))
    assert found == [
        "it is damaged after 5 rows",
        "it is damaged after 5 rows",
        "it is damaged after 7 rows",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no SequenceFile: it does not begin with SEQ"),
        (b"Obj\x01", "no SequenceFile: it does not begin with SEQ"),
        (b"SEQ\x04rest", "a SequenceFile of version 4; version 6 is known"),
    ],
)
def test_what_is_no_sequence_file_is_said(content: bytes, message: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        sequence_rows(Ranges(content), len(content), 64)
    assert str(caught.value) == message


def test_what_is_no_avro_file_is_said() -> None:
    with pytest.raises(UnreadableFileError) as caught:
        avro_rows(Ranges(b"PAR1"), 4, 64)
    assert str(caught.value) == "no Avro file: it does not begin with Obj and 1"
