"""The rows of a source table as a load sees them: surveyed, counted twice, read once, and compared."""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from dataplat.audit.counts import check_dirty_rows, check_files, check_placement, compare_with_source
from dataplat.audit.outcome import Outcome
from dataplat.engine.jdbc import JdbcAccess, read_instances
from dataplat.engine.stage import stage_frame
from dataplat.engine.translate import engine_errors
from dataplat.ledger import Hop
from dataplat.lifecycle.census import shard_checks, take_censuses
from dataplat.lifecycle.cuts import cut_partitions
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.protection import Protection
from dataplat.lifecycle.quarantine import SetAside, keep_dirty_rows, watch_rows
from dataplat.lifecycle.shards import FoundShards
from dataplat.lifecycle.source_errors import limits_told
from dataplat.lifecycle.source_table import SourceTable, Survey
from dataplat.lifecycle.stations import Load, Prepared
from dataplat.plan.ddl import HiveColumn
from dataplat.plan.projection import render_projection
from dataplat.plan.reads import JdbcRead, plan_reads
from dataplat.plan.schema_lock import compare_with_lock, names_used, require_agreed, source_ddl
from dataplat.plan.splits import plan_pieces, plan_tasks
from dataplat.plan.tally import SourceTally
from dataplat.sources.mysql import jdbc_properties, jdbc_url
from dataplat.specs import SourceSpec, TableSpec
from dataplat.specs.schema_lock import LOCK_FILE, read_schema_lock
from dataplat.specs.table import DirtyRowsSpec
from dataplat.storage import FooterCount


