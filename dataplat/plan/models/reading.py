"""All models and what they read: the graph of tables, in the order in which they can be made.

``build_graph`` is the way in. Columns of a model are known once its upstreams are, so models are read in that
order; a cycle is found before, and told as a path.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sqlglot import exp

from dataplat.plan.models.analysis import ParsedModel, analyse_model, parse_model
from dataplat.plan.models.graph import ModelAnalysis, ModelGraph
from dataplat.plan.models.problems import SqlRefusedError
from dataplat.plan.models.relations import declared_relations
from dataplat.plan.models.sql import position_of, table_name
from dataplat.specs import Catalog
from dataplat.specs.problems import Problem, spec_error


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
