"""Earlier partitions, as the checks of a range of partitions see them.

A range is staged at once and published at once, so the day before may be in the same version. It counts
with its new rows if its checks let it through, as it would if each day were loaded by itself; else what was
published before it stays, and counts.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from dataplat.audit.kinds import Finding, Past, StagedPartition
from dataplat.specs import CheckSpec

_WEEK = timedelta(weeks=1)


class Published(Protocol):
    """Where published partitions are looked up: see ``audit.declared.Records``."""

    def past(self, key: str, count: int, same_weekday: bool) -> Sequence[Past]:
        """Return the last published partitions before a key, newest first."""


class Trail:
    """What precedes a partition: published partitions, and those of the same version that will be."""

    def __init__(self, records: Published) -> None:
        self._records = records
        self._passed: dict[str, tuple[datetime, Past]] = {}

    def add(self, partition: StagedPartition, found: Sequence[tuple[CheckSpec, Finding]]) -> None:
        """Take a judged partition into account; one that is held back is not."""
        if all(finding.passed for check, finding in found if check.blocking):
            numbers = {check.name: finding.numbers for check, finding in found}
            past = Past(partition.key, partition.rows, lambda name: numbers.get(name, {}))
            self._passed[partition.key] = (partition.starts.replace(tzinfo=None), past)

    def past(self, key: str, starts: datetime, count: int, same_weekday: bool) -> Sequence[Past]:
        """Return the last partitions before ``key``, newest first."""
        wall = starts.replace(tzinfo=None)
        near = {
            past.key: past
            for other, past in self._passed.values()
            if past.key < key and (not same_weekday or _is_weeks_before(wall - other, count))
        }
        published = {past.key: past for past in self._records.past(key, count, same_weekday)}
        merged = sorted((published | near).values(), key=lambda past: past.key, reverse=True)
        return merged[:count]


def _is_weeks_before(distance: timedelta, count: int) -> bool:
    return distance % _WEEK == timedelta() and distance <= count * _WEEK
