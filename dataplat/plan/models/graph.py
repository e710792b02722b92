"""All models and what they read: the graph of tables, in the order in which they can be made.

``build_graph`` is the way in. Columns of a model are known once its upstreams are, so models are read in that
order; a cycle is found before, and told as a path.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from sqlglot import exp

from dataplat.plan.grains import Grain
from dataplat.plan.models.analysis import ModelAnalysis, ParsedModel, analyse_model, parse_model
from dataplat.plan.models.mapping import Upstream
from dataplat.plan.models.problems import SqlRefusedError
from dataplat.plan.models.relations import declared_relations
from dataplat.plan.models.sql import position_of, table_name
from dataplat.specs import Catalog
from dataplat.specs.problems import Problem, spec_error

_READING = "1"  # raised when the same SQL is read otherwise than before, so that no kept graph is used


@dataclass(frozen=True)
class ModelGraph:
    """What every model reads and makes, by its name, upstreams before those who read them."""

    models: Mapping[str, ModelAnalysis]

    def upstreams(self, table: str) -> tuple[Upstream, ...]:
        """Return what a table reads; nothing for one that is no model."""
        return self.models[table].upstreams if table in self.models else ()

    def downstreams(self, table: str) -> tuple[str, ...]:
        """Return the models that read a table, in order of their names; itself not among them."""
        return self._downstreams.get(table, ())

    def upstream_partitions(self, table: str, grain: Grain, key: str) -> dict[str, tuple[str, ...]]:
        """Return the partitions that must stand before one of a model is made, by upstream.

        Those that nobody can wait for are left out: external tables, and upstreams that are read as a whole.
        """
        return {
            upstream.table: upstream.partitions(key, grain)
            for upstream in self.upstreams(table)
            if upstream.reads == "partitions" and not upstream.external
        }

    @cached_property
    def _downstreams(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name, analysis in self.models.items():
            for upstream in analysis.upstreams:
                if upstream.table != name:
                    found.setdefault(upstream.table, []).append(name)
        return {name: tuple(sorted(readers)) for name, readers in found.items()}


def build_graph(catalog: Catalog) -> ModelGraph:
    """Read the SQL of every model.

    Raises:
        SpecError: With every problem of every model, as file, line and a caret. Nothing was run.
    """
    graph, problems = read_models(catalog)
    if problems:
        raise spec_error(catalog.config_dir.name, problems)
    return graph


def read_models(catalog: Catalog) -> tuple[ModelGraph, list[Problem]]:
    """Read the SQL of every model; return what could be found, and every problem."""
    problems: list[Problem] = []
    parsed: dict[str, ParsedModel] = {}
    for spec in catalog.models.values():
        try:
            parsed[spec.table.lower()] = parse_model(spec)
        except SqlRefusedError as refused:
            problems += refused.problems
    order, cycles = _ordered(parsed)
    problems += cycles
    relations = declared_relations(catalog)
    found: dict[str, ModelAnalysis] = {}
    for name in order:
        analysis = analyse_model(parsed[name], relations)
        relations[name] = replace(relations[name], columns=analysis.columns)
        problems += analysis.problems
        found[parsed[name].spec.table] = analysis
    return ModelGraph(found), problems


def graph_fingerprint(catalog: Catalog) -> str:
    """Return 12 hex digits that are the same as long as ``build_graph`` would return the same.

    Reading a model's SQL takes milliseconds; whoever starts often may keep the graph under this name.
    """
    relations = sorted(map(repr, declared_relations(catalog).values()))
    models = sorted(
        f"{spec.table} {spec.declared.file} {sorted(spec.declared.lines.items(), key=str)} {spec.sha()}"
        for spec in catalog.models.values()
    )
    return hashlib.sha256("\n".join([_READING, *relations, *models]).encode()).hexdigest()[:12]


def _ordered(parsed: Mapping[str, ParsedModel]) -> tuple[list[str], list[Problem]]:
    """Return models with upstreams first, and a problem for each cycle."""
    order: list[str] = []
    problems: list[Problem] = []
    state: dict[str, str] = {}
    for root in parsed:
        path = [root]
        waiting = [_reads(parsed, root)] if root not in state else []
        state.setdefault(root, "open")
        while waiting:
            name = next(waiting[-1], None)
            if name is None:
                waiting.pop()
                done = path.pop()
                state[done] = "done"
                order.append(done)
            elif name not in state:
                state[name] = "open"
                path.append(name)
                waiting.append(_reads(parsed, name))
            elif state[name] == "open":
                problems.append(_cycle(parsed, path[path.index(name) :]))
    return order, problems


def _reads(parsed: Mapping[str, ParsedModel], name: str) -> Iterator[str]:
    return (table for table in parsed[name].tables if table in parsed and table != name)


def _cycle(parsed: Mapping[str, ParsedModel], names: list[str]) -> Problem:
    begin = names.index(min(names))
    path = [*names[begin:], *names[: begin + 1]]
    last = parsed[path[-2]]
    reads = (table for table in last.tree.find_all(exp.Table) if table_name(table) == path[0])
    shown = " → ".join(parsed[name].spec.table for name in path)
    return last.rendered.problem(position_of(next(reads)), f"models read each other in a cycle: {shown}")
