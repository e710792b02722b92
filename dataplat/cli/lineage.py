"""Lineage as a tree of text and as a document: of a table down to what is loaded, and of a column.

A table or column that several others read is followed where it is met first, and only named afterwards, so
that a tree is never longer than the graph.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataplat.errors import SelectionError
from dataplat.plan.models.graph import ALL_COLUMNS, ColumnLineage, ColumnRef, ModelGraph
from dataplat.plan.models.mapping import Upstream
from dataplat.specs import AnyTable, Catalog, ModelSpec
from dataplat.specs.problems import did_you_mean


@dataclass(frozen=True)
class Tree:
    """What ``lineage`` shows: lines for people, and the same as JSON."""

    lines: tuple[str, ...]
    document: Mapping[str, Any]


@dataclass(frozen=True)
class _Node:
    """A line of a tree, and under which name what is below it is found."""

    name: str
    text: str


_Below = Callable[[str], Sequence[_Node]]


def table_tree(catalog: Catalog, graph: ModelGraph, spec: AnyTable) -> Tree:
    """Return the upstreams of a table with the partitions that are read, and theirs in turn."""

    def below(name: str) -> list[_Node]:
        return [
            _Node(one.table, f"{one}{_origin(catalog, one.table, one.external)}")
            for one in graph.upstreams(name)
        ]

    readers = graph.downstreams(spec.table)
    lines = [f"{spec.table}{_origin(catalog, spec.table)}", *_branches(spec.table, below, {spec.table})]
    if readers:
        lines += ["", f"read by {', '.join(readers)}"]
    document = {
        "table": spec.table,
        "upstreams": {name: _upstreams(graph, name) for name in _reached(spec.table, below)},
        "downstreams": list(readers),
    }
    return Tree(tuple(lines), document)


def column_tree(catalog: Catalog, graph: ModelGraph, spec: ModelSpec, column: str) -> Tree:
    """Return the columns that the values of one column are made of, and theirs in turn.

    Raises:
        SelectionError: The model makes no such column.
    """
    known = {str(ref): found for ref, found in _columns(graph)}
    root = str(ColumnRef(spec.table, _made(graph, spec, column)))

    def find(name: str) -> ColumnLineage | None:
        return known.get(name) or known.get(f"{name.rpartition('.')[0]}.{ALL_COLUMNS}")

    def below(name: str) -> list[_Node]:
        found = find(name)
        if found is None:
            return []
        nodes = [
            _Node(str(ref), f"{ref}{_origin(catalog, ref.table, ref.table not in catalog.all_tables)}")
            for ref in found.sources
        ]
        return nodes if found.complete else [*nodes, _Node("", "others, which the SQL does not name")]

    lines = [root, *_branches(root, below, {root})]
    if len(lines) == 1:
        lines = [f"{root}: made of no column"]
    made = {name: found for name in _reached(root, below) if (found := find(name))}
    document = {
        "table": spec.table,
        "column": root.removeprefix(f"{spec.table}."),
        "columns": {name: _column_document(found) for name, found in made.items()},
    }
    return Tree(tuple(lines), document)


def _columns(graph: ModelGraph) -> Iterator[tuple[ColumnRef, ColumnLineage]]:
    for table, analysis in graph.models.items():
        for found in analysis.lineage:
            yield ColumnRef(table, found.column), found


def _made(graph: ModelGraph, spec: ModelSpec, column: str) -> str:
    """Return a column as the model makes it; any name, where a star brings columns that are not known."""
    names = [found.column for found in graph.models[spec.table].lineage]
    for name in (column, column.lower()):
        if name in names or ALL_COLUMNS in names:
            return name
    raise SelectionError(
        f"{spec.table}.{column}",
        f"the model makes no such column{did_you_mean(column, names)}",
        facts=[("columns", ", ".join(names)), ("declared", spec.sql_file)],
        effect="nothing was run",
        next_steps=[f"dataplat lineage {spec.table}"],
    )


def _origin(catalog: Catalog, table: str, external: bool = False) -> str:
    if external:
        return ", made elsewhere"
    found = catalog.tables.get(table)
    return f", loaded from {', '.join(found.all_sources)}" if found else ""


def _branches(name: str, below: _Below, seen: set[str], indent: str = "") -> Iterator[str]:
    nodes = below(name)
    for node in nodes:
        last = node is nodes[-1]
        again = node.name in seen and bool(below(node.name))
        yield f"{indent}{'└── ' if last else '├── '}{node.text}{', as above' if again else ''}"
        if not again:
            seen.add(node.name)
            yield from _branches(node.name, below, seen, indent + ("    " if last else "│   "))


def _reached(name: str, below: _Below) -> list[str]:
    """Return a name and all that is below it, each once, in the order of the tree."""
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current and current not in found:
            found[current] = None
            waiting += [node.name for node in reversed(below(current))]
    return list(found)


def _upstreams(graph: ModelGraph, table: str) -> list[dict[str, Any]]:
    return [_upstream_document(one) for one in graph.upstreams(table)]


def _upstream_document(one: Upstream) -> dict[str, Any]:
    return {
        "table": one.table,
        "grain": one.grain,
        "reads": one.reads,
        "partitions": [str(span) for span in one.spans],
        "stated": one.stated,
        "external": one.external,
    }


def _column_document(found: ColumnLineage) -> dict[str, Any]:
    return {"sources": [str(ref) for ref in found.sources], "complete": found.complete}
