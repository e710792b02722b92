"""One YAML file as plain values, with the line of every key and list item.

The file is parsed once, by the C parser (0.7 ms a file where the Python one takes 5.5), into a tree of
nodes; values and lines are both read off that tree. What surprises: scalars follow YAML 1.2's rules, so
``yes``, ``on``, ``0123`` and ``12:30:00`` stay text, and a date stays text until a field asks for one. Keys
are always text. Aliases are copied out, within a limit, so that a small file cannot become a huge one.

Refused, each as a problem with its line: what is no YAML, two documents in one file, a key given twice,
tags such as ``!!python/object``, and keys that are not plain text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dataplat.specs.problems import Loc, Problem, path_text

MAX_VALUES = 100_000
MAX_DEPTH = 50
_SURELY_FLAT = 5_000  # characters; the C composer recurses, and deep enough it takes the process with it
_TOO_LARGE = f"holds more than {MAX_VALUES:,} values or {MAX_DEPTH} levels once its aliases are copied out"
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Declared:
    """Where something was declared: the file, and the line of everything in it.

    Args:
        file: The file as people see it, from the configuration folder's name on.
        path: The file itself.
        folder: The folder of the file inside the configuration folder, empty for the root.
        lines: Line, counted from 1, of every key and list item.
    """

    file: str
    path: Path
    folder: str = ""
    lines: Mapping[Loc, int] = field(default_factory=dict, repr=False, compare=False)

    def line(self, *loc: str | int) -> int:
        """Return the line of ``loc``, or of the nearest thing around it that has one."""
        for end in range(len(loc), 0, -1):
            if loc[:end] in self.lines:
                return self.lines[loc[:end]]
        return self.lines.get((), 1)

    def at(self, *loc: str | int) -> str:
        """Return the place as terminals open it, with the key's name after it if one is given.

        >>> Declared("config/ods/x.yaml", Path("x.yaml"), lines={("checks", 0): 14}).at("checks", 0)
        'config/ods/x.yaml:14 checks[0]'
        """
        place = f"{self.file}:{self.line(*loc)}"
        return f"{place} {path_text(loc)}" if loc else place

    def problem(self, loc: Loc, text: str) -> Problem:
        """Return a problem with the value at ``loc``."""
        return Problem(self.file, self.line(*loc), path_text(loc), text)


NOWHERE = Declared("(not declared in a file)", Path())


class _Loader(yaml.CSafeLoader):
    """The C parser with YAML 1.2's idea of what is not text."""


_Loader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?(?:0|[1-9][0-9]{0,17})$", list("-+0123456789")),
    ("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(_pattern), _first)


@dataclass(frozen=True)
class Document:
    """A parsed file: its value, where things are, and what was wrong with it as YAML."""

    value: Any
    declared: Declared
    problems: tuple[Problem, ...] = ()


def parse_document(text: str, file: str, path: Path, folder: str = "") -> Document:
    """Parse YAML text. Never raises for any text: what is wrong is in ``problems``."""
    loader = _Loader(text)
    try:
        if len(text) > _SURELY_FLAT and (line := _too_deep(text)):
            return Document(None, Declared(file, path, folder), (Problem(file, line, "", _TOO_LARGE),))
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        declared = Declared(file, path, folder)
        return Document(None, declared, (_syntax_problem(file, text, error),))
    finally:
        loader.dispose()
    reader = _Reader(file)
    value = reader.read(node, ()) if node is not None else None
    return Document(value, Declared(file, path, folder, reader.lines), tuple(reader.problems))


def _too_deep(text: str) -> int:
    """Return the line in which the nesting exceeds the limit, or 0. Unlike the composer, never recurses."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                return event.start_mark.line + 1 if event.start_mark else 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return 0


def read_document(path: Path, file: str, folder: str = "") -> Document:
    """Read and parse a file; what cannot be opened or is not UTF-8 is a problem like any other."""
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        return _unreadable(path, file, folder, 1, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return _unreadable(path, file, folder, line, "is not UTF-8 text")
    return parse_document(text, file, path, folder)


def _unreadable(path: Path, file: str, folder: str, line: int, text: str) -> Document:
    return Document(None, Declared(file, path, folder), (Problem(file, line, "", text),))


def _syntax_problem(file: str, text: str, error: yaml.YAMLError) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        words = " ".join(part for part in (error.context, error.problem) if part)
        written = text.split("\n")[mark.line : mark.line + 1] if mark else []
        hint = "; inside [ ] and { } put ${…} in quotes" if "${" in "".join(written) else ""
        return Problem(file, mark.line + 1 if mark else 1, "", f"is not YAML: {words}{hint}")
    position = getattr(error, "position", 0)
    line = text.encode().count(b"\n", 0, position) + 1
    return Problem(file, line, "", "is not YAML: control characters are not allowed")


class _TooLargeError(Exception):
    pass


class _Reader:
    """Reads values and lines off the node tree of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Loc, int] = {}
        self.problems: list[Problem] = []

    def read(self, node: yaml.Node, loc: Loc) -> Any:
        self.lines.setdefault(loc, node.start_mark.line + 1)
        try:
            return self._value(node, loc)
        except _TooLargeError:
            text = (
                f"holds more than {MAX_VALUES:,} values or {MAX_DEPTH} levels once its aliases are copied out"
            )
            self.problems = [Problem(self.file, node.start_mark.line + 1, "", text)]
            return None

    def _value(self, node: yaml.Node, loc: Loc) -> Any:
        if len(self.lines) > MAX_VALUES or len(loc) > MAX_DEPTH:
            raise _TooLargeError
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, loc)
        if node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
            self._refuse(node, loc, f"tags such as {node.tag} are not read")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, loc)
        return self._sequence(node, loc)

    def _sequence(self, node: yaml.Node, loc: Loc) -> list[Any]:
        items = []
        for index, item in enumerate(node.value):
            here = (*loc, index)
            self.lines[here] = item.start_mark.line + 1
            items.append(self._value(item, here))
        return items

    def _mapping(self, node: yaml.Node, loc: Loc) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, loc, "a key must be plain text")
                continue
            key, here = key_node.value, (*loc, key_node.value)
            if key in values:
                self._refuse(key_node, here, f"given twice, first in line {self.lines[here]}")
                continue
            self.lines[here] = key_node.start_mark.line + 1
            values[key] = self._value(value_node, here)
        return values

    def _scalar(self, node: yaml.ScalarNode, loc: Loc) -> Any:
        match node.tag.removeprefix(_TAG):
            case "str":
                return node.value
            case "null":
                return None
            case "bool" if node.value.lower() in ("true", "false"):
                return node.value.lower() == "true"
            case "int" if re.fullmatch(r"[-+]?[0-9]{1,18}", node.value):
                return int(node.value)
            case "float" if re.fullmatch(r"[-+]?[0-9.]{1,40}([eE][-+]?[0-9]{1,3})?", node.value):
                return float(node.value)
        self._refuse(node, loc, f"tags such as {node.tag} are not read")
        return None

    def _refuse(self, node: yaml.Node, loc: Loc, text: str) -> None:
        self.problems.append(Problem(self.file, node.start_mark.line + 1, path_text(loc), text))
