"""Publishing and repairing with a metastore that dies at every point: in the end it and the ledger agree."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataplat.engine.hive import Values
from dataplat.errors import EngineLostError, LostLockError
from dataplat.ledger import Ledger, LockOwner, PartitionLocks, TableVersion, VersionState
from dataplat.lifecycle.publish import publish_version, recover_partitions, same_location

TABLE = "ods.orders"
DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
VALUES: Mapping[str, Values] = {day: (("ds", day),) for day in DAYS}
OLD, NEW, NEWER = "20260101T000000-aaaaaa", "20260102T000000-bbbbbb", "20260103T000000-cccccc"


class FakeStore:
    """A metastore in memory that fails after moving ``moves_before_failure`` partitions."""

    def __init__(self) -> None:
        self.places: dict[Values, str] = {}
        self.moves_before_failure: int | None = None
        self.reachable = True
        self.before_moving: Callable[[], object] = lambda: None

    def locations(self, table: str, partitions: Sequence[Values]) -> Mapping[Values, str]:
        if not self.reachable:
            raise lost()
        return {values: self.places[values] for values in partitions if values in self.places}

    def publish(self, table: str, targets: Mapping[Values, str]) -> None:
        hook, self.before_moving = self.before_moving, lambda: None
        hook()
        for moved, (values, location) in enumerate(targets.items()):
            if moved == self.moves_before_failure:
                raise lost()
            self.places[values] = location
        if self.moves_before_failure is not None:
            raise lost()

    def drop(self, table: str, partitions: Sequence[Values]) -> None:
        for values in partitions:
            self.places.pop(values, None)


def lost() -> EngineLostError:
    return EngineLostError(TABLE, "the Hive metastore refused or went away")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as opened:
        yield opened


@pytest.fixture
def locks(ledger: Ledger) -> Iterator[PartitionLocks]:
    with ledger.lock_partitions(TABLE, DAYS, LockOwner.current()) as held:
        yield held


def location(version: str, day: str) -> str:
    return f"file:///w/ods.db/orders/_versions/{version}/ds={day}"


def targets(version: str, days: Sequence[str] = DAYS) -> dict[str, tuple[Values, str]]:
    return {day: (VALUES[day], location(version, day)) for day in days}


def stage(ledger: Ledger, version: str, days: Sequence[str] = DAYS) -> None:
    ledger.begin(
        TableVersion(table=TABLE, partition=day, version=version, location=location(version, day))
        for day in days
    )
    ledger.advance(TABLE, version, days, VersionState.STAGED)


def publish_old(ledger: Ledger, store: FakeStore, locks: PartitionLocks) -> None:
    stage(ledger, OLD)
    publish_version(ledger, store, locks, TABLE, OLD, targets(OLD))


def states(ledger: Ledger, version: str) -> list[VersionState]:
    rows = {row.partition: row.state for row in ledger.history(TABLE) if row.version == version}
    return [rows[day] for day in DAYS]


def must_agree(ledger: Ledger, store: FakeStore) -> None:
    visible = {VALUES[day]: row.location for day, row in ledger.visible(TABLE).items()}
    assert visible == store.places
    unfinished = {VersionState.STAGING, VersionState.STAGED, VersionState.PUBLISHING}
    assert ledger.in_state(TABLE, unfinished) == ()


def test_published_partitions_supersede_what_was_visible(ledger: Ledger, locks: PartitionLocks) -> None:
    store = FakeStore()
    publish_old(ledger, store, locks)
    stage(ledger, NEW)

    publish_version(ledger, store, locks, TABLE, NEW, targets(NEW))

    must_agree(ledger, store)
    assert states(ledger, NEW) == [VersionState.PUBLISHED] * 3
    assert states(ledger, OLD) == [VersionState.SUPERSEDED] * 3


def test_nothing_to_publish_asks_nobody(ledger: Ledger, locks: PartitionLocks) -> None:
    store = FakeStore()
    store.reachable = False

    publish_version(ledger, store, locks, TABLE, NEW, {})


@pytest.mark.parametrize("moved", [0, 1, 2, 3])
def test_what_had_moved_when_the_metastore_failed_is_published(
    ledger: Ledger, locks: PartitionLocks, moved: int
) -> None:
    store = FakeStore()
    publish_old(ledger, store, locks)
    stage(ledger, NEW)
    store.moves_before_failure = moved

    with pytest.raises(EngineLostError):
        publish_version(ledger, store, locks, TABLE, NEW, targets(NEW))

    must_agree(ledger, store)
    expected = [VersionState.PUBLISHED] * moved + [VersionState.ABANDONED] * (3 - moved)
    assert states(ledger, NEW) == expected


@pytest.mark.parametrize("moved", [0, 1, 2, 3])
def test_a_crash_while_the_metastore_moves_is_repaired_by_the_next_load(
    ledger: Ledger, locks: PartitionLocks, moved: int
) -> None:
    store = FakeStore()
    publish_old(ledger, store, locks)
    stage(ledger, NEW)
    ledger.advance(TABLE, NEW, DAYS, VersionState.PUBLISHING)
    store.places |= {VALUES[day]: location(NEW, day) for day in DAYS[:moved]}

    found = recover_partitions(ledger, store, locks, TABLE, VALUES)

    must_agree(ledger, store)
    assert [row.version for row in found] == [NEW] * 3
    expected = [VersionState.PUBLISHED] * moved + [VersionState.ABANDONED] * (3 - moved)
    assert states(ledger, NEW) == expected


def test_a_metastore_that_cannot_be_asked_leaves_the_question_for_the_next_load(
    ledger: Ledger, locks: PartitionLocks
) -> None:
    store = FakeStore()
    publish_old(ledger, store, locks)
    stage(ledger, NEW)
    store.moves_before_failure, store.reachable = 2, False
    with pytest.raises(EngineLostError):
        publish_version(ledger, store, locks, TABLE, NEW, targets(NEW))
    assert states(ledger, NEW) == [VersionState.PUBLISHING] * 3

    store.reachable = True
    recover_partitions(ledger, store, locks, TABLE, VALUES)

    must_agree(ledger, store)


def test_a_version_that_was_only_staged_is_abandoned(ledger: Ledger, locks: PartitionLocks) -> None:
    store = FakeStore()
    publish_old(ledger, store, locks)
    stage(ledger, NEW)

    recover_partitions(ledger, store, locks, TABLE, VALUES)

    must_agree(ledger, store)
    reasons = {row.reason for row in ledger.history(TABLE) if row.version == NEW}
    assert reasons == {"interrupted before it was published"}


def test_partitions_of_others_are_left_alone(ledger: Ledger, locks: PartitionLocks) -> None:
    stage(ledger, NEW)

    recover_partitions(ledger, FakeStore(), locks, TABLE, {DAYS[0]: VALUES[DAYS[0]]})

    assert states(ledger, NEW) == [VersionState.ABANDONED, VersionState.STAGED, VersionState.STAGED]


def test_an_interrupted_rollback_keeps_the_proven_version(ledger: Ledger, locks: PartitionLocks) -> None:
    """It was published once, so it can be rolled back to later; it is not abandoned."""
    store = FakeStore()
    publish_old(ledger, store, locks)
    stage(ledger, NEW)
    publish_version(ledger, store, locks, TABLE, NEW, targets(NEW))
    ledger.advance(TABLE, OLD, DAYS, VersionState.PUBLISHING)

    recover_partitions(ledger, store, locks, TABLE, VALUES)

    must_agree(ledger, store)
    assert states(ledger, OLD) == [VersionState.SUPERSEDED] * 3


def test_without_the_lock_neither_metastore_nor_ledger_moves(ledger: Ledger, locks: PartitionLocks) -> None:
    store = FakeStore()
    publish_old(ledger, store, locks)
    stage(ledger, NEW)
    locks.release()
    before = dict(store.places)

    with pytest.raises(LostLockError):
        publish_version(ledger, store, locks, TABLE, NEW, targets(NEW))

    assert store.places == before
    assert states(ledger, NEW) == [VersionState.STAGED] * 3


@pytest.mark.parametrize("loaded_before", [True, False])
@pytest.mark.parametrize("other_publishes", [True, False])
def test_a_move_that_comes_after_the_lock_was_lost_is_taken_back(
    ledger: Ledger, locks: PartitionLocks, loaded_before: bool, other_publishes: bool
) -> None:
    """It stalled between asking for the lock and moving: the metastore cannot refuse, so it is undone."""
    store = FakeStore()
    if loaded_before:
        publish_old(ledger, store, locks)
    stage(ledger, NEW)

    def others_take_over() -> None:
        locks.release()
        with ledger.lock_partitions(TABLE, DAYS, LockOwner.current()) as theirs:
            recover_partitions(ledger, store, theirs, TABLE, VALUES)
            if other_publishes:
                stage(ledger, NEWER)
                publish_version(ledger, store, theirs, TABLE, NEWER, targets(NEWER))

    store.before_moving = others_take_over
    with pytest.raises(LostLockError):
        publish_version(ledger, store, locks, TABLE, NEW, targets(NEW))

    must_agree(ledger, store)
    assert states(ledger, NEW) == [VersionState.ABANDONED] * 3


@settings(max_examples=25, deadline=None)
@given(
    lives=st.lists(
        st.tuples(st.sampled_from(["staged", "publishing"]), st.sets(st.sampled_from(DAYS))), max_size=5
    )
)
def test_any_series_of_crashes_is_repaired(
    lives: list[tuple[str, set[str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each life ends in a crash with some partitions moved; the next one begins by repairing."""
    store = FakeStore()
    url = f"sqlite:///{tmp_path_factory.mktemp('lives')}/ledger.db"
    with Ledger.open(url) as ledger, ledger.lock_partitions(TABLE, DAYS, LockOwner.current()) as locks:
        publish_old(ledger, store, locks)
        for number, (died, moved) in enumerate(lives):
            version = f"20260102T00000{number}-bbbbbb"
            stage(ledger, version)
            if died == "publishing":
                ledger.advance(TABLE, version, DAYS, VersionState.PUBLISHING)
                store.places |= {VALUES[day]: location(version, day) for day in moved}
            recover_partitions(ledger, store, locks, TABLE, VALUES)
            must_agree(ledger, store)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("file:/w/x", "file:///w/x/", True),
        ("hdfs://nn:1/w/x", "hdfs://nn:1/w/x/", True),
        ("hdfs://nn:1/w/x", "hdfs://nn:2/w/x", False),
        ("file:///w/x", "file:///w/y", False),
        ("", "file:///w/y", False),
    ],
)
def test_locations_are_compared_as_folders(one: str, other: str, same: bool) -> None:
    assert same_location(one, other) is same
