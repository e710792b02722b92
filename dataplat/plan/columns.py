"""Column entries of a table spec -> what is selected at the source and what it is called in Hive.

What arrives is what a person wrote in YAML: ``id``, ``detail AS detail_json``, ``concat(a, b) AS ab``.
What it becomes is the same expression text, unchanged, and the name of the Hive column in lower case.
One exception: a bare column name is put into backticks, so that columns named ``order`` or ``desc`` work.

What it refuses, because it would read something else than the rows of the table: ``*`` in a list,
aggregates and window functions (a table is read in splits), assignments and functions that act on the
server, anything after the expression (``FROM``, ``;``, a second column), and comments, which could hide it.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dataplat.errors import SourceError
from dataplat.plan.expressions import RefusedError, one_line, read_expression

RESERVED_PREFIX = "__dp_"

_TARGET = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class PlannedEntry:
    """One column of a table: what is asked at the source and what it is called in Hive.

    Attributes:
        sql: The expression without its alias, fit for ``SELECT {sql} AS `{target}` ``.
        target: The Hive column, lower case.
        source_column: The source's column when the entry is one, else None (an expression).
        index: Position in the spec's list.
    """

    sql: str
    target: str
    source_column: str | None
    index: int


@dataclass(frozen=True)
class ColumnProblem:
    """What is wrong with one entry, and at which character of it (None: the entry as a whole)."""

    index: int
    text: str
    reason: str
    position: int | None = None

    @property
    def message(self) -> str:
        """The problem as people see it: the reason, and the entry with a caret under the place."""
        if self.position is None:
            return f"columns[{self.index}]: {self.reason}"
        return f"columns[{self.index}]: {self.reason}\n  {self.text}\n  {' ' * self.position}^"


@dataclass(frozen=True)
class ColumnPlan:
    """The entries that can be read, in order, and everything that is wrong with the others."""

    entries: tuple[PlannedEntry, ...]
    problems: tuple[ColumnProblem, ...]


def plan_columns(entries: Sequence[str], reserved: Collection[str] = ()) -> ColumnPlan:
    """Return what each column entry asks of the source, and every problem of every entry.

    Date expressions ``$[…]`` may stand in an entry; they are left for the caller to render.

    Args:
        entries: The spec's list as written.
        reserved: Names that the table uses itself: partition columns, the shards' identity column.

    >>> plan = plan_columns(["id", "CAST(CreateTime as CHAR) AS create_time"])
    >>> [(entry.sql, entry.target) for entry in plan.entries]
    [('`id`', 'id'), ('CAST(CreateTime as CHAR)', 'create_time')]
    >>> print(plan_columns(["upper(name)"]).problems[0].message)
    columns[0]: an expression needs a name: write "upper(name) AS some_name"
      upper(name)
      ^
    """
    taken = {name.lower() for name in reserved}
    planned: dict[str, PlannedEntry] = {}
    problems: list[ColumnProblem] = []
    for index, text in enumerate(entries):
        try:
            expression = read_expression(text)
            target = expression.name.lower()
            _refuse_target(target, taken, planned)
        except RefusedError as refused:
            problems.append(ColumnProblem(index, one_line(text), refused.reason, refused.position))
        else:
            planned[target] = PlannedEntry(expression.sql, target, expression.column, index)
    return ColumnPlan(tuple(planned.values()), tuple(problems))


def require_columns(
    entries: Sequence[str], *, subject: str, declared: str, reserved: Collection[str] = ()
) -> tuple[PlannedEntry, ...]:
    """Return the planned entries of a table that is about to be read.

    Raises:
        SourceError: If any entry has a problem; the message holds all of them. Nothing was sent.
    """
    plan = plan_columns(entries, reserved)
    if plan.problems:
        found = "\n".join(problem.message for problem in plan.problems)

        raise SourceError(
            subject,
            "the columns cannot be read",
            facts=[
                ("found", found),
                ("declared", declared),
            ],
            effect="nothing was read",
            next_steps=["dataplat check"],
        )
    return plan.entries


def _refuse_target(target: str, reserved: Collection[str], planned: dict[str, PlannedEntry]) -> None:
    if not _TARGET.fullmatch(target):
        raise RefusedError(f"'{target}' is no name for a Hive column (a-z, 0-9, _): choose another with AS")
    if target.startswith(RESERVED_PREFIX):
        raise RefusedError(f"'{target}': names that begin with {RESERVED_PREFIX} belong to dataplat")
    if target in reserved:
        raise RefusedError(f"'{target}' is a column that the table adds itself: choose another name with AS")
    if target in planned:
        raise RefusedError(
            f"'{target}' is the name of columns[{planned[target].index}] too (case is ignored)"
        )
