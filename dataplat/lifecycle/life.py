"""The life of a partition, whatever its rows come from: one function a station.

An ``Origin`` knows where rows come from (a source table, a model's SQL); everything else is here and the
same for all. One write serves a whole range of partitions; each of them is counted, compared, checked and
published on its own, so that one bad day does not hold back the others. Whatever happens, a partition shows
either entirely its old version or entirely its new one: the only step that changes what is visible is the
metastore's, in ``publish``.
"""

import secrets as token_source
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from zoneinfo import ZoneInfo

from dataplat.audit.named_columns import require_named_columns
from dataplat.audit.outcome import Outcome
from dataplat.errors import DataplatError
from dataplat.ledger import Hop, LockOwner, PartitionLocks, TableVersion, VersionState
from dataplat.lifecycle.audit import audit_staged, count_staged, decide
from dataplat.lifecycle.holds import release_answered_holds
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.publish import publish_version, recover_partitions
from dataplat.lifecycle.refused import reject_unread
from dataplat.lifecycle.report import (
    Listener,
    LoadReport,
    PartitionReport,
    Progress,
    Step,
    Verdict,
    ignore_progress,
)
from dataplat.lifecycle.stations import Load, Origin, Prepared, RunInfo, Staged
from dataplat.lifecycle.tables import ensure_table
from dataplat.plan.reads import PartitionTarget
from dataplat.plan.versions import new_version, version_location
from dataplat.specs import AnyTable
from dataplat.storage import make_directory


def live(
    platform: Platform,
    spec: AnyTable,
    keys: Sequence[str],
    origin: Origin,
    run: RunInfo,
    listen: Listener = ignore_progress,
) -> LoadReport:
    """Bring partitions through their life: plan, stage, count, check, publish.

    Rejected partitions are in the report, not raised: the caller decides.

    Raises:
        LoadInProgressError: Another load holds one of the partitions. Nothing was read.
        LostLockError: Another load took over after this one had stalled. Nothing was published.
        DataplatError: Whatever the origin, the engine or the warehouse refused. Each partition shows
            its old or its new version entirely, and the ledger says which.
    """
    zone = ZoneInfo(platform.catalog.platform.timezone)
    version = new_version(platform.now().astimezone(zone), token_source.token_hex(3))
    location = version_location(platform.table_location(spec.table), version)
    load = Load(platform, spec, tuple(keys), run, listen, version, location)
    started = time.monotonic()
    owner = LockOwner.current(run_id=run.run_id, command=run.command)
    with platform.ledger.lock_partitions(spec.table, keys, owner, wait_seconds=run.wait_seconds) as locks:
        with load.station(Step.PLAN):
            unread = reject_unread(load, locks, origin.refuse(load))
        if load.keys:
            report = _with_unread(_live_locked(load, origin, locks), unread, keys)
        else:
            report = LoadReport(spec.table, version, tuple(unread), load.seconds)
    load.seconds["total"] = time.monotonic() - started
    load.listen(Progress(Step.DONE, spec.table, tuple(keys), version, location))
    return report


def _with_unread(report: LoadReport, unread: Sequence[PartitionReport], keys: Sequence[str]) -> LoadReport:
    if not unread:
        return report
    partitions = {item.partition: item for item in (*report.partitions, *unread)}
    return replace(report, partitions=tuple(partitions[key] for key in keys))


