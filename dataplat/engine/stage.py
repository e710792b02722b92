"""Writing a version where nobody looks yet."""

import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import count

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
    salt = _salt_without_collision(partitions)
    names = [name for name, _ in partitions[0]]
    with engine_errors(subject):
        counts = F.histogram_numeric(_number_of(salt, names), F.lit(_BINS)).alias("rows")
        staged = frame.selectExpr(*projection).observe(observation, counts)
        staged.write.mode("error").partitionBy(*names).format(data_format).save(location)
        rows: Counter[int] = Counter()
        for number, written in observation.get.get("rows") or ():
            rows[int(number)] += int(written)
    return [rows[_number(salt, values)] for values in partitions]


def _number_of(salt: str, names: Sequence[str]) -> Column:
    """Return a number for the partition of a row: one histogram counts all partitions in one pass.

    A ``count_if`` for each partition would be evaluated for each row: thirty of them cost more than the
    read itself. The number is the CRC-32 of the values, which fits exactly into a double.
    """
    if not salt and len(names) == 1:
        return F.crc32(names[0])
    parts = [part for name in names for part in (F.lit("/"), F.col(name))]
    return F.crc32(F.concat(F.lit(salt), *parts[1:]))


def _number(salt: str, values: Values) -> int:
    return zlib.crc32((salt + "/".join(value for _, value in values)).encode())


def _salt_without_collision(partitions: Sequence[Values]) -> str:
    salts = (str(number) if number else "" for number in count())
    return next(salt for salt in salts if len({_number(salt, p) for p in partitions}) == len(partitions))