class SourceOrigin:
    """The rows of a source table, counted at the source before and after they are read."""

    def __init__(self, platform: Platform, spec: TableSpec, protection: Protection) -> None:
        self._platform = platform
        self._spec = spec
        self._protection = protection
        self._source = SourceTable(
            spec,
            platform.catalog.instances_of(spec),
            spec.partition,
            platform.catalog.platform.timezone,
            platform.secrets,
            protection,
        )
        self._found: FoundShards | None = None
        self._shard_checks: Mapping[str, Sequence[Outcome]] = {}
        self._survey: Survey | None = None
        self._before = SourceTally()
        self._after = SourceTally()
        self._reads: list[JdbcRead] = []
        self._aside: SetAside | None = None

    def refuse(self, load: Load) -> Mapping[str, Outcome]:
        """Take connections, find the shards, and refuse partitions that lack some or may not mix them."""
        self._protection.take()
        self._protection.wait_for_replicas()
        if self._spec.read_from.shards is None:
            return {}
        self._found = self._source.find_shards(load.keys)
        censuses = take_censuses(
            self._platform.ledger, self._spec, self._source.targets(load.keys), self._found
        )
        if not any(census.found or census.missing for census in censuses):
            return {}  # nothing at all is there, and nobody knows what should be: the survey says so
        self._shard_checks = {census.key: shard_checks(self._spec, census) for census in censuses}
        return {
            key: next(outcome for outcome in outcomes if outcome.blocks)
            for key, outcomes in self._shard_checks.items()
            if any(outcome.blocks for outcome in outcomes)
        }

    def prepare(self, load: Load) -> Prepared:
        """Describe the columns and count the source. See ``Origin``."""
        self._survey = self._source.survey(load.keys, self._found, self._stored_types)
        self._require_agreed(self._survey)
        if refused := self._source.refuse_full_scan(self._survey, load.subject):
            raise refused
        counts = self._source.count(self._survey, with_split_range=True)
        self._before = SourceTally.of(counts, self._survey.shape.spans)
        return Prepared(
            self._survey.shape.partitions,
            self._survey.hive_columns,
            expected_rows=self._before.total,
            watched_column=self._survey.window_target,
        )

    def _stored_types(self) -> dict[str, str]:
        if not self._spec.aligns_shards:
            return {}
        columns = self._platform.hive(self._spec.engine).columns(self._spec.table) or ()
        return {column.name: column.hive_type for column in columns}

    def _require_agreed(self, survey: Survey) -> None:
        lock = read_schema_lock(self._platform.catalog.config_dir)
        if self._spec.table in lock:
            differences = compare_with_lock(
                lock[self._spec.table],
                source_ddl(survey.layouts),
                names_used(self._spec),
                may_lack=self._spec.aligns_shards,
            )
            require_agreed(self._spec, LOCK_FILE, differences)

    def store_as(self, columns: Sequence[HiveColumn]) -> None:
        """Cast to the table's types, which may be wider than the source's. See ``Origin``."""
        assert self._survey is not None
        self._survey = self._survey.stored_as(columns)

    def stage(self, load: Load) -> Mapping[str, int]:
        """Read through JDBC and write. See ``Origin``."""
        assert self._survey is not None
        sources = self._platform.catalog.instances_of(self._spec)
        parts = self._spec.split.parts if self._spec.split else None
        parallelism = sum(source.budget.connections_a_load for source in sources.values())
        pieces = plan_pieces(self._before.sizes, parallelism=parallelism, parts=parts)
        cuts = cut_partitions(
            sources, self._platform.secrets, self._survey, self._before.sizes, pieces, self._protection.tag
        )
        tasks = plan_tasks(self._before.sizes, parallelism=parallelism, parts=parts, cuts=cuts)
        self._reads = plan_reads(self._survey.shape, self._survey.shards, tasks)
        accesses = {name: self._access(source) for name, source in sources.items()}
        session = self._platform.engine(self._spec.engine).session()
        watched = watch_rows(self._survey)
        self._protection.wait_for_replicas()
        with limits_told(sources.values()):
            with engine_errors(load.subject):
                frame = read_instances(session, self._reads, accesses)
                frame = watched.without(frame) if watched else frame
            written = stage_frame(
                frame,
                render_projection(self._survey.shape),
                partitions=[target.values for target in self._survey.shape.partitions],
                location=load.location,
                data_format=self._spec.format,
                subject=load.subject,
            )
            self._aside = keep_dirty_rows(load, self._survey, watched, accesses) if watched else None
        return dict(zip(load.keys, written, strict=True))

    def _access(self, source: SourceSpec) -> JdbcAccess:
        account = {"user": source.user, "password": source.password.reveal(self._platform.secrets)}
        return JdbcAccess(
            jdbc_url(source, self._spec.read_from.all_databases[0]),
            {
                **jdbc_properties(
                    source,
                    self._protection.tag(source.name),
                    snapshot=self._spec.snapshot == "consistent",
                ),
                **account,
            },
            source.budget.connections_a_load,
            source.budget.rows_per_second_a_load,
        )

    def recount(self) -> None:
        """Count the source again. See ``Origin``."""
        assert self._survey is not None
        counts = self._source.count(self._survey)
        self._after = SourceTally.of(counts, self._survey.shape.spans)
        self._protection.release()

    def interrupt(self) -> None:
        """End the queries at the source. See ``Origin``."""
        self._protection.end_queries()

    def compare(self, key: str, files: FooterCount, written: int, strays: tuple[str, ...]) -> list[Outcome]:
        """Compare the files with the source, the writer and the window. See ``Origin``."""
        assert self._survey is not None
        shape, number = self._survey.shape, self._number(key)
        window = shape.partitions[number].window if shape.window_column else None
        dirty = self._aside.dirty[key] if self._aside else 0
        return [
            compare_with_source(self._before.rows(number), self._after.rows(number), files, dirty),
            check_files(files, written),
            check_placement(files, window, ZoneInfo(shape.zone), strays),
            *self._shard_checks.get(key, []),
            *self._dirty_check(key),
        ]

    def _dirty_check(self, key: str) -> Iterator[Outcome]:
        if self._spec.sets_aside:
            aside, policy = self._aside or SetAside(), self._spec.dirty_rows or DirtyRowsSpec()
            allowed, declared = policy.allowed(aside.read.get(key, 0)), self._spec.declared.at("dirty_rows")
            yield check_dirty_rows(aside.dirty.get(key, 0), aside.kept.get(key, 0), allowed, declared)

    def hops(self, key: str) -> Mapping[Hop, int]:
        """Return both counts of the source, and what was set aside. See ``Origin``."""
        number = self._number(key)
        source = {Hop.SOURCE_BEFORE: self._before.rows(number), Hop.SOURCE_AFTER: self._after.rows(number)}
        if self._aside is None:
            return source
        return source | {Hop.READ: self._aside.read[key], Hop.QUARANTINED: self._aside.kept[key]}

    def shard_hops(self, key: str) -> Mapping[str, Mapping[Hop, int]]:
        """Return both counts of each shard of a sharded table, by database and name. See ``Origin``."""
        if self._found is None or self._survey is None:
            return {}
        number, there = self._number(key), set(self._found.by_key[key])
        hops = {}
        for index, shard in enumerate(self._survey.shards):
            before, after = self._before.in_shard(number, index), self._after.in_shard(number, index)
            if shard in there or before or after:
                hops[str(shard)] = {Hop.SOURCE_BEFORE: before, Hop.SOURCE_AFTER: after}
        return hops

    def _number(self, key: str) -> int:
        assert self._survey is not None
        return next(
            number for number, target in enumerate(self._survey.shape.partitions) if target.key == key
        )

    @property
    def queries(self) -> tuple[str, ...]:
        """The queries of the read. See ``Origin``."""
        return tuple(read.query for read in self._reads)
