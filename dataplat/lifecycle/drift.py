"""What changed at the sources since partitions were loaded: counted again there, compared with the ledger.

Reads the source and the ledger and changes nothing. Tables are asked in turn, each by one connection and few
statements; one whose source fails is told and stops no other.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dataplat.errors import DataplatError, LedgerError
from dataplat.ledger import Hop, Ledger, PartitionStatus, VersionState
from dataplat.lifecycle.protection import guarded_sources
from dataplat.lifecycle.recount import Recounter
from dataplat.plan.drift import (
    Holds,
    PartitionDrift,
    Standing,
    Taken,
    closed_partitions,
    compare_partition,
    compare_values,
    keys_of,
)
from dataplat.specs import TableSpec

# Checksums of some partitions of a table, by partition: as they are visible, and as the source has them now.
BothSides = tuple[Mapping[str, str], Mapping[str, str]]
HashBothSides = Callable[[TableSpec, Sequence[str]], BothSides]

SNAPSHOT = "a snapshot is of the moment when it was read, so another count is no drift"
NOTHING_ENDED = "its first partition has not ended"


@dataclass(frozen=True)
class TableDrift:
    """How the partitions of one table stand that are over.

    Attributes:
        spec: The table.
        partitions: Those that were asked about, the oldest first.
        skipped: Why none was; empty if they were.
        error: Why it is not known; none if it is.
    """

    spec: TableSpec
    partitions: tuple[PartitionDrift, ...] = ()
    skipped: str = ""
    error: DataplatError | None = None

    @property
    def changed(self) -> tuple[str, ...]:
        """The keys of the partitions that the source changed."""
        return keys_of(self.partitions, Standing.CHANGED)

    @property
    def missing(self) -> tuple[str, ...]:
        """The keys of the partitions that were never published."""
        return keys_of(self.partitions, Standing.MISSING)


def find_drift(
    recounter: Recounter,
    specs: Sequence[TableSpec],
    *,
    now: datetime,
    days: int,
    hash_both: HashBothSides | None = None,
) -> Iterator[TableDrift]:
    """Yield how each table stands, in their order, as soon as it is known.

    Args:
        recounter: Asks the sources.
        specs: The tables.
        now: Which partitions are over.
        days: How many business days back.
        hash_both: Tells partitions apart whose numbers of rows agree; without it only numbers are compared.

    Raises:
        LedgerError: The ledger cannot be read: nothing can be said about any table.
    """
    platform = recounter.catalog.platform
    for spec in specs:
        keys = closed_partitions(
            spec.window.grain,
            first=spec.window.start or platform.start,
            now=now,
            zone=platform.zone,
            days=days,
        )
        if spec.load == "snapshot" or not keys:
            yield TableDrift(spec, skipped=NOTHING_ENDED if spec.load != "snapshot" else SNAPSHOT)
            continue
        try:
            with guarded_sources(
                lambda: recounter.ledger,
                recounter.secrets,
                purpose=f"drift of {spec.table}",
                say=recounter.say,
            ):
                stand = tuple(_table(recounter, spec, keys))
                stand = _with_values(spec, stand, hash_both) if hash_both else stand
            yield TableDrift(spec, stand)
        except LedgerError:
            raise
        except DataplatError as error:
            yield TableDrift(spec, error=error)


def _table(recounter: Recounter, spec: TableSpec, keys: Sequence[str]) -> Iterator[PartitionDrift]:
    # The source first: a load that is published in between can then make a partition look changed, which
    # costs a reload, but never hide a change that was there when the source was asked.
    found, counted = recounter.count(spec, keys)
    statuses = recounter.ledger.statuses(spec.table, keys)
    taken = _taken(recounter.ledger, spec.table, statuses)
    for key in keys:
        rows = counted[key]
        known = taken[key].shards if key in taken else {}
        there = {
            str(shard): rows.get(shard, 0)
            for shard in found.of(keys)
            if shard in found.by_key[key] or str(shard) in known
        }
        holds = Holds(sum(there.values()), there if spec.read_from.shards else {})
        yield compare_partition(key, taken.get(key), holds, _note(statuses[key]))


def _with_values(
    spec: TableSpec, partitions: Sequence[PartitionDrift], hash_both: HashBothSides
) -> tuple[PartitionDrift, ...]:
    """Look at the values of partitions whose numbers tell no difference and whose rows are all visible."""
    alike = [one.key for one in partitions if one.standing is Standing.SAME and one.all_visible]
    if not alike:
        return tuple(partitions)
    visible, held = hash_both(spec, alike)
    return tuple(
        compare_values(one, visible[one.key], held[one.key]) if one.key in visible else one
        for one in partitions
    )


def _taken(ledger: Ledger, table: str, statuses: Mapping[str, PartitionStatus]) -> dict[str, Taken]:
    visible = {key: one.published for key, one in statuses.items() if one.published is not None}
    versions = {key: version.version for key, version in visible.items()}
    hops = ledger.hops_of(
        table, versions, {Hop.SOURCE_BEFORE, Hop.SOURCE_AFTER, Hop.QUARANTINED, Hop.FILTERED}
    )
    taken = {}
    for key, version in visible.items():
        shards: dict[str, set[int | None]] = defaultdict(set)
        rows = visible_rows = version.rows or 0
        for hop in hops.get(key, ()):
            if hop.hop in (Hop.QUARANTINED, Hop.FILTERED):
                rows += hop.rows or 0
            elif hop.shard:
                shards[hop.shard].add(hop.rows)
        known = {name: counts.pop() if len(counts) == 1 else None for name, counts in shards.items()}
        taken[key] = Taken(version.version, rows, known, rows == visible_rows)
    return taken


def _note(status: PartitionStatus) -> str:
    """Return what else is to be known of a partition, in words; mostly nothing."""
    if status.published is None:
        latest = status.latest
        if latest is None:
            return "never loaded"
        told = latest.state in (VersionState.REJECTED, VersionState.ABANDONED) and latest.reason
        return f"{latest.state}: {latest.reason}" if told else str(latest.state)
    notes = ["held"] if status.holds else []
    if status.rejected is not None:
        notes.append("a reload was rejected")
    return ", ".join(notes)
