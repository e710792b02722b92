"""Loading partitions of a source table: the life of a partition, one function a station.

One read serves a whole range of partitions; each of them is counted, compared, checked and published on
its own, so that one bad day does not hold back the others. Whatever happens, a partition shows either
entirely its old version or entirely its new one: the only step that changes what is visible is the
metastore's, in ``publish``.
"""

import secrets as token_source
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from zoneinfo import ZoneInfo

from dataplat.audit.counts import check_files, check_placement, compare_with_source
from dataplat.audit.declared import StagedPartition, evaluate_checks
from dataplat.audit.outcome import Outcome
from dataplat.engine.aggregate import aggregate_partitions
from dataplat.engine.jdbc import JdbcAccess, read_frame
from dataplat.engine.stage import stage_frame
from dataplat.engine.translate import engine_errors
from dataplat.errors import DataplatError
from dataplat.ledger import CheckResult, Hop, HopCount, LockOwner, PartitionLocks, TableVersion, VersionState
from dataplat.ledger import VersionCounts as Counts
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.publish import publish_version, recover_partitions
from dataplat.lifecycle.report import (
    Listener,
    LoadReport,
    PartitionReport,
    Progress,
    Step,
    Verdict,
    ignore_progress,
)
from dataplat.lifecycle.source_table import SourceTable, Survey, is_read_alone
from dataplat.lifecycle.tables import ensure_table
from dataplat.plan.counts import SourceCount
from dataplat.plan.partitions import contiguous_runs, hive_path
from dataplat.plan.reads import PartitionTarget, plan_reads, render_projection
from dataplat.plan.splits import PartitionSize, plan_tasks
from dataplat.plan.versions import new_version, version_location
from dataplat.sources.mysql import jdbc_properties, jdbc_url
from dataplat.specs import TableSpec
from dataplat.storage import FooterCount, count_partitions, make_directory

# More days in one write would sort instead of keeping a file open for each.
MAX_PARTITIONS_A_READ = 60


@dataclass(frozen=True)
class RunInfo:
    """Who loads, for the ledger and for the next load that finds the lock taken."""

    run_id: str
    actor: str
    command: str = ""
    wait_seconds: float = 0


@dataclass
class _Load:
    """One read under way: what every station needs, and the clock of each."""

    platform: Platform
    spec: TableSpec
    keys: tuple[str, ...]
    run: RunInfo
    listen: Listener
    version: str
    location: str
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def station(self, step: Step, detail: str = "") -> Iterator[None]:
        self.listen(Progress(step, self.spec.table, self.keys, self.version, self.location, detail))
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[step.value] += time.monotonic() - started


@dataclass(frozen=True)
class _Staged:
    """What is known of the staged files of each partition, by key."""

    written: Mapping[str, int]
    files: Mapping[str, FooterCount]
    strays: tuple[str, ...]
    before: Sequence[SourceCount]
    after: Sequence[SourceCount]


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
            yield _load_together(platform, spec, tuple(keys_together[start : start + width]), run, listen)


def _load_together(
    platform: Platform, spec: TableSpec, keys: tuple[str, ...], run: RunInfo, listen: Listener
) -> LoadReport:
    version = new_version(
        platform.now().astimezone(ZoneInfo(platform.catalog.platform.timezone)), token_source.token_hex(3)
    )
    location = version_location(platform.table_location(spec.table), version)
    load = _Load(platform, spec, keys, run, listen, version, location)
    started = time.monotonic()
    owner = LockOwner.current(run_id=run.run_id, command=run.command)
    with platform.ledger.lock_partitions(spec.table, keys, owner, wait_seconds=run.wait_seconds) as locks:
        report = _load_locked(load, locks)
    load.seconds["total"] = time.monotonic() - started
    load.listen(Progress(Step.DONE, spec.table, keys, version, location))
    return report


def _load_locked(load: _Load, locks: PartitionLocks) -> LoadReport:
    platform, spec = load.platform, load.spec
    with load.station(Step.PLAN):
        source = _source_table(platform, spec)
        survey = source.survey(load.keys)
        targets = {target.key: target for target in survey.shape.partitions}
        store = platform.partitions(spec.engine)
        recover_partitions(
            platform.ledger, store, locks, spec.table, {key: t.values for key, t in targets.items()}
        )
        ensure_table(
            platform, spec, survey.hive_columns, [name for name, _ in survey.shape.partitions[0].values]
        )
        before = source.count(survey, with_split_range=True)
        _begin(load, targets)
    try:
        staged, queries = _stage(load, survey, source, before)
        outcomes = _audit(load, survey, staged)
        good = _decide(load, targets, staged, outcomes)
        with load.station(Step.PUBLISH, f"{len(good)} of {len(load.keys)}"):
            places = {key: (targets[key].values, _folder(load, targets[key])) for key in good}
            for key in good:
                if staged.files[key].files == 0:
                    make_directory(places[key][1])
            publish_version(platform.ledger, store, locks, spec.table, load.version, places)
    except BaseException as error:
        _abandon(load, error)
        raise
    return _report(load, survey, targets, staged, outcomes, queries)


