"""A source table beside what Hive shows of it: the same rows of some partitions, asked of both."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from dataplat.engine.aggregate import PublishedRows, StagedVersion
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.protection import Protection
from dataplat.lifecycle.source_table import SourceTable, Survey
from dataplat.plan.checksums import Checksum
from dataplat.plan.comparison import Comparison, plan_comparison, source_checksums, spark_checksums
from dataplat.sources.mysql import InstanceConnections, connect_instances, primary_key
from dataplat.specs import TableSpec


class ComparedTable:
    """Some partitions of a source table that are published. The source is described when it is built.

    Args:
        platform: Where both sides are reached.
        spec: The table.
        keys: Partitions; the caller knows that they are published.
        protection: What the source is asked in the name of.

    Raises:
        SourceError: The source refused, is not as declared, or would be read from end to end unasked.
        SourceUnavailableError: It could not be reached.
        EngineError: Hive could not be asked.
    """

    def __init__(
        self,
        platform: Platform,
        spec: TableSpec,
        keys: Sequence[str],
        protection: Protection | None = None,
    ) -> None:
        self.spec = spec
        self._platform = platform
        self._protection = protection or Protection.none()
        self._instances = platform.catalog.instances_of(spec)
        source = SourceTable(
            spec,
            self._instances,
            spec.partition,
            platform.catalog.platform.timezone,
            platform.secrets,
            self._protection,
        )
        self.survey: Survey = source.survey(keys)
        if refused := source.refuse_full_scan(self.survey, spec.table):
            raise refused
        stored = platform.hive(spec.engine).columns(spec.table) or ()
        shape = self.survey.shape
        if spec.dirty_rows is not None:  # what does not fit into a narrower column is set aside then
            shape = replace(shape, hazards=self.survey.stored_as(stored).shape.hazards)
        self.comparison: Comparison = plan_comparison(
            shape, self.survey.source_types, stored, spec.key or self._primary_key()
        )

    @contextmanager
    def open_source(self) -> Iterator[InstanceConnections]:
        """Give a connection to each instance that sees its rows as they are now, until it is closed."""
        with self._connect() as connections:
            for connection in connections.by_name.values():
                connection.rows("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            yield connections

    @contextmanager
    def open_hive(self, subject: str) -> Iterator[StagedVersion]:
        """Give the published rows, as readers see them."""
        session = self._platform.engine(self.spec.engine).session()
        values = [target.values for target in self.survey.shape.partitions]
        with PublishedRows(session, self.spec.table, values, subject=subject) as rows:
            yield rows

    def source_checksums(self) -> dict[str, Checksum]:
        """Return the checksum of each partition at the source now; partitions without a row too."""
        keys = [target.key for target in self.survey.shape.partitions]
        found = dict.fromkeys(keys, Checksum())
        with self.open_source() as connections:
            for source, query in source_checksums(self.comparison, self.survey.shards):
                for part, rows, total in connections.by_name[source].rows(query, subject=self.spec.table):
                    found[keys[part]] += Checksum(int(rows), int(total or 0))
        if self.survey.shape.spans == 1:  # what a snapshot holds now is compared with each of its partitions
            return dict.fromkeys(keys, found[keys[0]])
        return found

    def hive_checksums(self) -> dict[str, Checksum]:
        """Return the checksum of each partition as Hive shows it; partitions without a row too."""
        with self.open_hive(self.spec.table) as rows:
            found = rows.ask(spark_checksums(self.comparison, rows.name), self.spec.table)
        checksums = {tuple(row[:-2]): Checksum(int(row[-2]), int(row[-1])) for row in found}
        return {
            target.key: checksums.get(tuple(value for _, value in target.values), Checksum())
            for target in self.survey.shape.partitions
        }

    def _primary_key(self) -> tuple[str, ...]:
        shard = self.survey.shards[0]
        with self._connect() as connections:
            return primary_key(connections.to(shard), shard.database, shard.name)

    def _connect(self) -> AbstractContextManager[InstanceConnections]:
        return connect_instances(self._instances, self._platform.secrets, self._protection.tag)
