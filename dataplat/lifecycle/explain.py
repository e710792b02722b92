"""What a load would send to the source, found out without counting or reading rows.

The size of a partition comes from the server's own estimates, so it may be wrong by half, and ranges of
the split key, which the load takes from its first count, are not known here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo

from dataplat.lifecycle.shards import estimate_shards
from dataplat.lifecycle.source_table import SourceTable, Survey
from dataplat.plan.reads import JdbcRead, plan_reads
from dataplat.plan.splits import PartitionSize, plan_tasks
from dataplat.plan.targets import is_read_alone
from dataplat.plan.windows import wall_clock
from dataplat.sources.mysql import InstanceConnections, SourceConnection, connect_instances, explain_query
from dataplat.specs import Catalog, SecretResolver, TableSpec


@dataclass(frozen=True)
class ExplainedColumn:
    """One column: its name, its type at the source and in Hive, and what is sent for it."""

    target: str
    mysql_type: str
    hive: str
    sql: str


@dataclass(frozen=True)
class PlanStep:
    """One table of the server's plan; ``possible`` are the indexes it could have used."""

    table: str
    access: str
    key: str
    rows: int | None
    extra: str
    possible: str = ""


@dataclass(frozen=True)
class ServerPlan:
    """The server's plan of one read, and what a person should notice in it."""

    steps: tuple[PlanStep, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """Everything that a load of some partitions would ask of the source.

    Attributes:
        shards: Name, estimated rows and estimated bytes of each physical table.
        windows: Key, start and end of each partition on the source's clock; empty for a snapshot.
        counts: The count queries.
        reads: The read queries with the predicates of their tasks.
        read_alone: Whether each partition is read by itself; then only the first one is explained.
        split_remark: How a large partition is cut; empty when nothing would be.
        plans: The server's plan of each read.
    """

    table: str
    source: str
    load: str
    source_zone: str
    shards: tuple[tuple[str, int, int], ...]
    columns: tuple[ExplainedColumn, ...]
    windows: tuple[tuple[str, str, str], ...]
    counts: tuple[str, ...]
    reads: tuple[JdbcRead, ...]
    read_alone: bool
    split_remark: str
    plans: tuple[ServerPlan, ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON shows it."""
        return asdict(self)


def explain_table(
    catalog: Catalog, spec: TableSpec, keys: Sequence[str], secrets: SecretResolver
) -> Explanation:
    """Return what a load of these partitions would send; a table read alone is explained for the first.

    Raises:
        SourceError: The source refused, or is not as declared.
        SourceUnavailableError: It could not be reached.
    """
    instances = catalog.instances_of(spec)
    table = SourceTable(spec, instances, spec.partition, catalog.platform.timezone, secrets)
    alone = is_read_alone(spec)
    survey = table.survey(keys[:1] if alone else keys)
    with connect_instances(instances, secrets) as connections:
        shards = _estimates(connections, survey)
        steps = [
            _steps(connections.by_name[read.source], read)
            for read in plan_reads(survey.shape, survey.shards, [])
        ]
    rows = _estimated_rows(survey, steps)
    parallelism = sum(source.budget.connections_a_load for source in instances.values())
    reads = _reads(spec, parallelism, survey, rows)
    return Explanation(
        table=spec.table,
        source=", ".join(spec.all_sources),
        load=spec.load,
        source_zone=survey.shape.source_zone,
        shards=shards,
        columns=tuple(
            ExplainedColumn(column.target, kind, column.hive, column.sql)
            for column, kind in zip(survey.shape.columns, survey.source_types, strict=True)
        ),
        windows=tuple(_windows(survey)),
        counts=tuple(
            query for _, group in table.count_queries(survey, with_split_range=True) for query in group
        ),
        reads=tuple(reads),
        read_alone=alone,
        split_remark=_split_remark(spec, parallelism, survey, rows),
        plans=tuple(ServerPlan(tuple(one), tuple(_remarks(spec, survey, one))) for one in steps),
    )


def _estimates(connections: InstanceConnections, survey: Survey) -> tuple[tuple[str, int, int], ...]:
    found = estimate_shards(connections, survey.shards)
    return tuple(
        (str(shard), found[shard].rows, found[shard].bytes) if shard in found else (str(shard), 0, 0)
        for shard in survey.shards
    )


def _steps(connection: SourceConnection, read: JdbcRead) -> list[PlanStep]:
    rows = explain_query(connection, read.query)
    return [
        PlanStep(
            str(row["table"]),
            str(row["access"] or ""),
            str(row["key"] or "none"),
            int(str(row["rows"])) if row["rows"] is not None else None,
            str(row["extra"] or ""),
            str(row["possible"] or ""),
        )
        for row in rows
        if row["table"] is not None and not str(row["table"]).startswith("<")
    ]


def _estimated_rows(survey: Survey, steps: Sequence[Sequence[PlanStep]]) -> int:
    total = sum(step.rows or 0 for one in steps for step in one)
    return -(-total // survey.shape.spans)


def _reads(spec: TableSpec, parallelism: int, survey: Survey, rows: int) -> list[JdbcRead]:
    sizes = [PartitionSize(part, rows) for part in range(survey.shape.spans)]
    parts = spec.split.parts if spec.split else None
    tasks = plan_tasks(sizes, parallelism=parallelism, parts=parts)
    return plan_reads(survey.shape, survey.shards, tasks)


def _split_remark(spec: TableSpec, parallelism: int, survey: Survey, rows: int) -> str:
    column = survey.shape.split_column
    if column is None:
        return ""
    parts = spec.split.parts if spec.split else None
    ranged = PartitionSize(0, rows, 0, max(rows, 1_000_000))
    tasks = plan_tasks([ranged], parallelism=parallelism, parts=parts)
    if len(tasks) < 2:
        return ""
    return f"each partition is cut into about {len(tasks)} tasks by {column}, in ranges that the count finds"


def _windows(survey: Survey) -> Iterator[tuple[str, str, str]]:
    zone = ZoneInfo(survey.shape.source_zone)
    for target in survey.shape.partitions:
        if survey.shape.window_column and target.window:
            start, end = target.window.start, target.window.end
            yield target.key, wall_clock(start, zone), wall_clock(end, zone)
        else:
            yield target.key, "the whole table", "as it is when it is read"


def _remarks(spec: TableSpec, survey: Survey, steps: Sequence[PlanStep]) -> Iterator[str]:
    scanned = [step for step in steps if step.access.upper() == "ALL"]
    if not scanned:
        return
    rows = sum(step.rows or 0 for step in scanned)
    names = scanned[0].table if len(scanned) == 1 else f"{len(scanned)} tables"
    column = survey.shape.window_column
    if column is None:
        yield f"reads all of {names}, about {rows:,} rows: that is what load: snapshot asks for"
        return
    yield f"FULL SCAN of {names}, about {rows:,} rows, however few of them lie in the window"
    possible = sorted({step.possible for step in scanned if step.possible})
    if possible:
        yield f"the server could use {', '.join(possible)} and expects no gain: the window holds much of it"
    else:
        yield f"next: an index on {column} at the source"
