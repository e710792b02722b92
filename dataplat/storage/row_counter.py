"""Rows of all files below a path, by the cheapest true way of each format. No Spark, no JVM, flat memory.

Orc and Parquet answer from their footers, Avro and SequenceFiles from the headers of their blocks, text is
scanned. One file that cannot be counted does not stop the others: it is named, and the count is *partial*.

A path is listed before and after. A file that was written, replaced or deleted in between is not counted but
named, because its rows would be of neither moment. Files that came in between are not of this count.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import fsspec
import pyarrow as pa
from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from dataplat.errors import StorageError
from dataplat.plan.file_counts import FileFormat, FileProblem, PathCount, judge_count
from dataplat.storage.files import FileEntry, filesystem, find_files, is_local
from dataplat.storage.ranges import Tail, UnreadableFileError, open_ranges

_LOCAL_WINDOW, _REMOTE_WINDOW = 64 * 1024, 8 << 20
_LOCAL_BATCH = 64  # a footer takes microseconds, handing one file to a thread takes as long
_ATTEMPTS, _PATIENCE_SECONDS = 8, 45
_DELTA = re.compile(r"(?:delete_)?delta_\d+_\d+")
_REFUSED = ("AccessControlException", "FileNotFoundException", "permission denied")
_PASSING = ("SafeModeException", "StandbyException", "RetriableException", "DataTransferError", "onnection")

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Told how many of how many files are done; called by several threads."""


def count_path(
    uri: str,
    data_format: FileFormat,
    *,
    threads: int = 10,
    delimiter: bytes = b"\n",
    hadoop_conf: Path | None = None,
    progress: Progress = lambda done, total: None,
    retry_seconds: float = 1.0,
) -> PathCount:
    """Count the rows of every data file below ``uri``, or of the one file that it is.

    Never raises for what the file system answers: an absent path, a refusal and a file that cannot be read
    are problems of the count. What a moment later may be well again (a NameNode that restarts, a connection
    that was cut) is tried again for about a minute.

    Args:
        uri: Where; hidden names below it are left out.
        data_format: What the files are.
        threads: Files read at once.
        delimiter: What ends a line of text; other formats have no use for it.
        hadoop_conf: Folder of core-site.xml and hdfs-site.xml.
        progress: Told as files are done.
        retry_seconds: Scale of the pauses between attempts.
    """
    started = time.perf_counter()
    patiently = partial(_patiently, retry_seconds if not is_local(uri) else None)

    def ended(counted: Sequence[int], sizes: Sequence[int], problems: Sequence[FileProblem]) -> PathCount:
        duration_ms = round((time.perf_counter() - started) * 1000)
        return judge_count(uri, counted, sizes, problems, duration_ms)

    try:
        before = patiently(lambda: find_files(uri, hadoop_conf))
    except (FileNotFoundError, StorageError, OSError, RuntimeError) as error:
        return ended([], [], [FileProblem(uri, _reason(error, "there is no such path"))])
    fs = None if is_local(uri) else filesystem(uri, hadoop_conf)[0]

    def count(entry: FileEntry) -> int | str:
        try:
            return patiently(lambda: _file_rows(fs, entry, data_format, delimiter))
        except (OSError, RuntimeError, ValueError, pa.ArrowException) as error:
            return _reason(error, "it was deleted while it was counted")

    counts = list(_in_threads(count, before, threads, fs is None, progress))
    changed = _changed_since(before, lambda: patiently(lambda: find_files(uri, hadoop_conf)))
    rows, problems = [], []
    for entry, counted in zip(before, counts, strict=True):
        problem = changed.get(entry.path) or (counted if isinstance(counted, str) else "")
        if problem:
            problems.append(FileProblem(_printable(entry.path), problem))
        elif isinstance(counted, int):
            rows.append(counted)
    return ended(rows, [entry.size for entry in before], problems)


def _printable(path: str) -> str:
    """Return a name with those of its bytes that are no UTF-8 written out: no document could hold them."""
    return path.encode("utf-8", "backslashreplace").decode()


