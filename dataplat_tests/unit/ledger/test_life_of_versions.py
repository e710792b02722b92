"""Any order of loads, crashes, rollbacks and lost leases leaves each partition with one proven version."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from dataplat.errors import LedgerError, LoadInProgressError, LostLockError
from dataplat.ledger import Ledger, PartitionLocks
from dataplat.ledger import VersionState as S
from dataplat.ledger.states import SUCCESSORS
from dataplat_tests.unit.ledger.builders import ORDERS, FrozenClock, begin, someone

DAYS = ("2026-03-01", "2026-03-02", "2026-03-03")
SOME_DAYS = st.sets(st.sampled_from(DAYS), min_size=1).map(sorted)
BUT_PUBLISHED = st.sampled_from([state for state in S if state is not S.PUBLISHED])


class Life(RuleBasedStateMachine):
    """Compares the ledger with a model: a state for each (version, day), and who holds each day."""

    versions = Bundle("versions")
    locks = Bundle("locks")

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="ledger")
        self.clock = FrozenClock()
        self.url = f"sqlite:///{Path(self.folder) / 'ledger.db'}"
        self.ledger = Ledger.open(self.url, clock=self.clock)
        self.states: dict[tuple[str, str], S] = {}
        self.holders: dict[str, tuple[PartitionLocks, float]] = {}
        self.taken: list[PartitionLocks] = []
        self.count = 0

    @rule(target=versions, days=SOME_DAYS)
    def begin(self, days: list[str]) -> str:
        self.count += 1
        version = f"v{self.count}"
        begin(self.ledger, version, days)
        self.states |= {(version, day): S.STAGING for day in days}
        return version

    @rule(version=versions, days=SOME_DAYS, to=BUT_PUBLISHED)
    def advance(self, version: str, days: list[str], to: S) -> None:
        legal = all(to in SUCCESSORS[self.states.get((version, day), S.COLLECTED)] for day in days)
        try:
            self.ledger.advance(ORDERS, version, days, to)
        except LedgerError:
            assert not legal
        else:
            assert legal
            self.states |= {(version, day): to for day in days}

    @rule(version=versions, days=SOME_DAYS)
    def stage_and_announce(self, version: str, days: list[str]) -> None:
        for day in days:
            with suppress(LedgerError):
                self.ledger.advance(ORDERS, version, [day], S.STAGED)
                self.states[version, day] = S.STAGED
            with suppress(LedgerError):
                self.ledger.advance(ORDERS, version, [day], S.PUBLISHING)
                self.states[version, day] = S.PUBLISHING

    @rule(target=locks, days=SOME_DAYS)
    def lock(self, days: list[str]) -> PartitionLocks | None:
        now = self.clock.now.timestamp()
        free = all(self.holders.get(day, (None, 0))[1] <= now for day in days)
        try:
            locks = self.ledger.lock_partitions(ORDERS, days, someone(), wait_seconds=0)
        except LoadInProgressError:
            assert not free
            return None
        assert free
        self.taken.append(locks)
        self.holders |= dict.fromkeys(days, (locks, now + 60))
        return locks

    @rule(locks=locks)
    def release(self, locks: PartitionLocks | None) -> None:
        if locks is not None:
            locks.release()
            self.holders = {day: held for day, held in self.holders.items() if held[0] is not locks}

    @rule(locks=locks)
    def renew(self, locks: PartitionLocks | None) -> None:
        if locks is not None:
            locks.renew()
            until = self.clock.now.timestamp() + 60
            self.holders = {
                day: (held, until if held is locks else end) for day, (held, end) in self.holders.items()
            }

    @rule(version=versions, locks=locks, days=SOME_DAYS)
    def publish(self, version: str, locks: PartitionLocks | None, days: list[str]) -> None:
        if locks is None:
            return
        held = all(self.holders.get(day, (None, 0))[0] is locks for day in days)
        legal = all(self.states.get((version, day)) is S.PUBLISHING for day in days)
        try:
            self.ledger.publish(ORDERS, version, days, locks)
        except LostLockError:
            assert not held
        except LedgerError:
            assert held
            assert not legal
        else:
            assert held
            assert legal
            for (other, day), state in self.states.items():
                if day in days and state is S.PUBLISHED:
                    self.states[other, day] = S.SUPERSEDED
            self.states |= {(version, day): S.PUBLISHED for day in days}

    @rule(target=versions, days=SOME_DAYS, stop_after=st.integers(0, 4))
    def load(self, days: list[str], stop_after: int) -> str:
        """A whole load, or one that dies after some of its steps and leaves its lock behind."""
        version = self.begin(days)
        locks = self.lock(days) if stop_after > 0 else None
        if locks is None:
            return version
        if stop_after > 1:
            self.stage_and_announce(version, days)
        if stop_after > 2:
            self.publish(version, locks, days)
        if stop_after > 3:
            self.release(locks)
        return version

    @rule(version=versions)
    def roll_back(self, version: str) -> None:
        days = [day for day in DAYS if self.states.get((version, day)) is S.SUPERSEDED]
        locks = self.lock(days) if days else None
        if locks is not None:
            self.advance(version, days, S.PUBLISHING)
            self.publish(version, locks, days)
            self.release(locks)

    @rule(seconds=st.sampled_from([1, 30, 61]))
    def wait(self, seconds: int) -> None:
        self.clock.move(seconds=seconds)

    @rule()
    def crash_and_start_again(self) -> None:
        self.ledger.close()
        self.ledger = Ledger.open(self.url, clock=self.clock)

    @invariant()
    def the_ledger_says_what_happened(self) -> None:
        found = {(row.version, row.partition): row.state for row in self.ledger.history(ORDERS, limit=None)}
        assert found == self.states

    @invariant()
    def each_day_shows_its_one_published_version(self) -> None:
        visible = {day: row.version for day, row in self.ledger.visible(ORDERS).items()}
        published = [(day, version) for (version, day), state in self.states.items() if state is S.PUBLISHED]
        assert len(published) == len(visible)
        assert dict(published) == visible

    def teardown(self) -> None:
        for locks in self.taken:
            locks.release()
        self.ledger.close()
        shutil.rmtree(self.folder)


TestLifeOfVersions = Life.TestCase
TestLifeOfVersions.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
