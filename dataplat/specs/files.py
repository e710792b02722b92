"""Which files of the configuration folder are read as what, and which are nobody's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dataplat.specs.base import DeclaredSpec
from dataplat.specs.problems import Problem, did_you_mean

_NOT_READ_YET = {"deliveries", "audits", "readiness", "alerts.yaml", "schemas"}


@dataclass(frozen=True)
class Kind:
    """A kind of file: either one ``file`` that must exist, or every ``*.yaml`` of some ``folders``."""

    name: str
    model: type[DeclaredSpec]
    file: str = ""
    folders: tuple[str, ...] = ()


Found = list[tuple[Kind, Path, str]]


def find_files(config_dir: Path, kinds: Sequence[Kind]) -> tuple[Found, list[Problem]]:
    """Return the files to read, in order of their names, and a problem for each that nobody reads."""
    shown = config_dir.name
    if not config_dir.is_dir():
        return [], [
            Problem(shown, 1, "", f"there is no folder {config_dir}; see --config and DATAPLAT_CONFIG")
        ]
    by_name = {kind.file or folder: kind for kind in kinds for folder in (kind.folders or ("",))}
    files: Found = []
    problems: list[Problem] = []
    for path in sorted(config_dir.iterdir()):
        kind = by_name.get(path.name)
        if kind and kind.file:
            files.append((kind, path, f"{shown}/{path.name}"))
        elif kind and path.is_dir():
            problems += _find_in(path, f"{shown}/{path.name}", kind, files)
        elif not _ignored(path) and path.name not in _NOT_READ_YET:
            hint = did_you_mean(path.name, by_name)
            problems.append(Problem(f"{shown}/{path.name}", 1, "", f"is not read by anything{hint}"))
    problems += _missing(shown, kinds, {kind.name for kind, _, _ in files})
    return files, problems


def _find_in(folder: Path, shown: str, kind: Kind, files: Found) -> Iterator[Problem]:
    for path in sorted(folder.iterdir()):
        if path.suffix == ".yaml" and path.name != "schema.lock.yaml" and not path.name.startswith("."):
            files.append((kind, path, f"{shown}/{path.name}"))
        elif not _ignored(path) and not (path.suffix == ".sql" and kind.name == "table"):
            yield Problem(f"{shown}/{path.name}", 1, "", "is not read by anything; expected *.yaml here")


def _ignored(path: Path) -> bool:
    return path.name.startswith((".", "README")) or path.name == "schema.lock.yaml"


def _missing(shown: str, kinds: Sequence[Kind], found: set[str]) -> Iterator[Problem]:
    for kind in kinds:
        if kind.file and kind.name not in found:
            yield Problem(f"{shown}/{kind.file}", 1, "", "is required, and missing")
