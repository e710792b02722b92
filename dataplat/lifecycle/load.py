"""Loading partitions of a source table: rows come from MySQL through Spark's JDBC reader."""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from dataplat.audit.counts import check_dirty_rows, check_files, check_placement, compare_with_source
from dataplat.audit.outcome import Outcome
from dataplat.engine.interrupt import interrupted_together
from dataplat.engine.jdbc import JdbcAccess, read_instances
from dataplat.engine.stage import stage_frame
from dataplat.engine.translate import engine_errors
from dataplat.ledger import Hop, LockOwner
from dataplat.lifecycle.census import shard_checks, take_censuses
from dataplat.lifecycle.cuts import cut_partitions
from dataplat.lifecycle.life import live
from dataplat.lifecycle.patience import patiently
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.protection import Protection
from dataplat.lifecycle.quarantine import SetAside, keep_dirty_rows, watch_rows
from dataplat.lifecycle.report import Listener, LoadReport, Progress, Step, ignore_progress
from dataplat.lifecycle.shards import FoundShards
from dataplat.lifecycle.source_errors import limits_told
from dataplat.lifecycle.source_table import SourceTable, Survey
from dataplat.lifecycle.stations import Load, Prepared, RunInfo, span_of
from dataplat.plan.ddl import HiveColumn
from dataplat.plan.partitions import contiguous_runs
from dataplat.plan.projection import render_projection
from dataplat.plan.reads import JdbcRead, plan_reads
from dataplat.plan.schema_lock import compare_with_lock, names_used, require_agreed, source_ddl
from dataplat.plan.sizes import ShardCounts, partition_sizes, rows_by_shard
from dataplat.plan.splits import MAX_PARTITIONS_A_READ, PartitionSize, plan_pieces, plan_tasks
from dataplat.plan.targets import is_read_alone
from dataplat.sources.mysql import jdbc_properties, jdbc_url
from dataplat.specs import SourceSpec, TableSpec
from dataplat.specs.schema_lock import LOCK_FILE, read_schema_lock
from dataplat.specs.table import DirtyRowsSpec
from dataplat.storage import FooterCount


def load_partitions(
    platform: Platform,
    spec: TableSpec,
    keys: Sequence[str],
    run: RunInfo,
    listen: Listener = ignore_progress,
) -> Iterator[LoadReport]:
    """Load partitions of a source table, yielding a report as each read ends.

    A read covers a contiguous range of at most 60 partitions, a single one where the table cannot be
    read as a range. Rejected partitions are in the report, not raised: the caller decides.

    Raises:
        LoadInProgressError: Another load holds one of the partitions. Nothing was read.
        SourceError: The source refused or is not as declared. Nothing was published by this read.
        SchemaConflictError: Hive's table does not fit. Nothing was read.
        EngineError: Spark failed. Reported partitions are published, those of this read are not unless
            the ledger says so.
        StorageError: The warehouse refused. As with the engine.
        LostLockError: Another load took over after this one had stalled. Nothing was published.
    """
    width = 1 if is_read_alone(spec) else MAX_PARTITIONS_A_READ
    zone = ZoneInfo(platform.catalog.platform.timezone)
    for keys_together in contiguous_runs(keys, spec.window.grain, zone):
        for start in range(0, len(keys_together), width):
            chunk = keys_together[start : start + width]
            yield _load_once(platform, spec, chunk, run, listen)


def _load_once(
    platform: Platform, spec: TableSpec, keys: Sequence[str], run: RunInfo, listen: Listener
) -> LoadReport:
    def say(text: str) -> None:
        listen(Progress(Step.WAIT, spec.table, tuple(keys), detail=text))

    def attempt() -> LoadReport:
        owner = LockOwner.current(run_id=run.run_id, command=run.command)
        purpose = f"{spec.table}[{span_of(keys)}]"
        protecting = platform.protection(sources, purpose=purpose, owner=owner, say=say)
        with protecting.held() as protection:
            return live(platform, spec, keys, SourceOrigin(platform, spec, protection), run, listen)

    sources = list(platform.catalog.instances_of(spec).values())
    return patiently(attempt, tries=min(source.budget.tries for source in sources), say=say)


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
        self._shards_before: ShardCounts = {}
        self._shards_after: ShardCounts = {}
        self._sizes: list[PartitionSize] = []
        self._before: Mapping[str, int] = {}
        self._after: Mapping[str, int] = {}
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
        self._shards_before = rows_by_shard(counts)
        self._sizes = partition_sizes(counts, self._survey.shape.spans)
        self._before = self._by_key(self._sizes)
        return Prepared(
            self._survey.shape.partitions,
            self._survey.hive_columns,
            expected_rows=sum(self._before.values()),
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
        pieces = plan_pieces(self._sizes, parallelism=parallelism, parts=parts)
        cuts = cut_partitions(
            sources, self._platform.secrets, self._survey, self._sizes, pieces, self._protection.tag
        )
        tasks = plan_tasks(self._sizes, parallelism=parallelism, parts=parts, cuts=cuts)
        self._reads = plan_reads(self._survey.shape, self._survey.shards, tasks)
        accesses = {name: self._access(source) for name, source in sources.items()}
        session = self._platform.engine(self._spec.engine).session()
        watched = watch_rows(self._survey)
        self._protection.wait_for_replicas()
        with limits_told(sources.values()), interrupted_together(session, self._protection.token()):
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
        self._shards_after = rows_by_shard(counts)
        self._after = self._by_key(partition_sizes(counts, self._survey.shape.spans))
        self._protection.release()

    def interrupt(self) -> None:
        """End the queries at the source. See ``Origin``."""
        self._protection.end_queries()

    def compare(self, key: str, files: FooterCount, written: int, strays: tuple[str, ...]) -> list[Outcome]:
        """Compare the files with the source, the writer and the window. See ``Origin``."""
        assert self._survey is not None
        shape = self._survey.shape
        target = next(target for target in shape.partitions if target.key == key)
        window = target.window if shape.window_column else None
        dirty = self._aside.dirty[key] if self._aside else 0
        return [
            compare_with_source(self._before[key], self._after[key], files, dirty),
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
        source = {Hop.SOURCE_BEFORE: self._before[key], Hop.SOURCE_AFTER: self._after[key]}
        if self._aside is None:
            return source
        return source | {Hop.READ: self._aside.read[key], Hop.QUARANTINED: self._aside.kept[key]}

    def shard_hops(self, key: str) -> Mapping[str, Mapping[Hop, int]]:
        """Return both counts of each shard of a sharded table, by database and name. See ``Origin``."""
        if self._found is None or self._survey is None:
            return {}
        part = 0 if self._survey.shape.spans == 1 else list(self._before).index(key)
        there = set(self._found.by_key[key])
        return {
            str(shard): {
                Hop.SOURCE_BEFORE: self._shards_before[part, number],
                Hop.SOURCE_AFTER: self._shards_after[part, number],
            }
            for number, shard in enumerate(self._survey.shards)
            if shard in there or self._shards_before[part, number] or self._shards_after[part, number]
        }

    def _by_key(self, sizes: Sequence[PartitionSize]) -> dict[str, int]:
        """Return the rows of each partition; all partitions of a snapshot are one span of the source."""
        assert self._survey is not None
        keys = [target.key for target in self._survey.shape.partitions]
        if len(sizes) == 1:
            return dict.fromkeys(keys, sizes[0].rows)
        return {key: size.rows for key, size in zip(keys, sizes, strict=True)}

    @property
    def queries(self) -> tuple[str, ...]:
        """The queries of the read. See ``Origin``."""
        return tuple(read.query for read in self._reads)
