"""The order of a backfill: what each partition waits for, and which partitions make one run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.needed import needed_partitions
from dataplat.plan.partitions import contiguous_runs
from dataplat.plan.widths import partitions_at_once
from dataplat.specs import AnyTable, Catalog, ModelSpec

Place = tuple[str, str]
"""A table and a partition of it."""


def backfill_runs(
    catalog: Catalog, graph: ModelGraph, partitions: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the runs of a backfill, each a table and neighbouring partitions that one read or write covers.

    Args:
        catalog: Where the tables are declared.
        graph: What the models read.
        partitions: By table, upstreams before those who read them.
    """
    for table, keys in partitions.items():
        for run in table_runs(catalog, graph, catalog.any_table(table), keys):
            yield table, run


def table_runs(
    catalog: Catalog, graph: ModelGraph, spec: AnyTable, keys: Iterable[str]
) -> Iterator[tuple[str, ...]]:
    """Yield partitions of one table as runs."""
    width = partitions_at_once(graph, spec)
    for together in contiguous_runs(keys, spec.window.grain, catalog.platform.zone):
        for start in range(0, len(together), width):
            yield together[start : start + width]


def waits_for(
    catalog: Catalog, graph: ModelGraph, partitions: Mapping[str, Sequence[str]], *, whole: bool = True
) -> dict[Place, tuple[Place, ...]]:
    """Return the partitions of a backfill that each of its partitions reads.

    With ``whole``, a reader of ``latest`` or ``all_partitions`` of a table waits for all that is made of it.
    """
    inside = {table: set(keys) for table, keys in partitions.items()}
    found: dict[Place, tuple[Place, ...]] = {}
    for table, keys in partitions.items():
        spec = catalog.any_table(table)
        if not isinstance(spec, ModelSpec):
            found.update({(table, key): () for key in keys})
            continue
        everything = [
            (one.table, key)
            for one in graph.upstreams(table)
            if whole and one.reads != "partitions" and one.table in inside and one.table != table
            for key in partitions[one.table]
        ]
        for key in keys:
            needed = needed_partitions(catalog, graph, spec, key)
            read = [
                (name, one) for name, some in needed.items() for one in some if one in inside.get(name, ())
            ]
            found[table, key] = tuple(dict.fromkeys([*read, *everything]))
    return found


def without_unchanged(
    partitions: Mapping[str, Sequence[str]],
    waits: Mapping[Place, Sequence[Place]],
    unchanged: Mapping[str, Iterable[str]],
) -> dict[str, tuple[str, ...]]:
    """Leave out partitions that would be made as they stand: unchanged, and of nothing that is made again."""
    same = {table: set(keys) for table, keys in unchanged.items()}
    kept: set[Place] = set()
    for table, keys in partitions.items():
        for key in keys:
            if key not in same.get(table, ()) or any(place in kept for place in waits[table, key]):
                kept.add((table, key))
    found = {table: tuple(key for key in keys if (table, key) in kept) for table, keys in partitions.items()}
    return {table: keys for table, keys in found.items() if keys}
