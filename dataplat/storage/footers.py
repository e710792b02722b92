"""Row counts from the footers of Parquet and ORC files: no Spark is asked, and no row is read.

A Parquet or ORC file ends in a footer that states how many rows it holds; a half-written file has
none and is *broken*, never zero rows. Where the footers keep the smallest and largest value of a
column, they come along: that is how a row in the wrong day is seen without reading it.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import orc

from dataplat.storage.files import FileEntry, filesystem, is_local, list_files
from dataplat.storage.parquet_rows import locate_footer, parquet_rows
from dataplat.storage.ranges import Tail, UnreadableFileError, open_ranges

Bound = datetime | date


@dataclass(frozen=True)
class FooterCount:
    """What the files of one folder hold, by their own footers.

    Attributes:
        rows: Rows in the readable files.
        files: Data files, broken ones included.
        bytes: Size of all data files.
        low: Smallest value of the watched column, ``None`` when no footer tells.
        high: Largest value of it.
        broken: Relative path and reason of each file without a readable footer.
    """

    rows: int = 0
    files: int = 0
    bytes: int = 0
    low: Bound | None = None
    high: Bound | None = None
    broken: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True)
class _Footer:
    rows: int
    low: Bound | None = None
    high: Bound | None = None
    problem: str = ""


def count_partitions(
    root: str, folders: Sequence[str], data_format: str, *, watch: str | None = None, threads: int = 8
) -> tuple[Mapping[str, FooterCount], tuple[str, ...]]:
    """Count each of ``folders`` below ``root`` with one listing and one footer read a file.

    Args:
        root: URI of a version.
        folders: Relative partition folders, ``ds=2026-01-09``; an absent one counts zero.
        data_format: ``parquet`` or ``orc``.
        watch: Column whose smallest and largest value the footers should tell.
        threads: Footers read at once; HDFS is bound by round trips, not by this machine.

    Returns:
        The count of each folder, and the relative paths of data files that lie in none of them.

    Raises:
        StorageError: The listing failed. A file that cannot be read is reported as broken instead.
    """
    entries = list_files(root)
    by_folder: dict[str, list[FileEntry]] = {folder: [] for folder in folders}
    strays = []
    for entry in entries:
        folder = entry.relative.rpartition("/")[0]
        if folder in by_folder:
            by_folder[folder].append(entry)
        else:
            strays.append(entry.relative)
    wanted = [entry for group in by_folder.values() for entry in group]
    footers = dict(zip(wanted, _read_all(root, wanted, data_format, watch, threads), strict=True))
    return {
        folder: _sum((entry, footers[entry]) for entry in group) for folder, group in by_folder.items()
    }, tuple(strays)


def _read_all(
    root: str, entries: Sequence[FileEntry], data_format: str, watch: str | None, threads: int
) -> list[_Footer]:
    def read(entry: FileEntry) -> _Footer:
        try:
            return _read_footer(root, entry, data_format, watch)
        except (OSError, pa.ArrowException, RuntimeError, ValueError) as error:
            return _Footer(0, problem=str(error).splitlines()[0][:200] if str(error) else repr(error))

    if len(entries) < 4:
        return [read(entry) for entry in entries]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(read, entries))


def _read_footer(root: str, entry: FileEntry, data_format: str, watch: str | None) -> _Footer:
    fs = None if is_local(root) else filesystem(root)[0]
    with open_ranges(fs, entry.path) as read:
        tail = Tail(read, entry.size)
        if watch is None:
            return _Footer(footer_rows(tail, data_format))
        if data_format == "orc":
            return _orc_footer(_orc_file(tail), watch)
        return _parquet_footer(_parquet_metadata(tail), watch)


def footer_rows(tail: Tail, data_format: str) -> int:
    """Return the rows that the footer of a ``parquet`` or ``orc`` file states.

    Raises:
        UnreadableFileError: There is no whole footer.
        ArrowException: The ORC library refused it.
    """
    return _orc_file(tail).nrows if data_format == "orc" else parquet_rows(tail)


def _orc_file(tail: Tail) -> orc.ORCFile:
    if not tail.size:
        raise UnreadableFileError("no ORC file: it is empty")
    return orc.ORCFile(pa.BufferReader(tail.bytes) if tail.start == 0 else tail.open())


def _parquet_metadata(tail: Tail) -> pq.FileMetaData:
    """Parse the whole footer: it is all that pyarrow reads, so it gets the end of the file and no more."""
    start, _ = locate_footer(tail)
    return pq.read_metadata(pa.BufferReader(tail.read(start, tail.size - start)))


def _orc_footer(file: orc.ORCFile, watch: str) -> _Footer:
    """Count by the footer; the bounds are read from the watched column itself, stripe by stripe.

    ORC keeps them in its footer too, but pyarrow does not hand them out. A time without a zone in ORC is
    the wall clock of the JVM that wrote it, and ours run in UTC.
    """
    lows, highs = [], []
    if watch in file.schema.names:
        for stripe in range(file.nstripes):
            values = file.read_stripe(stripe, columns=[watch]).column(0)
            if pa.types.is_timestamp(values.type):
                values = pc.cast(values, pa.timestamp("us", tz="UTC"))
            bounds = pc.min_max(values).as_py()
            if bounds["min"] is not None:
                lows.append(bounds["min"])
                highs.append(bounds["max"])
    return _Footer(file.nrows, min(lows, default=None), max(highs, default=None))


def _parquet_footer(metadata: pq.FileMetaData, watch: str) -> _Footer:
    if watch not in metadata.schema.names:
        return _Footer(metadata.num_rows)
    index = metadata.schema.names.index(watch)
    lows, highs = [], []
    for group in range(metadata.num_row_groups):
        statistics = metadata.row_group(group).column(index).statistics
        if statistics is not None and statistics.has_min_max:
            lows.append(statistics.min)
            highs.append(statistics.max)
    return _Footer(metadata.num_rows, min(lows, default=None), max(highs, default=None))


def _sum(pairs: Iterable[tuple[FileEntry, _Footer]]) -> FooterCount:
    items = list(pairs)
    lows = [footer.low for _, footer in items if footer.low is not None]
    highs = [footer.high for _, footer in items if footer.high is not None]
    return FooterCount(
        rows=sum(footer.rows for _, footer in items),
        files=len(items),
        bytes=sum(entry.size for entry, _ in items),
        low=min(lows, default=None),
        high=max(highs, default=None),
        broken=tuple((entry.relative, footer.problem) for entry, footer in items if footer.problem),
    )
