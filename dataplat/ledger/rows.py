"""What the ledger remembers, as plain frozen rows. Every time is aware and in UTC.

A *version* is one attempt to make partitions of a table: one directory under ``_versions/``. It may
cover many partitions, and each of them has a row and a life of its own, because each is audited and
published on its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class VersionState(StrEnum):
    """Where one version of one partition stands. ``ledger.states`` says what may follow what."""

    STAGING = "staging"
    STAGED = "staged"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    ABANDONED = "abandoned"
    COLLECTED = "collected"


class Hop(StrEnum):
    """A place on the way of rows from source to reader where they are counted."""

    SOURCE_BEFORE = "source_before"
    SOURCE_AFTER = "source_after"
    READ = "read"
    WRITTEN = "written"
    QUARANTINED = "quarantined"
    FILTERED = "filtered"
    FILES = "files"
    VISIBLE = "visible"
    DELIVERED = "delivered"


@dataclass(frozen=True, kw_only=True)
class TableVersion:
    """One version of one partition of one table.

    Attributes:
        location: Where its files are; empty once they are deleted, while what is known of it still counts.
        actor: Who began it: a person, or the schedule.
        created_at: When it began; ``begin`` sets it from the ledger's clock if it is None.
        ended_at: When it was rejected, abandoned or superseded; None while it is made or visible.
        published_at: When it *first* became visible. A rollback to it does not change this.
        changed_at: When ``state`` last changed. For a published version: since when it answers.
        changed_by: Who changed ``state`` last, e.g. who rolled back. Empty means ``actor``.
        reason: Why ``state`` last changed, in words for people.
    """

    table: str
    partition: str
    version: str
    state: VersionState = VersionState.STAGING
    rows: int | None = None
    files: int | None = None
    bytes: int | None = None
    location: str = ""
    run_id: str = ""
    actor: str = ""
    config_sha: str = ""
    created_at: datetime | None = None
    ended_at: datetime | None = None
    published_at: datetime | None = None
    changed_at: datetime | None = None
    changed_by: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class VersionCounts:
    """What a version of one partition holds, as counted. None leaves what the ledger knows."""

    rows: int | None = None
    files: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class HopCount:
    """Rows seen at one hop; ``shard`` names the physical source, ``target`` the sink, where there is one."""

    table: str
    partition: str
    version: str
    hop: Hop
    shard: str = ""
    target: str = ""
    rows: int | None = None
    files: int | None = None
    bytes: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The outcome of one check on one version of one partition. ``numbers`` holds JSON values only."""

    table: str
    partition: str
    version: str
    check: str
    passed: bool
    severity: str = "error"
    blocking: bool = True
    numbers: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A published partition that nothing may be built on until somebody releases it."""

    id: int
    table: str
    partition: str
    check: str
    reason: str
    actor: str
    held_at: datetime
    released_at: datetime | None = None
    released_by: str = ""
    release_reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """Permission to pass the gate of one partition once, before ``until``."""

    id: int
    table: str
    partition: str
    check: str
    reason: str
    actor: str
    created_at: datetime
    until: datetime
    used_at: datetime | None = None
    used_by: str = ""


@dataclass(frozen=True, kw_only=True)
class PartitionStatus:
    """What the gate and ``why`` ask of one partition.

    Attributes:
        published: The version that is visible, if any.
        latest: The version that began last, visible or not; None if nobody ever loaded the partition.
        holds: Holds that nobody has released.
        rejected: The version that was judged last, if it was rejected; what began later has ended without
            a judgement, or not yet.
    """

    table: str
    partition: str
    published: TableVersion | None
    latest: TableVersion | None
    holds: tuple[Hold, ...]
    rejected: TableVersion | None = None

    @property
    def is_proven(self) -> bool:
        """Whether a downstream may be built on it: published and not held."""
        return self.published is not None and not self.holds
