"""The physical tables of a declared table, as its source has them right now."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dataplat.errors import SourceError
from dataplat.lifecycle.source_errors import declared_at
from dataplat.plan.dates import render_dates
from dataplat.plan.layouts import SourceColumn
from dataplat.plan.reads import PartitionTarget
from dataplat.plan.sql import PhysicalTable
from dataplat.plan.targets import span_text, window_starts
from dataplat.sources.mysql import (
    InstanceConnections,
    SourceConnection,
    TableEstimate,
    describe_shards,
    discover_tables,
    match_tables,
    table_estimates,
)
from dataplat.specs import TableSpec


@dataclass(frozen=True)
class FoundShards:
    """What is there for each partition, in name order.

    Attributes:
        by_key: The physical tables of each partition.
        named_with_database: Whether only database and name together say which one a table is.
        described: The columns of each physical table, if they were asked for.
    """

    by_key: Mapping[str, tuple[PhysicalTable, ...]]
    named_with_database: bool = False
    described: Mapping[PhysicalTable, tuple[SourceColumn, ...]] = field(default_factory=dict)

    def on(self, source: str) -> "FoundShards":
        """Return the same tables as those of one of several instances."""
        return FoundShards(
            {key: tuple(replace(one, source=source) for one in some) for key, some in self.by_key.items()},
            named_with_database=True,
            described={replace(one, source=source): columns for one, columns in self.described.items()},
        )

    def beside(self, other: "FoundShards") -> "FoundShards":
        """Return what is there for the same partitions on the instances of both."""
        return FoundShards(
            {key: tuple(sorted((*some, *other.by_key[key]))) for key, some in self.by_key.items()},
            self.named_with_database or other.named_with_database,
            {**self.described, **other.described},
        )

    def of(self, keys: Sequence[str]) -> tuple[PhysicalTable, ...]:
        """Return all physical tables of some partitions, each once, in name order."""
        return tuple(sorted({shard for key in keys for shard in self.by_key[key]}))


def find_shards(
    connection: SourceConnection, spec: TableSpec, targets: Sequence[PartitionTarget]
) -> FoundShards:
    """Ask the source which physical tables there are for each partition; finding none is an answer too.

    Raises:
        SourceError: The source refused a discovery query.
        DateExpressionError: One holds a date expression that cannot be read.
    """
    origin = spec.read_from
    if origin.shards is None:
        table = PhysicalTable(origin.database or "", origin.table or "")
        return FoundShards({target.key: (table,) for target in targets})
    databases = origin.all_databases
    if origin.shards.pattern is not None:
        pattern = origin.shards.pattern
        found = tuple(
            PhysicalTable(database, name)
            for database in databases
            for name in match_tables(connection, database, pattern)
        )
        return FoundShards({target.key: tuple(sorted(found)) for target in targets}, len(databases) > 1)
    answers: dict[str, tuple[PhysicalTable, ...]] = {}
    by_key: dict[str, tuple[PhysicalTable, ...]] = {}
    several = False
    for target, base in zip(targets, window_starts(targets), strict=True):
        texts = [render_dates(text, base, subject=spec.table) for text in origin.shards.discover]
        for text in texts:
            if text not in answers:
                answers[text], qualified = discover_tables(connection, text, databases[0])
                several = several or qualified
        by_key[target.key] = tuple(sorted({table for text in texts for table in answers[text]}))
    return FoundShards(by_key, several)


def find_everywhere(
    connections: InstanceConnections,
    spec: TableSpec,
    targets: Sequence[PartitionTarget],
    *,
    describe: bool = False,
) -> FoundShards:
    """Ask each instance of a table in turn which physical tables there are, and their columns if wanted."""
    everywhere: FoundShards | None = None
    with declared_at(spec.declared.at("from")):
        for name, connection in connections.by_name.items():
            here = find_shards(connection, spec, targets)
            if describe:
                shards = here.of([target.key for target in targets])
                here = replace(here, described=describe_shards(connection, shards))
            here = here.on(name) if name else here
            everywhere = everywhere.beside(here) if everywhere else here
    assert everywhere is not None, "a table has an instance"
    return everywhere


def require_shards(
    spec: TableSpec, targets: Sequence[PartitionTarget], shards: Sequence[PhysicalTable]
) -> None:
    """Return if there is anything to read.

    Raises:
        SourceError: There is no physical table at all. Nothing was read.
    """
    if shards:
        return
    raise SourceError(
        f"{spec.table}[{span_text(targets)}]",
        "no physical table was found",
        facts=[
            ("expected", "at least one shard"),
            ("found", "none"),
            ("declared", spec.declared.at("from", "shards")),
        ],
        effect="nothing was read; what was visible before is still visible",
        next_steps=[
            f"dataplat shards {spec.table} --at {targets[0].key}",
            f"dataplat explain {spec.table} --date {targets[0].key}",
        ],
    )


def estimate_shards(
    connections: InstanceConnections, shards: Sequence[PhysicalTable]
) -> dict[PhysicalTable, TableEstimate]:
    """Return what the servers believe about the size of each physical table that they know."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for shard in shards:
        places[shard.source, shard.database].append(shard.name)
    return {
        PhysicalTable(database, name, source): estimate
        for (source, database), names in places.items()
        for name, estimate in table_estimates(connections.by_name[source], database, names).items()
    }
