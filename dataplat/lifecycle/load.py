"""Loading partitions of a source table: rows come from MySQL through Spark's JDBC reader."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from dataplat.ledger import LockOwner
from dataplat.lifecycle.life import live
from dataplat.lifecycle.patience import patiently
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.report import Listener, LoadReport, Progress, Step, ignore_progress
from dataplat.lifecycle.source_origin import SourceOrigin
from dataplat.lifecycle.stations import RunInfo, span_of
from dataplat.plan.partitions import contiguous_runs
from dataplat.plan.splits import MAX_PARTITIONS_A_READ
from dataplat.plan.targets import is_read_alone
from dataplat.specs import TableSpec


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