def _in_threads(
    count: Callable[[FileEntry], int | str],
    entries: Sequence[FileEntry],
    threads: int,
    local: bool,
    progress: Progress,
) -> Iterator[int | str]:
    batch = _LOCAL_BATCH if local and len(entries) > threads * _LOCAL_BATCH else 1
    batches = [entries[start : start + batch] for start in range(0, len(entries), batch)]
    done = 0
    with ThreadPoolExecutor(max(1, min(threads, len(batches)))) as pool:
        for results in pool.map(lambda some: [count(entry) for entry in some], batches):
            done += len(results)
            progress(done, len(entries))
            yield from results


def _file_rows(
    fs: fsspec.AbstractFileSystem | None, entry: FileEntry, data_format: FileFormat, delimiter: bytes
) -> int:
    if entry.special:
        raise UnreadableFileError("it is no file: a pipe, a socket or a device")
    if data_format == "textfile":
        from dataplat.storage.text_rows import text_rows

        return text_rows(fs, entry.path, entry.size, delimiter)
    with open_ranges(fs, entry.path) as read:
        if data_format in ("avro", "sequencefile"):
            from dataplat.storage.record_files import avro_rows, sequence_rows

            rows_of = avro_rows if data_format == "avro" else sequence_rows
            return rows_of(read, entry.size, _LOCAL_WINDOW if fs is None else _REMOTE_WINDOW)
        from dataplat.storage.footers import footer_rows

        if data_format == "orc":
            if not entry.size:  # Hive writes these for empty buckets, and its reader finds no rows in them
                return 0
            if any(_DELTA.match(part) for part in entry.relative.split("/")[:-1]):
                raise UnreadableFileError(
                    "a change of a transactional table: its rows are not those of the table"
                )
        return footer_rows(Tail(read, entry.size), data_format)


def _changed_since(before: Sequence[FileEntry], list_again: Callable[[], list[FileEntry]]) -> dict[str, str]:
    try:
        after = {entry.path: entry for entry in list_again()}
    except FileNotFoundError:
        after = {}
    except (StorageError, OSError, RuntimeError) as error:
        text = f"it could not be listed again, so whether it changed is not known: {_reason(error, '')}"
        return {entry.path: text for entry in before}
    changed = {}
    for entry in before:
        now = after.get(entry.path)
        if now is None:
            changed[entry.path] = "it was deleted while it was counted"
        elif now.stamp != entry.stamp:
            sizes = f"{entry.size:,} bytes before, {now.size:,} after"
            changed[entry.path] = f"it was changed while it was counted: {sizes}"
    return changed


def _patiently(retry_seconds: float | None, work: Callable[[], T]) -> T:
    """Do ``work``, again where that may help; a local disk is asked once."""
    if retry_seconds is None:
        return work()
    attempts = Retrying(
        stop=stop_after_attempt(_ATTEMPTS) | stop_after_delay(_PATIENCE_SECONDS),  # hdfs-native has its own
        wait=wait_random_exponential(multiplier=retry_seconds, max=20 * retry_seconds),
        retry=retry_if_exception(_passes),
        reraise=True,
    )
    return attempts(work)


def _passes(error: BaseException) -> bool:
    """Say whether the same call may succeed later: what the network and a starting NameNode answer."""
    cause = error.__cause__ if isinstance(error, StorageError) and error.__cause__ else error
    if isinstance(cause, (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)):
        return False
    text = str(cause)
    if any(name in text for name in _REFUSED):
        return False
    return isinstance(cause, (OSError, TimeoutError)) or any(name in text for name in _PASSING)


def _reason(error: BaseException, absent: str) -> str:
    """Return one line for people: what the system said, without the names of its classes where known."""
    if isinstance(error, StorageError):
        wrapped = isinstance(error.__cause__, (OSError, RuntimeError))
        return _reason(error.__cause__, absent) if wrapped and error.__cause__ else error.problem
    text = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
    if isinstance(error, FileNotFoundError) or "FileNotFoundException" in text:
        return absent
    if isinstance(error, PermissionError) or "AccessControlException" in text:
        return "permission denied"
    if "All DataNodes failed" in text:  # and then a page about each of them
        return "no DataNode that has its blocks answers"
    return text
