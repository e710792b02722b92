"""What the stations of a partition's life hand to each other."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from dataplat.audit.outcome import Outcome
from dataplat.ledger import Hop
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.report import Listener, Progress, Step
from dataplat.plan.ddl import HiveColumn
from dataplat.plan.partitions import hive_path
from dataplat.plan.reads import PartitionTarget
from dataplat.specs import AnyTable
from dataplat.storage import FooterCount


@dataclass(frozen=True)
class RunInfo:
    """Who loads, for the ledger and for the next load that finds the lock taken."""

    run_id: str
    actor: str
    command: str = ""
    wait_seconds: float = 0


@dataclass(frozen=True)
class Prepared:
    """What an origin knows before anything is written.

    Attributes:
        targets: The partitions, in order.
        columns: The table's columns.
        expected_rows: Rows that will be read, if that is known.
        watched_column: Column of the files whose smallest and largest value the audit wants to see.
    """

    targets: tuple[PartitionTarget, ...]
    columns: tuple[HiveColumn, ...]
    expected_rows: int | None = None
    watched_column: str | None = None


@dataclass
class Load:
    """One write under way: what every station needs, and the clock of each."""

    platform: Platform
    spec: AnyTable
    keys: tuple[str, ...]
    run: RunInfo
    listen: Listener
    version: str
    location: str
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def subject(self) -> str:
        """What messages open with: ``ods.orders[2026-01-01~2026-01-14]``."""
        return f"{self.spec.table}[{span_of(self.keys)}]"

    def folder(self, target: PartitionTarget) -> str:
        """Return the URI of one partition's folder in this version."""
        return f"{self.location}/{hive_path(target.values)}"

    @contextmanager
    def station(self, step: Step, detail: str = "") -> Iterator[None]:
        """Announce a station, once however often it is entered, and take its time."""
        if step.value not in self.seconds:
            self.listen(Progress(step, self.spec.table, self.keys, self.version, self.location, detail))
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[step.value] += time.monotonic() - started


def span_of(keys: Sequence[str]) -> str:
    """Return how messages call some partitions: ``2026-01-01~2026-01-14``."""
    return keys[0] if len(keys) == 1 else f"{keys[0]}~{keys[-1]}"


class Origin(Protocol):
    """Where the rows of some partitions come from. Methods are called once each, in this order."""

    def refuse(self, load: Load) -> Mapping[str, Outcome]:
        """Return the failed check of each partition that must not even be read.

        ``load.keys`` holds the others when ``prepare`` is called, which is not called without any.
        """

    def prepare(self, load: Load) -> Prepared:
        """Ask whatever must be known first. When it raises, nothing was written."""

    def store_as(self, columns: Sequence[HiveColumn]) -> None:
        """Take the types in which the table stores the prepared columns; each holds what was prepared."""

    def stage(self, load: Load) -> Mapping[str, int]:
        """Write all partitions below ``load.location``; return the writer's count of each, by key."""

    def recount(self) -> None:
        """Look at the origin once more after the write; called beside the reading of the footers."""

    def interrupt(self) -> None:
        """End what ``recount`` asks right now in another thread: nobody waits for the answer."""

    def compare(self, key: str, files: FooterCount, written: int, strays: tuple[str, ...]) -> list[Outcome]:
        """Return the built-in outcomes of one partition."""

    def hops(self, key: str) -> Mapping[Hop, int]:
        """Return what was counted at the origin, for the balance."""

    def shard_hops(self, key: str) -> Mapping[str, Mapping[Hop, int]]:
        """Return the same for each shard, by its name; nothing where there are none."""

    @property
    def queries(self) -> tuple[str, ...]:
        """The SQL that was sent."""


@dataclass(frozen=True)
class Staged:
    """What is known of the staged files, by key, and of files where none should be."""

    written: Mapping[str, int]
    files: Mapping[str, FooterCount]
    strays: tuple[str, ...]
