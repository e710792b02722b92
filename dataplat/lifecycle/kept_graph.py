"""The graph of models, kept between processes: every run is one, and reading SQL takes milliseconds a model.

What arrives: a catalog. What it becomes: the graph that ``build_graph`` returns, read from a file of the home
if one was kept for exactly this SQL, these tables and this version of the code that reads them. The file is
a cache: a damaged one is made anew, and a home that is not there, or cannot be written, only costs time. It
is JSON, so that whoever can write to the home cannot make a run execute something.
"""

import contextlib
import hashlib
import os
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from dataplat.plan.models.fingerprint import graph_fingerprint
from dataplat.plan.models.graph import ModelAnalysis, ModelGraph
from dataplat.specs import Catalog


def kept_graph(catalog: Catalog, home: Path) -> ModelGraph:
    """Return what the models read.

    Raises:
        SpecError: With every problem of every model, as file, line and a caret. Nothing was kept.
    """
    if not catalog.models:
        return ModelGraph({})
    path = home / "cache" / f"graph-{graph_fingerprint(catalog, reader=_reader())}.json"
    kept = _read(path)
    if kept is not None:
        return kept
    from dataplat.plan.models.reading import build_graph

    graph = build_graph(catalog)
    with contextlib.suppress(OSError):
        _write(path, graph)
    return graph


@cache
def _analyses() -> TypeAdapter[dict[str, ModelAnalysis]]:
    return TypeAdapter(dict[str, ModelAnalysis])


def _read(path: Path) -> ModelGraph | None:
    try:
        return ModelGraph(_analyses().validate_json(path.read_bytes()))
    except (OSError, ValidationError):
        return None


def _write(path: Path, graph: ModelGraph) -> None:
    path.parent.mkdir(exist_ok=True)  # a dry run makes no home
    new = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    new.write_bytes(_analyses().dump_json(dict(graph.models)))
    new.replace(path)
    for old in path.parent.glob("graph-*.json"):
        if old != path:
            old.unlink(missing_ok=True)


@cache
def _reader() -> str:
    """Return a hash of the code that reads SQL, its parser's version included."""
    content = hashlib.sha256(version("sqlglot").encode())
    package = Path(__file__).parents[1] / "plan"
    for file in sorted(package.rglob("*.py")):
        content.update(file.read_bytes())
    return content.hexdigest()
