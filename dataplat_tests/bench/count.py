"""Counting without Spark: 10,000 Parquet files on a local disk, and a gibibyte of text."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dataplat.storage.row_counter import count_path
from dataplat_tests.bench.measure import Comparison, Side, compare

_FILES, _COLUMNS, _ROWS = 10_000, 16, 100
_TEXT_BYTES = 1 << 30
LINE = (
    b"2026-01-09 05:00:00,17,an ordinary line of text of a hundred bytes, as logs and exports have them,,,,\n"
)


def parquet_files(rounds: int = 5) -> str:
    """Rows of 10,000 Parquet files of 16 columns, warm."""
    with folder() as place:
        write_parquet(place, _FILES)
        files = [str(path) for path in sorted(place.glob("part-*"))]
        expected = _FILES * _ROWS

        def ours(threads: int) -> None:
            found = count_path(str(place), "parquet", threads=threads)
            assert (found.status, found.rows) == ("success", expected)

        def pyarrow() -> None:
            with ThreadPoolExecutor(10) as pool:
                rows = sum(pool.map(lambda path: pq.read_metadata(path).num_rows, files))
            assert rows == expected

        sides = [
            Side("dataplat count, 10 threads", lambda: ours(10)),
            Side("dataplat count, 1 thread", lambda: ours(1)),
            Side("pyarrow.parquet.read_metadata, 10 threads", pyarrow),
        ]
        with ExitStack() as closing:
            if os.environ.get("BENCH_SPARK_COUNT"):  # half a minute more
                session = closing.enter_context(spark(place.parent))
                sides.append(
                    Side("Spark count, warm", lambda: session.read.parquet(f"file://{place}").count())
                )
            result = compare("Count 10,000 Parquet files", "at least 10,000 files/s", sides, rounds=rounds)
    for side in sides:
        result.notes.append(f"* {side.name}: {_FILES / result.median(side.name):,.0f} files/s")
    return result.render(sides[0].name)


def text_bytes(rounds: int = 5) -> str:
    """Lines of 1 GiB of text, uncompressed, in the page cache, on one core."""
    with folder() as place:
        path = place / "text"
        with path.open("wb") as stream:
            for _ in range(_TEXT_BYTES // (len(LINE) * 10_000)):
                stream.write(LINE * 10_000)
        size = path.stat().st_size
        expected = size // len(LINE)

        def ours(delimiter: bytes, rows: int) -> None:
            assert count_path(str(path), "textfile", threads=1, delimiter=delimiter).rows == rows

        def wc() -> None:
            assert int(subprocess.check_output(["wc", "-l", path]).split()[0]) == expected

        sides = [
            Side("dataplat count, one byte", lambda: ours(b"\n", expected)),
            Side("dataplat count, two bytes", lambda: ours(b",\n", expected)),
            Side("wc -l", wc),
            Side("cat to /dev/null", lambda: subprocess.check_call(["cat", path], stdout=subprocess.DEVNULL)),
        ]
        result = compare("Count a gibibyte of text", "at least 1 GB/s a core", sides, rounds=rounds)
    return _with_speed(result, size).render(sides[0].name)


def _with_speed(result: Comparison, size: int) -> Comparison:
    for name in result.seconds:
        result.notes.append(f"* {name}: {size / 1e9 / result.median(name):.1f} GB/s")
    return result


def write_parquet(place: Path, files: int) -> None:
    """Write one file of 100 rows many times."""
    columns = {
        f"column_{n:02d}": [row if n % 2 else f"text {row}" for row in range(_ROWS)] for n in range(_COLUMNS)
    }
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    content = bytes(sink.getvalue())
    for number in range(files):
        (place / f"part-{number:05d}").write_bytes(content)


@contextmanager
def spark(home: Path) -> Iterator[Any]:
    """Give a session of a local engine, and stop it."""
    from dataplat_tests.contract.engine.jobs import Job

    engine = Job(str(home / "spark")).engine()
    try:
        yield engine.session()
    finally:
        engine.stop()


@contextmanager
def folder() -> Iterator[Path]:
    """Give an empty folder, and delete it."""
    root = Path(tempfile.mkdtemp(prefix="dataplat-bench-"))
    try:
        (root / "files").mkdir()
        yield root / "files"
    finally:
        shutil.rmtree(root, ignore_errors=True)