def _live_locked(load: Load, origin: Origin, locks: PartitionLocks) -> LoadReport:
    ledger, table = load.platform.ledger, load.spec.table
    with load.station(Step.PLAN):
        prepared = origin.prepare(load)
        names = [name for name, _ in prepared.targets[0].values]
        require_named_columns(load.spec, [column.name for column in prepared.columns], names)
        targets = {target.key: target for target in prepared.targets}
        store = load.platform.partitions(load.spec.engine)
        values = {key: target.values for key, target in targets.items()}
        recover_partitions(ledger, store, locks, table, values)
        stored = ensure_table(load.platform, load.spec, prepared.columns, names)
        origin.store_as(stored)
        prepared = replace(prepared, columns=stored)
        _begin(load, targets)
    try:
        rows = "" if prepared.expected_rows is None else f"{prepared.expected_rows:,} rows"
        with load.station(Step.STAGE, rows):
            written = origin.stage(load)
        with load.station(Step.COUNT), ThreadPoolExecutor(max_workers=1) as pool:
            recounting = pool.submit(origin.recount)
            try:
                files, strays = count_staged(load, prepared)
                recounting.result()
            except BaseException:
                origin.interrupt()
                raise
        staged = Staged(written, files, strays)
        with load.station(Step.CHECK):
            outcomes = audit_staged(load, prepared, origin, staged)
        locks.check()  # whoever took over has settled this version already
        good = decide(load, origin, staged, outcomes)
        with load.station(Step.PUBLISH, f"{len(good)} of {len(load.keys)}"):
            _publish(load, targets, staged, good, locks)
        _release(load, {key: outcomes[key] for key in good})
    except BaseException as error:
        _abandon(load, error)
        raise
    return _report(load, prepared, origin, staged, outcomes)


def _begin(load: Load, targets: Mapping[str, PartitionTarget]) -> None:
    load.platform.ledger.begin(
        TableVersion(
            table=load.spec.table,
            partition=key,
            version=load.version,
            location=load.folder(target),
            run_id=load.run.run_id,
            actor=load.run.actor,
            config_sha=load.platform.sha(load.spec),
        )
        for key, target in targets.items()
    )


def _publish(
    load: Load,
    targets: Mapping[str, PartitionTarget],
    staged: Staged,
    good: Sequence[str],
    locks: PartitionLocks,
) -> None:
    places = {key: (targets[key].values, load.folder(targets[key])) for key in good}
    for key in good:
        if staged.files[key].files == 0:  # an empty partition is a folder without files
            make_directory(places[key][1])
    store = load.platform.partitions(load.spec.engine)
    publish_version(load.platform.ledger, store, locks, load.spec.table, load.version, places)


def _release(load: Load, outcomes: Mapping[str, Sequence[Outcome]]) -> None:
    reason = f"version {load.version} was published"
    release_answered_holds(
        load.platform.ledger, load.spec.table, outcomes, actor=load.run.actor, reason=reason
    )


def _abandon(load: Load, error: BaseException) -> None:
    """Mark what this load leaves behind; a version that was being published is left to ``recover``."""
    reason = type(error).__name__ if isinstance(error, Exception) else "interrupted"
    if isinstance(error, DataplatError):
        reason = error.problem
    ledger, table = load.platform.ledger, load.spec.table
    left = ledger.in_state(table, (VersionState.STAGING, VersionState.STAGED), load.keys)
    keys = [row.partition for row in left if row.version == load.version]
    if keys:
        ledger.advance(table, load.version, keys, VersionState.ABANDONED, reason=reason)


def _report(
    load: Load,
    prepared: Prepared,
    origin: Origin,
    staged: Staged,
    outcomes: Mapping[str, Sequence[Outcome]],
) -> LoadReport:
    visible = load.platform.ledger.visible(load.spec.table, load.keys)
    partitions = []
    for target in prepared.targets:
        key, files, hops = target.key, staged.files[target.key], origin.hops(target.key)
        answers = visible[key].version if key in visible else ""
        partitions.append(
            PartitionReport(
                partition=key,
                verdict=Verdict.PUBLISHED if answers == load.version else Verdict.REJECTED,
                version=load.version,
                location=load.folder(target),
                source_before=hops.get(Hop.SOURCE_BEFORE),
                source_after=hops.get(Hop.SOURCE_AFTER),
                written=staged.written[key],
                rows=files.rows,
                files=files.files,
                bytes=files.bytes,
                outcomes=tuple(outcomes[key]),
                visible_version=answers,
            )
        )
    columns = tuple((column.name, column.hive_type) for column in prepared.columns)
    return LoadReport(load.spec.table, load.version, tuple(partitions), load.seconds, origin.queries, columns)
