"""Bytes of a file by position, with one request where one is enough: how footers are read.

A local file is opened once and read with ``pread``; elsewhere each range is one ranged read.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import fsspec

TAIL_BYTES = 32 * 1024
"""Read of the end of a file. Most footers are smaller, and a smaller read costs the same."""

ReadRange = Callable[[int, int], bytes]
"""Takes a position and a length; returns fewer bytes only where the file ends."""


class UnreadableFileError(ValueError):
    """A file is not what it is declared to be, or ends too early. The message says what was found."""


def open_local(path: str, flags: int = os.O_RDONLY) -> int:
    """Open a local file, and never wait for what is none: a pipe would block its reader for ever."""
    return os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)


@contextmanager
def open_ranges(fs: fsspec.AbstractFileSystem | None, path: str) -> Iterator[ReadRange]:
    """Give a reader of ranges; ``fs`` is ``None`` for a local file."""
    if fs is not None:
        yield lambda start, length: bytes(fs.cat_file(path, start=start, end=start + length))
        return
    descriptor = open_local(path)
    try:
        yield lambda start, length: os.pread(descriptor, length, start)
    finally:
        os.close(descriptor)


class Tail:
    """The end of a file in memory, and the rest of it within reach.

    Raises:
        UnreadableFileError: The file is shorter than it was when it was listed.
    """

    def __init__(self, read: ReadRange, size: int) -> None:
        self.size = size
        self._read = read
        self.start = max(0, size - TAIL_BYTES)
        self.bytes = read(self.start, size - self.start) if size else b""
        if len(self.bytes) != size - self.start:
            raise UnreadableFileError(f"it ends before its {size:,} bytes: it was cut while it was counted")

    def read(self, start: int, length: int) -> bytes:
        """Return bytes at a position, from memory where they are there."""
        if start >= self.start:
            return self.bytes[start - self.start : start - self.start + length]
        return self._read(start, min(length, self.size - start))

    def open(self) -> io.RawIOBase:
        """Return a file object for readers that want one."""
        return _TailFile(self)


class _TailFile(io.RawIOBase):
    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._tail.size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._tail.size - self._position)
        taken = self._tail.read(self._position, left if size < 0 else min(size, left))
        self._position += len(taken)
        return taken
