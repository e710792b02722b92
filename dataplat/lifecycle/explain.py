"""What a load would send to the source, found out without counting or reading rows.

The size of a partition comes from the server's own estimates, so it may be wrong by half or twice, and so may
be the number of splits, which a load makes of what it has counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo

from dataplat.lifecycle.cuts import find_cuts
from dataplat.lifecycle.shards import estimate_shards
from dataplat.lifecycle.source_table import SourceTable, Survey
from dataplat.plan.reads import JdbcRead, plan_reads
from dataplat.plan.splits import PartitionSize, Task, plan_pieces, plan_tasks
from dataplat.plan.targets import is_read_alone
from dataplat.plan.windows import wall_clock
from dataplat.sources.mysql import InstanceConnections, SourceConnection, connect_instances, explain_query
from dataplat.specs import Catalog, SecretResolver, TableSpec

_PLANNED_SPLITS = 8


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
class Split:
    """One task of a read: its partitions, its condition, the rows expected, and the server's plan of it.

    Of many splits only the first few and the last are planned.
    """

    partitions: str
    predicate: str
    rows: int
    plan: PlanStep | None


@dataclass(frozen=True)
class Explanation:
    """Everything that a load of some partitions would ask of the source.

    Attributes:
        shards: Name, estimated rows and estimated bytes of each physical table.
        windows: Key, start and end of each partition on the source's clock; empty for a snapshot.
        counts: The count queries.
        reads: The read queries with the predicates of their tasks.
        read_alone: Whether each partition is read by itself; then only the first one is explained.
        splits: The tasks of the read, where there are several.
        rewritten: What of the table's ``where`` is sent as a range instead of a function of a date.
        split_remark: How a large partition is cut; empty when nothing would be.
        plans: The server's plan of each read.
        refusal: Why a load would be refused; empty when it would not.
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
    splits: tuple[Split, ...]
    rewritten: tuple[str, ...]
    split_remark: str
    plans: tuple[ServerPlan, ...]
    refusal: str = ""

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
            _steps(connections.by_name[read.source], read.query)
            for read in plan_reads(survey.shape, survey.shards, [])
        ]
        rows = _estimated_rows(survey, steps)
        parallelism = sum(source.budget.connections_a_load for source in instances.values())
        connection = connections.to(survey.shards[0])
        tasks, wanted = _plan_splits(connection, spec, parallelism, survey, rows)
        reads = plan_reads(survey.shape, survey.shards, tasks)
        splits = tuple(_splits(connection, survey, tasks, reads))
    refused = table.refuse_full_scan(survey, spec.table)
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
        splits=splits,
        rewritten=survey.rewritten,
        refusal=refused.problem if refused else "",
        split_remark=_split_remark(survey, tasks) if wanted else "",
        plans=tuple(ServerPlan(tuple(one), tuple(_remarks(spec, survey, one))) for one in steps),
    )


def _estimates(connections: InstanceConnections, survey: Survey) -> tuple[tuple[str, int, int], ...]:
    found = estimate_shards(connections, survey.shards)
    return tuple(
        (str(shard), found[shard].rows, found[shard].bytes) if shard in found else (str(shard), 0, 0)
        for shard in survey.shards
    )


def _steps(connection: SourceConnection, query: str) -> list[PlanStep]:
    rows = explain_query(connection, query)
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


def _plan_splits(
    connection: SourceConnection, spec: TableSpec, parallelism: int, survey: Survey, rows: int
) -> tuple[list[Task], bool]:
    """Return the tasks, and whether anything was large enough to be cut."""
    sizes = [PartitionSize(part, rows) for part in range(survey.shape.spans)]
    parts = spec.split.parts if spec.split else None
    pieces = plan_pieces(sizes, parallelism=parallelism, parts=parts)
    cuts = find_cuts(connection, survey, sizes, pieces, may_walk=False)
    return plan_tasks(sizes, parallelism=parallelism, parts=parts, cuts=cuts), bool(pieces)


def _splits(
    connection: SourceConnection, survey: Survey, tasks: Sequence[Task], reads: Sequence[JdbcRead]
) -> Iterator[Split]:
    """Yield the tasks of a table without shards; the first few and the last with the server's plan."""
    if len(reads) != 1 or not reads[0].predicates:
        return
    keys = [target.key for target in survey.shape.partitions]
    for number, (task, predicate) in enumerate(zip(tasks, reads[0].predicates, strict=True)):
        shown = number < _PLANNED_SPLITS or number == len(tasks) - 1
        sent = f"SELECT * FROM ({reads[0].query}) AS dataplat_read WHERE {predicate}"
        steps = _steps(connection, sent) if shown else []
        yield Split(
            keys[task.first] if task.first == task.last else f"{keys[task.first]}~{keys[task.last]}",
            predicate,
            task.rows,
            steps[0] if steps else None,
        )


def _split_remark(survey: Survey, tasks: Sequence[Task]) -> str:
    if len(survey.shards) > 1:
        return "shards are read as they are, a hundred in a query"
    cut = [task for task in tasks if (task.low, task.high) != (None, None)]
    key = survey.shape.split_key
    if not cut:
        if key is not None and key.index is not None:
            return f"estimates say nothing about {key.name}: a load walks its index once to find the bounds"
        return "one read: no key, and no index that begins with the window column, to cut it by"
    on = survey.shape.window_column if cut[0].on == "window" else key.name if key else ""
    return f"cut by {on} into ranges of about equal rows; a load cuts by what it has counted"


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
