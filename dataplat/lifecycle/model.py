"""Making partitions of a model: rows come from its SQL over other tables, one partition at a time."""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from dataplat.audit.counts import check_files, check_placement
from dataplat.audit.outcome import Outcome
from dataplat.engine.query import describe_query, query_frame
from dataplat.engine.stage import stage_frame
from dataplat.ledger import Hop
from dataplat.lifecycle.gate import pass_gate
from dataplat.lifecycle.life import live
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.report import Listener, LoadReport, ignore_progress
from dataplat.lifecycle.stations import Load, Prepared, RunInfo
from dataplat.plan.ddl import quote_identifier
from dataplat.plan.models.render import render_model
from dataplat.plan.needed import awaited_arrivals, closing_of, needed_partitions
from dataplat.plan.partitions import partition_columns
from dataplat.plan.reads import PartitionTarget
from dataplat.plan.windows import partition_window
from dataplat.specs import ModelSpec
from dataplat.storage import FooterCount


def make_partitions(
    platform: Platform,
    spec: ModelSpec,
    keys: Sequence[str],
    run: RunInfo,
    listen: Listener = ignore_progress,
) -> Iterator[LoadReport]:
    """Make partitions of a model in order of time, yielding a report as each ends.

    Raises:
        GateClosedError: An upstream partition is not proven. Partitions reported before are published.
        EngineError: Spark refused the SQL or failed. As above.
        SchemaConflictError, StorageError, LoadInProgressError, LostLockError: As for a load.
    """
    closing = closing_of(platform.catalog, platform.graph, spec)
    for key in keys:
        upstreams = needed_partitions(platform.catalog, platform.graph, spec, key)
        awaited = awaited_arrivals(platform.catalog, platform.graph, spec, key)
        pass_gate(platform.ledger, spec.table, key, upstreams, closing, spec.trigger, run, awaited)
        yield live(platform, spec, [key], ModelOrigin(platform, spec, key), run, listen)


class ModelOrigin:
    """The rows of one partition of a model."""

    def __init__(self, platform: Platform, spec: ModelSpec, key: str) -> None:
        zone = ZoneInfo(platform.catalog.platform.timezone)
        self._platform = platform
        self._spec = spec
        self._sql = render_model(spec, key, zone)
        values = partition_columns(key, spec.grain, spec.partition)
        self._target = PartitionTarget(key, partition_window(key, spec.grain, zone), values)
        self._names: tuple[str, ...] = ()

    def prepare(self, load: Load) -> Prepared:
        """Let Spark analyse the SQL. See ``Origin``."""
        session = self._platform.engine(self._spec.engine).session()
        columns = describe_query(session, self._sql, load.subject)
        self._names = tuple(column.name for column in columns)
        return Prepared((self._target,), columns)

    def stage(self, load: Load) -> Mapping[str, int]:
        """Run the SQL and write its rows. See ``Origin``."""
        session = self._platform.engine(self._spec.engine).session()
        written = stage_frame(
            query_frame(session, self._sql, load.subject),
            [quote_identifier(name) for name in self._names],
            partitions=[self._target.values],
            location=load.location,
            data_format=self._spec.format,
            subject=load.subject,
        )
        return {self._target.key: written[0]}

    def recount(self) -> None:
        """Do nothing: a model has no source to count. See ``Origin``."""

    def compare(self, key: str, files: FooterCount, written: int, strays: tuple[str, ...]) -> list[Outcome]:
        """Compare the files with the writer's word. See ``Origin``."""
        zone = ZoneInfo(self._platform.catalog.platform.timezone)
        return [check_files(files, written), check_placement(files, None, zone, strays)]

    def hops(self, key: str) -> Mapping[Hop, int]:
        """Return nothing: no source was counted. See ``Origin``."""
        return {}

    @property
    def queries(self) -> tuple[str, ...]:
        """The SQL of the partition. See ``Origin``."""
        return (self._sql,)
