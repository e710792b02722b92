r"""Lines of a text file, counted as its bytes stream by: delimiters, and an unfinished last line.

The bytes decide, whatever they mean: with ``\n`` a ``\r\n`` ends one line and a lone ``\r`` none, and a
line break between quotes is a line break. Matches do not overlap: with ``||``, ``|||`` is one delimiter and
a rest.

Hadoop goes by the name of a file to learn its codec, so does this. What cannot be decoded is refused, and so
are files whose beginning says that they are something else than their name: counting compressed bytes
gives a number, and a wrong one.
"""

import bz2
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import fsspec
import numpy as np
import pyarrow as pa

from dataplat.storage.ranges import UnreadableFileError, open_local

_LOCAL_READ, _REMOTE_READ = 1 << 20, 8 << 20
_SLICE = 128 * 1024  # stays in the processor's cache between comparing and summing
_MOST_SNAPPY = 64 << 20
# gzip of Arrow recognises zlib streams too, which is what .deflate holds.
_DECODED = {
    ".gz": "gzip",
    ".gzip": "gzip",
    ".deflate": "gzip",
    ".zst": "zstd",
    ".zstd": "zstd",
}
_SNAPPY = ".snappy"
_REFUSED = {
    ".lzo",
    ".lzo_deflate",
    ".lz4",
    ".xz",
    ".lzma",
    ".br",
    ".z",
    ".zip",
    ".7z",
    ".sz",
    ".lzop",
    ".rar",
}
_BEGINNINGS = {
    b"\x1f\x8b\x08": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"\xfd7zXZ\x00": "xz",
    b"\x89LZO\x00": "lzo",
    b"PK\x03\x04": "zip",
    b"Obj\x01": "Avro",
    b"SEQ\x06": "a SequenceFile",
}


def text_rows(fs: fsspec.AbstractFileSystem | None, path: str, size: int, delimiter: bytes) -> int:
    """Return the lines of a text file, decompressed by what its name says. Reads it once, in bounded memory.

    Args:
        fs: Its file system, ``None`` for a local file.
        path: Where it is.
        size: Its bytes when it was listed; of an uncompressed file exactly these must be there.
        delimiter: What ends a line.

    Raises:
        UnreadableFileError: It cannot be decoded, is cut, or is no text file.
        OSError: Reading failed; Arrow raises it for compressed content that is damaged, too.
    """
    if not size:
        return 0
    name = path.rpartition("/")[2].lower()
    suffix = name[name.rfind(".") :] if "." in name else ""
    if suffix in _REFUSED:
        raise UnreadableFileError(f"{suffix} cannot be decoded here, so its rows are not known")
    lines = LineCounter(delimiter)
    with _open(fs, path) as source:
        chunks: Iterator[bytes | memoryview]
        if suffix == ".bz2":
            chunks = _bzip2(source)
        elif suffix in _DECODED:
            chunks = _decoded(source, _DECODED[suffix])
        elif suffix == _SNAPPY:
            chunks = _hadoop_snappy(source)
        else:
            chunks = _plain(source, size, local=fs is None)
        for chunk in chunks:
            lines.feed(chunk)
    return lines.total()


