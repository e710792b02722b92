"""What the ledger's tests build: a clock that only they move, and versions of the tables they talk about."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dataplat.ledger import Ledger, LockOwner, PartitionLocks, TableVersion, VersionCounts, VersionState

ORDERS = "ods.orders"
DAY = "2026-03-01"
NEXT_DAY = "2026-03-02"


@dataclass
class FrozenClock:
    """Stands still until a test moves it."""

    now: datetime = field(default_factory=lambda: datetime(2026, 3, 2, 2, 1, 9, 123456, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


def someone(**changes: object) -> LockOwner:
    """An owner on another machine, whose process nobody here can look at."""
    facts = {"host": "etl-7", "host_id": "etl-7 boot 1", "pid": 4711, "pid_started": 1.0, "run_id": "r1"}
    return LockOwner(**(facts | {"command": "dataplat load ods.orders --date 2026-03-01"} | changes))  # type: ignore[arg-type]


def someone_else() -> LockOwner:
    return someone(host="etl-8", host_id="etl-8 boot 1", pid=99, run_id="r2", command="")


def begin(ledger: Ledger, version: str, partitions: Iterable[str] = (DAY,), table: str = ORDERS) -> None:
    ledger.begin(
        TableVersion(
            table=table,
            partition=partition,
            version=version,
            location=f"file:///warehouse/{table}/_versions/{version}/ds={partition}",
            run_id=f"run of {version}",
            actor="ann",
            config_sha="0123456789ab",
        )
        for partition in partitions
    )


def bring(ledger: Ledger, version: str, *states: VersionState, partitions: Iterable[str] = (DAY,)) -> None:
    for state in states:
        ledger.advance(ORDERS, version, partitions, state)


def lock(
    ledger: Ledger, partitions: Iterable[str] = (DAY,), owner: LockOwner | None = None
) -> PartitionLocks:
    return ledger.lock_partitions(ORDERS, partitions, owner or someone(), wait_seconds=0)


def load(ledger: Ledger, version: str, partitions: Iterable[str] = (DAY,), rows: int = 3) -> None:
    """A load that goes well, from beginning to published."""
    keys = tuple(partitions)
    counts = {key: VersionCounts(rows=rows, files=1, bytes=rows * 10) for key in keys}
    with lock(ledger, keys) as locks:
        begin(ledger, version, keys)
        ledger.advance(ORDERS, version, keys, VersionState.STAGED, counts=counts)
        ledger.advance(ORDERS, version, keys, VersionState.PUBLISHING)
        ledger.publish(ORDERS, version, keys, locks)
