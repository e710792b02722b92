"""Our walk over a Parquet footer says what pyarrow says, or refuses."""

import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataplat.storage.parquet_rows import parquet_rows
from dataplat.storage.ranges import TAIL_BYTES, Tail, UnreadableFileError

SIMPLE: tuple[pa.DataType, ...] = (
    *(pa.bool_(), pa.int8(), pa.uint16(), pa.int64(), pa.float16(), pa.float64(), pa.string(), pa.binary()),
    *(
        pa.binary(300),
        pa.decimal128(38, 10),
        pa.date32(),
        pa.time64("us"),
        pa.timestamp("ns", "Asia/Shanghai"),
    ),
)
NAMES = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)


def nested(inner: st.SearchStrategy[pa.DataType]) -> st.SearchStrategy[pa.DataType]:
    structs = st.dictionaries(NAMES.filter(bool), inner, min_size=1, max_size=4).map(
        lambda fields: pa.struct(list(fields.items()))
    )
    return st.one_of(inner.map(pa.list_), structs, inner.map(lambda value: pa.map_(pa.string(), value)))


TYPES = st.recursive(st.sampled_from(SIMPLE), nested, max_leaves=6)
SCHEMAS = st.dictionaries(NAMES.filter(bool), TYPES, min_size=1, max_size=20).map(
    lambda fields: pa.schema(list(fields.items()))
)


def tail_of(content: bytes) -> Tail:
    return Tail(lambda start, length: content[start : start + length], len(content))


def written(table: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **options)
    return bytes(sink.getvalue())


@settings(deadline=None)
@given(SCHEMAS, st.integers(0, 300), st.integers(1, 200), st.binary(max_size=40), st.booleans())
def test_the_rows_are_those_that_pyarrow_reads(
    schema: pa.Schema, rows: int, group: int, metadata: bytes, new_format: bool
) -> None:
    columns = {field.name: pa.nulls(rows, field.type) for field in schema}
    table = pa.table(columns).replace_schema_metadata({b"key": metadata})
    content = written(table, row_group_size=group, data_page_version="2.0" if new_format else "1.0")
    assert parquet_rows(tail_of(content)) == pq.read_metadata(pa.BufferReader(content)).num_rows == rows


def test_a_footer_longer_than_the_tail_is_read_from_its_beginning() -> None:
    content = written(pa.table({f"column_{n:05d}": [1, 2, 3] for n in range(6000)}))
    footer = struct.unpack("<I", content[-8:-4])[0]
    assert footer > 10 * TAIL_BYTES
    read: list[int] = []

    def ranges(start: int, length: int) -> bytes:
        read.append(length)
        return content[start : start + length]

    assert parquet_rows(Tail(ranges, len(content))) == 3
    assert sum(read) < footer, "row groups are not read"


def test_a_table_without_columns_has_the_rows_it_says() -> None:
    content = written(pa.table({"x": [1, 2]}).select([]))
    assert parquet_rows(tail_of(content)) == pq.read_metadata(pa.BufferReader(content)).num_rows


@given(st.data())
def test_a_damaged_footer_is_refused_or_read_as_pyarrow_reads_it(data: st.DataObject) -> None:
    """Never a crash, and never a hang: what is damaged behind ``num_rows`` changes no count."""
    content = bytearray(written(pa.table({"a": [1, 2, 3], "b": ["x", "y", "z"]})))
    footer = struct.unpack("<I", content[-8:-4])[0]
    first = len(content) - 8 - footer
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(first, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        rows = parquet_rows(tail_of(bytes(content)))
    except UnreadableFileError:
        return
    try:
        expected = pq.read_metadata(pa.BufferReader(bytes(content))).num_rows
    except (OSError, ValueError, pa.ArrowException):
        return
    assert rows == expected


@given(st.binary(max_size=200))
def test_any_bytes_between_the_magics_are_refused_or_a_number(footer: bytes) -> None:
    content = b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1"
    with suppress(UnreadableFileError):
        assert parquet_rows(tail_of(content)) >= 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no Parquet file: it has 0 bytes"),
        (b"PAR1", "no Parquet file: it has 4 bytes"),
        (b"PAR1" + b"x" * 20, "no Parquet file, or half of one: it does not end in PAR1"),
        (b"PAR1" + b"x" * 20 + b"\5\0\0\0PARE", "its footer is encrypted"),
        (b"PAR1" + b"x" * 20 + b"\xff\0\0\0PAR1", "its footer claims 255 bytes, the file has 32"),
        (b"PAR1" + b"\x15\x04\0" + b"\3\0\0\0PAR1", "its footer does not say how many rows there are"),
        (b"PAR1" + b"\x15" + b"\1\0\0\0PAR1", "its footer is damaged"),
    ],
)
def test_what_is_no_parquet_file_is_said(content: bytes, message: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        parquet_rows(tail_of(content))
    assert str(caught.value) == message


def test_a_file_that_became_shorter_is_cut(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"^it ends before its 100 bytes: it was cut while"):
        Tail(lambda start, length: b"short", 100)
