"""Collecting: what is old enough goes, what is or might be visible never does."""

from datetime import timedelta

import pytest

from dataplat.ledger import LockOwner, TableVersion
from dataplat.ledger import VersionState as S
from dataplat.lifecycle.collect import collect, plan_collection
from dataplat.lifecycle.gate import find_needs
from dataplat.lifecycle.stations import RunInfo
from dataplat.plan.gate import Standing
from dataplat.specs import RetentionSpec, TableSpec
from dataplat_tests.unit.ledger.builders import FrozenClock
from dataplat_tests.unit.lifecycle.fakes import FakePlatform

DAY, OTHER = "2026-03-01", "2026-03-02"
VERSIONS = [f"20260302T0{hour}0000-aaaaa{hour}" for hour in range(6)]
CRON = RunInfo("", "cron", "dataplat collect")
NOW = FrozenClock().now
KEEP_THREE = RetentionSpec(versions=3, grace=timedelta(days=2))


def row(version: str, state: S, ended_days_ago: float = 0, partition: str = DAY) -> TableVersion:
    ended = NOW - timedelta(days=ended_days_ago)
    place = f"file:///w/{version}/{partition}"
    return TableVersion(
        table="ods.x", partition=partition, version=version, state=state, ended_at=ended, location=place
    )


def planned(*rows: TableVersion, retention: RetentionSpec = KEEP_THREE) -> list[str]:
    return [item.version.version for item in plan_collection(rows, retention, NOW)]


def test_the_visible_version_counts_and_never_goes() -> None:
    rows = [row("visible", S.PUBLISHED, 90)] + [row(f"old{age}", S.SUPERSEDED, age) for age in (9, 8, 7, 6)]
    assert planned(*rows) == ["old9", "old8"]


def test_without_a_visible_version_as_many_proven_ones_are_kept() -> None:
    assert planned(*(row(f"old{age}", S.SUPERSEDED, age) for age in (9, 8, 7, 6))) == ["old9"]


@pytest.mark.parametrize("days", [2.001, 3, 8, 365])
def test_a_missed_night_keeps_nothing_for_ever(days: float) -> None:
    """B03: the old job dropped the partition of exactly eight days ago, so one missed night stayed."""
    assert planned(row("failed", S.REJECTED, days)) == ["failed"]


@pytest.mark.parametrize("days", [0, 1.999, 2])
def test_what_is_younger_than_its_grace_or_just_as_old_is_kept(days: float) -> None:
    assert planned(row("failed", S.ABANDONED, days)) == []
    one = RetentionSpec(versions=1, grace=timedelta(days=2))
    assert planned(row("now", S.PUBLISHED), row("old", S.SUPERSEDED, days), retention=one) == []


def test_versions_are_counted_for_each_partition_apart() -> None:
    rows = [row(f"v{age}", S.SUPERSEDED, age, key) for key in (DAY, OTHER) for age in (9, 8, 7)]
    assert planned(*rows) == []


def test_a_version_of_which_any_partition_is_unfinished_stays_whole() -> None:
    rows = [row("v1", S.ABANDONED, 9), row("v1", S.STAGED, 9, OTHER), row("v2", S.REJECTED, 9)]
    assert planned(*rows) == ["v2"]


@pytest.mark.parametrize("state", [S.COLLECTED, S.STAGING, S.STAGED, S.PUBLISHING, S.PUBLISHED])
def test_these_states_are_never_collected(state: S) -> None:
    assert planned(row("v1", state, 365)) == []


def run(platform: FakePlatform, spec: TableSpec) -> dict[str, str]:
    """What ``collect`` did: ``version/partition`` to why it was kept, empty where it went."""
    done = collect(platform.as_platform(), spec, CRON)
    return {f"{item.version.version}/{item.version.partition}": item.kept for item in done}


@pytest.fixture
def aged(platform: FakePlatform, spec: TableSpec) -> FakePlatform:
    """Two days loaded five times, nine days ago: two versions of each are too many."""
    for version in VERSIONS[:5]:
        platform.load(spec, version, [DAY, OTHER])
    platform.clock.move(days=9)
    return platform


def test_folders_go_and_the_ledger_says_so(aged: FakePlatform, spec: TableSpec) -> None:
    assert run(aged, spec) == {f"{v}/{key}": "" for key in (DAY, OTHER) for v in VERSIONS[:2]}
    assert [version for version in VERSIONS[:5] if aged.folder(spec, version).exists()] == VERSIONS[2:5]
    assert set(aged.states(spec).values()) == {"collected", "superseded", "published"}
    gone = aged.ledger.in_state(spec.table, {S.COLLECTED})[0]
    assert (gone.reason, gone.changed_by) == ("more than 3 versions", "cron")


def test_a_second_collection_finds_nothing(aged: FakePlatform, spec: TableSpec) -> None:
    run(aged, spec)
    assert run(aged, spec) == {}


