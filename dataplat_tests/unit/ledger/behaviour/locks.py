"""What every backend promises about locks. Holders are rows here; real processes are in ``processes``."""

import os
import subprocess
import sys
import threading
from datetime import timedelta

import psutil
import pytest

from dataplat.errors import LedgerError, LoadInProgressError, LostLockError
from dataplat.ledger import Ledger, LockOwner
from dataplat.ledger import locks as locks_module
from dataplat_tests.unit.ledger.builders import (
    DAY,
    NEXT_DAY,
    ORDERS,
    FrozenClock,
    lock,
    someone,
    someone_else,
)


def ended_process() -> LockOwner:
    """An owner on this machine whose process has ended and was reaped."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    started = psutil.Process(child.pid).create_time()
    child.wait()
    return LockOwner(**vars(LockOwner.current()) | {"pid": child.pid, "pid_started": started})


class LockBehaviour:
    def test_a_lock_is_a_row_that_says_who_and_until_when(self, ledger: Ledger, clock: FrozenClock) -> None:
        with lock(ledger, [NEXT_DAY, DAY]) as locks:
            first, second = ledger.locks(ORDERS)
        assert (first.partition, second.partition) == (DAY, NEXT_DAY) == locks.partitions
        assert (first.owner, first.token) == (someone(), locks.token)
        assert (first.acquired_at, first.expires_at) == (clock.now, clock.now + timedelta(seconds=60))

    def test_leaving_the_block_releases_all_partitions(self, ledger: Ledger) -> None:
        with lock(ledger, [DAY, NEXT_DAY]):
            pass
        assert ledger.locks(None) == ()

    def test_an_error_in_the_block_releases_too_and_goes_on(self, ledger: Ledger) -> None:
        with pytest.raises(ZeroDivisionError), lock(ledger):
            raise ZeroDivisionError
        assert ledger.locks(ORDERS) == ()

    def test_releasing_twice_is_harmless(self, ledger: Ledger) -> None:
        with lock(ledger) as locks:
            locks.release()
            with lock(ledger, owner=someone_else()):
                locks.release()
                assert len(ledger.locks(ORDERS)) == 1

    def test_a_held_partition_is_refused_with_the_holder(self, ledger: Ledger) -> None:
        with lock(ledger, [DAY, NEXT_DAY]), pytest.raises(LoadInProgressError) as error:
            lock(ledger, [DAY, NEXT_DAY], someone_else())
        assert str(error.value) == (
            "ods.orders[2026-03-01]: another load holds the partition\n"
            "  holder    pid 4711 on etl-7, run r1, since 2026-03-02 02:01:09 UTC\n"
            "  command   dataplat load ods.orders --date 2026-03-01\n"
            "  also      1 more of the asked partitions are held\n"
            "  effect    nothing was read\n"
            "  next      dataplat ledger ods.orders 2026-03-01   or   try again when it has ended"
        )
        assert error.value.retryable

    def test_whoever_waited_is_told_how_long(self, ledger: Ledger) -> None:
        with lock(ledger, owner=someone_else()), pytest.raises(LoadInProgressError) as error:
            ledger.lock_partitions(ORDERS, [DAY], someone(), wait_seconds=0.2)
        assert str(error.value) == (
            "ods.orders[2026-03-01]: another load holds the partition\n"
            "  holder   pid 99 on etl-8, run r2, since 2026-03-02 02:01:09 UTC\n"
            "  waited   0.2 s\n"
            "  effect   nothing was read\n"
            "  next     dataplat ledger ods.orders 2026-03-01   or   try again when it has ended"
        )

    def test_one_held_partition_leaves_the_others_free(self, ledger: Ledger) -> None:
        with lock(ledger, [NEXT_DAY]):
            with pytest.raises(LoadInProgressError):
                lock(ledger, [DAY, NEXT_DAY], someone_else())
            with lock(ledger, [DAY], someone_else()):
                pass

    def test_other_tables_are_not_locked(self, ledger: Ledger) -> None:
        with lock(ledger), ledger.lock_partitions("ods.other", [DAY], someone_else()):
            assert [held.table for held in ledger.locks(None)] == ["ods.orders", "ods.other"]

    def test_a_waiting_load_gets_the_lock_when_it_is_released(self, ledger: Ledger) -> None:
        held = lock(ledger)
        got = []

        def wait() -> None:
            with ledger.lock_partitions(ORDERS, [DAY], someone_else(), wait_seconds=30) as locks:
                got.append(locks.token)

        waiting = threading.Thread(target=wait)
        waiting.start()
        held.release()
        waiting.join(timeout=30)
        assert len(got) == 1

    def test_a_lease_of_another_machine_holds_until_it_has_run_out(
        self, ledger: Ledger, clock: FrozenClock
    ) -> None:
        with lock(ledger) as first:
            clock.move(seconds=59.9)
            with pytest.raises(LoadInProgressError):
                lock(ledger, owner=someone_else())
            clock.move(seconds=0.1)
            with lock(ledger, owner=someone_else()) as second:
                second.check()
                with pytest.raises(LostLockError):
                    first.check()
        assert ledger.locks(ORDERS) == ()

    def test_a_renewed_lease_holds_for_another_minute(self, ledger: Ledger, clock: FrozenClock) -> None:
        with lock(ledger) as locks:
            clock.move(seconds=50)
            locks.renew()
            clock.move(seconds=50)
            with pytest.raises(LoadInProgressError):
                lock(ledger, owner=someone_else())
            locks.check()
        assert not locks.lost

    def test_a_renewal_notices_that_the_lock_is_gone(self, ledger: Ledger, clock: FrozenClock) -> None:
        with lock(ledger, [DAY, NEXT_DAY]) as locks:
            clock.move(minutes=2)
            with lock(ledger, [NEXT_DAY], someone_else()):
                locks.renew()
                assert locks.lost
                with pytest.raises(LostLockError):
                    locks.check()

    def test_the_lease_is_renewed_in_the_background(
        self, ledger: Ledger, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        renewed = threading.Event()
        monkeypatch.setattr(locks_module, "RENEW", timedelta(seconds=0.01))
        original = locks_module.PartitionLocks.renew

        def renew(self: locks_module.PartitionLocks) -> None:
            original(self)
            renewed.set()

        monkeypatch.setattr(locks_module.PartitionLocks, "renew", renew)
        with lock(ledger):
            until = clock.move(seconds=30) + timedelta(seconds=60)
            renewed.clear()
            assert renewed.wait(timeout=30)
            assert renewed.clear() is None
            assert renewed.wait(timeout=30)
            assert ledger.locks(ORDERS)[0].expires_at == until

    def test_a_holder_of_this_machine_that_is_gone_is_taken_over_at_once(self, ledger: Ledger) -> None:
        lock(ledger, owner=ended_process())
        with lock(ledger, owner=someone_else()) as locks:
            locks.check()

    def test_a_process_number_that_is_used_again_does_not_hold(self, ledger: Ledger) -> None:
        me = LockOwner.current()
        before_me = LockOwner(**vars(me) | {"pid_started": me.pid_started - 3600})
        lock(ledger, owner=before_me)
        with lock(ledger, owner=someone_else()) as locks:
            locks.check()

    def test_a_live_holder_of_this_machine_is_not_taken_over(self, ledger: Ledger) -> None:
        with lock(ledger, owner=LockOwner.current()), pytest.raises(LoadInProgressError):
            lock(ledger, owner=LockOwner.current())

    def test_the_same_process_number_on_another_machine_is_another_process(self, ledger: Ledger) -> None:
        elsewhere = LockOwner(**vars(ended_process()) | {"host_id": "another boot"})
        with lock(ledger, owner=elsewhere), pytest.raises(LoadInProgressError):
            lock(ledger, owner=someone_else())

    def test_a_dead_holder_that_nobody_has_reaped_is_gone(self, ledger: Ledger) -> None:
        child = subprocess.Popen([sys.executable, "-c", ""])
        try:
            started = psutil.Process(child.pid).create_time()
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            zombie = LockOwner(**vars(LockOwner.current()) | {"pid": child.pid, "pid_started": started})
            lock(ledger, owner=zombie)
            with lock(ledger, owner=someone_else()) as locks:
                locks.check()
        finally:
            child.wait()

    def test_many_threads_take_overlapping_partitions_in_turn(self, ledger: Ledger) -> None:
        inside: set[str] = set()
        problems: list[str] = []
        keys = [f"2026-03-{day:02}" for day in range(1, 7)]

        def work(number: int) -> None:
            wanted = [keys[number], keys[(number + 1) % 6], keys[(number + 3) % 6]]
            try:
                for _ in range(4):
                    with ledger.lock_partitions(ORDERS, wanted[::-1], someone(), wait_seconds=60) as locks:
                        if inside & set(wanted):
                            problems.append(f"{number} is not alone")
                        inside.update(wanted)
                        locks.check()
                        inside.difference_update(wanted)
            except (LedgerError, LoadInProgressError, LostLockError) as error:
                problems.append(str(error))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert ledger.locks(ORDERS) == ()
