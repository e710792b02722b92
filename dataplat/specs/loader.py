"""From a folder of YAML files to a ``Catalog``, or to every problem of every file at once.

``KINDS`` says which files there are; a further kind of file is one line there, a model, and what
``_assemble`` does with it. Each file goes through the same steps: parse, fill in ``${NAME}``, validate; then
``specs.crosscheck`` looks at all of them together. A folder or file that nobody reads is a problem too: a
table in ``config/odss/`` would otherwise be missing without a word.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dataplat.specs.audit import AuditSpec
from dataplat.specs.base import DeclaredSpec
from dataplat.specs.catalog import Catalog
from dataplat.specs.crosscheck import cross_check
from dataplat.specs.documents import Document, read_document
from dataplat.specs.drift import DriftSpec, TableDriftSpec
from dataplat.specs.explain import explain
from dataplat.specs.files import Kind, Kinds, find_files, kind_of
from dataplat.specs.interpolate import interpolate
from dataplat.specs.model import ModelSpec
from dataplat.specs.model_test import ModelTestSpec
from dataplat.specs.places import absolute_platform
from dataplat.specs.platform import PlatformSpec
from dataplat.specs.problems import Problem, spec_error
from dataplat.specs.readiness import ReadinessSpec
from dataplat.specs.source import SourceSpec
from dataplat.specs.sql_file import read_sql
from dataplat.specs.table import TableSpec

MODEL_FOLDERS = ("dim", "dw", "ads")
KINDS = (
    Kind("platform", PlatformSpec, file="platform.yaml"),
    Kind("source", SourceSpec, folders=("sources",)),
    Kind("table", TableSpec, folders=("ods", *MODEL_FOLDERS), marks=frozenset({"source", "from"})),
    Kind("model", ModelSpec, folders=MODEL_FOLDERS, sql=True),
    Kind("model_test", ModelTestSpec, folders=MODEL_FOLDERS, suffix=".test.yaml"),
    Kind("readiness", ReadinessSpec, folders=("readiness",)),
    Kind("audit", AuditSpec, folders=("audits",)),
)


Inspector = Callable[[TableSpec], Iterable[Problem]]
CatalogInspector = Callable[[Catalog], Iterable[Problem]]


def load_catalog(
    config_dir: Path,
    environ: Mapping[str, str],
    *,
    inspect: Inspector = lambda _: (),
    inspect_all: CatalogInspector = lambda _: (),
) -> Catalog:
    """Load and check the whole configuration.

    Reads the files of ``config_dir`` and nothing else; connects to nothing, and needs no secret to be set.
    Relative paths in ``platform.yaml`` count from the folder that holds ``config_dir``.

    Args:
        config_dir: The configuration folder.
        environ: Where ``${NAME}`` is looked up.
        inspect: Finds further problems of one table, for callers that can judge more than ``specs``
            can; asked for every table that is valid in itself.
        inspect_all: Finds further problems of all of it together, such as those of models; asked once
            nothing else is wrong.

    Raises:
        SpecError: With every problem of every file, as file:line. Nothing was run.
    """
    config_dir = config_dir.absolute()
    loaded, problems = _load_files(config_dir, environ)
    problems += cross_check(loaded.specs, loaded.files)
    problems += [problem for table in loaded.specs["table"] for problem in inspect(table)]
    if problems:
        raise spec_error(config_dir.name, problems)
    catalog = _assemble(config_dir, loaded.specs)
    if found := [*inspect_all(catalog)]:
        raise spec_error(config_dir.name, found)
    return catalog


@dataclass(frozen=True)
class _Loaded:
    """The files that are valid in themselves, and all that there are, by kind."""

    specs: dict[str, list[Any]]
    files: dict[str, set[Path]]


def _load_files(config_dir: Path, environ: Mapping[str, str]) -> tuple[_Loaded, list[Problem]]:
    files, problems = find_files(config_dir, KINDS)
    loaded = _Loaded({kind.name: [] for kind in KINDS}, {kind.name: set() for kind in KINDS})
    for kinds, path, file in files:
        kind, spec, found = load_file(kinds, path, file, environ)
        problems += found
        loaded.files[kind.name].add(path)
        if spec is not None:
            loaded.specs[kind.name].append(spec)
    return loaded, problems


def load_file(
    kinds: Kinds, path: Path, file: str, environ: Mapping[str, str]
) -> tuple[Kind, DeclaredSpec | None, list[Problem]]:
    """Load one file as far as it can be without the others.

    Returns its kind, of those that it may be of, and the spec, which is missing if there are problems.
    """
    folder = "" if kinds[0].file else path.parent.name
    document = read_document(path, file, folder)
    kind = kind_of(kinds, document.value)
    if document.problems:
        return kind, None, list(document.problems)
    spec, problems = _load_document(kind, document, environ)
    sql, sql_problems = read_sql(document.declared, kind.sql)
    if isinstance(spec, ModelSpec):
        spec = spec.with_sql(sql)
    return kind, spec, problems + sql_problems


def _load_document(
    kind: Kind, document: Document, environ: Mapping[str, str]
) -> tuple[DeclaredSpec | None, list[Problem]]:
    declared = document.declared
    if not isinstance(document.value, dict):
        found = "nothing" if document.value is None else "no keys"
        return None, [declared.problem((), f"expected keys and values, found {found}")]
    value, problems = interpolate(
        document.value,
        declared,
        environ,
        kind.model.secret_keys,
        keep_lower_case=kind.model.template_variables,
    )
    blamed = {(problem.line, problem.path) for problem in problems}
    try:
        spec = kind.model.model_validate(value).declared_in(declared)
    except ValidationError as error:
        found_too = explain(error, kind.model, document.value, declared)
        return None, problems + [p for p in found_too if (p.line, p.path) not in blamed]
    return (None if problems else spec), problems


def _assemble(config_dir: Path, specs: Mapping[str, list[Any]]) -> Catalog:
    platform = absolute_platform(specs["platform"][0], config_dir.parent)
    sources = {source.name: _complete_source(source, platform) for source in specs["source"]}
    tables = {table.table: _complete_table(table, platform) for table in specs["table"]}
    models = {model.table: _complete_model(model, platform) for model in specs["model"]}
    tests = _tests_by_model(specs["model_test"], models.values())
    readiness = {
        one.name: one.declared_in(one.declared, start=one.start or platform.start)
        for one in specs["readiness"]
    }
    return Catalog(
        config_dir,
        platform,
        sources,
        dict(sorted(tables.items())),
        dict(sorted(models.items())),
        tests,
        dict(sorted(readiness.items())),
        {audit.name: audit for audit in specs["audit"]},
    )


def _complete_source(source: SourceSpec, platform: PlatformSpec) -> SourceSpec:
    return source.declared_in(source.declared, timezone=source.timezone or platform.timezone)


def _complete_table(table: TableSpec, platform: PlatformSpec) -> TableSpec:
    window = table.window.model_copy(update={"start": table.window.start or platform.start})
    return table.declared_in(
        table.declared,
        group=table.group or table.source,
        window=window,
        partition=table.partition.over(platform.partition),
        retention=table.retention.over(platform.retention),
        drift=_drift(table, platform),
    )


def _drift(table: TableSpec, platform: PlatformSpec) -> TableDriftSpec | None:
    if isinstance(table.drift, DriftSpec) and platform.drift is not None:
        return table.drift.over(platform.drift)
    return table.drift or (platform.drift if table.load == "incremental" else None)


def _complete_model(model: ModelSpec, platform: PlatformSpec) -> ModelSpec:
    return model.declared_in(
        model.declared,
        group=model.group or model.layer,
        start=model.start or platform.start,
        partition=model.partition.over(platform.partition),
        retention=model.retention.over(platform.retention),
    )


def _tests_by_model(tests: list[ModelTestSpec], models: Iterable[ModelSpec]) -> dict[str, ModelTestSpec]:
    by_path = {test.model_path: test for test in tests}
    return {model.table: by_path[path] for model in models if (path := model.declared.path) in by_path}
