"""The middle stations: the staged files are counted and checked, and each partition is judged."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dataplat.audit.declared import evaluate_checks
from dataplat.audit.kinds import StagedPartition
from dataplat.audit.outcome import Outcome
from dataplat.engine.aggregate import StagedVersion
from dataplat.ledger import CheckResult, Hop, HopCount, VersionCounts, VersionState
from dataplat.lifecycle.records import LedgerRecords
from dataplat.lifecycle.stations import Load, Origin, Prepared, Staged
from dataplat.plan.partitions import hive_path
from dataplat.plan.windows import partition_window
from dataplat.storage import FooterCount, count_partitions


def count_staged(load: Load, prepared: Prepared) -> tuple[dict[str, FooterCount], tuple[str, ...]]:
    """Read the footers of a version: the count of each partition, and files that belong to none."""
    folders = {target.key: hive_path(target.values) for target in prepared.targets}
    counts, strays = count_partitions(
        load.location, list(folders.values()), load.spec.format, watch=prepared.watched_column
    )
    return {key: counts[folder] for key, folder in folders.items()}, strays


def audit_staged(load: Load, prepared: Prepared, origin: Origin, staged: Staged) -> dict[str, list[Outcome]]:
    """Evaluate the built-in and the declared checks of every partition."""
    declared = _declared(load, prepared, staged) if load.spec.checks else {key: [] for key in load.keys}
    return {
        key: [
            *origin.compare(key, staged.files[key], staged.written[key], staged.strays),
            *declared[key],
        ]
        for key in load.keys
    }


def decide(
    load: Load, origin: Origin, staged: Staged, outcomes: Mapping[str, Sequence[Outcome]]
) -> list[str]:
    """Record counts and outcomes, reject the bad partitions, and return the good ones."""
    ledger, table, version = load.platform.ledger, load.spec.table, load.version
    counts = {
        key: VersionCounts(rows=files.rows, files=files.files, bytes=files.bytes)
        for key, files in staged.files.items()
    }
    ledger.advance(table, version, load.keys, VersionState.STAGED, counts=counts)
    checks = [result for key in load.keys for result in check_results(table, key, version, outcomes[key])]
    ledger.record(hops=_hops(load, origin, staged), checks=checks)
    good = []
    for key in load.keys:
        failures = [outcome for outcome in outcomes[key] if outcome.blocks]
        if failures:
            reason = "; ".join(f"{failure.check}: {failure.message}" for failure in failures)
            ledger.advance(table, version, [key], VersionState.REJECTED, reason=reason)
        else:
            good.append(key)
    return good


def _declared(load: Load, prepared: Prepared, staged: Staged) -> dict[str, list[Outcome]]:
    grain, zone = load.spec.window.grain, load.platform.catalog.platform.zone
    partitions = []
    for target in prepared.targets:
        window = partition_window(target.key, grain, zone)
        rows = staged.files[target.key].rows
        partitions.append(StagedPartition(target.key, target.values, rows, window.start, window.end))
    engine, udfs = load.platform.engine(load.spec.engine), load.platform.udfs.called_by_checks(load.spec)
    version = StagedVersion(
        engine.session_with(udfs, load.subject),
        load.location,
        load.spec.format,
        columns=prepared.columns,
        partition_names=[name for name, _ in prepared.targets[0].values],
        version=load.version,
        subject=load.subject,
        has_files=any(files.files for files in staged.files.values()),
    )
    records = LedgerRecords(load.platform.catalog, load.platform.ledger, load.spec)
    with version as rows_staged:
        return evaluate_checks(load.spec, partitions, rows_staged, records)


def check_results(table: str, key: str, version: str, outcomes: Sequence[Outcome]) -> Iterator[CheckResult]:
    """Yield the outcomes of one partition as the ledger keeps them."""
    for outcome in outcomes:
        yield CheckResult(
            table=table,
            partition=key,
            version=version,
            check=outcome.check,
            passed=outcome.passed,
            severity=outcome.severity,
            blocking=outcome.severity == "error" and outcome.downstream != "none",
            numbers=_numbers(outcome),
            message=outcome.message,
        )


def _numbers(outcome: Outcome) -> dict[str, Any]:
    sample = {"sample": [dict(row) for row in outcome.sample]} if outcome.sample else {}
    return {**outcome.numbers, **sample}


def _hops(load: Load, origin: Origin, staged: Staged) -> Iterator[HopCount]:
    table, version = load.spec.table, load.version
    for key in load.keys:
        files = staged.files[key]
        rows = {**origin.hops(key), Hop.WRITTEN: staged.written[key]}
        for hop, count in rows.items():
            yield HopCount(table=table, partition=key, version=version, hop=hop, rows=count)
        for shard, counted in origin.shard_hops(key).items():
            for hop, count in counted.items():
                yield HopCount(table=table, partition=key, version=version, hop=hop, shard=shard, rows=count)
        yield HopCount(
            table=table,
            partition=key,
            version=version,
            hop=Hop.FILES,
            rows=files.rows,
            files=files.files,
            bytes=files.bytes,
        )
