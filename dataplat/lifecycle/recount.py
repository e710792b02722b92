"""Partitions counted at their source again."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from dataplat.ledger import Ledger
from dataplat.lifecycle.shards import FoundShards, find_everywhere, require_shards
from dataplat.lifecycle.source_columns import render_text
from dataplat.plan.reads import PartitionTarget
from dataplat.plan.recounts import Recount, render_recounts
from dataplat.plan.sql import PhysicalTable
from dataplat.plan.targets import plan_targets
from dataplat.sources.mysql import InstanceConnections, connect_instances, run_counts
from dataplat.specs import Catalog, SecretResolver, TableSpec

# By partition: rows of each physical table.
Recounted = Mapping[str, Mapping[PhysicalTable, int]]


@dataclass(frozen=True)
class Recounter:
    """Counts partitions of tables again.

    Attributes:
        catalog: The configuration.
        ledger: What was counted before, and who holds connections.
        secrets: Of the sources.
        say: Hears what is waited for.
    """

    catalog: Catalog
    ledger: Ledger
    secrets: SecretResolver
    say: Callable[[str], None] = lambda _: None

    def count(self, spec: TableSpec, keys: Sequence[str]) -> tuple[FoundShards, Recounted]:
        """Count: one scan of each shard, one statement for up to 400 of an instance.

        Returns:
            The shards that there are, and the rows of each partition in each shard that has any.

        Raises:
            SourceError: The source refused, or is not as declared.
            SourceUnavailableError: It could not be reached.
        """
        assert spec.window.column is not None, "load_catalog asks for it"
        targets = plan_targets(spec, keys, spec.partition, self.catalog.platform.timezone)
        instances = self.catalog.instances_of(spec)
        rows: dict[str, dict[PhysicalTable, int]] = {key: defaultdict(int) for key in keys}
        with self.connect(spec) as connections:
            found = find_everywhere(connections, spec, targets)
            shards = found.of(keys)
            require_shards(spec, targets, shards)
            recounts = _recounts(spec, targets, shards)
            for name, connection in connections.by_name.items():
                statements = render_recounts(
                    [one for one in recounts if one.table.source == name],
                    window_column=spec.window.column,
                    zone=instances[name].timezone or self.catalog.platform.timezone,
                )
                for statement in statements:
                    for shard, part, count in run_counts(connection, statement, subject=spec.table):
                        rows[keys[int(part)]][shards[int(shard)]] += int(count)
        return found, rows

    def connect(self, spec: TableSpec) -> AbstractContextManager[InstanceConnections]:
        """Give a connection to each instance of a table."""
        return connect_instances(self.catalog.instances_of(spec), self.secrets)


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
