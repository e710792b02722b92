"""A model's SQL: analysed for its columns, and run."""

from collections.abc import Iterable, Mapping
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from dataplat.engine.translate import engine_errors, query_errors
from dataplat.plan.ddl import HiveColumn

Values = tuple[tuple[str, str], ...]


class PartitionQueries:
    """The queries of some partitions of one table, as one frame. Analysed when built, run by whoever writes.

    Args:
        session: Where they are run.
        queries: The SQL of each partition, by its values. All make the same columns.
        subject: What a message opens with.

    Raises:
        QueryRefusedError: A query does not parse, names a table or column that is not there, or makes other
            columns than the first.
        EngineError: The engine cannot be asked.
    """

    def __init__(self, session: SparkSession, queries: Mapping[Values, str], subject: str) -> None:
        self._subject = subject
        with query_errors(subject):
            self._frames = {values: session.sql(sql) for values, sql in queries.items()}
            self._fields = _together(self._frames.values()).schema.fields

    @property
    def columns(self) -> tuple[HiveColumn, ...]:
        """Name and type of what the queries make, by Spark's analysis."""
        return tuple(HiveColumn(field.name.lower(), field.dataType.simpleString()) for field in self._fields)

    def frame(self) -> DataFrame:
        """Return all rows. Of several partitions, each row ends with the values of its own."""
        frames = list(self._frames.items())
        if len(frames) == 1:
            return frames[0][1]
        with engine_errors(self._subject):
            return _together(
                rows.select("*", *[F.lit(value).alias(name) for name, value in values])
                for values, rows in frames
            )


def _together(frames: Iterable[DataFrame]) -> DataFrame:
    return reduce(DataFrame.unionByName, frames)
