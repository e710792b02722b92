"""``schema.lock.yaml``: what the columns of each source table were when somebody last agreed to them.

Written by ``dataplat schema accept`` and committed with the rest, so that a change at a source is reviewed
like a change of ours. One column a line, in the order of the source: a difference is a line of a review.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from dataplat.errors import SpecError
from dataplat.specs.documents import read_document
from dataplat.specs.problems import Problem

LOCK_FILE = "schema.lock.yaml"

_HEADER = "# Written by `dataplat schema accept`: source columns as they were when somebody agreed to them.\n"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_ESCAPED = {'"': '\\"', "\\": "\\\\"}
_WORDS_OF_YAML = frozenset({"null", "true", "false"})

SchemaLock = Mapping[str, Mapping[str, str]]


def read_schema_lock(config_dir: Path) -> dict[str, dict[str, str]]:
    """Return the agreed types of the columns by table; empty where nobody has agreed to anything yet.

    Raises:
        SpecError: The file is there and is no lock.
    """
    path = config_dir / LOCK_FILE
    try:
        found = path.stat()
    except FileNotFoundError:
        return {}
    return dict(_read(path, f"{config_dir.name}/{LOCK_FILE}", found.st_mtime_ns, found.st_ino))


@lru_cache(maxsize=2)
def _read(path: Path, file: str, _changed_at: int, _file_number: int) -> dict[str, dict[str, str]]:
    """Read the file once as long as it is the same one: each read of a long load asks for it."""
    document = read_document(path, file)
    problems = list(document.problems)
    tables = document.value if isinstance(document.value, dict) else {}
    if document.value is not None and not isinstance(document.value, dict):
        problems.append(Problem(file, 1, "", "expected tables with their columns"))
    for table, columns in tables.items():
        if not isinstance(columns, dict):
            problems.append(document.declared.problem((table,), "expected columns with their types"))
            continue
        problems += [
            document.declared.problem((table, name), "expected the type of the column as text")
            for name, kind in columns.items()
            if not isinstance(kind, str)
        ]
    if problems:
        raise SpecError(
            file,
            "the lock cannot be read",
            facts=[(problem.at, problem.message) for problem in problems],
            effect="nothing was read",
            next_steps=["take it from version control again", "dataplat schema accept"],
        )
    return tables


def render_schema_lock(tables: SchemaLock) -> str:
    """Return the text of the file, tables by name.

    >>> print(render_schema_lock({"ods.t": {"id": "int(11)", "null": "text"}}), end="")
    # Written by `dataplat schema accept`: source columns as they were when somebody agreed to them.
    ods.t:
      id: "int(11)"
      "null": "text"
    """
    lines = [_HEADER]
    for table, columns in sorted(tables.items()):
        lines.append(f"{table}:\n" if columns else f"{table}: {{}}\n")
        lines += [f"  {_key(name)}: {_quoted(kind)}\n" for name, kind in columns.items()]
    return "".join(lines)


def _key(name: str) -> str:
    plain = _PLAIN.fullmatch(name) and name.lower() not in _WORDS_OF_YAML
    return name if plain else _quoted(name)


def _quoted(text: str) -> str:
    escaped = (_ESCAPED.get(char) or (char if char.isprintable() else f"\\U{ord(char):08x}") for char in text)
    return f'"{"".join(escaped)}"'
