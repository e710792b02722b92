"""Rolling back: which version, only if its files are what was recorded, and nothing half-way."""

import shutil

import pytest

from dataplat.errors import EngineError, LoadInProgressError, VersionError
from dataplat.ledger import LockOwner
from dataplat.lifecycle.rollback import RollbackReport, rollback_partition
from dataplat.lifecycle.stations import RunInfo
from dataplat.specs import TableSpec
from dataplat_tests.unit.lifecycle.fakes import FakePlatform

DAY, OTHER = "2026-03-01", "2026-03-02"
V1, V2, V3 = "20260302T020000-aaaaaa", "20260302T030000-bbbbbb", "20260302T040000-cccccc"
BOB = RunInfo("", "bob", "dataplat rollback")


@pytest.fixture
def loaded(platform: FakePlatform, spec: TableSpec) -> FakePlatform:
    """Two days, each loaded three times with 1, 2 and 3 rows."""
    for rows, version in enumerate((V1, V2, V3), 1):
        platform.load(spec, version, [DAY, OTHER], rows=rows)
    return platform


def roll_back(platform: FakePlatform, spec: TableSpec, to: str | None = None) -> RollbackReport:
    return rollback_partition(platform.as_platform(), spec, DAY, to, BOB)


def refusal(platform: FakePlatform, spec: TableSpec, to: str | None = None) -> str:
    shown = platform.visible(spec, DAY)
    with pytest.raises(VersionError) as caught:
        roll_back(platform, spec, to)
    assert platform.visible(spec, DAY) == shown
    return str(caught.value).replace(f"file://{platform.folder(spec, V2).parent}", "VERSIONS")


def test_the_version_before_answers_and_only_for_the_partition_asked(
    loaded: FakePlatform, spec: TableSpec
) -> None:
    report = roll_back(loaded, spec)
    assert (report.version.version, report.rolled_back_from, report.files.rows) == (V2, V3, 2)
    assert (report.version.changed_by, report.version.reason) == ("bob", f"rolled back from {V3}")
    assert (loaded.visible(spec, DAY), loaded.visible(spec, OTHER)) == (V2, V3)


def test_a_second_rollback_goes_further_back_and_does_not_return(
    loaded: FakePlatform, spec: TableSpec
) -> None:
    roll_back(loaded, spec)
    assert roll_back(loaded, spec).version.version == V1


def test_a_version_named_may_be_newer(loaded: FakePlatform, spec: TableSpec) -> None:
    roll_back(loaded, spec, V1)
    assert roll_back(loaded, spec, V3).rolled_back_from == V1
    assert loaded.visible(spec, DAY) == V3


def test_an_emptied_day_can_be_rolled_back_to(platform: FakePlatform, spec: TableSpec) -> None:
    platform.load(spec, V1, [DAY], rows=0)
    platform.load(spec, V2, [DAY], rows=5)
    assert roll_back(platform, spec).files.rows == 0
    assert platform.visible(spec, DAY) == V1


def test_what_an_interrupted_load_left_is_settled_first(loaded: FakePlatform, spec: TableSpec) -> None:
    half = "20260302T050000-dddddd"
    loaded.stage(spec, half, [DAY])
    roll_back(loaded, spec)
    assert loaded.states(spec)[f"{half}/{DAY}"] == "abandoned"


def test_a_rollback_that_the_metastore_refuses_leaves_both_versions_proven(
    loaded: FakePlatform, spec: TableSpec
) -> None:
    loaded.metastore.breaks = EngineError("ods", "Spark refused the work")
    with pytest.raises(EngineError):
        roll_back(loaded, spec)
    assert loaded.visible(spec, DAY) == V3
    assert loaded.states(spec)[f"{V2}/{DAY}"] == "superseded"
    loaded.metastore.breaks = None
    assert roll_back(loaded, spec).version.version == V2


def test_a_partition_that_is_being_loaded_is_not_touched(loaded: FakePlatform, spec: TableSpec) -> None:
    with (
        loaded.ledger.lock_partitions(spec.table, [DAY], LockOwner.current()),
        pytest.raises(LoadInProgressError),
    ):
        roll_back(loaded, spec)
    assert loaded.visible(spec, DAY) == V3


