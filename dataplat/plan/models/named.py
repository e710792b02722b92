"""What checks say about models of other files: columns that they make, tables that they read, who waits.

Loaded tables list their columns, so ``specs`` knows what a check may name of them. What a model makes and
reads follows from its SQL, and is known here, still without running anything. The columns that a check reads
of its own model are looked at with the model's SQL, in ``projection``.
"""

from collections.abc import Collection, Iterator

from dataplat.plan.models.graph import ModelGraph
from dataplat.specs import AnyTable, Catalog, CheckSpec, FanOutCheck
from dataplat.specs.check_names import written_at
from dataplat.specs.problems import Loc, Problem, did_you_mean


def inspect_named(catalog: Catalog, graph: ModelGraph) -> Iterator[Problem]:
    """Yield every name in a check that the graph knows to be wrong."""
    for spec in catalog.all_tables.values():
        for index, check in enumerate(spec.checks):
            for loc, text in (
                *_columns_there(graph, check),
                *_multiplied(graph, spec, check),
                *_blocked(graph, spec, check),
            ):
                yield spec.declared.problem(written_at(spec, index, check, loc), text)


def _columns_there(graph: ModelGraph, check: CheckSpec) -> Iterator[tuple[Loc, str]]:
    for loc, table, name in check.columns_there_at():
        columns = graph.models[table].columns if table in graph.models else None
        if columns is not None and name.lower() not in columns:
            yield loc, f"'{name}' is no column of {table}{did_you_mean(name, columns)}"


def _multiplied(graph: ModelGraph, spec: AnyTable, check: CheckSpec) -> Iterator[tuple[Loc, str]]:
    """Yield a problem if the rows that a model is said to multiply are none that it reads."""
    if not isinstance(check, FanOutCheck) or not check.of or spec.table not in graph.models:
        return
    read = [upstream.table for upstream in graph.upstreams(spec.table)]
    if check.of.lower() not in {name.lower() for name in read}:
        hint = did_you_mean(check.of, read) or f"; it reads {', '.join(read) or 'nothing'}"
        yield ("of",), f"{spec.table} does not read {check.of}, so it cannot multiply its rows{hint}"


def _blocked(graph: ModelGraph, spec: AnyTable, check: CheckSpec) -> Iterator[tuple[Loc, str]]:
    """Yield a problem for each downstream that does not wait for the table, so that nothing holds it back."""
    readers = {name.lower(): name for name in graph.downstreams(spec.table)}
    for index, name in enumerate(() if isinstance(check.blocks, str) else check.blocks):
        loc: Loc = ("blocks", index)
        if name.lower() not in readers:
            hint = did_you_mean(name, readers.values()) or f"; it is read by {_list(readers.values())}"
            yield loc, f"{name} does not read {spec.table}, so it cannot wait for it{hint}"
            continue
        how = next(one for one in graph.upstreams(readers[name.lower()]) if one.table == spec.table)
        if how.reads != "partitions":
            mode = how.reads.replace("_", " ")
            yield loc, f"{name} reads {spec.table} as `{mode}`, so it waits for no partition of it"


def _list(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "no model"
