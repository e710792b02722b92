"""The rows of a staged version, as the engine answers for them: one aggregation, and queries by a name."""

import re
import secrets
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from dataplat.engine.translate import engine_errors
from dataplat.plan.ddl import HiveColumn, quote_identifier, quote_literal, quote_table

Value = int | float | str | None


class StagedVersion:
    """The rows below one version's location. Nothing is read before the first question.

    A context: the name that SQL knows the rows by is gone when it ends.

    Args:
        session: Where questions are asked.
        location: URI of the version.
        data_format: ``parquet`` or ``orc``.
        columns: The table's columns; they are what an empty version has.
        partition_names: Its partition columns.
        version: Tells apart the versions that are checked in one session at once.
        subject: What a message opens with.
        has_files: Whether the location holds any file.
    """

    def __init__(
        self,
        session: SparkSession,
        location: str,
        data_format: str,
        *,
        columns: Sequence[HiveColumn],
        partition_names: Sequence[str],
        version: str,
        subject: str,
        has_files: bool = True,
    ) -> None:
        self._session = session
        self._location = location
        self._format = data_format
        self._columns = columns
        self._partition_names = tuple(partition_names)
        self._view = "dataplat_staged_" + re.sub(r"\W", "_", version)  # Connect takes plain names only
        self._subject = subject
        self._has_files = has_files
        self._frame: DataFrame | None = None
        self._named = False

    @property
    def name(self) -> str:
        """What the rows are called in SQL."""
        return quote_identifier(self._view)

    def aggregate(self, expressions: Sequence[str]) -> Mapping[tuple[str, ...], tuple[Value, ...]]:
        """Evaluate aggregates for each partition, in one pass; a partition without rows is absent.

        Raises:
            EngineError: Spark failed. Nothing was published.
        """
        columns = [F.expr(text).alias(f"value_{index}") for index, text in enumerate(expressions)]
        width = len(self._partition_names)
        with engine_errors(self._subject):
            rows = self._rows().groupBy(*self._partition_names).agg(*columns).collect()
        return {tuple(str(value) for value in row[:width]): tuple(row[width:]) for row in rows}

    def ask(self, query: str, subject: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, which may use ``name``; ``subject`` opens the message if it fails."""
        with engine_errors(subject):
            return [tuple(row) for row in self._sql(query).collect()]

    def columns(self, query: str, subject: str) -> tuple[str, ...]:
        """Return the names of a query's columns, without running it."""
        with engine_errors(subject):
            return tuple(self._sql(query).columns)

    def __enter__(self) -> "StagedVersion":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._named and error is None:  # a session that failed may be gone, and the name with it
            with engine_errors(self._subject):
                self._session.catalog.dropTempView(self._view)

    def _sql(self, query: str) -> DataFrame:
        if not self._named:
            self._rows().createOrReplaceTempView(self._view)
            self._named = True
        return self._session.sql(query)

    def _rows(self) -> DataFrame:
        if self._frame is None:
            self._frame = self._read() if self._has_files else self._empty()
        return self._frame

    def _read(self) -> DataFrame:
        return self._session.read.format(self._format).load(self._location)

    def _empty(self) -> DataFrame:
        columns = [(column.name, column.hive_type) for column in self._columns]
        columns += [(name, "string") for name in self._partition_names]
        schema = ", ".join(f"{quote_identifier(name)} {kind}" for name, kind in columns)
        return self._session.createDataFrame([], schema)


class PublishedRows(StagedVersion):
    """The rows of published partitions, where readers find them: through the metastore.

    Args:
        session: Where questions are asked.
        table: The table.
        partitions: Values of the partition columns of each partition.
        subject: What a message opens with.
    """

    def __init__(
        self,
        session: SparkSession,
        table: str,
        partitions: Sequence[Sequence[tuple[str, str]]],
        *,
        subject: str,
    ) -> None:
        names = [name for name, _ in partitions[0]]
        token = f"published_{secrets.token_hex(6)}"
        super().__init__(session, "", "", columns=(), partition_names=names, version=token, subject=subject)
        conditions = (
            " AND ".join(f"{quote_identifier(name)} = {quote_literal(value)}" for name, value in values)
            for values in partitions
        )
        where = " OR ".join(f"({condition})" for condition in conditions)
        self._query = f"SELECT * FROM {quote_table(table)} WHERE {where}"

    def _read(self) -> DataFrame:
        return self._session.sql(self._query)


def aggregate_partitions(
    session: SparkSession,
    location: str,
    data_format: str,
    partition_names: Sequence[str],
    expressions: Sequence[str],
    subject: str,
) -> Mapping[tuple[str, ...], tuple[Value, ...]]:
    """Evaluate aggregates for each partition of a version that holds at least one file, in one pass.

    Raises:
        EngineError: Spark failed. Nothing was published.
    """
    rows = StagedVersion(
        session,
        location,
        data_format,
        columns=(),
        partition_names=partition_names,
        version="",
        subject=subject,
    )
    return rows.aggregate(expressions)
