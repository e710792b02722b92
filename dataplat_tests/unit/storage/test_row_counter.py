"""A path is counted whole, or it is said which file was not (A30 to A34)."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from dataplat.plan.file_counts import FileFormat, FileProblem
from dataplat.storage import row_counter
from dataplat.storage.files import FileEntry
from dataplat.storage.row_counter import count_path
from dataplat_tests.unit.storage.hadoop_files import avro_file, sequence_of_blocks

NAMES = ("a b", "ü中", "100%25", "ds=2026-01-09 05%3A00", "what?", "#1", "x:y", "tab\tname", "q'\"")


def write(path: Path, data_format: FileFormat, rows: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema({"id": pa.int64(), "inner": pa.struct({"x": pa.list_(pa.int32())})})
    table = pa.table({"id": range(rows), "inner": [{"x": [1, 2]}] * rows}, schema=schema)
    values = [b"v"] * rows
    if data_format == "parquet":
        pq.write_table(table, path)
    elif data_format == "orc":
        orc.write_table(table, path)
    else:
        contents = {
            "textfile": b"line\n" * rows,
            "avro": avro_file([values]),
            "sequencefile": sequence_of_blocks([values]),
        }
        path.write_bytes(contents[data_format])
    return path


FORMATS: tuple[FileFormat, ...] = ("parquet", "orc", "textfile", "avro", "sequencefile")


@pytest.fixture(params=FORMATS)
def data_format(request: pytest.FixtureRequest) -> FileFormat:
    return next(name for name in FORMATS if name == request.param)


def test_rows_files_bytes_and_time_of_a_path_are_told_a30(tmp_path: Path, data_format: FileFormat) -> None:
    files = [write(tmp_path / f"hour={n}" / "part-0", data_format, n) for n in range(5)]
    found = count_path(str(tmp_path), data_format)
    assert (found.status, found.rows, found.files, found.problems) == ("success", 10, 5, ())
    assert found.bytes == sum(file.stat().st_size for file in files)
    assert found.duration_ms >= 0


@pytest.mark.parametrize("threads", [1, 3, 50])
def test_many_files_are_counted_by_any_number_of_threads_a31(tmp_path: Path, threads: int) -> None:
    content = write(tmp_path / "first", "parquet", 3).read_bytes()
    for number in range(700):
        (tmp_path / f"part-{number}").write_bytes(content)
    assert count_path(f"file://{tmp_path}", "parquet", threads=threads).rows == 3 * 701


def test_hidden_names_are_not_counted_at_any_depth_a33(tmp_path: Path, data_format: FileFormat) -> None:
    write(tmp_path / "a" / "part-0", data_format, 4)
    for hidden in ("_SUCCESS", ".hive-staging_1/part-0", "a/.part-0.crc", "a/_temporary/0/part-0"):
        write(tmp_path / hidden, data_format, 100)
    assert count_path(str(tmp_path), data_format).rows == 4


def test_a_single_file_is_a_path_even_with_a_hidden_name_a33(tmp_path: Path, data_format: FileFormat) -> None:
    path = write(tmp_path / "_staged" / "_part", data_format, 4)
    found = count_path(str(path), data_format)
    assert (found.rows, found.files) == (4, 1)


def test_an_empty_folder_is_a_success_without_rows_a34(tmp_path: Path, data_format: FileFormat) -> None:
    found = count_path(str(tmp_path), data_format)
    assert (found.status, found.rows, found.files) == ("success", 0, 0)


def test_a_missing_path_failed_and_its_rows_are_unknown_a34(tmp_path: Path, data_format: FileFormat) -> None:
    uri = f"file://{tmp_path}/gone"
    found = count_path(uri, data_format)
    assert (found.status, found.rows) == ("failed", -1)
    assert found.problems == (FileProblem(uri, "there is no such path"),)


def test_a_broken_file_is_named_and_the_others_are_counted_a34(
    tmp_path: Path, data_format: FileFormat
) -> None:
    whole = write(tmp_path / "part-0", data_format, 4)
    broken = tmp_path / "part-1.gz"
    broken.write_bytes(whole.read_bytes()[:-3])
    found = count_path(str(tmp_path), data_format)
    assert (found.status, found.rows, found.files) == ("partial", 4, 2)
    assert [problem.file for problem in found.problems] == [str(broken)]
    assert count_path(str(broken), data_format).status == "failed"


def test_files_of_another_format_are_no_rows(tmp_path: Path, data_format: FileFormat) -> None:
    others = [name for name in FORMATS if name not in (data_format, "textfile")]
    for other in others:
        write(tmp_path / other, other, 5)
    found = count_path(str(tmp_path), data_format)
    assert (found.status, found.rows, len(found.problems)) == ("failed", -1, len(others))


def test_files_of_zero_rows_are_files_and_an_empty_orc_file_is_hives_empty_bucket(tmp_path: Path) -> None:
    for name in FORMATS:
        write(tmp_path / name / "part-0", name, 0)
        assert count_path(str(tmp_path / name), name).rows == 0
    (tmp_path / "orc" / "empty").touch()
    assert count_path(str(tmp_path / "orc"), "orc").files == 2


def test_names_are_taken_as_they_are(tmp_path: Path) -> None:
    for name in NAMES:
        write(tmp_path / name / name, "parquet", 1)
        assert count_path(f"file://{tmp_path}/{name}", "parquet").rows == 1, name
        assert count_path(f"{tmp_path}/{name}/{name}", "parquet").rows == 1, name
    assert count_path(str(tmp_path), "parquet").rows == len(NAMES)


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    fs = fsspec.filesystem("memory")
    yield fs
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]


def test_any_file_system_of_fsspec_is_counted(
    tmp_path: Path, data_format: FileFormat, memory: fsspec.AbstractFileSystem
) -> None:
    content = write(tmp_path / "x", data_format, 7).read_bytes()
    for name in NAMES:
        memory.pipe_file(f"/t/{name}/part-0", content)
    memory.pipe_file("/t/_hidden/part-0", content)
    assert count_path("memory://t", data_format).rows == 7 * len(NAMES)
    assert count_path("memory:///t/what?/part-0", data_format).rows == 7
    assert count_path("memory://t/gone", data_format).status == "failed"


def test_a_link_in_a_circle_is_followed_once_and_one_to_nowhere_is_named(tmp_path: Path) -> None:
    write(tmp_path / "t" / "part-0", "parquet", 4)
    (tmp_path / "t" / "again").symlink_to(tmp_path / "t")
    (tmp_path / "t" / "nowhere").symlink_to(tmp_path / "gone")
    found = count_path(str(tmp_path / "t"), "parquet")
    assert (found.status, found.rows) == ("partial", 4)
    assert found.problems == (FileProblem(f"{tmp_path}/t/nowhere", "it was deleted while it was counted"),)


@pytest.mark.parametrize("what", ["replaced", "cut", "grown", "deleted"])
def test_a_file_that_changes_while_it_is_counted_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_format: FileFormat, what: str
) -> None:
    write(tmp_path / "part-0", data_format, 4)
    changing = write(tmp_path / "part-1", data_format, 4)
    count_file = row_counter._file_rows

    def count_and_change(fs: object, entry: FileEntry, *rest: object) -> int:
        rows = count_file(fs, entry, *rest)
        if entry.relative == "part-1":
            if what == "replaced":
                os.replace(write(tmp_path / "_new", data_format, 4), changing)
            elif what == "cut":
                os.truncate(changing, 3)
            elif what == "grown":
                changing.write_bytes(changing.read_bytes() * 2)
            else:
                changing.unlink()
        return rows

    monkeypatch.setattr(row_counter, "_file_rows", count_and_change)
    found = count_path(str(tmp_path), data_format)
    assert (found.status, found.rows, found.files) == ("partial", 4, 2)
    (problem,) = found.problems
    assert problem.file == str(changing)
    assert problem.error.startswith(f"it was {'deleted' if what == 'deleted' else 'changed'} while it was")


def test_a_file_that_comes_while_counting_is_not_of_this_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "part-0", "parquet", 4)
    count_file = row_counter._file_rows

    def count_and_add(*arguments: object) -> int:
        write(tmp_path / "part-1", "parquet", 4)
        return count_file(*arguments)

    monkeypatch.setattr(row_counter, "_file_rows", count_and_add)
    found = count_path(str(tmp_path), "parquet")
    assert (found.status, found.rows, found.files) == ("success", 4, 1)


class Flaky:
    """Makes the first calls of a file system's method fail."""

    def __init__(self, times: int, error: Exception) -> None:
        self.times, self.error = times, error

    def wrap(self, monkeypatch: pytest.MonkeyPatch, cls: type, method: str) -> None:
        real = getattr(cls, method)

        def call(*arguments: object, **options: object) -> object:
            self.times -= 1
            if self.times >= 0:
                raise self.error
            return real(*arguments, **options)

        monkeypatch.setattr(cls, method, call)


