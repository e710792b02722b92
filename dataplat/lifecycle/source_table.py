"""A declared table as its source shows it right now: shards, columns, counts, and how to read it.

Everything here asks the source; what is made of the answers is decided in ``plan``.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from dataplat.errors import SourceError
from dataplat.lifecycle.protection import Protection
from dataplat.lifecycle.shards import FoundShards, estimate_shards, find_everywhere, require_shards
from dataplat.lifecycle.source_columns import (
    StoredTypes,
    is_window_of_dates,
    plan_source_columns,
    render_where_text,
)
from dataplat.lifecycle.source_errors import declared_at
from dataplat.plan.choose_key import cannot_split, choose_split_key, choose_window_key
from dataplat.plan.counts import CountTask, SourceCount, render_counts, share_out
from dataplat.plan.ddl import HiveColumn
from dataplat.plan.full_scan import find_scan, refuse_scan
from dataplat.plan.hazards import store_in
from dataplat.plan.layouts import Layout, SourceColumn, group_layouts
from dataplat.plan.reads import PartitionTarget, ReadShape, plan_reads
from dataplat.plan.split_keys import SplitKey
from dataplat.plan.sql import PhysicalTable
from dataplat.plan.targets import plan_targets
from dataplat.sources.mysql import (
    InstanceConnections,
    SourceConnection,
    connect_instances,
    connect_source,
    explain_query,
    open_source,
    run_counts,
)
from dataplat.sources.mysql_indexes import describe_indexes
from dataplat.specs import PartitionFormatSpec, SecretResolver, SourceSpec, TableSpec

# From here on one thread of the server takes longer for a count than another connection costs.
_MANY_ROWS = 1_000_000


@dataclass(frozen=True)
class Survey:
    """What was found before a read.

    Attributes:
        shards: The physical tables, in name order.
        shape: What the read's SQL depends on.
        window_target: Column of the files that holds the window column unchanged, if one does.
        source_types: Type of each column of the shape, as the source writes it.
        estimated_rows: Rows in all shards as the server believes, whatever the window.
        layouts: The shards with their columns at the source, whether they are read or not.
        window_key: The window column, where an index of the only shard begins with it.
        rewritten: What of ``where`` is sent otherwise than it was written.
        largest: The shard with the most rows, as the server believes.
    """

    shards: tuple[PhysicalTable, ...]
    shape: ReadShape
    window_target: str | None
    source_types: tuple[str, ...] = ()
    estimated_rows: int = 0
    layouts: tuple[Layout, ...] = ()
    window_key: SplitKey | None = None
    rewritten: tuple[str, ...] = ()
    largest: PhysicalTable | None = None

    @property
    def hive_columns(self) -> tuple[HiveColumn, ...]:
        """The columns of the Hive table."""
        columns = [HiveColumn(column.target, column.hive, column.comment) for column in self.shape.columns]
        if self.shape.identity:
            columns.append(HiveColumn(self.shape.identity, "string", "physical table of the row"))
        return tuple(columns)

    def stored_as(self, columns: Sequence[HiveColumn]) -> "Survey":
        """Return the survey with the types in which a table stores its columns."""
        types = {column.name: column.hive_type for column in columns}
        return replace(self, shape=store_in(self.shape, self.shards, types))


class SourceTable:
    """One declared table at its source. Holds no connection between calls."""

    def __init__(
        self,
        spec: TableSpec,
        instances: Mapping[str, SourceSpec],
        partition_format: PartitionFormatSpec,
        zone: str,
        secrets: SecretResolver,
        protection: Protection | None = None,
    ) -> None:
        self._spec = spec
        self._instances = instances
        self._format = partition_format
        self._zone = zone
        self._source_zone = next(iter(instances.values())).timezone or zone  # the same for all
        self._secrets = secrets
        self._protection = protection or Protection.none()

    def targets(self, keys: Sequence[str]) -> tuple[PartitionTarget, ...]:
        """Return windows and Hive values of partitions; nothing is asked."""
        return plan_targets(self._spec, keys, self._format, self._zone)

    def find_shards(self, keys: Sequence[str]) -> FoundShards:
        """Find the physical tables of each partition, and their columns; none is an answer too.

        Raises:
            SourceError: The source refused.
            SourceUnavailableError: It could not be reached.
        """
        with connect_instances(self._instances, self._secrets, self._protection.tag) as connections:
            return self._find_shards(connections, keys)

    def _find_shards(self, connections: InstanceConnections, keys: Sequence[str]) -> FoundShards:
        """Find and describe them; a table that is named, not discovered, must be there."""
        return find_everywhere(connections, self._spec, self.targets(keys), describe=True)

    def survey(
        self, keys: Sequence[str], found: FoundShards | None = None, stored: StoredTypes = dict
    ) -> Survey:
        """Describe the columns of the shards, which are found first unless they are given.

        ``stored`` gives Hive's types of the table's columns, for columns that only other shards have.

        Raises:
            SourceError: The table, a shard or a column is not there, or the source refused.
            SourceUnavailableError: It could not be reached.
        """
        targets = self.targets(keys)
        with connect_instances(self._instances, self._secrets, self._protection.tag) as connections:
            found = found or self._find_shards(connections, keys)
            shards = found.of(keys)
            require_shards(self._spec, targets, shards)
            layouts = group_layouts({shard: found.described[shard] for shard in shards})
            with declared_at(self._spec.declared.at("columns")):
                aligned, window_target = plan_source_columns(
                    connections, self._spec, layouts, targets, stored
                )
            split_key, window_key = self._split_keys(connections, shards, layouts[0].columns)
            sizes = estimate_shards(connections, shards)
        where = render_where_text(self._spec, targets, layouts, self._source_zone)
        shape = ReadShape(
            columns=aligned.columns,
            partitions=targets,
            window_column=self._spec.window.column if self._spec.load == "incremental" else None,
            window_is_date=is_window_of_dates(self._spec, layouts),
            where=where.sql if where else None,
            split_key=split_key,
            identity=self._spec.read_from.shards.identity if self._spec.read_from.shards else None,
            identity_with_database=found.named_with_database,
            source_zone=self._source_zone,
            zone=self._zone,
            partition_format=self._format,
            grain=self._spec.window.grain,
            layouts=aligned.selects,
            hazards=aligned.hazards,
        )
        estimate = sum(size.rows for size in sizes.values())
        return Survey(
            shards,
            shape,
            window_target,
            aligned.source_types,
            estimate,
            layouts,
            window_key,
            where.replaced if where else (),
            max(shards, key=lambda shard: sizes[shard].rows if shard in sizes else math.inf),
        )

    def refuse_full_scan(self, survey: Survey, subject: str) -> SourceError | None:
        """Return the error of a load that would read a large table from end to end; none if it may.

        The server is asked for its plan of the largest shard; nothing is counted.
        """
        shard = survey.largest
        if shard is None or self._spec.allow_full_scan:
            return None
        source = self._instances[shard.source]
        limit = source.budget.full_scan_rows
        if 0 < survey.estimated_rows <= limit:  # of a view there is no estimate
            return None
        (read,) = plan_reads(survey.shape, [shard], [])
        with connect_source(source, self._secrets, self._protection.tag(source.name)) as connection:
            steps = explain_query(connection, read.query)
        scan = find_scan(steps, windowed=survey.shape.window_column is not None)
        rows = max(scan[1], survey.estimated_rows) if scan else 0
        return refuse_scan(self._spec, subject, source, str(shard), rows) if rows > limit else None

    def count(self, survey: Survey, *, with_split_range: bool = False) -> list[SourceCount]:
        """Count every shard and partition now; one round trip for up to 400 of them.

        Instances count at once; and where they believe that there are many rows, each of them with all
        connections of its budget.
        """
        groups = self.count_queries(survey, with_split_range=with_split_range)
        with ExitStack() as opened:
            sources = {
                name: opened.enter_context(
                    open_source(
                        self._instances[name],
                        self._secrets,
                        self._protection.tag(self._instances[name].name),
                    )
                )
                for name in {name for name, _ in groups}
            }

            def count(group: tuple[str, list[str]]) -> list[SourceCount]:
                name, queries = group
                with sources[name].connect() as connection:
                    return _counted(connection, queries)

            if len(groups) == 1:
                return count(groups[0])
            with self._protection.threads(len(groups)) as pool:
                return [found for counts in pool.map(count, groups) for found in counts]

    def count_queries(self, survey: Survey, *, with_split_range: bool = False) -> list[tuple[str, list[str]]]:
        """Return what ``count`` sends: for each connection its instance and queries; nothing is asked."""
        shape = survey.shape
        tasks = [
            CountTask(shard, part, table, target.window if shape.window_column else None)
            for shard, table in enumerate(survey.shards)
            for part, target in enumerate(shape.partitions[: shape.spans])
        ]
        return [
            (
                name,
                render_counts(
                    group,
                    window_column=shape.window_column,
                    zone=shape.source_zone,
                    where=shape.where,
                    split_column=shape.counted_column if with_split_range else None,
                ),
            )
            for name, source in self._instances.items()
            for group in share_out(
                [task for task in tasks if task.table.source == name],
                source.budget.connections_a_load if survey.estimated_rows >= _MANY_ROWS else 1,
            )
        ]

    def _split_keys(
        self,
        connections: InstanceConnections,
        shards: Sequence[PhysicalTable],
        columns: Sequence[SourceColumn],
    ) -> tuple[SplitKey | None, SplitKey | None]:
        """Return what the only shard may be cut by: its key, and its window column if that is indexed."""
        if len(shards) > 1:
            return None, None
        indexes = describe_indexes(connections.to(shards[0]), shards[0])
        wanted = self._spec.split.column if self._spec.split else None
        key = choose_split_key(columns, indexes, wanted=wanted, declared=self._spec.key)
        if wanted is not None and key is None:
            raise cannot_split(self._spec, wanted, columns)
        window = self._spec.window.column if self._spec.load == "incremental" else None
        return key, choose_window_key(columns, indexes, window, self._source_zone)


def _counted(connection: SourceConnection, queries: Sequence[str]) -> list[SourceCount]:
    return [_source_count(row) for query in queries for row in run_counts(connection, query)]


def _source_count(row: Sequence[Any]) -> SourceCount:
    shard, part, rows, low, high = row
    return SourceCount(
        int(shard),
        int(part),
        int(rows),
        None if low is None else math.floor(low),
        None if high is None else math.ceil(high),
    )
