"""Rows of Avro files and SequenceFiles, from the headers of their blocks and records. Nothing is decoded.

An Avro block says how many objects it holds and how long it is. A SequenceFile has a header for each record,
or, when its blocks are compressed, one for each block that says how many records are in it. Both put a
marker of 16 bytes between blocks; a marker that is not where it must be is damage, never an end.
"""

import struct

from dataplat.storage.ranges import ReadRange, UnreadableFileError

_MARKER = 16
_SEQUENCE_VERSION = 6
_ESCAPE = -1


def avro_rows(read: ReadRange, size: int, window: int) -> int:
    """Return the objects of an Avro object container file.

    Raises:
        UnreadableFileError: It is no such file, ends in the middle of a block, or is damaged.
    """
    file = _Window(read, size, window)
    if file.take(min(4, size)) != b"Obj\x01":
        raise UnreadableFileError("no Avro file: it does not begin with Obj and 1")
    while count := file.zigzag():
        if count < 0:
            file.zigzag()
        for _ in range(2 * abs(count)):
            file.skip(file.zigzag())
    marker = file.take(_MARKER)
    rows = 0
    while not file.at_end():
        objects, length = file.zigzag(), file.zigzag()
        file.skip(length)
        if objects < 0 or file.take(_MARKER) != marker:
            raise UnreadableFileError(f"it is damaged after {rows:,} rows")
        rows += objects
    return rows


def sequence_rows(read: ReadRange, size: int, window: int) -> int:
    """Return the records of a SequenceFile: uncompressed, or compressed by record or by block.

    Raises:
        UnreadableFileError: It is no such file, an older one, ends in the middle, or is damaged.
    """
    file = _Window(read, size, window)
    if file.take(min(3, size)) != b"SEQ":
        raise UnreadableFileError("no SequenceFile: it does not begin with SEQ")
    version = file.take(1)[0]
    if version != _SEQUENCE_VERSION:
        raise UnreadableFileError(
            f"a SequenceFile of version {version}; version {_SEQUENCE_VERSION} is known"
        )
    file.skip(file.vint())  # class of keys
    file.skip(file.vint())  # class of values
    compressed, by_block = file.take(2)
    if compressed:
        file.skip(file.vint())  # class of the codec
    for _ in range(2 * file.int32()):  # metadata, names and values
        file.skip(file.vint())
    marker = file.take(_MARKER)
    return _block_rows(file, marker) if by_block else _record_rows(file, marker)


def _record_rows(file: "_Window", marker: bytes) -> int:
    rows = 0
    while not file.at_end():
        length = file.int32()
        if length == _ESCAPE:
            if file.take(_MARKER) != marker:
                raise UnreadableFileError(f"it is damaged after {rows:,} rows")
            continue
        key = file.int32()
        if not 0 <= key <= length:
            raise UnreadableFileError(f"it is damaged after {rows:,} rows")
        file.skip(length)
        rows += 1
    return rows


def _block_rows(file: "_Window", marker: bytes) -> int:
    rows = 0
    while not file.at_end():
        if file.int32() != _ESCAPE or file.take(_MARKER) != marker:
            raise UnreadableFileError(f"it is damaged after {rows:,} rows")
        records = file.vint()
        for _ in range(4):  # lengths of keys, keys, lengths of values, values
            file.skip(file.vint())
        if records < 0:
            raise UnreadableFileError(f"it is damaged after {rows:,} rows")
        rows += records
    return rows


class _Window:
    """A moving piece of a file. Bytes that are skipped are read only where they lie in the piece anyway."""

    def __init__(self, read: ReadRange, size: int, window: int) -> None:
        self._read, self._size, self._window = read, size, window
        self._start = self._position = 0
        self._content = b""

    def at_end(self) -> bool:
        return self._position == self._size

    def skip(self, length: int) -> None:
        if length < 0 or self._position + length > self._size:
            raise UnreadableFileError("it ends in the middle of a block, or is damaged")
        self._position += length

    def take(self, length: int) -> bytes:
        start = self._position
        self.skip(length)
        offset = start - self._start
        if offset + length > len(self._content):
            self._start, offset = start, 0
            self._content = self._read(start, min(max(length, self._window), self._size - start))
            if len(self._content) < length:
                raise UnreadableFileError("it was cut while it was counted")
        return self._content[offset : offset + length]

    def int32(self) -> int:
        return int(struct.unpack(">i", self.take(4))[0])

    def zigzag(self) -> int:
        """Read a number as Avro writes it."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                return (value >> 1) ^ -(value & 1)
            shift += 7
            if shift > 63:
                raise UnreadableFileError("it is damaged: a number in it does not end")

    def vint(self) -> int:
        """Read a number as Hadoop's WritableUtils write it."""
        first = struct.unpack("b", self.take(1))[0]
        if first >= -112:
            return int(first)
        negative = first < -120
        value = int.from_bytes(self.take((-119 - first if negative else -111 - first) - 1), "big")
        return ~value if negative else value
