"""Which UDFs there are: those of installed packages, and those of the modules that platform.yaml names.

Installed packages offer them as entry points of the group ``dataplat.udfs``, ours ``parse_ip`` among them.
The modules of ``udfs`` are looked for where Python looks, and then in the folder that holds the configuration
folder. Everything that is wrong is told at once, at the line of platform.yaml.
"""

import importlib
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from dataplat.plan.models.spark_functions import SPARK_FUNCTIONS
from dataplat.specs import PlatformSpec
from dataplat.specs.problems import Loc, Problem, did_you_mean
from dataplat.udfs.declare import Udf

GROUP = "dataplat.udfs"
Udfs = Mapping[str, Udf]


def find_udfs(platform: PlatformSpec, root: Path) -> tuple[Udfs, list[Problem]]:
    """Return the UDFs by name, and what is wrong with those that are not among them. Imports modules.

    Args:
        platform: Its ``udfs`` and ``udf_files``.
        root: The folder that holds the configuration folder.
    """
    search = _Search(platform, root)
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        search.add_entry_point(entry)
    with _also_on_path(root):
        for index, module in enumerate(platform.udfs):
            search.add_module(module, ("udfs", index))
    search.replace_files()
    return dict(sorted(search.found.items())), search.problems


def inspect_udf_files(udfs: Iterable[Udf], platform: PlatformSpec) -> Iterator[Problem]:
    """Yield a problem for each file that its UDF cannot use. Reads the files."""
    for udf in udfs:
        try:
            udf.held()
        except (ValueError, OSError) as error:
            text = f"UDF {udf.name} cannot use {udf.file}: {_reason(error)}"
            yield platform.declared.problem(("udf_files", udf.name), text)


class _Search:
    def __init__(self, platform: PlatformSpec, root: Path) -> None:
        self.found: dict[str, Udf] = {}
        self.problems: list[Problem] = []
        self._places: dict[str, str] = {}
        self._platform = platform
        self._root = root

    def add_entry_point(self, entry: EntryPoint) -> None:
        place = f"entry point {entry.name} = {entry.value}"
        try:
            loaded = entry.load()
        except Exception as error:  # noqa: BLE001 - somebody else's code runs here, and is told about
            self._problem(("udfs",), f"{place}: cannot be imported: {_where(error, entry.module)}")
            return
        self._add(loaded, place, ("udfs",))

    def add_module(self, name: str, loc: Loc) -> None:
        module_name, _, attribute = name.partition(":")
        try:
            module = importlib.import_module(module_name)
        except Exception as error:  # noqa: BLE001 - as above
            self._problem(loc, self._import_problem(module_name, error))
            return
        if attribute:
            if not hasattr(module, attribute):
                hint = did_you_mean(attribute, vars(module))
                self._problem(loc, f"module '{module_name}' has no '{attribute}'{hint}")
            else:
                self._add(getattr(module, attribute), name, loc)
            return
        declared = [value for value in vars(module).values() if isinstance(value, Udf)]
        own = [udf for udf in declared if udf.function.__module__ == module_name]
        if not own:
            self._problem(
                loc, f"module '{module_name}' declares no UDF: put @udf(returns=…) before a function"
            )
        for udf in own:
            self._add(udf, module_name, loc)

    def replace_files(self) -> None:
        for name, path in self._platform.udf_files.items():
            loc: Loc = ("udf_files", name)
            if name not in self.found:
                self._problem(loc, f"there is no UDF '{name}'{did_you_mean(name, self.found)}")
            elif self.found[name].file is None:
                self._problem(loc, f"UDF {name} reads no file")
            elif not Path(path).is_file():
                self._problem(loc, f"there is no file {path}")
            else:
                self.found[name] = replace(self.found[name], file=Path(path))

    def _add(self, found: object, place: str, loc: Loc) -> None:
        if not isinstance(found, Udf):
            text = f"{place}: is no UDF but {_kind(found)}: put @udf(returns=…) before the function"
            self._problem(loc, text)
        elif found.name in SPARK_FUNCTIONS:
            self._problem(loc, f"{place}: '{found.name}' is a function of Spark; give the UDF another name")
        elif found.name in self.found:
            if self.found[found.name] is not found:
                text = f"UDF {found.name} is declared twice: by {self._places[found.name]} and by {place}"
                self._problem(loc, text)
        else:
            self.found[found.name] = found
            self._places[found.name] = place

    def _import_problem(self, name: str, error: Exception) -> str:
        missing = isinstance(error, ModuleNotFoundError) and error.name is not None
        if missing and f"{name}.".startswith(f"{error.name}."):  # type: ignore[attr-defined]  # seen above
            return f"there is no module '{name}', neither installed nor in {self._root}"
        return f"module '{name}' cannot be imported: {_where(error, name)}"

    def _problem(self, loc: Loc, text: str) -> None:
        self.problems.append(self._platform.declared.problem(loc, text))


def _kind(found: object) -> str:
    return (
        "a plain function" if callable(found) and hasattr(found, "__code__") else f"a {type(found).__name__}"
    )


def _reason(error: Exception) -> str:
    return str(error.strerror if isinstance(error, OSError) and error.strerror else error).split("\n")[0]


def _where(error: Exception, module: str) -> str:
    """Return the error in one line, with the line of the module that raised it."""
    file = getattr(sys.modules.get(module), "__file__", None) or module.replace(".", "/")
    stem = Path(file).stem
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).stem == stem
    ]
    line = error.lineno if isinstance(error, SyntaxError) else (lines[-1] if lines else None)
    text = error.msg if isinstance(error, SyntaxError) else str(error).split("\n")[0]
    return f"{type(error).__name__}: {text}" + (f" (line {line})" if line else "")


@contextmanager
def _also_on_path(root: Path) -> Iterator[None]:
    sys.path.append(str(root))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(root))
