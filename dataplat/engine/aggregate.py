"""One aggregation over a staged version, for all checks that can share it."""

from collections.abc import Mapping, Sequence

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from dataplat.engine.translate import engine_errors


def aggregate_partitions(
    session: SparkSession,
    location: str,
    data_format: str,
    partition_names: Sequence[str],
    expressions: Sequence[str],
    subject: str,
) -> Mapping[tuple[str, ...], tuple[int, ...]]:
    """Evaluate aggregate expressions for each partition of a staged version, in one pass.

    Returns:
        The values in the order of ``expressions``, by partition values. A partition without rows is
        absent. The caller makes sure that the version holds at least one file.

    Raises:
        EngineError: Spark failed. Nothing was published.
    """
    columns = [F.expr(text).alias(f"value_{index}") for index, text in enumerate(expressions)]
    with engine_errors(subject):
        frame = session.read.format(data_format).load(location)
        rows = frame.groupBy(*partition_names).agg(*columns).collect()
    width = len(partition_names)
    return {
        tuple(str(value) for value in row[:width]): tuple(int(value or 0) for value in row[width:])
        for row in rows
    }
