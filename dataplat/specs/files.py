"""Which files of the configuration folder are read as what, and which are nobody's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataplat.specs.base import DeclaredSpec
from dataplat.specs.problems import Problem, did_you_mean

_NOT_READ_YET = {"deliveries", "alerts.yaml"}
_OF_OTHERS = {"schemas", "udfs"}  # for editors; what UDFs look up, named in udf_files


@dataclass(frozen=True)
class Kind:
    """A kind of file: either one ``file`` that must exist, or every file of some ``folders``.

    Args:
        name: What it is called in ``json_schema`` and in the loader.
        model: What it becomes.
        file: The one file.
        folders: Or the folders.
        suffix: How its names end there; the longest suffix that fits decides.
        marks: Where two kinds share folder and suffix: a file with one of these keys is of this kind, and
            the last kind of a folder is that of files without a mark.
        sql: Whether a file of SQL under the same name belongs to it.
    """

    name: str
    model: type[DeclaredSpec]
    file: str = ""
    folders: tuple[str, ...] = ()
    suffix: str = ".yaml"
    marks: frozenset[str] = frozenset()
    sql: bool = False


Kinds = tuple[Kind, ...]
Found = list[tuple[Kinds, Path, str]]


def find_files(config_dir: Path, kinds: Sequence[Kind]) -> tuple[Found, list[Problem]]:
    """Return the files to read with the kinds they may be of, and a problem for each that nobody reads."""
    shown = config_dir.name
    if not config_dir.is_dir():
        return [], [
            Problem(shown, 1, "", f"there is no folder {config_dir}; see --config and DATAPLAT_CONFIG")
        ]
    by_name: dict[str, list[Kind]] = {}
    for kind in kinds:
        for name in kind.folders or (kind.file,):
            by_name.setdefault(name, []).append(kind)
    files: Found = []
    problems: list[Problem] = []
    for path in sorted(config_dir.iterdir()):
        here = by_name.get(path.name, [])
        if here and here[0].file:
            files.append((tuple(here), path, f"{shown}/{path.name}"))
        elif here and path.is_dir():
            problems += _find_in(path, f"{shown}/{path.name}", here, files)
        elif not _ignored(path) and path.name not in _NOT_READ_YET | _OF_OTHERS:
            hint = did_you_mean(path.name, by_name)
            problems.append(Problem(f"{shown}/{path.name}", 1, "", f"is not read by anything{hint}"))
    problems += _missing(shown, kinds, {kind.name for found, _, _ in files for kind in found})
    return files, problems


def kind_of(kinds: Kinds, value: Any) -> Kind:
    """Return the one of the kinds a file may be of that its keys say it is."""
    keys = set(value) if isinstance(value, dict) else set()
    return next((kind for kind in kinds if kind.marks & keys), kinds[-1])


def _find_in(folder: Path, shown: str, kinds: Sequence[Kind], files: Found) -> Iterator[Problem]:
    with_sql = any(kind.sql for kind in kinds)
    for path in sorted(folder.iterdir()):
        suffix = max((kind.suffix for kind in kinds if path.name.endswith(kind.suffix)), key=len, default="")
        place = f"{shown}/{path.name}"
        if suffix and not _ignored(path):
            files.append((tuple(kind for kind in kinds if kind.suffix == suffix), path, place))
        elif path.suffix == ".sql" and with_sql:
            if not path.with_suffix(".yaml").exists():
                yield Problem(place, 1, "", f"has no {path.stem}.yaml beside it that declares the model")
        elif not _ignored(path):
            yield Problem(place, 1, "", "is not read by anything; expected *.yaml here")


def _ignored(path: Path) -> bool:
    return path.name.startswith((".", "README")) or path.name == "schema.lock.yaml"


def _missing(shown: str, kinds: Sequence[Kind], found: set[str]) -> Iterator[Problem]:
    for kind in kinds:
        if kind.file and kind.name not in found:
            yield Problem(f"{shown}/{kind.file}", 1, "", "is required, and missing")
