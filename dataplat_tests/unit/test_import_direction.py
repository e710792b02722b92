"""The house has one staircase, and imports only go down it. The source is read, nothing is imported."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "dataplat"
MODULES = sorted(path.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("*.py"))

# From the top of the house to its ground; a part may import those of lower storeys, never its own storey's.
STOREYS = (
    {"cli"},  # has a command for the demo, and runs the definitions
    {"definitions", "demo"},
    {"orchestration"},
    {"lifecycle"},
    {"audit", "sinks", "sources", "alerts"},
    {"engine", "storage", "ledger"},
    {"udfs"},
    {"plan"},
    {"specs"},
    {"errors"},
)
# Composition root's values, passed down; it stands beside the stairs and imports nothing of ours but errors.
SETTINGS = "settings"
OWNERS = {
    "pyspark": {"engine"},
    "dagster_pyspark": {"engine", "orchestration"},
    "sqlalchemy": {"ledger", "sources", "sinks"},
    "alembic": {"ledger"},
    "dagster": {"orchestration", "definitions", "cli", "demo"},
}
PURE_PARTS = {"specs", "plan", "errors", "settings"}
NOT_IN_PURE_PARTS = {
    "dagster",
    "pyspark",
    "sqlalchemy",
    "fsspec",
    "pymysql",
    "pyarrow",
    "hdfs_native",
    "thrift",
}


def part_of(module: Path) -> str:
    return module.parts[1].removesuffix(".py")


def storey_of(part: str) -> int:
    return next(level for level, parts in enumerate(STOREYS) if part in parts)


def imported_modules(source: str, module: Path) -> Iterator[tuple[int, str]]:
    """Every dotted name that is imported anywhere in the file, with its line; relative ones made absolute."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = module.parts[: len(module.parts) - node.level] if node.level else ()
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def violations(source: str, module: Path) -> list[str]:
    """What the file imports and may not, as ``line: why``."""
    part = part_of(module)
    found = []
    for line, name in imported_modules(source, module):
        root, _, rest = name.partition(".")
        if root in OWNERS and part not in OWNERS[root]:
            found.append(f"{line}: only {', '.join(sorted(OWNERS[root]))} may import {root}")
        elif part in PURE_PARTS and root in NOT_IN_PURE_PARTS:
            found.append(f"{line}: {part} is pure and may not import {root}")
        elif root == "dataplat" and not may_import(part, rest.split(".")[0]):
            found.append(f"{line}: {part} may not import dataplat.{rest.split('.')[0]}")
    return found


def may_import(part: str, other: str) -> bool:
    if other == part or other == "errors":
        return True
    if other == SETTINGS:
        return storey_of(part) <= storey_of("lifecycle")
    return part != SETTINGS and storey_of(part) < storey_of(other)


@pytest.mark.parametrize(
    "module", [path for path in MODULES if len(path.parts) > 2 or path.stem != "__init__"], ids=str
)
def test_imports_only_go_down(module: Path) -> None:
    assert violations((PACKAGE.parent / module).read_text(encoding="utf-8"), module) == []


def test_every_part_of_the_package_has_its_storey() -> None:
    parts = {part_of(module) for module in MODULES if len(module.parts) > 2 or module.stem != "__init__"}

    assert parts - {SETTINGS} - set().union(*STOREYS) == set()


@pytest.mark.parametrize(
    ("file", "source", "problem"),
    [
        ("plan/x.py", "import pyspark.sql", "1: only engine may import pyspark"),
        ("plan/x.py", "def f():\n  from dataplat.engine import x", "2: plan may not import dataplat.engine"),
        ("plan/x.py", "from dataplat import ledger", "1: plan may not import dataplat.ledger"),
        ("specs/x.py", "from ..plan import dates", "1: specs may not import dataplat.plan"),
        ("specs/x.py", "import fsspec", "1: specs is pure and may not import fsspec"),
        ("specs/x.py", "import dataplat.settings", "1: specs may not import dataplat.settings"),
        ("engine/x.py", "from dataplat.ledger import Ledger", "1: engine may not import dataplat.ledger"),
        ("engine/x.py", "import dagster as dg",
         "1: only cli, definitions, demo, orchestration may import dagster"),
        ("demo/x.py", "from dataplat.cli import main", "1: demo may not import dataplat.cli"),
        ("settings.py", "from dataplat.specs import Catalog", "1: settings may not import dataplat.specs"),
        ("audit/x.py", "import sqlalchemy as sa", "1: only ledger, sinks, sources may import sqlalchemy"),
    ],
)  # fmt: skip
def test_a_step_upwards_is_seen(file: str, source: str, problem: str) -> None:
    assert violations(source, Path("dataplat") / file) == [problem]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("engine/x.py", "import pyspark\nfrom dataplat.plan import dates\nfrom . import session"),
        ("cli/x.py", "from dataplat.orchestration import runs\nfrom dataplat.settings import Settings"),
        ("definitions.py", "import dagster\nfrom dataplat.errors import DataplatError"),
    ],
)
def test_a_step_downwards_or_within_is_allowed(file: str, source: str) -> None:
    assert violations(source, Path("dataplat") / file) == []
