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

from dataplat.specs.base import DeclaredSpec
from dataplat.specs.catalog import Catalog
from dataplat.specs.crosscheck import cross_check
from dataplat.specs.documents import read_document
from dataplat.specs.explain import explain
from dataplat.specs.files import Kind, find_files
from dataplat.specs.interpolate import interpolate
from dataplat.specs.places import absolute_platform
from dataplat.specs.platform import PlatformSpec
from dataplat.specs.problems import Problem, spec_error
from dataplat.specs.source import SourceSpec
from dataplat.specs.table import TableSpec

KINDS = (
    Kind("platform", PlatformSpec, file="platform.yaml"),
    Kind("source", SourceSpec, folders=("sources",)),
    Kind("table", TableSpec, folders=("ods", "dim", "dw", "ads")),
)


Inspector = Callable[[TableSpec], Iterable[Problem]]


def load_catalog(
    config_dir: Path, environ: Mapping[str, str], *, inspect: Inspector = lambda _: ()
) -> Catalog:
    """Load and check the whole configuration.

    Reads the files of ``config_dir`` and nothing else; connects to nothing, and needs no secret to be set.
    Relative paths in ``platform.yaml`` count from the folder that holds ``config_dir``.

    Args:
        config_dir: The configuration folder.
        environ: Where ``${NAME}`` is looked up.
        inspect: Finds further problems of one table, for callers that can judge more than ``specs``
            can; asked for every table that is valid in itself.

    Raises:
        SpecError: With every problem of every file, as file:line. Nothing was run.
    """
    config_dir = config_dir.absolute()
    loaded, problems = _load_files(config_dir, environ)
    problems += cross_check(loaded.specs, loaded.stems)
    problems += [problem for table in loaded.specs["table"] for problem in inspect(table)]
    if problems:
        raise spec_error(config_dir.name, problems)
    return _assemble(config_dir, loaded.specs)


@dataclass(frozen=True)
class _Loaded:
    """The files that are valid in themselves, and the names of all of them, by kind."""

    specs: dict[str, list[Any]]
    stems: dict[str, set[str]]


def _load_files(config_dir: Path, environ: Mapping[str, str]) -> tuple[_Loaded, list[Problem]]:
    files, problems = find_files(config_dir, KINDS)
    loaded = _Loaded({kind.name: [] for kind in KINDS}, {kind.name: set() for kind in KINDS})
    for kind, path, file in files:
        spec, found = load_file(kind, path, file, environ)
        problems += found
        loaded.stems[kind.name].add(path.stem)
        if spec is not None:
            loaded.specs[kind.name].append(spec)
    return loaded, problems


def load_file(
    kind: Kind, path: Path, file: str, environ: Mapping[str, str]
) -> tuple[DeclaredSpec | None, list[Problem]]:
    """Load one file as far as it can be without the others; the spec is missing if there are problems."""
    folder = "" if kind.file else path.parent.name
    document = read_document(path, file, folder)
    declared, problems = document.declared, list(document.problems)
    if problems:
        return None, problems
    if not isinstance(document.value, dict):
        found = "nothing" if document.value is None else "no keys"
        return None, [declared.problem((), f"expected keys and values, found {found}")]
    value, problems = interpolate(document.value, declared, environ, kind.model.secret_keys)
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
    return Catalog(config_dir, platform, sources, dict(sorted(tables.items())))


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
    )
