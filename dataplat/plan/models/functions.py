"""The functions that a model calls and Spark does not bring: UDFs, the metastore's own, or mistakes."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from sqlglot import exp

from dataplat.plan.models.graph import FunctionCall, ModelGraph
from dataplat.plan.models.render import RenderedSql
from dataplat.plan.models.spark_functions import SPARK_FUNCTIONS
from dataplat.plan.models.sql import position_of
from dataplat.specs.problems import Problem, did_you_mean


def called_functions(trees: Iterable[tuple[exp.Query, RenderedSql]]) -> tuple[FunctionCall, ...]:
    """Return the first call of each function that is not Spark's, in order of their names.

    A name with a database before it (``dw.f(x)``) is one of the metastore's, and left out.
    """
    found: dict[str, FunctionCall] = {}
    for tree, rendered in trees:
        for call in tree.find_all(exp.Anonymous):
            name = str(call.this).lower()
            if name not in SPARK_FUNCTIONS and name not in found and not isinstance(call.parent, exp.Dot):
                found[name] = FunctionCall(name, rendered.problem(position_of(call), ""))
    return tuple(found[name] for name in sorted(found))


def inspect_functions(graph: ModelGraph, known: Collection[str]) -> Iterator[Problem]:
    """Yield a problem for each call of a function that nobody declared.

    Args:
        graph: The models.
        known: UDFs, and ``functions`` of platform.yaml.
    """
    for analysis in graph.models.values():
        for call in analysis.functions:
            if call.name not in known:
                near = did_you_mean(call.name, known) or did_you_mean(call.name, SPARK_FUNCTIONS)
                remedy = (
                    "; declare it as a UDF, or list it in `functions` of platform.yaml if the engine has it"
                )
                yield replace(call.place, text=f"there is no function '{call.name}'{near or remedy}")
