"""One partition of a source table, row by row: what its source holds now against what Hive shows of it.

Both sides answer with checksums of chunks, and only rows of unequal chunks are moved (``plan/row_chunks``).
Nothing is written. The source is read in one transaction for each instance, so all its answers are of one
moment; Hive is read through the metastore, and a version that is published meanwhile ends the comparison.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataplat.engine.aggregate import StagedVersion
from dataplat.errors import LoadInProgressError
from dataplat.ledger import LockOwner
from dataplat.lifecycle.compared_table import ComparedTable
from dataplat.lifecycle.lookup import find_location
from dataplat.lifecycle.platform import Platform
from dataplat.plan.checksums import Checksum
from dataplat.plan.chunk_queries import ChunkQueries
from dataplat.plan.comparison import Comparison
from dataplat.plan.row_chunks import (
    Chunks,
    FoundRow,
    HashedRow,
    Step,
    Tally,
    compare_rows,
    first_step,
    next_steps,
    unequal_chunks,
)
from dataplat.plan.row_values import ColumnDifference, RowDifference, Value, read_value
from dataplat.sources.mysql import InstanceConnections
from dataplat.specs import TableSpec

_COLUMNS_A_FETCH = 500

# What is being done, and how many of how many pieces of it are done.
Listen = Callable[[str, int, int], None]
_Texts = Mapping[int, Sequence[Value]]


@dataclass(frozen=True)
class RowDiff:
    """What a partition differs in.

    Attributes:
        table: The table.
        partition: Its key.
        source_rows: Rows at the source.
        hive_rows: Rows that Hive shows.
        lost: Rows that only the source has.
        extra: Rows that only Hive has.
        changed: Rows that both have, with other values.
        rows_moved: Rows that were fetched from either side, each counted once; equal rows are one.
        differences: The first of them.
        not_compared: A sentence for each column that only one side has, and for rows that are left out.
        quoted: Columns that hold text.
    """

    table: str
    partition: str
    source_rows: int
    hive_rows: int
    lost: int
    extra: int
    changed: int
    rows_moved: int
    differences: tuple[RowDifference, ...]
    not_compared: tuple[str, ...]
    quoted: frozenset[str] = frozenset()

    @property
    def equal(self) -> bool:
        """Whether no row differs."""
        return not (self.lost or self.extra or self.changed)


def diff_partition(
    platform: Platform,
    spec: TableSpec,
    key: str,
    *,
    limit: int,
    command: str = "",
    listen: Listen = lambda *_: None,
) -> RowDiff:
    """Compare a published partition with its source, and show up to ``limit`` rows that differ.

    Raises:
        VersionError: The partition is not published.
        LoadInProgressError: It was published again meanwhile. Nothing can be said of it.
        SourceError: The source refused, or is not as declared.
        EngineError: Spark or the metastore refused.
    """
    subject = f"{spec.table}[{key}]"
    location = find_location(platform, spec, key)
    visible = platform.ledger.visible(spec.table, [key]).get(key)
    sources = list(platform.catalog.instances_of(spec).values())
    owner = LockOwner.current(command=command)
    protecting = platform.protection(
        sources, purpose=subject, owner=owner, say=lambda text: listen(text, 0, 1)
    )
    with protecting.held() as protection:
        protection.take()
        protection.wait_for_replicas()
        table = ComparedTable(platform, spec, [key], protection)
        with table.open_source() as connections, table.open_hive(subject) as rows:
            queries = ChunkQueries(table.comparison, table.survey.shards, rows.name)
            found = _Comparing(table.comparison, queries, connections, rows, subject, listen)
            report = found.compare(first_step((visible and visible.rows) or 0), limit)
    if find_location(platform, spec, key) != location:
        raise LoadInProgressError(
            subject,
            "the partition was published again while it was compared",
            effect="nothing is known of either version",
            next_steps=[f"dataplat diff {spec.table} {key}"],
        )
    return report


class _Comparing:
    """Asks both sides the same questions, and counts what is moved."""

    def __init__(
        self,
        comparison: Comparison,
        queries: ChunkQueries,
        connections: InstanceConnections,
        rows: StagedVersion,
        subject: str,
        listen: Listen,
    ) -> None:
        self._comparison = comparison
        self._queries = queries
        self._connections = connections
        self._rows = rows
        self._subject = subject
        self._listen = listen
        self._moved = 0

    def compare(self, first: Step, limit: int) -> RowDiff:
        self._listen("comparing checksums", 0, 1)
        source, hive = self._chunks(first)
        source_rows, hive_rows = (sum(one.rows for one in side.values()) for side in (source, hive))
        fetches = self._cut(first.bits, unequal_chunks(source, hive))
        tally = Tally(limit)
        for done, chunks in enumerate(fetches):
            self._listen("comparing rows", done, len(fetches))
            for row in self._differing(chunks):
                tally.add(row)
        differences = self._with_columns(tally.shown)
        table, _, partition = self._subject.rstrip("]").partition("[")
        return RowDiff(
            table,
            partition,
            source_rows,
            hive_rows,
            tally.lost,
            tally.extra,
            tally.changed,
            self._moved,
            tuple(differences),
            self._comparison.not_compared,
            frozenset(column.name for column in self._comparison.columns if column.form.is_text),
        )

    def _chunks(self, step: Step) -> tuple[dict[int, Checksum], dict[int, Checksum]]:
        source: dict[int, Checksum] = {}
        for number, rows, total in self._ask_source(self._queries.source_chunks(step)):
            source[int(number)] = source.get(int(number), Checksum()) + Checksum(int(rows), int(total))
        hive = {
            int(number): Checksum(int(rows), int(total))
            for number, rows, total in self._ask_hive(self._queries.hive_chunks(step))
        }
        return source, hive

    def _cut(self, bits: int, unequal: Mapping[int, int]) -> list[Chunks]:
        """Cut unequal chunks until they are small, and return what has to be fetched."""
        steps, fetches = next_steps(bits, unequal)
        for done, step in enumerate(steps):
            self._listen("comparing checksums of smaller chunks", done, len(steps))
            fetches += self._cut(step.bits, unequal_chunks(*self._chunks(step)))
        return fetches

    def _differing(self, chunks: Chunks) -> Iterable[FoundRow]:
        # A query of the source answers for one group of shards: equal rows of two groups come twice.
        source = self._moved_rows(self._ask_source(self._queries.source_rows(chunks)))
        hive = self._moved_rows(self._ask_hive(self._queries.hive_rows(chunks)))
        return compare_rows(source, hive)

    def _moved_rows(self, answer: Sequence[Sequence[Any]]) -> list[HashedRow]:
        self._moved += len(answer)
        return [HashedRow(bytes(key), int(hashed), int(rows)) for key, hashed, rows in answer]

    def _with_columns(self, rows: Sequence[FoundRow]) -> list[RowDifference]:
        differences = []
        for start in range(0, len(rows), _COLUMNS_A_FETCH):
            some = rows[start : start + _COLUMNS_A_FETCH]
            self._listen("fetching columns", start, len(rows))
            at_source = [row for row in some if row.source is not None]
            in_hive = [row for row in some if row.hive is not None]
            source = self._columns_at_source(
                [row.key for row in at_source], [row.source for row in at_source]
            )
            hive = self._columns_in_hive([row.key for row in in_hive], [row.hive for row in in_hive])
            differences += [_describe(self._comparison, row, source, hive) for row in some]
        return differences

    def _columns_at_source(self, keys: Sequence[bytes], hashes: Sequence[int | None]) -> _Texts:
        named = [one for one in hashes if one is not None]
        return _texts(self._ask_source(self._queries.source_columns(keys, named)) if named else [])

    def _columns_in_hive(self, keys: Sequence[bytes], hashes: Sequence[int | None]) -> _Texts:
        named = [one for one in hashes if one is not None]
        return _texts(self._ask_hive(self._queries.hive_columns(keys, named)) if named else [])

    def _ask_source(self, queries: Sequence[tuple[str, str]]) -> list[tuple[Any, ...]]:
        return [
            row
            for source, query in queries
            for row in self._connections.by_name[source].rows(query, subject=self._subject)
        ]

    def _ask_hive(self, query: str) -> list[tuple[Any, ...]]:
        return self._rows.ask(query, self._subject)


def _texts(answer: Sequence[Sequence[Any]]) -> _Texts:
    """Return the columns of rows by hash. Each of these rows was moved before, with its key, and counted."""
    return {int(row[0]): row[1:] for row in answer}


def _describe(comparison: Comparison, row: FoundRow, source: _Texts, hive: _Texts) -> RowDifference:
    """Return a row that differs, with its key and what is different about it."""
    here, there = (
        _values(comparison, side.get(one) if one is not None else None)
        for side, one in ((source, row.source), (hive, row.hive))
    )
    known = here or there
    if not known:  # it has gone since its hash was fetched; only an engine without transactions lets it
        return RowDifference(row.kind, (("key", row.key.decode(errors="replace")),))
    key = tuple((column.name, known[column.name][1]) for column in comparison.key)
    named = {column.name for column in comparison.key}
    if comparison.key and row.kind != "changed":
        return RowDifference(row.kind, key)
    nothing: tuple[Value, Value] = (None, None)
    columns = []
    for column in comparison.columns:
        one, other = here.get(column.name, nothing), there.get(column.name, nothing)
        if column.name not in named and (row.kind != "changed" or one[0] != other[0]):
            columns.append(ColumnDifference(column.name, one[1], other[1]))
    return RowDifference(row.kind, key, tuple(columns))


def _values(comparison: Comparison, texts: Sequence[Value] | None) -> dict[str, tuple[Value, Value]]:
    """Return for each column the text that was compared and the value that is shown."""
    if texts is None:
        return {}
    pairs = zip(texts[::2], texts[1::2], strict=True)
    return {
        column.name: (text, read_value(column.form, text, beginning))
        for column, (text, beginning) in zip(comparison.columns, pairs, strict=True)
    }