class LineCounter:
    """Counts delimiters over chunks of any sizes, as if they were one."""

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._count = 0
        self._unfinished = False
        self._rest = b""
        self._apart = _cannot_overlap_itself(delimiter)
        self._equal = np.empty(_SLICE, dtype=np.bool_)

    def feed(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes; an empty chunk changes nothing."""
        if len(chunk) == 0:
            return
        if len(self._delimiter) == 1:
            self._feed_one_byte(chunk)
        else:
            self._feed_several(bytes(chunk))

    def total(self) -> int:
        """Return the lines so far, an unfinished last one included."""
        return self._count + self._unfinished

    def _feed_one_byte(self, chunk: bytes | memoryview) -> None:
        content = np.frombuffer(chunk, dtype=np.uint8)
        wanted = np.uint8(self._delimiter[0])
        for start in range(0, len(content), _SLICE):
            part = content[start : start + _SLICE]
            equal = self._equal[: len(part)]
            np.equal(part, wanted, out=equal)
            self._count += int(np.count_nonzero(equal))
        self._unfinished = bool(content[-1] != wanted)

    def _feed_several(self, chunk: bytes) -> None:
        content, size = self._rest + chunk, len(self._delimiter)
        found = self._matches_apart(content) if self._apart else content.count(self._delimiter)
        self._count += found
        end = 0
        if found:
            end = content.rfind(self._delimiter) + size if self._apart else self._end_of_last(content)
        self._unfinished = end < len(content)
        self._rest = content[max(end, len(content) - size + 1) :]

    def _matches_apart(self, content: bytes) -> int:
        """Count a delimiter that cannot overlap itself, so that every match counts: faster than to search."""
        values = np.frombuffer(content, dtype=np.uint8)
        wanted = np.frombuffer(self._delimiter, dtype=np.uint8)
        places = len(values) - len(wanted) + 1
        found = 0
        for start in range(0, places, _SLICE):
            stop = min(start + _SLICE, places)
            equal = values[start:stop] == wanted[0]
            for shift in range(1, len(wanted)):
                equal &= values[start + shift : stop + shift] == wanted[shift]
            found += int(np.count_nonzero(equal))
        return found

    def _end_of_last(self, content: bytes) -> int:
        """Return where the last of the matches ends that are counted from the left without overlap."""
        end = 0
        while (start := content.find(self._delimiter, end)) >= 0:
            end = start + len(self._delimiter)
        return end


def _cannot_overlap_itself(delimiter: bytes) -> bool:
    return not any(delimiter.startswith(delimiter[start:]) for start in range(1, len(delimiter)))


@contextmanager
def _open(fs: fsspec.AbstractFileSystem | None, path: str) -> Iterator[IO[bytes]]:
    with open(path, "rb", buffering=0, opener=open_local) if fs is None else fs.open(path, "rb") as stream:
        yield stream


def _plain(source: Any, size: int, *, local: bool) -> Iterator[bytes | memoryview]:
    read, last = 0, b""
    buffer = memoryview(bytearray(min(_LOCAL_READ, size + 1))) if local else None
    while True:
        chunk = source.read(_REMOTE_READ) if buffer is None else buffer[: source.readinto(buffer)]
        if len(chunk) == 0:
            break
        if read == 0:
            _refuse_other_formats(bytes(chunk[:16]))
            head = bytes(chunk[:4])
        read += len(chunk)
        last = (last + bytes(chunk[-4:]))[-4:]
        yield chunk
    if read != size:
        raise UnreadableFileError(f"{size:,} bytes were listed, {read:,} were read")
    if size > 8 and head == last == b"PAR1":
        raise UnreadableFileError("it is a Parquet file, not text")
    if size > 16 and head[:3] == last[:3] == b"ORC" and last[3] > 13:  # the length of its postscript
        raise UnreadableFileError("it is an ORC file, not text")


def _refuse_other_formats(head: bytes) -> None:
    for beginning, name in _BEGINNINGS.items():
        if head.startswith(beginning):
            raise UnreadableFileError(
                f"its content is {name}, its name does not say so: no text to be counted"
            )
    if head.startswith(b"BZh") and head[4:10] == b"1AY&SY":
        raise UnreadableFileError("its content is bzip2, its name does not say so: no text to be counted")


def _decoded(source: IO[bytes], codec: str) -> Iterator[bytes]:
    watched = _Watched(source)
    try:
        with pa.CompressedInputStream(pa.PythonFile(watched, mode="r"), codec) as stream:
            while chunk := stream.read(_LOCAL_READ):
                yield chunk
    except OSError as error:  # Arrow's own, unless reading failed: only that may pass
        if watched.failed:
            raise
        raise UnreadableFileError(f"it cannot be decompressed: {error}") from error


def _bzip2(source: IO[bytes]) -> Iterator[bytes]:
    """Decode streams that follow one another, as parallel compressors write; Arrow trips over empty ones."""
    stream, fresh = bz2.BZ2Decompressor(), True
    packed = source.read(_LOCAL_READ)
    while packed or not (fresh or stream.needs_input):
        try:
            chunk = stream.decompress(packed, _LOCAL_READ)
        except OSError as error:
            raise UnreadableFileError(f"it cannot be decompressed: {error}") from error
        fresh = False
        yield chunk
        if stream.eof:
            packed = stream.unused_data or source.read(_LOCAL_READ)
            stream, fresh = bz2.BZ2Decompressor(), True
        else:
            packed = source.read(_LOCAL_READ) if stream.needs_input else b""
    if not fresh:
        raise UnreadableFileError("it ends in the middle of a compressed stream")


class _Watched(io.RawIOBase):
    """A source that remembers whether reading it failed."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.failed = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            return self._source.read(size)
        except OSError:
            self.failed = True
            raise


def _hadoop_snappy(source: IO[bytes]) -> Iterator[bytes]:
    """Decode Hadoop's blocks: the length of what one holds, then compressed pieces with their lengths."""
    codec = pa.Codec("snappy")
    while head := _take(source, 4, at_end=True):
        left = int.from_bytes(head, "big")
        while left > 0:
            length = int.from_bytes(_take(source, 4), "big")
            piece = _take(source, length) if 0 < length <= _MOST_SNAPPY else b""
            holds = _snappy_length(piece)
            if not 0 < holds <= left:
                raise UnreadableFileError("it is damaged, or not compressed by Hadoop's Snappy codec")
            yield codec.decompress(piece, holds, asbytes=True)
            left -= holds


def _take(source: IO[bytes], length: int, *, at_end: bool = False) -> bytes:
    taken = b""
    while len(taken) < length and (more := source.read(length - len(taken))):
        taken += more
    if len(taken) < length and not (at_end and not taken):
        raise UnreadableFileError("it ends in the middle of a block")
    return taken


def _snappy_length(piece: bytes) -> int:
    value = 0
    for index, byte in enumerate(piece[:5]):
        value |= (byte & 127) << 7 * index
        if byte < 128:
            return value
    return 0