def _source_table(platform: Platform, spec: TableSpec) -> SourceTable:
    return SourceTable(
        spec,
        platform.catalog.sources[spec.source],
        spec.partition,
        platform.catalog.platform.timezone,
        platform.secrets,
    )


def _begin(load: _Load, targets: Mapping[str, PartitionTarget]) -> None:
    load.platform.ledger.begin(
        TableVersion(
            table=load.spec.table,
            partition=key,
            version=load.version,
            location=_folder(load, target),
            run_id=load.run.run_id,
            actor=load.run.actor,
            config_sha=load.platform.catalog.sha(load.spec),
        )
        for key, target in targets.items()
    )


def _stage(
    load: _Load, survey: Survey, source: SourceTable, before: Sequence[SourceCount]
) -> tuple[_Staged, tuple[str, ...]]:
    platform, spec, shape = load.platform, load.spec, survey.shape
    source_spec = platform.catalog.sources[spec.source]
    sizes = _sizes(before, len(load.keys))
    parts = spec.split.parts if spec.split else None
    reads = plan_reads(
        shape,
        survey.shards,
        plan_tasks(sizes, parallelism=source_spec.budget.connections, parts=parts),
    )
    access = JdbcAccess(
        jdbc_url(source_spec, spec.read_from.database),
        {
            **jdbc_properties(source_spec),
            "user": source_spec.user,
            "password": source_spec.password.reveal(platform.secrets),
        },
        source_spec.budget.connections,
    )
    with load.station(Step.STAGE, f"{sum(size.rows for size in sizes):,} rows"):
        with engine_errors(_subject(load)):
            frame = read_frame(platform.engine(spec.engine).session(), reads, access)
        written = stage_frame(
            frame,
            render_projection(shape),
            partitions=[target.values for target in shape.partitions],
            location=load.location,
            data_format=spec.format,
            subject=_subject(load),
        )
    with load.station(Step.COUNT), ThreadPoolExecutor(max_workers=1) as pool:
        counting = pool.submit(source.count, survey)
        files, strays = _count_files(load, survey)
        after = counting.result()
    by_key = dict(zip(load.keys, written, strict=True))
    return _Staged(by_key, files, strays, before, after), tuple(read.query for read in reads)


def _count_files(load: _Load, survey: Survey) -> tuple[dict[str, FooterCount], tuple[str, ...]]:
    folders = {target.key: hive_path(target.values) for target in survey.shape.partitions}
    counts, strays = count_partitions(
        load.location, list(folders.values()), load.spec.format, watch=survey.window_target
    )
    return {key: counts[folder] for key, folder in folders.items()}, strays


def _audit(load: _Load, survey: Survey, staged: _Staged) -> dict[str, list[Outcome]]:
    platform, spec = load.platform, load.spec
    zone = ZoneInfo(platform.catalog.platform.timezone)
    with load.station(Step.CHECK):
        declared = evaluate_checks(
            spec,
            [StagedPartition(t.key, t.values, staged.files[t.key].rows) for t in survey.shape.partitions],
            partial(_aggregate, load, survey),
            partial(_rows_before, load),
        )
        outcomes = {}
        for part, target in enumerate(survey.shape.partitions):
            files = staged.files[target.key]
            window = target.window if survey.shape.window_column else None
            outcomes[target.key] = [
                compare_with_source(_rows(staged.before, part), _rows(staged.after, part), files),
                check_files(files, staged.written[target.key]),
                check_placement(files, window, zone, staged.strays),
                *declared[target.key],
            ]
    return outcomes


def _aggregate(
    load: _Load, survey: Survey, expressions: Sequence[str]
) -> Mapping[tuple[str, ...], tuple[int, ...]]:
    names = [name for name, _ in survey.shape.partitions[0].values]
    session = load.platform.engine(load.spec.engine).session()
    return aggregate_partitions(session, load.location, load.spec.format, names, expressions, _subject(load))


def _rows_before(load: _Load, key: str, limit: int) -> list[int]:
    versions = load.platform.ledger.visible_before(load.spec.table, key, limit=limit)
    return [version.rows or 0 for version in versions]


