"""What a load tells while it runs and when it ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dataplat.audit.outcome import Outcome


class Step(StrEnum):
    """Where a load is. Each is announced when it begins, ``DONE`` when all is over.

    ``WAIT`` is no step of its own: something is waited for, and the detail says what.
    """

    WAIT = "wait"
    PLAN = "plan"
    STAGE = "stage"
    COUNT = "count"
    CHECK = "check"
    PUBLISH = "publish"
    DONE = "done"


@dataclass(frozen=True)
class Progress:
    """One announcement.

    Attributes:
        step: The step that begins now.
        table: The table being loaded.
        partitions: The partitions of this read.
        version: The version being made; empty while planning.
        location: URI of the version's folder; empty while planning.
        detail: A few words: rows, tasks.
    """

    step: Step
    table: str
    partitions: tuple[str, ...]
    version: str = ""
    location: str = ""
    detail: str = ""


Listener = Callable[[Progress], None]


def ignore_progress(_: Progress) -> None:
    """The listener of a caller that does not care."""


class Verdict(StrEnum):
    """How a partition ended."""

    PUBLISHED = "published"
    REJECTED = "rejected"


@dataclass(frozen=True)
class PartitionReport:
    """One partition of a load.

    Attributes:
        partition: Its key.
        verdict: Whether it is visible now; a rejected one left the older version visible.
        version: The version made for it.
        location: URI of its folder.
        source_before: Rows at the source before the read; ``None`` for a model, which has no source.
        source_after: Rows at the source after it.
        written: Rows by the writer's own count.
        rows: Rows by the footers of its files.
        files: Data files.
        bytes: Their size.
        outcomes: Every check, passed or not.
        visible_version: What answers now: this version, an older one, or none (empty).
    """

    partition: str
    verdict: Verdict
    version: str
    location: str
    source_before: int | None
    source_after: int | None
    written: int
    rows: int
    files: int
    bytes: int
    outcomes: tuple[Outcome, ...]
    visible_version: str = ""

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The outcomes that kept the partition back."""
        return tuple(outcome for outcome in self.outcomes if outcome.blocks)


@dataclass(frozen=True)
class LoadReport:
    """One read of one table, with all of its partitions.

    Attributes:
        table: The table.
        version: The version.
        partitions: In order.
        seconds: Wall time of each step and of the whole, by name.
        sql: The queries sent to the source.
        columns: Name and Hive type of the table's columns.
    """

    table: str
    version: str
    partitions: tuple[PartitionReport, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)
    sql: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()

    @property
    def rejected(self) -> Sequence[PartitionReport]:
        """Partitions that were not published."""
        return [item for item in self.partitions if item.verdict is Verdict.REJECTED]
