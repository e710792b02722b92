"""Which partitions are late, as the ledger knows it; each is raised once, and its end is noted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dataplat.ledger import Lateness, Ledger, VersionState
from dataplat.plan.lateness import deadline, usual_landing
from dataplat.plan.partitions import ended_partitions, ends_at
from dataplat.specs import AnyTable, Catalog

_LEARNED_FROM = 60  # partitions


@dataclass(frozen=True)
class Landing:
    """How one partition stands against its deadline.

    Attributes:
        deadline: When it has to be there; none for a table without ``fresh``.
        landed_at: When it was first published; none while it never was.
        usual: How long after their end partitions of the table have come, in 95 of 100 cases.
        reason: Why it is not there, as far as the ledger knows.
    """

    table: str
    partition: str
    deadline: datetime | None
    landed_at: datetime | None
    usual: timedelta | None
    reason: str = ""

    def is_late(self, now: datetime) -> bool:
        """Whether it came after its deadline, or has not come and the deadline is over."""
        return self.deadline is not None and (self.landed_at or now) > self.deadline


@dataclass(frozen=True)
class Change:
    """Something about lateness that is new: a partition became late, or a late one came."""

    landing: Landing
    ended: bool


def landings(
    catalog: Catalog, ledger: Ledger, spec: AnyTable, now: datetime, lookback: timedelta
) -> list[Landing]:
    """Return how the partitions stand that ended within the lookback, the oldest first; at least one."""
    zone, grain = catalog.platform.zone, spec.window.grain
    first_day = spec.window.start or catalog.platform.start
    keys = ended_partitions(grain, first=first_day, now=now, zone=zone, lookback=lookback)
    first = ledger.first_published(spec.table, keys)
    learned = ledger.latest_landings(spec.table, _LEARNED_FROM)
    delays = [at - ends_at(key, grain, zone) for key, at in learned.items()]
    # A partition that was loaded long after its time tells nothing about when partitions come.
    usual = usual_landing([delay for delay in delays if timedelta() <= delay <= timedelta(days=2)])
    absent = ledger.statuses(spec.table, [key for key in keys if key not in first])
    found = []
    for key in keys:
        latest = absent[key].latest if key in absent else None
        reason = "" if key in first else "never loaded"
        if latest is not None:
            known = latest.state in (VersionState.REJECTED, VersionState.ABANDONED)
            reason = f"{latest.state}: {latest.reason}" if known else str(latest.state)
        due = deadline(spec.fresh, key, grain, zone) if spec.fresh else None
        found.append(Landing(spec.table, key, due, first.get(key), usual, reason))
    return found


def raise_lateness(catalog: Catalog, ledger: Ledger, now: datetime) -> Iterator[Change]:
    """Record what became late and what came since, and yield each change once, whoever asks how often."""
    lookback = catalog.platform.automation.lookback
    for spec in catalog.all_tables.values():
        if spec.fresh is None:
            continue
        for landing in landings(catalog, ledger, spec, now, lookback):
            if landing.is_late(now):
                yield from _raise(ledger, landing, now)


def _raise(ledger: Ledger, landing: Landing, now: datetime) -> Iterator[Change]:
    assert landing.deadline is not None
    if landing.landed_at is not None:
        # What was there when somebody first looked, such as days that were loaded long after their time, was
        # never missed.
        if ledger.end_lateness(landing.table, landing.partition, landing.landed_at):
            yield Change(landing, ended=True)
        return
    row = Lateness(
        table=landing.table,
        partition=landing.partition,
        deadline=landing.deadline,
        raised_at=now,
        reason=landing.reason,
    )
    if ledger.raise_lateness(row):
        yield Change(landing, ended=False)