def _decide(
    load: _Load,
    targets: Mapping[str, PartitionTarget],
    staged: _Staged,
    outcomes: Mapping[str, Sequence[Outcome]],
) -> list[str]:
    """Record counts and outcomes, reject the bad partitions, and return the good ones."""
    ledger, table, version = load.platform.ledger, load.spec.table, load.version
    counts = {
        key: Counts(rows=files.rows, files=files.files, bytes=files.bytes)
        for key, files in staged.files.items()
    }
    ledger.advance(table, version, load.keys, VersionState.STAGED, counts=counts)
    ledger.record_hops(_hops(load, staged))
    ledger.record_checks(
        CheckResult(
            table=table,
            partition=key,
            version=version,
            check=outcome.check,
            passed=outcome.passed,
            severity=outcome.severity,
            blocking=outcome.severity == "error",
            numbers=dict(outcome.numbers),
            message=outcome.message,
        )
        for key in targets
        for outcome in outcomes[key]
    )
    good = []
    for key in load.keys:
        failures = [outcome for outcome in outcomes[key] if outcome.blocks]
        if failures:
            reason = "; ".join(f"{failure.check}: {failure.message}" for failure in failures)
            ledger.advance(table, version, [key], VersionState.REJECTED, reason=reason)
        else:
            good.append(key)
    return good


def _hops(load: _Load, staged: _Staged) -> Iterator[HopCount]:
    def hop(key: str, kind: Hop, rows: int, **more: int) -> HopCount:
        return HopCount(
            table=load.spec.table,
            partition=key,
            version=load.version,
            hop=kind,
            rows=rows,
            **more,  # type: ignore[arg-type]  # files and bytes
        )

    for part, key in enumerate(load.keys):
        files = staged.files[key]
        yield hop(key, Hop.SOURCE_BEFORE, _rows(staged.before, part))
        yield hop(key, Hop.SOURCE_AFTER, _rows(staged.after, part))
        yield hop(key, Hop.WRITTEN, staged.written[key])
        yield hop(key, Hop.FILES, files.rows, files=files.files, bytes=files.bytes)


def _abandon(load: _Load, error: BaseException) -> None:
    """Mark what this load leaves behind; a version that was being published is left to ``recover``."""
    reason = error.problem if isinstance(error, DataplatError) else type(error).__name__
    ledger, table = load.platform.ledger, load.spec.table
    left = ledger.in_state(table, (VersionState.STAGING, VersionState.STAGED), load.keys)
    keys = [row.partition for row in left if row.version == load.version]
    if keys:
        ledger.advance(table, load.version, keys, VersionState.ABANDONED, reason=reason)


def _report(
    load: _Load,
    survey: Survey,
    targets: Mapping[str, PartitionTarget],
    staged: _Staged,
    outcomes: Mapping[str, Sequence[Outcome]],
    queries: tuple[str, ...],
) -> LoadReport:
    visible = load.platform.ledger.visible(load.spec.table, load.keys)
    partitions = []
    for part, key in enumerate(load.keys):
        files = staged.files[key]
        answers = visible[key].version if key in visible else ""
        partitions.append(
            PartitionReport(
                partition=key,
                verdict=Verdict.PUBLISHED if answers == load.version else Verdict.REJECTED,
                version=load.version,
                location=_folder(load, targets[key]),
                source_before=_rows(staged.before, part),
                source_after=_rows(staged.after, part),
                written=staged.written[key],
                rows=files.rows,
                files=files.files,
                bytes=files.bytes,
                outcomes=tuple(outcomes[key]),
                visible_version=answers,
            )
        )
    columns = tuple((column.name, column.hive_type) for column in survey.hive_columns)
    return LoadReport(load.spec.table, load.version, tuple(partitions), load.seconds, queries, columns)


def _folder(load: _Load, target: PartitionTarget) -> str:
    return f"{load.location}/{hive_path(target.values)}"


def _rows(counts: Sequence[SourceCount], part: int) -> int:
    return sum(count.rows for count in counts if count.part == part)


def _sizes(counts: Sequence[SourceCount], parts: int) -> list[PartitionSize]:
    sizes = []
    for part in range(parts):
        mine = [count for count in counts if count.part == part]
        lows = [count.low for count in mine if count.low is not None]
        highs = [count.high for count in mine if count.high is not None]
        sizes.append(
            PartitionSize(
                part, sum(count.rows for count in mine), min(lows, default=None), max(highs, default=None)
            )
        )
    return sizes


def _subject(load: _Load) -> str:
    span = load.keys[0] if len(load.keys) == 1 else f"{load.keys[0]}~{load.keys[-1]}"
    return f"{load.spec.table}[{span}]"
