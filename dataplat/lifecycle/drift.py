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
from dataplat.lifecycle.shards import FoundShards, find_everywhere, require_shards
from dataplat.lifecycle.source_columns import render_text
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
from dataplat.plan.reads import PartitionTarget
from dataplat.plan.recounts import Recount, render_recounts
from dataplat.plan.sql import PhysicalTable
from dataplat.plan.targets import plan_targets
from dataplat.sources.mysql import connect_instances, run_counts
from dataplat.specs import Catalog, SecretResolver, TableSpec

# By partition: rows of each physical table.
Recounted = Mapping[str, Mapping[PhysicalTable, int]]

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
    catalog: Catalog,
    ledger: Ledger,
    secrets: SecretResolver,
    specs: Sequence[TableSpec],
    *,
    now: datetime,
    days: int,
    hash_both: HashBothSides | None = None,
) -> Iterator[TableDrift]:
    """Yield how each table stands, in their order, as soon as it is known.

    Args:
        catalog: The configuration.
        ledger: What was taken.
        secrets: Of the sources.
        specs: The tables.
        now: Which partitions are over.
        days: How many business days back.
        hash_both: Tells partitions apart whose numbers of rows agree; without it only numbers are compared.

    Raises:
        LedgerError: The ledger cannot be read: nothing can be said about any table.
    """
    for spec in specs:
        keys = closed_partitions(
            spec.window.grain,
            first=spec.window.start or catalog.platform.start,
            now=now,
            zone=catalog.platform.zone,
            days=days,
        )
        if spec.load == "snapshot" or not keys:
            yield TableDrift(spec, skipped=NOTHING_ENDED if spec.load != "snapshot" else SNAPSHOT)
            continue
        try:
            with guarded_sources(lambda: ledger, secrets, purpose=f"drift of {spec.table}"):
                stand = tuple(_table(catalog, ledger, secrets, spec, keys))
                stand = _with_values(spec, stand, hash_both) if hash_both else stand
            yield TableDrift(spec, stand)
        except LedgerError:
            raise
        except DataplatError as error:
            yield TableDrift(spec, error=error)


def _table(
    catalog: Catalog, ledger: Ledger, secrets: SecretResolver, spec: TableSpec, keys: Sequence[str]
) -> Iterator[PartitionDrift]:
    # The source first: a load that is published in between can then make a partition look changed, which
    # costs a reload, but never hide a change that was there when the source was asked.
    found, counted = recount(catalog, secrets, spec, keys)
    statuses = ledger.statuses(spec.table, keys)
    taken = _taken(ledger, spec.table, statuses)
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


def recount(
    catalog: Catalog, secrets: SecretResolver, spec: TableSpec, keys: Sequence[str]
) -> tuple[FoundShards, Recounted]:
    """Count partitions at the source: one scan of each shard, one statement for up to 400 of an instance.

    Returns:
        The shards that there are, and the rows of each partition in each shard that has any.

    Raises:
        SourceError: The source refused, or is not as declared.
        SourceUnavailableError: It could not be reached.
    """
    assert spec.window.column is not None, "load_catalog asks for it"
    targets = plan_targets(spec, keys, spec.partition, catalog.platform.timezone)
    instances = catalog.instances_of(spec)
    rows: dict[str, dict[PhysicalTable, int]] = {key: defaultdict(int) for key in keys}
    with connect_instances(instances, secrets) as connections:
        found = find_everywhere(connections, spec, targets)
        shards = found.of(keys)
        require_shards(spec, targets, shards)
        recounts = _recounts(spec, targets, shards)
        for name, connection in connections.by_name.items():
            statements = render_recounts(
                [one for one in recounts if one.table.source == name],
                window_column=spec.window.column,
                zone=instances[name].timezone or catalog.platform.timezone,
            )
            for statement in statements:
                for shard, part, count in run_counts(connection, statement, subject=spec.table):
                    rows[keys[int(part)]][shards[int(shard)]] += int(count)
    return found, rows


def _recounts(
    spec: TableSpec, targets: Sequence[PartitionTarget], shards: Sequence[PhysicalTable]
) -> list[Recount]:
    alike: dict[str | None, list[int]] = defaultdict(list)
    for part, target in enumerate(targets):
        alike[render_text(spec, spec.where, [target]) if spec.where else None].append(part)
    return [
        Recount(
            number,
            shard,
            tuple(parts),
            tuple(window for part in parts if (window := targets[part].window) is not None),
            where,
        )
        for where, parts in alike.items()
        for number, shard in enumerate(shards)
    ]


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
