"""The template language of models: Jinja, kept to what gives the same SQL for the same partition.

There is no clock, no chance and no file in it: ``random`` and ``lipsum`` are gone, nothing can be included,
and Python's attributes are out of reach (the sandbox). An unknown variable is a mistake, also in a branch
that is not taken.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import TracebackType

import jinja2
import jinja2.meta
import jinja2.nodes
import jinja2.sandbox

from dataplat.plan.display import display_width
from dataplat.plan.models.origins import Origins, Piece, marked_template, read_marks, same_lines
from dataplat.plan.models.problems import SqlRefusedError
from dataplat.specs.problems import Problem, did_you_mean

Values = Mapping[str, object]
_SHOWN = 100
_BUILT_IN = {"range", "dict", "namespace", "cycler", "joiner"}


@dataclass(frozen=True)
class SqlFile:
    """The SQL file of a model: what people call it, and its text."""

    file: str
    text: str

    def problem(self, position: int, text: str) -> Problem:
        """Return a problem with the character at ``position``, the line and a caret under it."""
        position = min(max(position, 0), len(self.text))
        start = self.text.rfind("\n", 0, position) + 1
        end = self.text.find("\n", start)
        line = self.text[start : end if end >= 0 else None].replace("\t", " ").rstrip()
        first = max(0, position - start - _SHOWN // 2) if len(line) > _SHOWN else 0
        before = " " * display_width(line[first : position - start])
        excerpt = f"  {line[first : first + _SHOWN]}\n  {before}^"
        return Problem(self.file, self.text.count("\n", 0, position) + 1, "", text, excerpt)

    def line_start(self, line: int) -> int:
        """Return the position of the first character of a line that is no blank."""
        lines = self.text.split("\n")
        line = min(max(line, 1), len(lines))
        before = sum(len(text) + 1 for text in lines[: line - 1])
        return before + len(lines[line - 1]) - len(lines[line - 1].lstrip())


@dataclass(frozen=True)
class Filled:
    """A template that was rendered, and the way back to the places in its file."""

    source: SqlFile
    values: Values
    text: str

    @cached_property
    def pieces(self) -> list[Piece]:
        """What each stretch of the text comes from; worked out when a message asks for it."""
        marked = marked_template(_environment(), self.source.text)
        text, pieces = read_marks(_environment().from_string(marked).render(self.values))
        return pieces if text == self.text else same_lines(self.text, self.source.text)

    def problem(self, position: int, text: str) -> Problem:
        """Return a problem with the character at ``position`` of the rendered text."""
        return self.source.problem(Origins(self.pieces).origin(position), text)


def fill_template(source: SqlFile, values: Values) -> Filled:
    """Render the template.

    Raises:
        SqlRefusedError: It cannot be read, names what is not there, or fails; with every unknown name.
    """
    try:
        tree = _parsed(source.text)
    except jinja2.TemplateSyntaxError as error:
        place = source.line_start(error.lineno)
        raise SqlRefusedError(
            source.problem(place, f"the template cannot be read: {error.message}")
        ) from error
    if unknown := [*_unknown_names(source, tree, values)]:
        raise SqlRefusedError(*unknown)
    try:
        return Filled(source, values, _compiled(source.text).render(values))
    except Exception as error:
        place = source.line_start(_failed_line(error.__traceback__))
        text = f"the template fails: {error or type(error).__name__}"
        raise SqlRefusedError(source.problem(place, text)) from error


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    del environment.globals["lipsum"], environment.filters["random"]
    return environment


@lru_cache(maxsize=64)
def _compiled(text: str) -> jinja2.Template:
    return _environment().from_string(text)


@lru_cache(maxsize=64)
def _parsed(text: str) -> jinja2.nodes.Template:
    return _environment().parse(text)


def _unknown_names(source: SqlFile, tree: jinja2.nodes.Template, values: Values) -> Iterator[Problem]:
    unknown = jinja2.meta.find_undeclared_variables(tree) - set(values) - _BUILT_IN
    for node in tree.find_all(jinja2.nodes.Name):
        if node.name in unknown:
            unknown.remove(node.name)
            text = f"there is no variable '{node.name}'{_hint(node.name, values)}"
            yield source.problem(_position(source, node), text)


def _hint(name: str, values: Values) -> str:
    if "hour" in name and "hour" not in values:
        return ": only hourly models have an hour"
    return did_you_mean(name, values) or f"; known are {', '.join(sorted(values))}"


def _position(source: SqlFile, node: jinja2.nodes.Name) -> int:
    start = source.line_start(node.lineno)
    found = re.compile(rf"\b{re.escape(node.name)}\b").search(source.text, start)
    return found.start() if found else start


def _failed_line(traceback: TracebackType | None) -> int:
    line = 1
    while traceback:
        if traceback.tb_frame.f_code.co_filename == "<template>":
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
