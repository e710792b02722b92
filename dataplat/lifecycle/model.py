"""Making partitions of a model: rows come from its SQL over other tables."""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from dataplat.audit.counts import check_files, check_placement
from dataplat.audit.outcome import Outcome
from dataplat.engine.query import PartitionQueries
from dataplat.engine.stage import stage_frame
from dataplat.errors import EngineError, GateClosedError, QueryRefusedError
from dataplat.ledger import Hop
from dataplat.lifecycle.gate import pass_gate
from dataplat.lifecycle.life import live
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.refusals import refused_at
from dataplat.lifecycle.report import Listener, LoadReport, ignore_progress
from dataplat.lifecycle.stations import Load, Prepared, RunInfo
from dataplat.plan.ddl import HiveColumn, quote_identifier
from dataplat.plan.models.render import render_for_engine
from dataplat.plan.needed import awaited_arrivals, closing_of, needed_partitions
from dataplat.plan.partitions import partition_columns
from dataplat.plan.reads import PartitionTarget
from dataplat.plan.widths import partitions_at_once
from dataplat.plan.windows import partition_window
from dataplat.specs import ModelSpec
from dataplat.storage import FooterCount

_SHOWN = 5


def make_partitions(
    platform: Platform,
    spec: ModelSpec,
    keys: Sequence[str],
    run: RunInfo,
    listen: Listener = ignore_progress,
) -> Iterator[LoadReport]:
    """Make partitions of a model in order of time, yielding a report as each write ends.

    Several partitions are one write, unless the model builds on its own past: most of what a small partition
    costs is asking Spark and the metastore, whatever the number of rows. Each passes the gate, is counted,
    checked and published on its own. Where the gate is closed to some, the others are made before it is told.

    Raises:
        GateClosedError: An upstream partition is not proven. Partitions reported before are published.
        EngineError: Spark refused the SQL or failed. As above; partitions that were written together with the
            one that failed were made one by one, up to it.
        SchemaConflictError, StorageError, LoadInProgressError, LostLockError: As for a load.
    """
    closed: list[GateClosedError] = []
    closing = closing_of(platform.catalog, platform.graph, spec)
    width = partitions_at_once(platform.graph, spec)
    for start in range(0, len(keys), width):
        passed = []
        for key in keys[start : start + width]:
            upstreams = needed_partitions(platform.catalog, platform.graph, spec, key)
            awaited = awaited_arrivals(platform.catalog, platform.graph, spec, key)
            try:
                pass_gate(platform.ledger, spec.table, key, upstreams, closing, spec.trigger, run, awaited)
            except GateClosedError as error:
                closed.append(error)
            else:
                passed.append(key)
        if passed:
            yield from _make_together(platform, spec, passed, run, listen)
    if closed:
        raise _first_of(closed)


def _make_together(
    platform: Platform, spec: ModelSpec, keys: Sequence[str], run: RunInfo, listen: Listener
) -> Iterator[LoadReport]:
    """Make partitions in one write; one by one if that failed, so that a bad one does not hold the others."""
    try:
        reports = iter([live(platform, spec, keys, ModelOrigin(platform, spec, keys), run, listen)])
    except EngineError as error:
        if len(keys) == 1 or error.retryable:
            raise
        reports = (
            live(platform, spec, [key], ModelOrigin(platform, spec, [key]), run, listen) for key in keys
        )
    yield from reports


def _first_of(closed: Sequence[GateClosedError]) -> GateClosedError:
    first, *others = closed
    if not others:
        return first
    subjects = [error.subject for error in others]
    more = [f"and {len(subjects) - _SHOWN} more"] if len(subjects) > _SHOWN else []
    return GateClosedError(
        first.subject,
        first.problem,
        facts=[*first.facts, ("closed too", "\n".join([*subjects[:_SHOWN], *more]))],
        effect="nothing was read for them; what was visible before is still visible",
        next_steps=first.next_steps,
    )


class ModelOrigin:
    """The rows of some partitions of a model, each by the SQL of its own."""

    def __init__(self, platform: Platform, spec: ModelSpec, keys: Sequence[str]) -> None:
        zone = ZoneInfo(platform.catalog.platform.timezone)
        self._platform = platform
        self._spec = spec
        self._rendered = {key: render_for_engine(spec, key, zone) for key in keys}
        self._sql = {key: rendered.text for key, rendered in self._rendered.items()}
        self._targets = tuple(
            PartitionTarget(
                key,
                partition_window(key, spec.grain, zone),
                partition_columns(key, spec.grain, spec.partition),
            )
            for key in keys
        )
        self._queries: PartitionQueries | None = None

    def refuse(self, load: Load) -> Mapping[str, Outcome]:
        """Refuse nothing: the gate was asked before. See ``Origin``."""
        return {}

    def prepare(self, load: Load) -> Prepared:
        """Let Spark analyse the SQL. See ``Origin``."""
        udfs = self._platform.udfs.called_in("\n".join(self._sql.values()))
        session = self._platform.engine(self._spec.engine).session_with(udfs, load.subject)
        sql = {target.values: self._sql[target.key] for target in self._targets}
        try:
            self._queries = PartitionQueries(session, sql, load.subject)
        except QueryRefusedError as error:  # of several partitions each is asked again alone
            raise refused_at(error, self._rendered[load.keys[0]].problem_at) from error
        return Prepared(self._targets, self._queries.columns)

    def store_as(self, columns: Sequence[HiveColumn]) -> None:
        """Do nothing: a model's columns are stored in the types of its SQL. See ``Origin``."""

    def stage(self, load: Load) -> Mapping[str, int]:
        """Run the SQL and write its rows. See ``Origin``."""
        assert self._queries is not None
        values = [name for name, _ in self._targets[0].values] if len(self._targets) > 1 else []
        names = [column.name for column in self._queries.columns]
        written = stage_frame(
            self._queries.frame(),
            [quote_identifier(name) for name in [*names, *values]],
            partitions=[target.values for target in self._targets],
            location=load.location,
            data_format=self._spec.format,
            subject=load.subject,
        )
        return dict(zip(load.keys, written, strict=True))

    def recount(self) -> None:
        """Do nothing: a model has no source to count. See ``Origin``."""

    def interrupt(self) -> None:
        """Do nothing: nothing is asked. See ``Origin``."""

    def compare(self, key: str, files: FooterCount, written: int, strays: tuple[str, ...]) -> list[Outcome]:
        """Compare the files with the writer's word. See ``Origin``."""
        zone = ZoneInfo(self._platform.catalog.platform.timezone)
        return [check_files(files, written), check_placement(files, None, zone, strays)]

    def hops(self, key: str) -> Mapping[Hop, int]:
        """Return nothing: no source was counted. See ``Origin``."""
        return {}

    def shard_hops(self, key: str) -> Mapping[str, Mapping[Hop, int]]:
        """Return nothing: a model has no shards. See ``Origin``."""
        return {}

    @property
    def queries(self) -> tuple[str, ...]:
        """The SQL of each partition. See ``Origin``."""
        return tuple(self._sql.values())