def test_without_an_earlier_version_the_message_says_what_is_visible(
    platform: FakePlatform, spec: TableSpec
) -> None:
    platform.load(spec, V1, [DAY])
    assert refusal(platform, spec) == (
        f"ods.ods_t_money_record[2026-03-01]: there is no earlier version to roll back to\n"
        f"  visible   {V1}\n"
        f"  effect    nothing was changed: what is visible stays visible\n"
        f"  next      dataplat versions ods.ods_t_money_record 2026-03-01"
        f"   or   dataplat load ods.ods_t_money_record --date 2026-03-01"
    )


def test_newer_versions_are_named_where_there_is_no_earlier_one(
    loaded: FakePlatform, spec: TableSpec
) -> None:
    roll_back(loaded, spec, V1)
    assert refusal(loaded, spec) == (
        f"ods.ods_t_money_record[2026-03-01]: there is no earlier version to roll back to\n"
        f"  visible   {V1}\n"
        f"  newer     {V3}, {V2}\n"
        f"  effect    nothing was changed: what is visible stays visible\n"
        f"  next      dataplat versions ods.ods_t_money_record 2026-03-01"
        f"   or   dataplat load ods.ods_t_money_record --date 2026-03-01"
    )


def test_an_unknown_version_is_answered_with_those_that_are_kept(
    loaded: FakePlatform, spec: TableSpec
) -> None:
    assert refusal(loaded, spec, "20260101T000000-ffffff") == (
        f"ods.ods_t_money_record[2026-03-01]: there is no version 20260101T000000-ffffff\n"
        f"  expected   {V2}, {V1}\n"
        f"  effect     nothing was changed: what is visible stays visible\n"
        f"  next       dataplat versions ods.ods_t_money_record 2026-03-01"
    )


def test_a_rejected_version_cannot_be_made_visible(platform: FakePlatform, spec: TableSpec) -> None:
    platform.load(spec, V1, [DAY])
    platform.reject(spec, V2, [DAY])
    assert refusal(platform, spec, V2) == (
        f"ods.ods_t_money_record[2026-03-01]: version {V2} cannot be made visible: it is rejected\n"
        f"  expected   none: no earlier version is kept\n"
        f"  reason     row_count_matches_source\n"
        f"  effect     nothing was changed: what is visible stays visible\n"
        f"  next       dataplat versions ods.ods_t_money_record 2026-03-01"
    )


def test_the_visible_version_is_visible_already(loaded: FakePlatform, spec: TableSpec) -> None:
    first = refusal(loaded, spec, V3).splitlines()[0]
    assert first == f"ods.ods_t_money_record[2026-03-01]: version {V3} is visible already"


def damaged(expected: str, found: str) -> str:
    return (
        f"ods.ods_t_money_record[2026-03-01]: the files of version {V2} are not what was recorded\n"
        f"  expected   {expected}\n"
        f"  found      {found}\n"
        f"  location   VERSIONS/{V2}/ds=2026-03-01\n"
        f"  effect     nothing was changed: what is visible stays visible\n"
        f"  next       dataplat rollback ods.ods_t_money_record 2026-03-01 --to VERSION"
        f"   or   dataplat load ods.ods_t_money_record --date 2026-03-01"
    )


def test_files_that_are_gone_are_noticed_before_anything_moves(loaded: FakePlatform, spec: TableSpec) -> None:
    shutil.rmtree(loaded.folder(spec, V2, DAY))
    assert refusal(loaded, spec) == damaged("2 rows in 1 files", "its folder is gone")


def test_a_count_that_differs_is_noticed_before_anything_moves(loaded: FakePlatform, spec: TableSpec) -> None:
    folder = loaded.folder(spec, V2, DAY)
    shutil.copy(folder / "part-0.parquet", folder / "part-1.parquet")
    assert refusal(loaded, spec) == damaged("2 rows in 1 files", "4 rows in 2 files")


def test_a_file_that_lost_its_end_is_noticed_before_anything_moves(
    loaded: FakePlatform, spec: TableSpec
) -> None:
    (loaded.folder(spec, V2, DAY) / "part-0.parquet").write_bytes(b"PAR1")
    assert "found      part-0.parquet cannot be read: " in refusal(loaded, spec)
