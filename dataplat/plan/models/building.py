"""From the tree of a query to its frames.

A CTE that is named twice becomes two sources, because each use may be filtered by other partitions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from dataplat.plan.models.frames import Condition, Derived, Frame, Opaque, Read, Source
from dataplat.plan.models.relations import Relations
from dataplat.plan.models.sql import conjuncts, table_name

MAX_FRAMES = 2_000


class TooManyFramesError(Exception):
    """CTEs that name each other twice, over and over: more readings than can be followed."""


@dataclass(frozen=True)
class _Cte:
    """A CTE, and what the names in it mean; a recursive one has no body that could be followed."""

    node: exp.Query | None
    columns: tuple[str, ...]
    visible: "Mapping[str, _Cte]" = field(repr=False)


def build_frames(query: exp.Query, relations: Relations) -> list[Frame]:
    """Return the frame of each branch of a query; a plain SELECT has one.

    Raises:
        TooManyFramesError: If the query has more than ``MAX_FRAMES`` SELECTs once CTEs are followed.
    """
    return _Builder(relations).branches(query, {}, None)


class _Builder:
    def __init__(self, relations: Relations) -> None:
        self._relations = relations
        self._count = 0

    def branches(self, query: exp.Expr, visible: Mapping[str, _Cte], parent: Frame | None) -> list[Frame]:
        visible = {**visible, **_ctes(query, visible)}
        if isinstance(query, exp.Subquery):
            return self.branches(query.this, visible, parent)
        if isinstance(query, exp.SetOperation):
            left = self.branches(query.left, visible, parent)
            return left + self.branches(query.right, visible, parent)
        if isinstance(query, exp.Table):
            return self.branches(exp.select("*").from_(query, copy=False), visible, parent)
        return [self._frame(query, visible, parent)] if isinstance(query, exp.Select) else []

    def _frame(self, select: exp.Select, visible: Mapping[str, _Cte], parent: Frame | None) -> Frame:
        self._count += 1
        if self._count > MAX_FRAMES:
            raise TooManyFramesError
        frame = Frame(select, parent)
        if origin := select.args.get("from_"):
            self._add(frame, origin.this, visible)
        for join in select.args.get("joins") or ():
            self._join(frame, join, visible)
        for lateral in select.args.get("laterals") or ():
            self._add(frame, lateral, visible)
        if where := select.args.get("where"):
            frame.conditions += [Condition(node, frozenset(frame.sources)) for node in conjuncts(where.this)]
        for subquery in _subqueries(select):
            frame.inner[id(subquery)] = self.branches(subquery, visible, frame)
        return frame

    def _join(self, frame: Frame, join: exp.Join, visible: Mapping[str, _Cte]) -> None:
        before = frozenset(frame.sources)
        self._add(frame, join.this, visible)
        added = frozenset(frame.sources) - before
        restricts = {"LEFT": added, "RIGHT": before, "FULL": frozenset[str]()}.get(join.side, before | added)
        if join.kind == "SEMI":
            restricts = before | added
        if join.kind in ("SEMI", "ANTI"):
            frame.unselected |= added
        frame.conditions += [Condition(node, restricts) for node in conjuncts(join.args.get("on"))]
        for name in (column.name for column in join.args.get("using") or ()):
            frame.shared.add(name)
            for left in before:
                if name in (frame.sources[left].columns or ()):
                    for right in added:
                        node = exp.EQ(
                            this=exp.column(name, table=left), expression=exp.column(name, table=right)
                        )
                        frame.conditions.append(Condition(node, restricts))

    def _add(self, frame: Frame, node: exp.Expr, visible: Mapping[str, _Cte]) -> None:
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table) and not node.alias:
            self._add(frame, node.this, visible)  # brackets around a join: its names are seen outside
        else:
            alias = node.alias_or_name or f"#{len(frame.sources)}"
            frame.sources[alias] = self._source(frame, alias, node, visible)
        for join in node.args.get("joins") or ():
            self._join(frame, join, visible)

    def _source(self, frame: Frame, alias: str, node: exp.Expr, visible: Mapping[str, _Cte]) -> Source:
        renamed = _column_aliases(node)
        if pivots := node.args.get("pivots"):
            read = node.copy()
            read.set("pivots", None)
            read.set("joins", None)
            inner = self.branches(exp.select("*").from_(read, copy=False), visible, frame.parent)
            return Opaque(pivots[-1].alias or alias, None, inner=inner)
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            return self._table(alias, node, visible, renamed)
        if isinstance(node, exp.Subquery):
            return Derived(alias, self.branches(node, visible, frame.parent), renamed)
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            return Derived(alias, self.branches(node.this, visible, frame), renamed)
        return Opaque(alias, renamed or None, inputs=(node,))

    def _table(
        self, alias: str, node: exp.Table, visible: Mapping[str, _Cte], renamed: tuple[str, ...]
    ) -> Source:
        cte = visible.get(node.name) if not node.db else None
        if cte is None:
            return Read(alias, node, self._relations.get(table_name(node)))
        if cte.node is None:
            return Opaque(alias, renamed or cte.columns or None)
        return Derived(alias, self.branches(cte.node, cte.visible, None), renamed or cte.columns)


def _ctes(query: exp.Expr, visible: Mapping[str, _Cte]) -> dict[str, _Cte]:
    found: dict[str, _Cte] = {}
    clause = query.args.get("with_")
    if clause is None:
        return found
    for cte in clause.expressions:
        columns = _column_aliases(cte)
        seen = {**visible, **found}
        if clause.args.get("recursive"):
            seen[cte.alias] = _Cte(None, columns, {})
        found[cte.alias] = _Cte(cte.this, columns, seen)
    return found


def _column_aliases(node: exp.Expr) -> tuple[str, ...]:
    alias = node.args.get("alias")
    return tuple(column.name for column in alias.columns) if isinstance(alias, exp.TableAlias) else ()


def _subqueries(select: exp.Select) -> Iterator[exp.Query]:
    for key, value in select.args.items():
        if key in ("from_", "with_", "laterals"):
            continue
        for item in value if isinstance(value, list) else [value]:
            if key == "joins":
                yield from _outermost(item.args.get("on"))
            elif isinstance(item, exp.Expr):
                yield from _outermost(item)


def _outermost(node: exp.Expr | None) -> Iterator[exp.Query]:
    if isinstance(node, exp.Query):
        yield node
    elif node is not None:
        for child in node.iter_expressions():
            yield from _outermost(child)
