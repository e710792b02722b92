"""Rows that cannot be represented: counted while they pass, and kept out of the table's files."""

from collections.abc import Sequence

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from dataplat.engine.stage import PartitionHistogram, Values
from dataplat.plan.dirty import REASONS_ALIAS


class DirtyRows:
    """Tells apart the rows of one read. Its counts are known once the frame that it returned was written.

    Args:
        partitions: The partitions that are read, in the order of the answers.
        columns: Spark expressions of a row's partition values. None where every row is of every partition:
            where there is one, and for a snapshot.
    """

    def __init__(self, partitions: Sequence[Values], columns: Sequence[str]) -> None:
        self._partitions = len(partitions)
        self._columns = list(columns)
        self._names = [name for name, _ in partitions[0]]
        self._histogram = PartitionHistogram(partitions) if columns else None
        self._observation = Observation("dataplat_read")

    def without(self, frame: DataFrame) -> DataFrame:
        """Return the clean rows of what was read. Both kinds are counted before they are told apart."""
        dirty = F.col(REASONS_ALIAS).isNotNull()
        if self._histogram is None:
            counts = [F.count(F.lit(1)).alias("read"), F.count_if(dirty).alias("dirty")]
            return frame.observe(self._observation, *counts).where(~dirty)
        numbered = frame.selectExpr("*", *self._columns)
        counts = [
            self._histogram.of(self._names).alias("read"),
            self._histogram.of(self._names, dirty).alias("dirty"),
        ]
        return numbered.observe(self._observation, *counts).where(~dirty).drop(*self._names)

    def read(self) -> list[int]:
        """Return how many rows of each partition were read, dirty ones included."""
        return self._counts("read")

    def dirty(self) -> list[int]:
        """Return how many of them were kept out."""
        return self._counts("dirty")

    def _counts(self, name: str) -> list[int]:
        answer = self._observation.get.get(name)
        if self._histogram is None:
            return [int(answer or 0)] * self._partitions
        return self._histogram.counts(answer)
