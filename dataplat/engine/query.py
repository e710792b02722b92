"""A model's SQL: analysed for its columns, and run."""

from pyspark.sql import DataFrame, SparkSession

from dataplat.engine.translate import engine_errors
from dataplat.plan.ddl import HiveColumn


def describe_query(session: SparkSession, sql: str, subject: str) -> tuple[HiveColumn, ...]:
    """Return name and type of the columns of a query, by Spark's analysis; nothing is run.

    Raises:
        EngineError: The SQL does not parse, or names a table or column that is not there.
    """
    with engine_errors(subject):
        fields = session.sql(sql).schema.fields
    return tuple(HiveColumn(field.name.lower(), field.dataType.simpleString()) for field in fields)


def query_frame(session: SparkSession, sql: str, subject: str) -> DataFrame:
    """Return the frame of a query; nothing is run yet."""
    with engine_errors(subject):
        return session.sql(sql)
