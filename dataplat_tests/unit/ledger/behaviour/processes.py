"""What every backend promises to processes that use one ledger together."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from dataplat.errors import LoadInProgressError
from dataplat.ledger import Ledger, LockOwner
from dataplat.ledger import VersionState as S
from dataplat_tests.unit.ledger.behaviour import workers

WORKER = str(Path(workers.__file__))


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", WORKER, *arguments]
    return subprocess.Popen(
        command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(processes: list[subprocess.Popen[str]]) -> list[str]:
    """Wait for all; return what they printed, after showing what went wrong in any."""
    ended = [process.communicate(timeout=300) for process in processes]
    assert [stderr for _, stderr in ended if stderr] == []
    assert {process.returncode for process in processes} == {0}
    return [stdout for stdout, _ in ended]


class ProcessBehaviour:
    def test_a_killed_holder_is_taken_over_long_before_its_lease_ends(self, ledger_url: str) -> None:
        with start("hold", ledger_url) as doomed, Ledger.open(ledger_url) as ledger:
            try:
                assert doomed.stdout is not None
                assert doomed.stdout.readline() == "ready\n"
                with pytest.raises(LoadInProgressError, match=rf"pid {doomed.pid} on .*, run doomed, since"):
                    ledger.lock_partitions(
                        workers.TABLE, [workers.DAY], LockOwner.current(), wait_seconds=0.3
                    )
            finally:
                doomed.kill()
            me = LockOwner.current()  # it may take the kernel a moment to end the other; a lease takes 60 s
            with ledger.lock_partitions(workers.TABLE, [workers.DAY], me, wait_seconds=20) as locks:
                locks.check()

    def test_eight_processes_write_at_once_and_nothing_is_lost(self, ledger_url: str) -> None:
        Ledger.open(ledger_url).close()
        finish([start("write", ledger_url, f"w{number}", "17") for number in range(8)])
        with Ledger.open(ledger_url) as ledger:
            rows = ledger.history(workers.TABLE, limit=None)
            assert Counter(row.state for row in rows) == {S.STAGED: 8 * 17}
            assert len(ledger.hops(workers.TABLE, workers.DAY)) == 8 * 17
            assert len(ledger.checks(workers.TABLE, workers.DAY)) == 8 * 17

    def test_loads_of_the_same_days_publish_one_after_the_other(self, ledger_url: str) -> None:
        Ledger.open(ledger_url).close()
        finish([start("publish", ledger_url, f"p{number}", "5") for number in range(4)])
        with Ledger.open(ledger_url) as ledger:
            rows = ledger.history(workers.TABLE, limit=None)
            assert Counter(row.state for row in rows) == {S.SUPERSEDED: 2 * 19, S.PUBLISHED: 2}
            assert len({row.version for row in ledger.visible(workers.TABLE).values()}) == 1
            assert ledger.locks(None) == ()

    def test_processes_that_open_an_empty_ledger_together_migrate_it_once(self, ledger_url: str) -> None:
        finish([start("open", ledger_url) for _ in range(6)])
        with Ledger.open(ledger_url) as ledger:
            assert ledger.history(workers.TABLE) == ()
