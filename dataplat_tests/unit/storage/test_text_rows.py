"""Lines are counted by bytes (A32), whatever chunks they come in, and only of what can be decoded."""

import bz2
import gzip
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.storage.ranges import UnreadableFileError
from dataplat.storage.text_rows import LineCounter, text_rows

LINES = b"".join(b"line %d, some text\n" % number for number in range(200_000))


def count(path: Path, content: bytes, delimiter: bytes = b"\n") -> int:
    path.write_bytes(content)
    return text_rows(None, str(path), len(content), delimiter)


def lines_one_by_one(content: bytes, delimiter: bytes) -> int:
    """The definition: split from the left; what follows the last delimiter is a line if it is there."""
    parts = content.split(delimiter)
    return len(parts) - 1 + bool(parts[-1])


@given(
    st.lists(st.binary(max_size=6) | st.text("ab", max_size=9).map(str.encode), max_size=12),
    st.sampled_from([b"a", b"\n", b"ab", b"aa", b"aba", b"aab", b"abab", b"\0", b"bbbb"]),
)
def test_chunks_do_not_matter_and_delimiters_may_lie_across_them_a32(
    chunks: list[bytes], delimiter: bytes
) -> None:
    lines = LineCounter(delimiter)
    for chunk in chunks:
        lines.feed(chunk)
    assert lines.total() == lines_one_by_one(b"".join(chunks), delimiter)


@pytest.mark.parametrize(
    ("content", "delimiter", "rows"),
    [
        (b"", b"\n", 0),
        (b"a", b"\n", 1),
        (b"a\n", b"\n", 1),
        (b"a\nb", b"\n", 2),
        (b"\n\n\n", b"\n", 3),
        (b"a\r\nb\r\n", b"\r\n", 2),
        (b"a\x01b\x01c", b"\x01", 3),
        (b"|||", b"||", 2),
    ],
)
def test_an_unfinished_last_line_counts_and_an_empty_file_has_none_a32(
    tmp_path: Path, content: bytes, delimiter: bytes, rows: int
) -> None:
    assert count(tmp_path / "t", content, delimiter) == rows


def test_a_delimiter_across_the_border_of_a_read_is_found_a32(tmp_path: Path) -> None:
    border = 1 << 20
    for shift in range(4):
        content = b"x" * (border - shift) + b"|#|" + b"y" * 10
        assert count(tmp_path / f"t{shift}", content, b"|#|") == 2


def test_wc_counts_the_same(tmp_path: Path) -> None:
    path = tmp_path / "t"
    assert count(path, LINES) == int(subprocess.check_output(["wc", "-l", path]).split()[0]) == 200_000


def hadoop_snappy(content: bytes, block: int = 1 << 18, piece: int = 1 << 16) -> bytes:
    """Write as org.apache.hadoop.io.compress.SnappyCodec does: blocks of several compressed pieces."""
    codec, parts = pa.Codec("snappy"), []
    for start in range(0, len(content), block):
        whole = content[start : start + block]
        parts.append(struct.pack(">I", len(whole)))
        for inner in range(0, len(whole), piece):
            packed = codec.compress(whole[inner : inner + piece], asbytes=True)
            parts += [struct.pack(">I", len(packed)), packed]
    return b"".join(parts)


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue())


CODECS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": zstd,
    ".deflate": zlib.compress,
    ".snappy": hadoop_snappy,
}


@pytest.mark.parametrize("suffix", CODECS)
def test_compressed_text_is_counted_as_its_name_says(tmp_path: Path, suffix: str) -> None:
    assert count(tmp_path / f"t.txt{suffix}", CODECS[suffix](LINES + b"last")) == 200_001
    assert count(tmp_path / f"none{suffix}", b"") == 0


@pytest.mark.parametrize("suffix", sorted(CODECS.keys() - {".deflate"}))  # Hadoop reads one stream of those
def test_parts_that_were_appended_to_each_other_are_all_counted(tmp_path: Path, suffix: str) -> None:
    pack = CODECS[suffix]
    assert count(tmp_path / f"t{suffix}", pack(LINES) + pack(b"") + pack(LINES)) == 400_000


@pytest.mark.parametrize("suffix", CODECS)
@pytest.mark.parametrize("keep", [0.3, 0.9999])
def test_a_compressed_file_that_is_cut_is_no_number(tmp_path: Path, suffix: str, keep: float) -> None:
    packed = CODECS[suffix](LINES)
    with pytest.raises(UnreadableFileError):
        count(tmp_path / f"t{suffix}", packed[: int(len(packed) * keep)])


@pytest.mark.parametrize("suffix", CODECS)
@pytest.mark.parametrize("garbage", [b"garbage", b"\n" * 30])
def test_what_follows_compressed_content_is_not_passed_over(
    tmp_path: Path, suffix: str, garbage: bytes
) -> None:
    with pytest.raises(UnreadableFileError):
        count(tmp_path / f"t{suffix}", CODECS[suffix](LINES) + garbage)


@pytest.mark.parametrize("suffix", CODECS)
def test_a_name_that_promises_a_codec_the_content_does_not_have_is_no_number(
    tmp_path: Path, suffix: str
) -> None:
    with pytest.raises(UnreadableFileError):
        count(tmp_path / f"t{suffix}", LINES)


def test_gzip_of_the_command_line_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(LINES)
    subprocess.run(["gzip", path], check=True)
    packed = tmp_path / "t.gz"
    assert text_rows(None, str(packed), packed.stat().st_size, b"\n") == 200_000


@pytest.mark.parametrize("suffix", [".lzo", ".lz4", ".xz", ".zip", ".LZO"])
def test_a_codec_that_is_not_known_is_said_and_not_counted(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        count(tmp_path / f"t{suffix}", b"compressed\n")
    assert str(caught.value) == f"{suffix.lower()} cannot be decoded here, so its rows are not known"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(LINES), "its content is gzip, its name does not say so: no text to be counted"),
        (bz2.compress(LINES), "its content is bzip2, its name does not say so: no text to be counted"),
        (zstd(LINES), "its content is zstd, its name does not say so: no text to be counted"),
        (
            b"SEQ\x06" + LINES,
            "its content is a SequenceFile, its name does not say so: no text to be counted",
        ),
        (b"PAR1" + LINES + b"PAR1", "it is a Parquet file, not text"),
        (b"ORC" + LINES + b"ORC\x17", "it is an ORC file, not text"),
    ],
)
def test_a_file_of_another_kind_is_no_text(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        count(tmp_path / "part-00000", content)
    assert str(caught.value) == message


@pytest.mark.parametrize("content", [b"PAR1\nBZh9\n", b"ORC\n", b"BZhang,1\n"])
def test_text_that_begins_like_a_format_is_text(tmp_path: Path, content: bytes) -> None:
    assert count(tmp_path / "t", content) == content.count(b"\n")


def test_a_file_of_another_size_than_it_was_listed_with_is_no_number(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"a\nb\n")
    with pytest.raises(UnreadableFileError) as caught:
        text_rows(None, str(tmp_path / "t"), 1000, b"\n")
    assert str(caught.value) == "1,000 bytes were listed, 4 were read"