def test_a_version_folder_stays_while_another_partition_needs_it(aged: FakePlatform, spec: TableSpec) -> None:
    aged.ledger.advance(spec.table, VERSIONS[0], [OTHER], S.PUBLISHING)
    aged.ledger.advance(spec.table, VERSIONS[0], [OTHER], S.SUPERSEDED)  # ended now: young again
    assert run(aged, spec)[f"{VERSIONS[0]}/{DAY}"] == ""
    assert not aged.folder(spec, VERSIONS[0], DAY).exists()
    assert aged.folder(spec, VERSIONS[0], OTHER).exists()


def test_what_the_metastore_shows_is_kept_whatever_the_ledger_says(
    aged: FakePlatform, spec: TableSpec
) -> None:
    values = (("ds", DAY),)
    aged.metastore.points_to[values] = f"file:{aged.folder(spec, VERSIONS[0], DAY)}"
    done = run(aged, spec)
    assert done[f"{VERSIONS[0]}/{DAY}"] == "the metastore shows it: it is visible"
    assert done[f"{VERSIONS[1]}/{DAY}"] == (
        f"the ledger says {VERSIONS[4]} is visible, the metastore shows"
        f" file:{aged.folder(spec, VERSIONS[0], DAY)}"
    )
    assert aged.folder(spec, VERSIONS[0], DAY).exists()


def test_with_another_metastore_nothing_is_deleted(aged: FakePlatform, spec: TableSpec) -> None:
    """A metastore that knows no such table is more likely the wrong one than an empty one."""
    aged.has_table = False
    assert set(run(aged, spec).values()) == {
        f"the ledger says {VERSIONS[4]} is visible, the metastore shows nothing"
    }
    assert all(aged.folder(spec, version).exists() for version in VERSIONS[:5])


def test_a_partition_that_is_being_loaded_is_left_for_the_next_time(
    aged: FakePlatform, spec: TableSpec
) -> None:
    with aged.ledger.lock_partitions(spec.table, [DAY], LockOwner.current()):
        done = run(aged, spec)
    assert done[f"{VERSIONS[0]}/{DAY}"] == "the partition is being loaded"
    assert done[f"{VERSIONS[0]}/{OTHER}"] == ""
    assert aged.folder(spec, VERSIONS[0], DAY).exists()


def test_files_of_a_rejected_load_stay_for_inspection_and_then_go(
    platform: FakePlatform, spec: TableSpec
) -> None:
    platform.load(spec, VERSIONS[0], [DAY])
    platform.reject(spec, VERSIONS[1], [DAY])
    stray = platform.folder(spec, VERSIONS[1], OTHER)
    stray.mkdir()
    assert run(platform, spec) == {}
    platform.clock.move(days=2)
    assert run(platform, spec) == {f"{VERSIONS[1]}/{DAY}": ""}
    assert not platform.folder(spec, VERSIONS[1]).exists()


def test_a_rejection_keeps_the_gate_closed_without_its_files(platform: FakePlatform, spec: TableSpec) -> None:
    platform.load(spec, VERSIONS[0], [DAY])
    platform.reject(spec, VERSIONS[1], [DAY])
    platform.clock.move(days=30)
    assert run(platform, spec) == {f"{VERSIONS[1]}/{DAY}": ""}
    assert not platform.folder(spec, VERSIONS[1]).exists()

    [need] = find_needs(platform.ledger, spec.table, [DAY], ())
    assert (need.standing, need.reason) == (Standing.REJECTED, "row_count_matches_source")
    assert platform.states(spec)[f"{VERSIONS[1]}/{DAY}"] == "rejected"
    assert run(platform, spec) == {}, "it is done once"


def test_a_rejection_that_was_answered_goes_like_any_other(platform: FakePlatform, spec: TableSpec) -> None:
    platform.reject(spec, VERSIONS[0], [DAY])
    platform.clock.move(days=30)
    run(platform, spec)
    platform.load(spec, VERSIONS[1], [DAY])

    assert run(platform, spec) == {f"{VERSIONS[0]}/{DAY}": ""}
    assert platform.states(spec) == {f"{VERSIONS[0]}/{DAY}": "collected", f"{VERSIONS[1]}/{DAY}": "published"}
    assert platform.visible(spec, DAY) == VERSIONS[1]


def test_after_a_crash_between_files_and_ledger_the_next_collection_ends_it(
    aged: FakePlatform, spec: TableSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(aged.ledger, "advance", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(aged, spec)
    assert not aged.folder(spec, VERSIONS[0], DAY).exists()
    assert run(aged, spec)[f"{VERSIONS[0]}/{DAY}"] == ""
    assert aged.states(spec)[f"{VERSIONS[0]}/{DAY}"] == "collected"
