"""Tests of models: given rows in place of the upstreams, production's SQL, and what it makes compared.

Tests need an engine and nothing else: the given rows are views of one session, so neither the warehouse nor
the ledger nor the metastore is asked or changed, and there need not be any.
"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dataplat.engine.given import given_views, query_rows
from dataplat.engine.session import SparkEngine
from dataplat.errors import DataplatError, EngineLostError, QueryRefusedError, SelectionError
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.refusals import refused_at
from dataplat.plan.models.fixtures import case_partition, given_tables
from dataplat.plan.models.given_sql import over_given_rows
from dataplat.plan.models.render import render_for_engine
from dataplat.plan.models.row_diff import RowDiff, compare_rows
from dataplat.specs import Catalog, ModelSpec, ModelTestCase

Verdict = Literal["passed", "failed", "broken"]


@dataclass(frozen=True)
class ModelTest:
    """One case of a model's ``.test.yaml``.

    Attributes:
        spec: The model.
        name: What the case is called.
        case: What is given and expected.
        declared: The file and line of it.
    """

    spec: ModelSpec
    name: str
    case: ModelTestCase
    declared: str


@dataclass(frozen=True)
class ModelTestResult:
    """How a test ended.

    Attributes:
        test: Which.
        verdict: ``failed`` if other rows were made than expected, ``broken`` if none could be made.
        seconds: How long it took.
        diff: What differs; none of a broken one.
        error: Why no rows could be made.
    """

    test: ModelTest
    verdict: Verdict
    seconds: float
    diff: RowDiff | None = None
    error: DataplatError | None = None


def select_tests(catalog: Catalog, expression: str = "") -> list[ModelTest]:
    """Return the tests of the models that an expression names, of all models without one.

    Raises:
        SelectionError: If it names no table, or there is no test of what it names.
    """
    names = [spec.table for spec in catalog.select_any(expression)] if expression else [*catalog.models]
    found = [
        ModelTest(catalog.models[name], title, case, tests.at(title).split(" ")[0])
        for name in names
        if (tests := catalog.model_tests.get(name)) is not None
        for title, case in tests.tests.items()
    ]
    if not found:
        model = next((catalog.models[name] for name in names if name in catalog.models), None)
        place = model.declared.file if model else f"{catalog.config_dir.name}/dw/dw_x.yaml"
        raise SelectionError(
            expression or "*",
            "there is nothing to test",
            facts=[("expected", f"{place.removesuffix('.yaml')}.test.yaml")],
            effect="nothing was run",
        )
    return found


def run_model_tests(platform: Platform, tests: Sequence[ModelTest]) -> Iterator[ModelTestResult]:
    """Run tests one after the other, yielding each result as it is known.

    Raises:
        SpecError: The SQL of a model, or a UDF, is not right; nothing was run.
        EngineError: The engine did not start; nothing was run.
        EngineLostError: The engine went away in the middle.
    """
    graph = platform.graph
    assert all(test.spec.table in graph.models for test in tests)
    for test in tests:
        engine = platform.test_engine(test.spec.engine)
        engine.session()
        started = time.monotonic()
        try:
            diff = _run(platform, engine, test)
        except EngineLostError:
            raise
        except DataplatError as error:
            yield ModelTestResult(test, "broken", time.monotonic() - started, error=_in_a_test(error))
        else:
            verdict: Verdict = "passed" if diff.equal else "failed"
            yield ModelTestResult(test, verdict, time.monotonic() - started, diff)


def _in_a_test(error: DataplatError) -> DataplatError:
    """Return an error of production's code as it is told of a test, which publishes nothing anyway."""
    return type(error)(error.subject, error.problem, facts=error.facts, effect="no rows were made")


def _run(platform: Platform, engine: SparkEngine, test: ModelTest) -> RowDiff:
    catalog, spec = platform.catalog, test.spec
    key = case_partition(spec, test.case)
    subject = f"{spec.table}[{key}]"
    views = {
        f"dataplat_given_{number}_{re.sub(r'[^A-Za-z0-9_]', '_', table.table)}": table
        for number, table in enumerate(given_tables(catalog, platform.graph, spec, test.case))
    }
    zone = catalog.platform.zone
    sql = over_given_rows(
        render_for_engine(spec, key, zone), {table.table.lower(): name for name, table in views.items()}
    )
    session = engine.session_with(platform.udfs.called_in(sql.text), subject)
    with given_views(session, views, subject):
        try:
            made = query_rows(session, sql.text, zone, subject)
        except QueryRefusedError as error:
            raise refused_at(error, sql.problem_at) from error
    return compare_rows(test.case.expect, made, ordered=test.case.ordered)
