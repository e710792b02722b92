"""A table at its source and in Hive, as they are compared: which columns, by which key, with what SQL.

Both sides are asked the same questions of the same rows: those of one partition's window. ``checksums`` says
how a value becomes text; here the texts become queries. At the source all shards of a table are in grouped
queries, each shard with its own half-open window, so that an index on the window column serves it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dataplat.plan.checksums import (
    ComparedColumn,
    Form,
    form_of,
    source_hash,
    source_row,
    spark_hash,
    spark_row,
)
from dataplat.plan.ddl import HiveColumn, quote_identifier
from dataplat.plan.dirty import render_reasons
from dataplat.plan.reads import PartitionTarget, ReadShape, read_conditions
from dataplat.plan.sql import PhysicalTable, quote_name, quote_text

BRANCHES_A_QUERY = 100


@dataclass(frozen=True)
class Comparison:
    """What is compared of a table.

    Attributes:
        shape: What a load would read.
        columns: What both sides have, the shards' identity column last.
        key: Columns that name a row; empty where nothing does, and rows are compared as wholes.
        not_compared: A sentence for each column that only one side has, and for rows that are left out.
    """

    shape: ReadShape
    columns: tuple[ComparedColumn, ...]
    key: tuple[ComparedColumn, ...]
    not_compared: tuple[str, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """Where the source's wall clock lives."""
        return ZoneInfo(self.shape.source_zone)

    def sent_to(self, shard: PhysicalTable, columns: Sequence[ComparedColumn]) -> list[str]:
        """Return what is sent to a shard for some of the columns."""
        sent = zip(self.shape.columns, self.shape.sent_to(shard), strict=True)
        by_name = {column.target: sql for column, sql in sent}
        if self.shape.identity:
            by_name[self.shape.identity] = quote_text(self.shape.name_of(shard))
        return [by_name[column.name] for column in columns]

    def where(self, shard: PhysicalTable, target: PartitionTarget) -> list[str]:
        """Return the conditions for the rows of a shard that a load writes into a partition."""
        hazards = self.shape.hazards.get(shard)
        clean = [f"{render_reasons(hazards)} IS NULL"] if hazards else []
        return [*read_conditions(self.shape, [target]), *clean]

    def source_row(self, shard: PhysicalTable, columns: Sequence[ComparedColumn]) -> str:
        """Return the MySQL expression of the texts of some columns of a shard's row."""
        return source_row(columns, self.zone, self.sent_to(shard, columns))


def plan_comparison(
    shape: ReadShape, source_types: Sequence[str], stored: Sequence[HiveColumn], key: Sequence[str]
) -> Comparison:
    """Return how a table is compared.

    Args:
        shape: What a load would read, with the types that the source's are mapped to.
        source_types: The type of each of its columns at the source.
        stored: The columns of the table in Hive.
        key: Names of the columns of the key, as Hive or as the source calls them.
    """
    types = {column.name.lower(): column.hive_type for column in stored}
    columns = [
        ComparedColumn(column.target, column.sql, form_of(kind, column.hive, types[column.target]))
        for column, kind in zip(shape.columns, source_types, strict=True)
        if column.target in types
    ]
    read = [column.target for column in shape.columns]
    if shape.identity:
        read.append(shape.identity)
        if shape.identity in types:
            columns.append(ComparedColumn(shape.identity, "", Form("text")))
    only_there = [f"{name} is not in Hive" for name in read if name not in types]
    only_here = [f"{name} is only in Hive" for name in types if name not in read]
    aside = ["rows at the source that go to the quarantine"] if any(shape.hazards.values()) else []
    told = (*only_there, *only_here, *aside)
    return Comparison(shape, tuple(columns), _key_columns(shape, columns, key), told)


def _key_columns(
    shape: ReadShape, columns: Sequence[ComparedColumn], key: Sequence[str]
) -> tuple[ComparedColumn, ...]:
    """Return the columns of the key, that of the shards first; nothing unless all of them are compared."""
    found = []
    for name in key:
        named = [column for column in columns if column.name == name.lower()]
        asked = [column for column in columns if column.sql.lower() == quote_name(name).lower()]
        found += (named or asked)[:1]
    if not key or len(found) < len(key):
        return ()
    return (*(column for column in columns if column.name == shape.identity), *found)


def source_checksums(comparison: Comparison, shards: Sequence[PhysicalTable]) -> list[tuple[str, str]]:
    """Return queries for the rows and the checksum of each partition, each with the instance that it asks.

    An answer has rows of ``part, rows, checksum``; ``part`` is the number of a partition of the shape. It has
    a row for each shard, in any query: both numbers add up. The checksum is NULL where there is no row.
    """
    branches = []
    for shard in shards:
        checksum = f"SUM({source_hash(comparison.source_row(shard, comparison.columns))})"
        for number, target in enumerate(comparison.shape.partitions[: comparison.shape.spans]):
            condition = render_where(comparison.where(shard, target))
            branches.append((shard, f"SELECT {number}, COUNT(*), {checksum} FROM {shard.sql}{condition}"))
    return [(source, "\nUNION ALL\n".join(some)) for source, some in group_by_instance(branches)]


def spark_checksums(comparison: Comparison, rows: str) -> str:
    """Return the query for the same of Hive; ``rows`` is what its rows are called.

    The answer begins with the values of the partition columns. A partition without a row is absent.
    """
    names = ", ".join(quote_identifier(name) for name, _ in comparison.shape.partitions[0].values)
    hashed = spark_hash(spark_row(comparison.columns, comparison.zone))
    return (
        f"SELECT {names}, count(1), sum(__dp_hash) FROM (SELECT {names}, {hashed} AS __dp_hash FROM {rows})"
        f" GROUP BY {names}"
    )


def render_where(conditions: Sequence[str]) -> str:
    """Return a WHERE clause for conditions that hold together; nothing for none."""
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def group_by_instance(branches: Sequence[tuple[PhysicalTable, str]]) -> Iterator[tuple[str, Sequence[str]]]:
    """Return the branches that make a query together, with their instance."""
    by_source: dict[str, list[str]] = {}
    for shard, branch in branches:
        by_source.setdefault(shard.source, []).append(branch)
    for source, some in by_source.items():
        for start in range(0, len(some), BRANCHES_A_QUERY):
            yield source, some[start : start + BRANCHES_A_QUERY]
