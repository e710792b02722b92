"""The given rows of a model's tests as tables that an engine can be asked to read.

A test writes only the columns that matter to it. What a row leaves out is NULL, except for partition columns:
they hold the latest partition that the model reads of that table, so a test of ``ds = '{{ ds }}'`` need not
repeat the day in every row. Columns and types follow from what is written in any test of the model, so a
test without rows has them too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from dataplat.errors import SelectionError
from dataplat.plan.grains import next_wall_start, partition_key, wall_start
from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.models.mapping import Upstream
from dataplat.plan.models.relations import Relation, declared_relations
from dataplat.plan.models.row_diff import written
from dataplat.plan.partitions import parse_partition
from dataplat.specs import Catalog, ModelSpec, ModelTestCase, ModelTestSpec
from dataplat.specs.problems import Loc, Problem, did_you_mean


@dataclass(frozen=True)
class GivenTable:
    """A table for one test: names, Hive types and rows, in the same order."""

    table: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


def case_partition(spec: ModelSpec, case: ModelTestCase) -> str:
    """Return the key of the partition that a test makes.

    Raises:
        SelectionError: If it is no partition of the model's grain.
    """
    return parse_partition(case.partition, spec.grain, subject=spec.table)


def given_tables(
    catalog: Catalog, graph: ModelGraph, spec: ModelSpec, case: ModelTestCase
) -> list[GivenTable]:
    """Return every upstream of a model as a test gives it; one that it does not name has no rows.

    Columns are those that the rows name, those that are known to be in the table, and those that the SQL
    reads of it, so that an empty table can be read too.
    """
    relations = declared_relations(catalog)
    relations |= {
        name.lower(): _with_columns(relations[name.lower()], analysis.columns)
        for name, analysis in graph.models.items()
    }
    key = case_partition(spec, case)
    given = {name.lower(): rows for name, rows in case.given.items()}
    named = graph.models[spec.table].columns_read
    tables = []
    for upstream in graph.upstreams(spec.table):
        relation = relations[upstream.table.lower()]
        read = [ref.column for ref in named if ref.table == upstream.table]
        defaults = _partition_defaults(relation, upstream, key, spec)
        rows = given.get(relation.table, ())
        tables.append(_given(relation, rows, read, defaults, _written_elsewhere(catalog, spec, relation)))
    return tables


def _written_elsewhere(catalog: Catalog, spec: ModelSpec, relation: Relation) -> list[Mapping[str, object]]:
    """Return the rows that all tests of a model give for a table."""
    tests = catalog.model_tests.get(spec.table)
    return [
        {name.lower(): value for name, value in row.items()}
        for case in (tests.tests.values() if tests else ())
        for table, rows in case.given.items()
        if table.lower() == relation.table
        for row in rows
    ]


def inspect_model_tests(catalog: Catalog, graph: ModelGraph) -> Iterator[Problem]:
    """Yield what is wrong with the tests of all models: partitions, tables and columns that are not there."""
    relations = declared_relations(catalog)
    for name, tests in catalog.model_tests.items():
        if name not in graph.models:
            continue
        spec, analysis = catalog.models[name], graph.models[name]
        known = {upstream.table.lower(): upstream.table for upstream in analysis.upstreams}
        for title, case in tests.tests.items():
            yield from _partition_problem(spec, tests, title, case)
            for table, rows in case.given.items():
                loc: Loc = ("tests", title, "given", table)
                if table.lower() not in known:
                    text = f"the model does not read '{table}'{did_you_mean(table, known.values())}"
                    yield tests.declared.problem(loc, text)
                    continue
                relation = relations[table.lower()]
                if table in graph.models:
                    relation = _with_columns(relation, graph.models[table].columns)
                yield from _row_problems(tests, loc, rows, relation.all_columns)
            yield from _row_problems(tests, ("tests", title, "expect"), case.expect, analysis.columns)


def _partition_problem(
    spec: ModelSpec, tests: ModelTestSpec, title: str, case: ModelTestCase
) -> Iterator[Problem]:
    try:
        case_partition(spec, case)
    except SelectionError as error:
        expected = dict(error.facts).get("expected", f"a {spec.grain}")
        text = f"{error.problem}; expected {expected}"
        yield tests.declared.problem(("tests", title, "partition"), text)


def _row_problems(
    tests: ModelTestSpec, loc: Loc, rows: Sequence[Mapping[str, object]], columns: Sequence[str] | None
) -> Iterator[Problem]:
    if columns is None:
        return
    for index, row in enumerate(rows):
        for name in row:
            if name.lower() not in columns:
                text = f"there is no such column{did_you_mean(name, columns)}"
                yield tests.declared.problem((*loc, index, name), text)


def _with_columns(relation: Relation, columns: tuple[str, ...] | None) -> Relation:
    return Relation(
        relation.table, relation.declared, relation.grain, relation.partition, columns, relation.external
    )


def _partition_defaults(relation: Relation, upstream: Upstream, key: str, spec: ModelSpec) -> dict[str, str]:
    if relation.grain is None:
        return {}
    final = next_wall_start(wall_start(key, spec.grain), spec.grain)
    same = partition_key(final - timedelta(hours=1), relation.grain)
    read = upstream.partitions(key, spec.grain) or (same,)
    return relation.partition_values(read[-1])


def _given(
    relation: Relation,
    rows: Sequence[Mapping[str, object]],
    read: Iterable[str],
    defaults: Mapping[str, str],
    elsewhere: Sequence[Mapping[str, object]],
) -> GivenTable:
    lowered = [{**defaults, **{name.lower(): value for name, value in row.items()}} for row in rows]
    names = [name for row in (*lowered, *elsewhere) for name in row]
    names += [*(relation.columns or ()), *read, *relation.partition_names]
    columns = tuple(name for name in dict.fromkeys(names) if name not in relation.partition_names)
    columns += relation.partition_names
    types = tuple(
        "string"
        if name in relation.partition_names
        else infer_type([row.get(name) for row in (*lowered, *elsewhere)])
        for name in columns
    )
    made = tuple(
        tuple(typed(row.get(name), kind) for name, kind in zip(columns, types, strict=True))
        for row in lowered
    )
    return GivenTable(relation.declared, columns, types, made)


def infer_type(values: Sequence[object]) -> str:
    """Return the Hive type that holds all values; text where they have nothing in common.

    >>> infer_type([1, None]), infer_type([1, 2.25]), infer_type(["a", 1]), infer_type([[1], []])
    ('bigint', 'decimal(18,2)', 'string', 'array<bigint>')
    """
    present = [value for value in values if value is not None]
    if not present:
        return "string"
    if all(isinstance(value, bool) for value in present):
        return "boolean"
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        scale = max(_scale(value) for value in present)
        return f"decimal(18,{scale})" if any(isinstance(value, float) for value in present) else "bigint"
    if all(isinstance(value, list) for value in present):
        return f"array<{infer_type([item for value in present for item in _items(value)])}>"
    if all(isinstance(value, dict) for value in present):
        return f"map<string,{infer_type([item for value in present for item in _items(value)])}>"
    return "string"


def typed(value: object, kind: str) -> object:
    """Return a value as an engine takes it for a column of a type that ``infer_type`` gave."""
    if value is None:
        return None
    if kind.startswith("decimal"):
        return Decimal(str(value))
    if kind == "string":
        return written(value)
    if isinstance(value, list):
        return [typed(item, kind[len("array<") : -1]) for item in value]
    if isinstance(value, dict):
        return {name: typed(item, kind[len("map<string,") : -1]) for name, item in value.items()}
    return value


def _items(value: object) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []


def _scale(value: object) -> int:
    exponent = Decimal(str(value)).normalize().as_tuple().exponent
    return min(max(-exponent, 0), 18) if isinstance(exponent, int) else 0
