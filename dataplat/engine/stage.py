"""Writing a version where nobody looks yet."""

import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import count
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from dataplat.engine.translate import engine_errors
from dataplat.plan.partitions import hive_path

Values = tuple[tuple[str, str], ...]

# histogram_numeric is exact as long as it has a bin for each distinct value.
_BINS = 512


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
        projection: Spark expressions of the table's columns, and, when there are several partitions, of
            the partition values after them. A single partition is written straight into its folder.
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
    if len(partitions) == 1:
        with engine_errors(subject):
            staged = frame.selectExpr(*projection).observe(observation, F.count(F.lit(1)).alias("rows"))
            folder = f"{location}/{hive_path(partitions[0])}"
            staged.write.mode("error").format(data_format).save(folder)
            return [int(observation.get.get("rows") or 0)]
    names = [name for name, _ in partitions[0]]
    with engine_errors(subject):
        rows = PartitionHistogram(partitions)
        staged = frame.selectExpr(*projection).observe(observation, rows.of(names).alias("rows"))
        staged.write.mode("error").partitionBy(*names).format(data_format).save(location)
        return rows.counts(observation.get.get("rows"))


class PartitionHistogram:
    """Counts the rows of many partitions in one pass.

    A ``count_if`` for each partition would be evaluated for each row: thirty of them cost more than the
    read itself. The number of a partition is the CRC-32 of its values, which fits exactly into a double.
    """

    def __init__(self, partitions: Sequence[Values]) -> None:
        self._partitions = partitions
        salts = (str(number) if number else "" for number in count())
        self._salt = next(
            salt for salt in salts if len({_number(salt, some) for some in partitions}) == len(partitions)
        )

    def of(self, names: Sequence[str], where: Column | None = None) -> Column:
        """Return the aggregate over columns with the partition's values, or over some of the rows."""
        number = self._number_of(names)
        return F.histogram_numeric(number if where is None else F.when(where, number), F.lit(_BINS))

    def counts(self, answer: Any) -> list[int]:
        """Return the rows of each partition, in the order given; other partitions are left out."""
        rows: Counter[int] = Counter()
        for number, counted in answer or ():
            rows[int(number)] += int(counted)
        return [rows[_number(self._salt, values)] for values in self._partitions]

    def _number_of(self, names: Sequence[str]) -> Column:
        if not self._salt and len(names) == 1:
            return F.crc32(names[0])
        parts = [part for name in names for part in (F.lit("/"), F.col(name))]
        return F.crc32(F.concat(F.lit(self._salt), *parts[1:]))


def _number(salt: str, values: Values) -> int:
    return zlib.crc32((salt + "/".join(value for _, value in values)).encode())