@pytest.mark.parametrize("method", ["cat_file", "ls"])
@pytest.mark.parametrize(
    "error",
    [
        OSError("connection reset"),
        RuntimeError("RPCError(SafeModeException)"),
        RuntimeError('DataTransferError("All DataNodes failed: [")'),
    ],
)
def test_what_passes_is_tried_again_elsewhere_than_on_a_local_disk(
    memory: fsspec.AbstractFileSystem,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    error: Exception,
) -> None:
    memory.pipe_file("/t/part-0", write(tmp_path / "x", "parquet", 7).read_bytes())
    flaky = Flaky(3, error)
    flaky.wrap(monkeypatch, type(memory), method)
    assert count_path("memory://t", "parquet", retry_seconds=0).rows == 7
    assert flaky.times < 0


def test_a_refusal_is_not_tried_again_and_is_said(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe_file("/t/part-0", write(tmp_path / "x", "parquet", 7).read_bytes())
    refused = RuntimeError('RPCError("org.apache.hadoop.security.AccessControlException", "user=ann")')
    flaky = Flaky(1, refused)
    flaky.wrap(monkeypatch, type(memory), "cat_file")
    found = count_path("memory://t", "parquet", retry_seconds=0)
    assert found.problems == (FileProblem("/t/part-0", "permission denied"),)
    assert flaky.times == 0


def test_what_does_not_pass_in_time_is_said_in_words(
    memory: fsspec.AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe_file("/t/part-0", b"PAR1" * 5)
    lost = RuntimeError('DataTransferError("All DataNodes failed: [DatanodeInfoProto { id: …")')
    Flaky(100, lost).wrap(monkeypatch, type(memory), "cat_file")
    found = count_path("memory://t", "parquet", retry_seconds=0)
    assert found.problems == (FileProblem("/t/part-0", "no DataNode that has its blocks answers"),)


def test_a_folder_that_cannot_be_listed_is_never_an_empty_one(
    memory: fsspec.AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe_file("/t/part-0", b"")
    Flaky(100, OSError("no route to host")).wrap(monkeypatch, type(memory), "ls")
    found = count_path("memory://t", "parquet", retry_seconds=0)
    assert (found.status, found.rows) == ("failed", -1)
    assert found.problems == (FileProblem("memory://t", "no route to host"),)


def test_the_changes_of_a_transactional_table_are_not_its_rows(tmp_path: Path) -> None:
    write(tmp_path / "base_0000003" / "bucket_00000", "orc", 4)
    write(tmp_path / "delta_0000004_0000004" / "bucket_00000", "orc", 4)
    write(tmp_path / "delete_delta_0000005_0000005_0000" / "bucket_00000", "orc", 1)
    found = count_path(str(tmp_path), "orc")
    assert (found.status, found.rows, len(found.problems)) == ("partial", 4, 2)
    assert {problem.error for problem in found.problems} == {
        "a change of a transactional table: its rows are not those of the table"
    }


def test_a_pipe_in_a_folder_is_named_and_nobody_waits_for_it(tmp_path: Path, data_format: FileFormat) -> None:
    write(tmp_path / "part-0", data_format, 4)
    os.mkfifo(tmp_path / "pipe")
    found = count_path(str(tmp_path), data_format)
    assert (found.status, found.rows) == ("partial", 4)
    assert found.problems == (FileProblem(f"{tmp_path}/pipe", "it is no file: a pipe, a socket or a device"),)


def test_a_name_that_is_no_utf_8_can_be_printed(tmp_path: Path) -> None:
    broken = os.fsdecode(os.fsencode(tmp_path) + b"/part-\xff")
    Path(broken).write_bytes(b"x")
    (problem,) = count_path(str(tmp_path), "parquet").problems
    assert problem.file == f"{tmp_path}/part-\\udcff"
    problem.file.encode()


@pytest.mark.parametrize("scheme", ["s4", "s3"])
def test_a_scheme_that_nothing_reads_is_said(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(name: str) -> type:
        raise ImportError("Install s3fs to access S3") if name == "s3" else ValueError("Protocol not known")

    monkeypatch.setattr(fsspec, "get_filesystem_class", no_library)
    found = count_path(f"{scheme}://bucket/t", "parquet")
    assert found.status == "failed"
    assert found.problems[0].error == f"there is nothing that reads {scheme}://"


def test_progress_is_told_up_to_the_last_file(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path / f"part-{number}", "parquet", 1)
    seen: list[tuple[int, int]] = []
    count_path(str(tmp_path), "parquet", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 5) for number in range(1, 6)]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """1 GiB of holes, counted in a process that may not take that much."""
    with (tmp_path / "t").open("wb") as sparse:
        sparse.truncate(1 << 30)
    script = (
        "import resource\n"
        "from dataplat.storage.row_counter import count_path\n"
        "import dataplat.storage.text_rows\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"found = count_path({str(tmp_path)!r}, 'textfile')\n"
        "print(found.rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    rows, mebibytes = map(int, out.split())
    assert rows == 1
    assert mebibytes < 64
