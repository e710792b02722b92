"""Everything that can be wrong with models and their tests without running them."""

from collections.abc import Iterator

from dataplat.plan.models.fixtures import inspect_model_tests
from dataplat.plan.models.named import inspect_named
from dataplat.plan.models.reading import read_models
from dataplat.specs import Catalog
from dataplat.specs.problems import Problem


def inspect_models(catalog: Catalog) -> Iterator[Problem]:
    """Yield every problem of every model and of its tests; for ``load_catalog(…, inspect_all=…)``.

    Tests and checks are looked at once the models are right: what they name follows from the SQL.
    """
    graph, problems = read_models(catalog)
    yield from problems
    if not problems:
        yield from inspect_named(catalog, graph)
        yield from inspect_model_tests(catalog, graph)
