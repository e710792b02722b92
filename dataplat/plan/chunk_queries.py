"""What both sides are asked about chunks of a partition's rows, and about single rows of them."""

import zlib
from collections.abc import Callable, Sequence

from dataplat.plan.checksums import ComparedColumn, source_hash, spark_hash, spark_row
from dataplat.plan.comparison import Comparison, group_by_instance, render_where
from dataplat.plan.ddl import quote_identifier
from dataplat.plan.row_chunks import Chunks, Step
from dataplat.plan.row_values import source_values, spark_values
from dataplat.plan.sql import PhysicalTable

# What is selected of each row of a physical table.
Select = Callable[[PhysicalTable], Sequence[str]]


class ChunkQueries:
    """The queries of one comparison.

    Those of the source come with the instance that is asked; what several of them answer belongs together.
    Rows without a key are named by the digest of all their columns.
    """

    def __init__(self, comparison: Comparison, shards: Sequence[PhysicalTable], rows: str) -> None:
        self._comparison = comparison
        self._shards = shards
        self._rows = rows

    def source_chunks(self, step: Step) -> list[tuple[str, str]]:
        """Ask the source for ``number, rows, checksum`` of each chunk."""

        def select(shard: PhysicalTable) -> list[str]:
            number = f"CRC32({self._source_key(shard)}) & {_mask(step.bits)} AS c"
            return [number, f"{self._source_hash(shard)} AS h"]

        return self._source(select, step.within, "SELECT c, COUNT(*), SUM(h)", "GROUP BY c")

    def hive_chunks(self, step: Step) -> str:
        """Ask Hive for the same."""
        columns = [f"crc32({self._hive_key()}) & {_mask(step.bits)} AS c", f"{self._hive_hash()} AS h"]
        return self._hive(columns, step.within, "SELECT c, count(1), sum(h)", "GROUP BY c")

    def source_rows(self, chunks: Chunks) -> list[tuple[str, str]]:
        """Ask the source for ``key, hash, rows`` of the rows of some chunks; equal rows are one."""

        def select(shard: PhysicalTable) -> list[str]:
            return [f"CAST({self._source_key(shard)} AS BINARY) AS k", f"{self._source_hash(shard)} AS h"]

        return self._source(select, chunks, "SELECT MIN(k), h, COUNT(*)", "GROUP BY h")

    def hive_rows(self, chunks: Chunks) -> str:
        """Ask Hive for the same."""
        columns = [f"CAST({self._hive_key()} AS BINARY) AS k", f"{self._hive_hash()} AS h"]
        return self._hive(columns, chunks, "SELECT min(k), h, count(1)", "GROUP BY h")

    def source_columns(self, keys: Sequence[bytes], hashes: Sequence[int]) -> list[tuple[str, str]]:
        """Ask the source for ``hash`` and each column's values, of the rows with these keys and hashes."""
        compared = self._comparison.columns

        def select(shard: PhysicalTable) -> list[str]:
            sent = self._comparison.sent_to(shard, compared)
            values = source_values(compared, sent, self._comparison.zone)
            return [f"{self._source_hash(shard)} AS h", *_named(values)]

        return self._source(select, _of_keys(keys), _one_of_each(compared), _with_hashes(hashes))

    def hive_columns(self, keys: Sequence[bytes], hashes: Sequence[int]) -> str:
        """Ask Hive for the same."""
        compared = self._comparison.columns
        values = spark_values(
            [(column, quote_identifier(column.name)) for column in compared], self._comparison.zone
        )
        columns = [f"{self._hive_hash()} AS h", *_named(values)]
        return self._hive(columns, _of_keys(keys), _one_of_each(compared), _with_hashes(hashes))

    def _source(self, select: Select, chunks: Chunks, head: str, tail: str) -> list[tuple[str, str]]:
        branches = []
        (target,) = self._comparison.shape.partitions
        for shard in self._shards:
            conditions = self._comparison.where(shard, target)
            if chunks.bits:
                conditions.append(_within(f"CRC32({self._source_key(shard)})", chunks))
            branch = f"SELECT {', '.join(select(shard))} FROM {shard.sql}{render_where(conditions)}"
            branches.append((shard, branch))
        return [
            (source, f"{head} FROM (\n" + "\nUNION ALL\n".join(some) + f"\n) AS dataplat_rows {tail}")
            for source, some in group_by_instance(branches)
        ]

    def _hive(self, columns: Sequence[str], chunks: Chunks, head: str, tail: str) -> str:
        conditions = [_within(f"crc32({self._hive_key()})", chunks)] if chunks.bits else []
        inner = f"SELECT {', '.join(columns)} FROM {self._rows}{render_where(conditions)}"
        return f"{head} FROM ({inner}) {tail}"

    def _source_key(self, shard: PhysicalTable) -> str:
        if not self._comparison.key:
            return f"MD5({self._comparison.source_row(shard, self._comparison.columns)})"
        return self._comparison.source_row(shard, self._comparison.key)

    def _source_hash(self, shard: PhysicalTable) -> str:
        return source_hash(self._comparison.source_row(shard, self._comparison.columns))

    def _hive_key(self) -> str:
        if not self._comparison.key:
            return f"md5(CAST({spark_row(self._comparison.columns, self._comparison.zone)} AS BINARY))"
        return spark_row(self._comparison.key, self._comparison.zone)

    def _hive_hash(self) -> str:
        return spark_hash(spark_row(self._comparison.columns, self._comparison.zone))


def _of_keys(keys: Sequence[bytes]) -> Chunks:
    """Return the smallest chunks that hold some keys."""
    return Chunks(32, tuple(sorted({zlib.crc32(key) for key in keys})))


def _mask(bits: int) -> int:
    return (1 << bits) - 1


def _within(checksum: str, chunks: Chunks) -> str:
    return f"({checksum} & {chunks.mask}) IN ({', '.join(map(str, chunks.numbers))})"


def _named(values: Sequence[str]) -> list[str]:
    return [f"{value} AS v{number}" for number, value in enumerate(values)]


def _one_of_each(columns: Sequence[ComparedColumn]) -> str:
    """Return the head of a query for one of several equal rows: the least of equal values is each of them."""
    return f"SELECT h, {', '.join(f'MIN(v{number})' for number in range(2 * len(columns)))}"


def _with_hashes(hashes: Sequence[int]) -> str:
    return f"WHERE h IN ({', '.join(map(str, hashes))}) GROUP BY h"
