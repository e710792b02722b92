"""Given rows as views of a session, and the rows that a query makes of them. Nothing outside is touched."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from dataplat.engine.translate import engine_errors, query_errors
from dataplat.plan.models.fixtures import GivenTable

_PARTITIONS = "spark.sql.shuffle.partitions"


@contextmanager
def given_views(session: SparkSession, views: Mapping[str, GivenTable], subject: str) -> Iterator[None]:
    """Let a session see tables by the names of ``views`` until the context ends.

    Meanwhile it shuffles into one partition: a handful of rows in eight takes several times as long.
    """
    with engine_errors(subject):
        shuffled = session.conf.get(_PARTITIONS)
        session.conf.set(_PARTITIONS, "1")
        try:
            for name, table in views.items():
                _frame(session, _arrow_table(table)).createOrReplaceTempView(name)
            yield
        finally:
            for name in views:
                session.catalog.dropTempView(name)
            session.conf.set(_PARTITIONS, str(shuffled))


def _frame(session: SparkSession, table: pa.Table) -> DataFrame:
    if table.num_rows:
        return session.createDataFrame(table)
    return session.createDataFrame([], from_arrow_schema(table.schema))


def query_rows(session: SparkSession, sql: str, zone: ZoneInfo, subject: str) -> list[dict[str, Any]]:
    """Run a query and return its rows, times as the clocks of ``zone`` show them. For a few rows only.

    Raises:
        QueryRefusedError: Spark refuses the SQL; nothing was run.
        EngineError: Spark failed.
    """
    with query_errors(subject):
        found = session.sql(sql).toArrow()
    rows = found.rename_columns([name.lower() for name in found.column_names]).to_pylist(
        maps_as_pydicts="strict"
    )
    return [{name: _on_the_clock(value, zone) for name, value in row.items()} for row in rows]


def _on_the_clock(value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(zone)
    if isinstance(value, list):
        return [_on_the_clock(item, zone) for item in value]
    if isinstance(value, dict):
        return {name: _on_the_clock(item, zone) for name, item in value.items()}
    return value


def _arrow_table(table: GivenTable) -> pa.Table:
    columns: Sequence[Sequence[object]] = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    arrays = [
        pa.array([_pairs(value) for value in column], _arrow_type(kind))
        for column, kind in zip(columns, table.types, strict=True)
    ]
    return pa.Table.from_arrays(arrays, list(table.columns))


def _pairs(value: object) -> object:
    """Return a value as Arrow takes it: a map is its pairs."""
    if isinstance(value, dict):
        return [(name, _pairs(item)) for name, item in value.items()]
    return [_pairs(item) for item in value] if isinstance(value, list) else value


def _arrow_type(kind: str) -> pa.DataType:
    """Return the Arrow type of what ``infer_type`` gives."""
    if kind.startswith("array<"):
        return pa.list_(_arrow_type(kind[len("array<") : -1]))
    if kind.startswith("map<"):
        return pa.map_(pa.string(), _arrow_type(kind[len("map<string,") : -1]))
    if kind.startswith("decimal("):
        precision, scale = kind[len("decimal(") : -1].split(",")
        return pa.decimal128(int(precision), int(scale))
    return {"bigint": pa.int64(), "boolean": pa.bool_(), "string": pa.string()}[kind]
