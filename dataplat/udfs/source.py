"""What a UDF is made of, as a hash: it changes when the function could answer differently, and only then.

Hashed is the source that travels to the workers: the function, and everything at the top of its module, or
of another module of the same package, that it names, directly or through others. Comments, docstrings, layout
and the rest of the module are not in it. Neither are installed packages and what a function looks up at run
time: ``version`` of a UDF is for those.
"""

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from dataplat.udfs.declare import Udf

_Place = tuple[str, str]


def fingerprint(udf: Udf) -> str:
    """Return 12 hex digits of the function, its type and the file that it reads.

    Raises:
        OSError: The file cannot be read.
    """
    content = hashlib.sha256("\n".join([udf.name, udf.returns, udf.version]).encode())
    for module, text in sorted(_pieces(udf)):
        content.update(f"\n{module}\n{text}".encode())
    if udf.file is not None:
        content.update(hashlib.sha256(udf.file.read_bytes()).digest())
    return content.hexdigest()[:12]


def package_of(module: str) -> str:
    """Return the package that a module lies in, or the module if it lies in none: what travels by value.

    >>> package_of("my_company.udfs"), package_of("udfs")
    ('my_company', 'udfs')
    """
    return module.rpartition(".")[0] or module


def _pieces(udf: Udf) -> Iterator[_Place]:
    """Yield each top-level statement that the function needs, with its module."""
    module = udf.function.__module__
    code = udf.function.__code__
    start = code.co_qualname if hasattr(code, "co_qualname") else udf.function.__qualname__
    if start not in _statements(module):  # made inside another function, or without a source
        yield module, code.co_code.hex() + repr(code.co_consts)
        return
    package = package_of(module)
    waiting: list[_Place] = [(module, start)]
    seen: set[_Place] = set()
    while waiting:
        place = waiting.pop()
        if place in seen or place[0] == Udf.__module__:  # how it is declared is no part of it
            continue
        seen.add(place)
        for statement in _statements(place[0]).get(place[1], ()):
            needed = _only(statement, place[1])
            yield place[0], ast.unparse(_bare(needed))
            waiting += _needed(needed, place[0], package)


def _only(statement: ast.stmt, name: str) -> ast.stmt:
    """Return an import without the names that it brings besides; any other statement as it is."""
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return statement
    kept = [alias for alias in statement.names if (alias.asname or alias.name).split(".")[0] == name]
    if isinstance(statement, ast.ImportFrom):
        return ast.ImportFrom(statement.module, kept, statement.level)
    return ast.Import(kept)


def _needed(statement: ast.stmt, module: str, package: str) -> Iterator[_Place]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            yield module, node.id
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(node, module)
            if f"{origin}.".startswith(f"{package}."):
                for alias in node.names:
                    yield origin, alias.name
                    yield from (
                        (f"{origin}.{alias.name}", name) for name in _statements(f"{origin}.{alias.name}")
                    )


def _absolute(node: ast.ImportFrom, module: str) -> str:
    parents = module.split(".")[: -node.level] if node.level else []
    return ".".join([*parents, *([node.module] if node.module else [])])


def _bare(statement: ast.stmt) -> ast.stmt:
    """Return a statement without its docstrings."""
    copy = ast.parse(ast.unparse(statement)).body[0]
    for node in ast.walk(copy):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return copy


def _statements(module: str) -> dict[str, list[ast.stmt]]:
    """Return the top-level statements of a module by the names that they define; nothing without a source."""
    path = _file_of(module)
    if path is None:
        return {}
    return _parsed(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _parsed(path: Path, _changed: int) -> dict[str, list[ast.stmt]]:
    found: dict[str, list[ast.stmt]] = {}
    for statement in ast.parse(path.read_bytes()).body:
        for name in set(_defined(statement)):
            found.setdefault(name, []).append(statement)
    return found


def _defined(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)


def _file_of(module: str) -> Path | None:
    loaded = sys.modules.get(module)
    origin = getattr(loaded, "__file__", None)
    if loaded is None:
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            return None
        origin = spec.origin if spec else None
    path = Path(origin) if origin else None
    return path if path is not None and path.suffix == ".py" and path.is_file() else None
