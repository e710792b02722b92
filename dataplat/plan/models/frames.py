"""The SELECTs of a query, what each reads from, and what a name in one of them means.

A ``Frame`` is one SELECT. It reads from sources: a ``Read`` is a table of the warehouse, a ``Derived`` source
is a subquery or a CTE with the frames of its branches (several for a UNION), an ``Opaque`` one makes rows of
its own (``LATERAL VIEW``, ``VALUES``, functions).

Columns of loaded tables with ``columns: "*"`` are not known here. A name that only such a source can have is
taken to be its column; one that several could have stays unresolved, and nothing is claimed about it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from sqlglot import exp

from dataplat.plan.models.relations import Relation


@dataclass(eq=False)
class Read:
    """One place where a table is read. ``relation`` is missing if nobody declared the table."""

    alias: str
    node: exp.Table
    relation: Relation | None

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Its columns, none if they are not known."""
        return self.relation.all_columns if self.relation else None


@dataclass(eq=False)
class Derived:
    """A subquery or a CTE, and the names that its columns have outside if it says so."""

    alias: str
    frames: "list[Frame]"
    renamed: tuple[str, ...] = ()

    @cached_property
    def columns(self) -> tuple[str, ...] | None:
        """The names of its columns, none if a star hides them."""
        return self.renamed or (self.frames[0].output_names if self.frames else None)

    def inner_outputs(self, name: str) -> "list[tuple[Frame, Output | None]]":
        """Return what a column is in each branch; none in a branch where that is not known."""
        at = self.columns.index(name) if self.columns and name in self.columns else None
        return [(frame, frame.output(name, at)) for frame in self.frames]


@dataclass(eq=False)
class Opaque:
    """A source that makes rows of its own, out of ``inputs``; a pivot reads the frames in it."""

    alias: str
    columns: tuple[str, ...] | None
    inputs: tuple[exp.Expr, ...] = ()
    inner: "list[Frame]" = field(default_factory=list)


Source = Read | Derived | Opaque


@dataclass(frozen=True)
class Output:
    """One column of a SELECT.

    Attributes:
        name: Missing where SQL gives none, and for a star that hides columns.
        node: The expression.
        written: The item of the SELECT that it comes from; a star is written once and is many columns.
        hidden: The source whose columns are not known, for a star over it.
    """

    name: str | None
    node: exp.Expr
    written: exp.Expr
    hidden: Source | None = None


@dataclass(frozen=True)
class Condition:
    """What must hold between sources, from WHERE or from a join.

    ``restricts`` names the sources whose rows are dropped where it does not hold: ``LEFT JOIN … ON`` drops
    none of the left.
    """

    node: exp.Expr
    restricts: frozenset[str]


@dataclass(frozen=True)
class Meaning:
    """What a name means: a column of a source of some frame."""

    frame: "Frame"
    source: Source
    name: str


@dataclass(eq=False)
class Frame:
    """One SELECT. ``inner`` are the subqueries in its expressions, by the identity of their trees."""

    select: exp.Select
    parent: "Frame | None"
    sources: dict[str, Source] = field(default_factory=dict)
    conditions: list[Condition] = field(default_factory=list)
    shared: set[str] = field(default_factory=set)
    unselected: set[str] = field(default_factory=set)
    inner: "dict[int, list[Frame]]" = field(default_factory=dict)

    @cached_property
    def outputs(self) -> list[Output]:
        """Its columns in order, with every star written out whose columns are known."""
        return [*chain.from_iterable(map(self._expanded, self.select.expressions))]

    @cached_property
    def output_names(self) -> tuple[str, ...] | None:
        """The names of its columns in order, none if a star hides some."""
        if any(output.hidden for output in self.outputs):
            return None
        return tuple(output.name or "" for output in self.outputs)

    def output(self, name: str, at: int | None = None) -> Output | None:
        """Return the column of a name, or the one at a position, or what a star makes of the name."""
        names = self.output_names
        if at is not None and names is not None:
            return self.outputs[at] if at < len(names) else None
        named = next((output for output in self.outputs if output.name == name), None)
        hidden = [output for output in self.outputs if output.hidden]
        if named or len(hidden) != 1 or hidden[0].hidden is None:
            return named
        return Output(name, exp.column(name, table=hidden[0].hidden.alias), hidden[0].written)

    def find(self, column: exp.Column) -> Meaning | None:
        """Return what a column means; none if it is none of any source, or that is not certain."""
        parts = [part.name for part in column.parts]
        for frame in self.outwards():
            for at in range(min(2, len(parts) - 1)):
                if parts[at] in frame.sources:
                    return Meaning(frame, frame.sources[parts[at]], parts[at + 1])
        for frame in self.outwards():
            owners = frame.owners(parts[0])
            if owners:
                certain = len(owners) == 1 or parts[0] in frame.shared
                return Meaning(frame, owners[0], parts[0]) if certain else None
        return None

    def owners(self, name: str) -> list[Source]:
        """Return the sources that have a column, or else those that may have it."""
        known = [source for source in self.sources.values() if name in (source.columns or ())]
        return known or [source for source in self.sources.values() if source.columns is None]

    def outwards(self) -> "Iterator[Frame]":
        """Yield this frame and those around it, whose names it may use."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.parent

    def frames(self) -> "Iterator[Frame]":
        """Yield this frame and every one that it reads from or holds in an expression."""
        yield self
        for frame in chain.from_iterable(chain(map(_frames_of, self.sources.values()), self.inner.values())):
            yield from frame.frames()

    def _expanded(self, item: exp.Expr) -> Iterator[Output]:
        if not item.is_star:
            yield from _named(item)
            return
        star = item if isinstance(item, exp.Star) else item.this
        excluded = {column.name for column in star.args.get("except_") or ()}
        changed = bool(star.args.get("replace") or star.args.get("rename"))
        alias = item.table if isinstance(item, exp.Column) else ""
        seen: set[str] = set()
        for source in self.sources.values():
            if source.alias in self.unselected or (alias and source.alias != alias):
                continue
            if source.columns is None or changed:
                yield Output(None, item, item, hidden=source)
                continue
            for name in source.columns:
                if name not in excluded and not (name in seen and name in self.shared):
                    yield Output(name, exp.column(name, table=source.alias), item)
                seen.add(name)


def _frames_of(source: Source) -> list[Frame]:
    if isinstance(source, Read):
        return []
    return source.frames if isinstance(source, Derived) else source.inner


def _named(item: exp.Expr) -> Iterator[Output]:
    if isinstance(item, exp.Aliases):
        for identifier in item.expressions:
            yield Output(identifier.name, item.this, item)
    else:
        yield Output(item.output_name or None, item.unalias(), item)
