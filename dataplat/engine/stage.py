"""Writing a version where nobody looks yet."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from dataplat.engine.translate import engine_errors

Values = tuple[tuple[str, str], ...]


def stage_frame(
    frame: DataFrame,
    projection: Sequence[str],
    *,
    partitions: Sequence[Values],
    location: str,
    data_format: str,
    subject: str,
) -> list[int]:
    """Write a frame below ``location``, one folder a partition, and return the rows written into each.

    The location is private to one version, so no other job shares its temporary folder. The returned
    numbers are the writer's own word: they go into the balance and are compared with the files.

    Args:
        frame: What was read.
        projection: Spark expressions of the table's columns and of its partition values.
        partitions: The partitions asked for, in the order of the answer. Rows of any other partition
            are written too, so that the audit finds them.
        location: URI of a folder that does not exist yet.
        data_format: ``parquet`` or ``orc``.
        subject: What an error message opens with.

    Raises:
        EngineError: Spark failed; files may be left below ``location``, nothing refers to them.
        SourceUnavailableError: The source went away during the read.
    """
    observation = Observation("dataplat_written")
    names = [name for name, _ in partitions[0]]
    counts = [F.count_if(_is(values)).alias(f"rows_{index}") for index, values in enumerate(partitions)]
    with engine_errors(subject):
        staged = frame.selectExpr(*projection).observe(observation, *counts)
        staged.write.mode("error").partitionBy(*names).format(data_format).save(location)
        found = observation.get
    return [int(found.get(f"rows_{index}") or 0) for index in range(len(partitions))]


def _is(values: Values) -> Column:
    condition = F.lit(True)
    for name, value in values:
        condition = condition & (F.col(name) == value)
    return condition
