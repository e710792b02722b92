"""Everything that can be wrong with models and their tests without running them."""

from collections.abc import Collection, Iterator

from dataplat.plan.models.fixtures import inspect_model_tests
from dataplat.plan.models.functions import inspect_functions
from dataplat.plan.models.named import inspect_named
from dataplat.plan.models.reading import read_models
from dataplat.specs import Catalog
from dataplat.specs.problems import Problem


def inspect_models(catalog: Catalog, known: Collection[str] | None = None) -> Iterator[Problem]:
    """Yield every problem of every model and of its tests; for ``load_catalog(…, inspect_all=…)``.

    Tests and checks are looked at once the models are right: what they name follows from the SQL.

    Args:
        catalog: The models and their tests.
        known: The functions that models may call besides Spark's; without it calls are not looked at.
    """
    graph, problems = read_models(catalog)
    yield from problems
    if known is not None:
        yield from inspect_functions(graph, known)
    if not problems:
        yield from inspect_named(catalog, graph)
        yield from inspect_model_tests(catalog, graph)
