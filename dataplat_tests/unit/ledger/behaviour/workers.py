"""What real processes do in the tests. Run as a program: ``python workers.py ROLE URL …``.

A worker says "ready" on its standard output when it is where the test wants it; nobody sleeps.
"""

import sys
import time

from dataplat.ledger import CheckResult, Hop, HopCount, Ledger, LockOwner, TableVersion, VersionState

TABLE, DAY = "ods.orders", "2026-03-01"


def hold_until_killed(url: str) -> None:
    with Ledger.open(url) as ledger, ledger.lock_partitions(TABLE, [DAY], LockOwner.current(run_id="doomed")):
        print("ready", flush=True)
        sys.stdin.read()


def write(url: str, name: str, times: str) -> None:
    with Ledger.open(url) as ledger:
        for number in range(int(times)):
            version = f"{name}-{number}"
            ledger.begin([TableVersion(table=TABLE, partition=DAY, version=version)])
            ledger.record(
                hops=[HopCount(table=TABLE, partition=DAY, version=version, hop=Hop.READ, rows=number)],
                checks=[CheckResult(table=TABLE, partition=DAY, version=version, check="c", passed=True)],
            )
            ledger.advance(TABLE, version, [DAY], VersionState.STAGED)


def publish(url: str, name: str, times: str) -> None:
    """Load and publish the same two days as everybody else, as often as asked."""
    days = [DAY, "2026-03-02"]
    with Ledger.open(url) as ledger:
        for number in range(int(times)):
            version = f"{name}-{number}"
            with ledger.lock_partitions(TABLE, days, LockOwner.current(), wait_seconds=120) as locks:
                ledger.begin(TableVersion(table=TABLE, partition=day, version=version) for day in days)
                ledger.advance(TABLE, version, days, VersionState.STAGED)
                ledger.advance(TABLE, version, days, VersionState.PUBLISHING, locks=locks)
                ledger.publish(TABLE, version, days, locks)


def open_only(url: str) -> None:
    started = time.perf_counter()
    with Ledger.open(url) as ledger:
        ledger.history(TABLE)
    print(time.perf_counter() - started)


if __name__ == "__main__":
    roles = {"hold": hold_until_killed, "write": write, "publish": publish, "open": open_only}
    roles[sys.argv[1]](*sys.argv[2:])
