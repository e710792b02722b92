"""Counting on a real HDFS, and the memory of counting."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hdfs_native
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataplat.storage.row_counter import count_path
from dataplat_tests.bench.count import LINE, folder, spark, write_parquet
from dataplat_tests.bench.measure import Side, compare
from dataplat_tests.services.hdfs import Hdfs

_FILES, _ROWS = 500, 20_000
_COUNT = """
import sys
from dataplat.storage.row_counter import count_path
found = count_path(sys.argv[1], sys.argv[2], threads=4)
print(found.rows)
assert found.status == "success", found
"""


def hdfs_files(rounds: int = 3) -> str:
    """Rows of 500 Parquet files on a real HDFS: footers, a Spark count, and reading it all."""
    with folder() as place:
        hdfs = Hdfs(place / "hdfs")
        hdfs.start()
        try:
            return _hdfs_files(hdfs, place, rounds)
        finally:
            hdfs.stop()


def _hdfs_files(hdfs: Hdfs, place: Path, rounds: int) -> str:
    os.environ["HADOOP_USER_NAME"] = hdfs.user
    uri, size = f"{hdfs.url}/warehouse/t", _write_to_hdfs(hdfs)
    expected = _FILES * _ROWS

    def ours() -> None:
        found = count_path(uri, "parquet", threads=10)
        assert (found.status, found.rows) == ("success", expected)

    def read_all() -> None:
        with ThreadPoolExecutor(10) as pool:
            read = sum(pool.map(lambda number: _read(hdfs, number), range(_FILES)))
        assert read == size

    with spark(place) as session:
        sides = [
            Side("dataplat count, 10 threads", ours),
            Side("Spark count, warm", lambda: _same(session.read.parquet(uri).count(), expected)),
            Side("reading the files, 10 threads", read_all),
        ]
        title = f"Count {_FILES} Parquet files on HDFS, {size / 2**20:,.0f} MiB"
        result = compare(title, "faster than a Spark count of the same table", sides, rounds=rounds)
    return result.render(sides[0].name)


def _same(found: int, expected: int) -> None:
    assert found == expected


def _write_to_hdfs(hdfs: Hdfs) -> int:
    numbers = np.random.default_rng(7)
    columns = {f"column_{n}": numbers.integers(0, 1 << 60, _ROWS) for n in range(8)}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    content = bytes(sink.getvalue())
    client = hdfs_native.Client(hdfs.url)
    client.mkdirs("/warehouse/t")
    for number in range(_FILES):
        with client.create(f"/warehouse/t/part-{number:05d}", hdfs_native.WriteOptions()) as stream:
            stream.write(content)
    return len(content) * _FILES


def _read(hdfs: Hdfs, number: int) -> int:
    with hdfs_native.Client(hdfs.url).read(f"/warehouse/t/part-{number:05d}") as stream:
        return len(stream.read(-1))


def flat_memory() -> str:
    """Peak memory of a count: ten times the files, ten times the text."""
    lines = ["### Peak memory of a count", "", "Goal: it does not grow with the files", ""]
    lines += ["| what | peak, MiB |", "|---|---:|"]
    with folder() as place:
        for files in (1_000, 10_000):
            target = place / f"parquet-{files}"
            target.mkdir()
            write_parquet(target, files)
            lines.append(f"| {files:,} Parquet files | {_peak(target, 'parquet') / 2**20:,.0f} |")
            print(lines[-1])
        for gibibytes in (0.2, 2):
            target = place / f"text-{gibibytes}"
            _write_text(target, int(gibibytes * 2**30))
            lines.append(f"| {gibibytes} GiB of text | {_peak(target, 'textfile') / 2**20:,.0f} |")
            print(lines[-1])
    return "\n".join([*lines, ""])


def _write_text(target: Path, size: int) -> None:
    with target.open("wb") as stream:
        for _ in range(size // (len(LINE) * 10_000)):
            stream.write(LINE * 10_000)


def _peak(target: Path, data_format: str) -> int:
    """Return the largest resident size of a process that counts and does nothing else, in bytes."""
    arguments: list[Any] = [sys.executable, "-c", _COUNT, str(target), data_format]
    pid = os.spawnv(os.P_NOWAIT, sys.executable, arguments)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        raise RuntimeError(f"the count of {target.name} failed")
    return usage.ru_maxrss * 1024
