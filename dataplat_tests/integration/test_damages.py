"""What can go wrong between the source and the reader, planted for real, and the check that catches it.

A load announces its steps; at ``Step.COUNT`` the files are staged and nobody has counted them. Each
test damages something there (or at the source during the read) and names the one check that must fail,
with its numbers, then asks the reader whether anything changed. ``test_no_damage…`` is the control: the
same table without damage passes every check, so that a failure is the damage and nothing else.
"""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.ledger import Hop
from dataplat.lifecycle.report import LoadReport, PartitionReport, Progress, Step, Verdict
from dataplat.specs import TableSpec
from dataplat_tests.integration.warehouse import Warehouse
from dataplat_tests.services.metastore import HiveMetastore

pytestmark = pytest.mark.integration

FIRST, SECOND = "2026-01-01", "2026-01-02"
ROWS = 12
Damage = Callable[[Path], None]
in_orc_too = pytest.mark.parametrize("table", ["parquet", "orc"], indirect=True)


@pytest.fixture(scope="module")
def warehouse(
    mariadb: PrivateMariaDB, metastore: HiveMetastore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("damages")
    uri = f"file://{root}/warehouse"
    opened = Warehouse(root, mariadb, uri=uri, metastore=metastore, database="damaged")
    yield opened
    opened.close()


@pytest.fixture
def table(request: pytest.FixtureRequest, warehouse: Warehouse) -> TableSpec:
    """Two days of twelve rows each, loaded once; the source has changed a little since."""
    data_format = getattr(request, "param", "parquet")
    name = f"{data_format}_{abs(hash(request.node.name)):x}"
    source = warehouse.orders(
        name, [(n, f"{FIRST if n < ROWS else SECOND} 12:00:{n}") for n in range(2 * ROWS)]
    )
    spec = warehouse.declare(name, format=data_format)
    warehouse.load(spec, FIRST, SECOND)
    warehouse.sql(f"UPDATE {source} SET amount = 77")
    return spec


def source_of(spec: TableSpec) -> str:
    return f"{spec.read_from.database}.{spec.read_from.table}"


def when_staged(damage: Damage) -> Callable[[Progress], None]:
    def listen(progress: Progress) -> None:
        if progress.step is Step.COUNT:
            damage(Path(progress.location.removeprefix("file://")))

    return listen


def load_damaged(
    warehouse: Warehouse, spec: TableSpec, listen: Callable[[Progress], None]
) -> dict[str, PartitionReport]:
    """Load both days with damage; what was rejected must not have changed anything for readers."""
    before = warehouse.reader.partitions(spec.table)
    (report,) = warehouse.load(spec, FIRST, SECOND, listen=listen)
    after = warehouse.reader.partitions(spec.table)
    for item in report.partitions:
        changed = after[f"ds={item.partition}"] != before[f"ds={item.partition}"]
        assert changed == (item.verdict is Verdict.PUBLISHED)
    recorded_as_reported(warehouse, report)
    return {item.partition: item for item in report.partitions}


def recorded_as_reported(warehouse: Warehouse, report: LoadReport) -> None:
    for item in report.partitions:
        results = warehouse.platform.ledger.checks(report.table, item.partition, report.version)
        assert {row.check: row.passed for row in results} == {o.check: o.passed for o in item.outcomes}


def failed(report: PartitionReport) -> list[str]:
    return [outcome.check for outcome in report.failures]


def the_file(folder: Path, partition: str = FIRST) -> Path:
    (path,) = [path for path in (folder / f"ds={partition}").iterdir() if path.name[0] not in "._"]
    return path


def rewrite(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Write a staged file again, with other rows, as a writer of its format would."""
    if path.suffix == ".orc":
        orc.write_table(change(orc.read_table(path)), path)
    else:
        pq.write_table(change(pq.ParquetFile(path).read()), path)


@in_orc_too
def test_no_damage_is_no_finding(warehouse: Warehouse, table: TableSpec) -> None:
    reports = load_damaged(warehouse, table, when_staged(lambda folder: None))

    assert [failed(report) for report in reports.values()] == [[], []]
    assert {report.verdict for report in reports.values()} == {Verdict.PUBLISHED}


def test_a_file_rewritten_with_the_same_rows_is_no_finding(warehouse: Warehouse, table: TableSpec) -> None:
    """The second control: rewriting itself trips nothing, so the tests below see the rows they lose."""
    reports = load_damaged(
        warehouse, table, when_staged(lambda folder: rewrite(the_file(folder), lambda rows: rows))
    )

    assert failed(reports[FIRST]) == []


@in_orc_too
def test_rows_lost_between_read_and_write_are_missed(warehouse: Warehouse, table: TableSpec) -> None:
    def lose_two(folder: Path) -> None:
        rewrite(the_file(folder), lambda rows: rows.slice(2))

    reports = load_damaged(warehouse, table, when_staged(lose_two))

    assert failed(reports[FIRST]) == ["row_count_matches_source", "files_are_complete"]
    counted, complete = reports[FIRST].failures
    assert counted.numbers == {"source_before": 12, "source_after": 12, "rows": 10, "missing": 2}
    assert counted.message == "source 12 rows, files 10 rows"
    assert complete.message == "the engine wrote 12 rows, the files hold 10"
    assert failed(reports[SECOND]) == []


def test_a_file_lost_after_the_write_is_missed(warehouse: Warehouse, table: TableSpec) -> None:
    reports = load_damaged(warehouse, table, when_staged(lambda folder: the_file(folder).unlink()))

    assert failed(reports[FIRST]) == ["row_count_matches_source", "files_are_complete"]
    assert reports[FIRST].failures[0].numbers["missing"] == 12
    assert failed(reports[SECOND]) == []


@in_orc_too
def test_a_half_written_file_is_broken_and_not_empty(warehouse: Warehouse, table: TableSpec) -> None:
    def cut_in_half(folder: Path) -> None:
        path = the_file(folder)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    reports = load_damaged(warehouse, table, when_staged(cut_in_half))

    assert failed(reports[FIRST]) == ["row_count_matches_source", "files_are_complete"]
    complete = reports[FIRST].failures[1]
    assert (complete.numbers["files"], complete.numbers["broken"]) == (1, 1)
    assert complete.message.startswith(f"ds={FIRST}/part-")
    assert " cannot be read: " in complete.message
    assert failed(reports[SECOND]) == []


def test_an_empty_file_is_broken_and_not_empty(warehouse: Warehouse, table: TableSpec) -> None:
    reports = load_damaged(warehouse, table, when_staged(lambda folder: the_file(folder).write_bytes(b"")))

    assert failed(reports[FIRST]) == ["row_count_matches_source", "files_are_complete"]
    assert reports[FIRST].failures[1].numbers["broken"] == 1


def test_a_duplicated_file_is_extra_rows(warehouse: Warehouse, table: TableSpec) -> None:
    def copy(folder: Path) -> None:
        path = the_file(folder)
        shutil.copy(path, path.with_name(f"part-again{path.suffix}"))

    reports = load_damaged(warehouse, table, when_staged(copy))

    assert failed(reports[FIRST]) == ["row_count_matches_source", "files_are_complete"]
    counted, complete = reports[FIRST].failures
    assert counted.numbers == {"source_before": 12, "source_after": 12, "rows": 24, "extra": 12}
    assert complete.message == "the engine wrote 12 rows, the files hold 24"


def test_a_duplicated_file_cannot_hide_behind_a_source_that_grew(
    warehouse: Warehouse, table: TableSpec
) -> None:
    """24 rows lie between 12 before and 24 after, so only the writer's own word tells."""

    def grow_and_copy(folder: Path) -> None:
        warehouse.add_orders(source_of(table), [(100 + n, f"{FIRST} 13:00:00") for n in range(ROWS)])
        path = the_file(folder)
        shutil.copy(path, path.with_name(f"part-again{path.suffix}"))

    reports = load_damaged(warehouse, table, when_staged(grow_and_copy))

    assert failed(reports[FIRST]) == ["files_are_complete"]


@in_orc_too
def test_two_days_swapped_with_equal_counts_are_in_the_wrong_day(
    warehouse: Warehouse, table: TableSpec
) -> None:
    def swap(folder: Path) -> None:
        first, second, aside = folder / f"ds={FIRST}", folder / f"ds={SECOND}", folder / "aside"
        first.rename(aside)
        second.rename(first)
        aside.rename(second)

    reports = load_damaged(warehouse, table, when_staged(swap))

    assert [failed(report) for report in reports.values()] == [["rows_in_their_partition"]] * 2
    (failure,) = reports[FIRST].failures
    assert failure.message == (
        "expected from 2026-01-01 00:00:00+08:00 to before 2026-01-02 00:00:00+08:00, "
        "found rows from 2026-01-02 12:00:12+08:00 to 2026-01-02 12:00:23+08:00"
    )


@in_orc_too
def test_one_row_of_another_day_is_in_the_wrong_day(warehouse: Warehouse, table: TableSpec) -> None:
    def move_one(rows: pa.Table) -> pa.Table:
        times = rows.column("at").to_pylist()
        times[3] += timedelta(days=1)
        index = rows.column_names.index("at")
        return rows.set_column(index, "at", pa.array(times, rows.schema.field("at").type))

    reports = load_damaged(warehouse, table, when_staged(lambda folder: rewrite(the_file(folder), move_one)))

    assert failed(reports[FIRST]) == ["rows_in_their_partition"]
    assert reports[FIRST].failures[0].numbers == {
        "low": "2026-01-01 12:00:00+08:00",
        "high": "2026-01-02 12:00:03+08:00",
    }
    assert failed(reports[SECOND]) == []


def test_files_in_a_day_that_nobody_asked_for_hold_all_days_back(
    warehouse: Warehouse, table: TableSpec
) -> None:
    def stray(folder: Path) -> None:
        other = folder / "ds=2026-01-03"
        other.mkdir()
        shutil.copy(the_file(folder), other / "part-0.parquet")

    reports = load_damaged(warehouse, table, when_staged(stray))

    assert [failed(report) for report in reports.values()] == [["rows_in_their_partition"]] * 2
    assert reports[FIRST].failures[0].message == (
        "1 file(s) outside the partitions that were read, first ds=2026-01-03/part-0.parquet"
    )


@pytest.mark.parametrize("moment", [Step.STAGE, Step.COUNT], ids=["before the read", "after the read"])
def test_a_source_that_grew_during_the_read_is_bracketed(
    warehouse: Warehouse, table: TableSpec, moment: Step
) -> None:
    """Rows added before the read are in the files, rows added after it are not; both are fine."""

    def grow(progress: Progress) -> None:
        if progress.step is moment:
            warehouse.add_orders(source_of(table), [(200, f"{FIRST} 23:00:00")])

    reports = load_damaged(warehouse, table, grow)

    report = reports[FIRST]
    read = 13 if moment is Step.STAGE else 12
    assert failed(report) == []
    assert (report.source_before, report.source_after, report.rows) == (12, 13, read)
    hops = warehouse.platform.ledger.hops(table.table, FIRST, report.version)
    assert {hop.hop: hop.rows for hop in hops} == {
        Hop.SOURCE_BEFORE: 12,
        Hop.SOURCE_AFTER: 13,
        Hop.WRITTEN: read,
        Hop.FILES: read,
    }


@pytest.mark.parametrize("moment", [Step.STAGE, Step.COUNT], ids=["before the read", "after the read"])
def test_a_source_that_shrank_during_the_read_is_bracketed(
    warehouse: Warehouse, table: TableSpec, moment: Step
) -> None:
    def shrink(progress: Progress) -> None:
        if progress.step is moment:
            warehouse.sql(f"DELETE FROM {source_of(table)} WHERE id IN (0, 1)")

    report = load_damaged(warehouse, table, shrink)[FIRST]

    read = 10 if moment is Step.STAGE else 12
    assert failed(report) == []
    assert (report.source_before, report.source_after, report.rows) == (12, 10, read)


def test_rows_outside_the_bracket_are_rejected(warehouse: Warehouse, table: TableSpec) -> None:
    """Rows that were there only during the read: in the files, before and after not at the source."""

    def come_and_go(progress: Progress) -> None:
        if progress.step is Step.STAGE:
            warehouse.add_orders(source_of(table), [(300, f"{FIRST} 23:00:00")])
        if progress.step is Step.COUNT:
            warehouse.sql(f"DELETE FROM {source_of(table)} WHERE id = 300")

    reports = load_damaged(warehouse, table, come_and_go)

    assert failed(reports[FIRST]) == ["row_count_matches_source"]
    assert reports[FIRST].failures[0].numbers == {
        "source_before": 12,
        "source_after": 12,
        "rows": 13,
        "extra": 1,
    }


def test_the_reader_does_see_the_rows_it_compares(warehouse: Warehouse, table: TableSpec) -> None:
    """The reader itself must be able to tell two versions apart, or no test above proves anything."""
    before = warehouse.reader.read(table.table, f"ds={FIRST}")
    warehouse.load_one(table, FIRST)
    after = warehouse.reader.read(table.table, f"ds={FIRST}")

    assert before.digest != after.digest
    assert before.values("id") == after.values("id")
    assert after.values("at")[0] == datetime(2026, 1, 1, 4, 0, 0, tzinfo=UTC)
