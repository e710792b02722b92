"""Late rows: which partitions are over and may be asked again, and which of them the source has changed.

Rows come late: a transaction that began before midnight commits after the load, somebody corrects last
week, a retention job deletes. A partition that is over is *changed* when the source holds another number of
its rows than were taken when its visible version was made; of a sharded table also when one shard does,
although the sum is the same. With checksums it is changed too when the numbers agree and the values do not.

What it refuses to guess: a partition that was never loaded is *missing*, not changed, because loading it is
what schedules and backfills are for. One whose reload was rejected is compared with the version that answers.
A shard whose rows changed while it was read tells nothing by itself; the partition's sum still does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dataplat.plan.grains import Grain
from dataplat.plan.partitions import ended_partitions
from dataplat.plan.windows import first_instant

_INSTANT = timedelta(microseconds=1)


class Standing(StrEnum):
    """How a partition that is over stands against its source."""

    SAME = "same"
    CHANGED = "changed"
    MISSING = "missing"


@dataclass(frozen=True)
class Taken:
    """What the visible version of a partition took from its source.

    Attributes:
        version: That version.
        rows: Rows of the source that it accounts for: in its files, quarantined, or filtered.
        shards: Rows of each shard that was counted, by name; None where it changed while it was read.
        all_visible: Whether its files hold all of them: none was quarantined or filtered.
    """

    version: str
    rows: int
    shards: Mapping[str, int | None] = field(default_factory=dict)
    all_visible: bool = True


@dataclass(frozen=True)
class Holds:
    """What a source holds of a partition now; ``shards`` by name, empty for a plain table."""

    rows: int
    shards: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ShardDrift:
    """One shard whose rows changed; ``now`` is None if the shard is gone."""

    shard: str
    then: int
    now: int | None


@dataclass(frozen=True)
class PartitionDrift:
    """How one partition stands.

    Attributes:
        key: The partition.
        standing: Whether the source changed since.
        then: Rows that its visible version accounts for; None if there is none.
        now: Rows at the source.
        shards: Those that changed, by name.
        values_differ: Whether only the checksums tell that it changed.
        version: The visible version, or nothing.
        note: What else is to be known: held, or why it was never published.
        all_visible: Whether a checksum of its files can be that of the source.
    """

    key: str
    standing: Standing
    then: int | None
    now: int
    shards: tuple[ShardDrift, ...] = ()
    values_differ: bool = False
    version: str = ""
    note: str = ""
    all_visible: bool = True

    @property
    def difference(self) -> int | None:
        """Rows that the source has more than were taken; None where nothing was."""
        return None if self.then is None else self.now - self.then


def closed_partitions(grain: Grain, *, first: date, now: datetime, zone: ZoneInfo, days: int) -> list[str]:
    """Return the partitions that ended in the last ``days`` business days, the oldest first.

    A day counts from its midnight in ``zone``, whatever its clock does: of a daily table these are the last
    ``days`` days; of an hourly one every hour of them, and today's that are over. At least the last partition
    that ended is among them, so that a monthly table is asked about all month long. None if the first one
    has not ended.

    >>> closed_partitions("day", first=date(2026, 1, 1), days=3, zone=ZoneInfo("Asia/Shanghai"),
    ...                   now=datetime.fromisoformat("2026-03-02T00:00+08:00"))
    ['2026-02-27', '2026-02-28', '2026-03-01']
    """
    today = datetime.combine(now.astimezone(zone).date(), time())
    begin = first_instant(today - timedelta(days=days), zone)
    # What ended at that midnight is the day before it.
    return ended_partitions(grain, first=first, now=now, zone=zone, lookback=elapsed(begin, now) - _INSTANT)


def elapsed(start: datetime, end: datetime) -> timedelta:
    """Return the time between two instants; datetimes of one zone would subtract wall clocks.

    >>> spring = [datetime(2026, 3, day, tzinfo=ZoneInfo("Europe/Berlin")) for day in (29, 30)]
    >>> elapsed(*spring), spring[1] - spring[0]
    (datetime.timedelta(seconds=82800), datetime.timedelta(days=1))
    """
    return timedelta(seconds=end.timestamp() - start.timestamp())


def compare_partition(key: str, taken: Taken | None, holds: Holds, note: str = "") -> PartitionDrift:
    """Return how a partition stands; ``taken`` is None if no version of it is visible."""
    if taken is None:
        return PartitionDrift(key, Standing.MISSING, None, holds.rows, note=note)
    shards = tuple(_changed_shards(taken.shards, holds.shards)) if taken.shards else ()
    standing = Standing.CHANGED if shards or holds.rows != taken.rows else Standing.SAME
    return PartitionDrift(
        *(key, standing, taken.rows, holds.rows, shards),
        version=taken.version,
        note=note,
        all_visible=taken.all_visible,
    )


def compare_values(partition: PartitionDrift, visible: str, held: str) -> PartitionDrift:
    """Return how a partition stands whose numbers agree, by the checksums of its files and of the source."""
    if visible == held:
        return partition
    return replace(partition, standing=Standing.CHANGED, values_differ=True)


def _changed_shards(then: Mapping[str, int | None], now: Mapping[str, int]) -> Iterator[ShardDrift]:
    """Yield the shards that hold other numbers now; an empty one that is new or gone makes no difference."""
    for name in sorted({*then, *now}):
        rows = then.get(name, 0)
        if rows is not None and rows != now.get(name, 0):
            yield ShardDrift(name, rows, now.get(name))


def keys_of(partitions: Sequence[PartitionDrift], standing: Standing) -> tuple[str, ...]:
    """Return the keys of the partitions that stand so, in their order."""
    return tuple(one.key for one in partitions if one.standing is standing)
