"""Counting by footers: exact for whole files, loud about broken ones, blind to nothing."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from dataplat.storage import FooterCount, count_partitions

Format = Literal["parquet", "orc"]
FIRST, SECOND = "ds=2026-01-01", "ds=2026-01-02"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["parquet", "orc"])
def data_format(request: pytest.FixtureRequest) -> Format:
    return "parquet" if request.param == "parquet" else "orc"


def write(path: Path, data_format: Format, rows: int, first: datetime = NOON) -> Path:
    """Write as the engine does: parquet's times are instants, ORC's the wall clock of a JVM in UTC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times = [first + timedelta(minutes=number) for number in range(rows)]
    if data_format == "orc":
        naive = pa.array([time.replace(tzinfo=None) for time in times], pa.timestamp("us"))
        orc.write_table(pa.table({"id": range(rows), "at": naive}), path)
    else:
        instants = pa.array(times, pa.timestamp("us", tz="UTC"))
        pq.write_table(pa.table({"id": range(rows), "at": instants}), path, row_group_size=3)
    return path


def count(
    root: Path, data_format: Format, *folders: str, watch: str | None = None
) -> tuple[FooterCount, ...]:
    counts, _ = count_partitions(f"file://{root}", folders, data_format, watch=watch)
    return tuple(counts[folder] for folder in folders)


def test_rows_files_and_bytes_of_each_folder_are_counted(tmp_path: Path, data_format: Format) -> None:
    files = [write(tmp_path / FIRST / f"part-{n}", data_format, 10 + n) for n in range(6)]
    write(tmp_path / SECOND / "part-0", data_format, 7)

    first, second = count(tmp_path, data_format, FIRST, SECOND)

    size = sum(file.stat().st_size for file in files)
    assert first == FooterCount(rows=75, files=6, bytes=size)
    assert (second.rows, second.files) == (7, 1)


def test_the_bounds_of_the_watched_column_come_along(tmp_path: Path, data_format: Format) -> None:
    write(tmp_path / FIRST / "part-0", data_format, 10)
    write(tmp_path / FIRST / "part-1", data_format, 1, NOON - timedelta(days=3))

    (found,) = count(tmp_path, data_format, FIRST, watch="at")

    assert (found.low, found.high) == (NOON - timedelta(days=3), NOON + timedelta(minutes=9))


def test_a_watched_date_is_a_date(tmp_path: Path, data_format: Format) -> None:
    (tmp_path / FIRST).mkdir()
    table = pa.table({"at": pa.array([date(2026, 1, 1), None])})
    if data_format == "orc":
        orc.write_table(table, tmp_path / FIRST / "part-0")
    else:
        pq.write_table(table, tmp_path / FIRST / "part-0")

    (found,) = count(tmp_path, data_format, FIRST, watch="at")

    assert (found.low, found.high) == (date(2026, 1, 1), date(2026, 1, 1))


def test_a_watched_column_that_is_not_there_tells_nothing(tmp_path: Path, data_format: Format) -> None:
    write(tmp_path / FIRST / "part-0", data_format, 2)

    (found,) = count(tmp_path, data_format, FIRST, watch="gone")

    assert (found.rows, found.low, found.high) == (2, None, None)


@pytest.mark.parametrize("keep", [0, 1, 50, -1])
def test_a_half_written_file_is_broken_wherever_it_ends(
    tmp_path: Path, data_format: Format, keep: int
) -> None:
    write(tmp_path / FIRST / "part-0", data_format, 5)
    cut = write(tmp_path / FIRST / "part-1", data_format, 5)
    cut.write_bytes(cut.read_bytes()[:keep])

    (found,) = count(tmp_path, data_format, FIRST)

    assert (found.rows, found.files) == (5, 2)
    ((name, problem),) = found.broken
    assert name == f"{FIRST}/part-1"
    assert problem


def test_a_file_of_the_other_format_is_broken(tmp_path: Path, data_format: Format) -> None:
    write(tmp_path / FIRST / "part-0", "orc" if data_format == "parquet" else "parquet", 5)

    (found,) = count(tmp_path, data_format, FIRST)

    assert [name for name, _ in found.broken] == [f"{FIRST}/part-0"]


def test_files_outside_the_folders_are_strays_and_hidden_ones_are_not(tmp_path: Path) -> None:
    for name in ("ds=2026-01-09/part-0", "part-root", f"{FIRST}/deeper/part-0"):
        write(tmp_path / name, "parquet", 1)
    for name in ("_SUCCESS", f"{FIRST}/.part-0.crc", "_temporary/0/ds=2026-01-01/part-0"):
        write(tmp_path / name, "parquet", 1)

    counts, strays = count_partitions(f"file://{tmp_path}", [FIRST], "parquet")

    assert counts[FIRST] == FooterCount()
    assert strays == (f"{FIRST}/deeper/part-0", "ds=2026-01-09/part-0", "part-root")


def test_an_absent_version_holds_nothing(tmp_path: Path) -> None:
    counts, strays = count_partitions(f"file://{tmp_path}/gone", [FIRST], "parquet")

    assert (counts, strays) == ({FIRST: FooterCount()}, ())


def test_a_version_below_a_hidden_folder_is_counted(tmp_path: Path) -> None:
    """Versions live under ``_versions``: hiding starts below the folder that is asked about."""
    root = tmp_path / "_versions" / "20260101T000000-abcdef"
    write(root / FIRST / "part-0", "parquet", 4)

    assert count(root, "parquet", FIRST)[0].rows == 4
