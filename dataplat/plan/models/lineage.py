"""Where the columns of a model come from: through joins, CTEs, subqueries and unions, down to tables.

Only what makes the value counts. A column that a join or a filter looks at decides which rows there are, not
what is in them, and is not in the lineage.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from dataplat.plan.models.frames import Derived, Frame, Meaning, Output, Read
from dataplat.plan.models.graph import ALL_COLUMNS, ColumnLineage, ColumnRef
from dataplat.plan.models.sql import own_columns


def column_lineage(frames: Sequence[Frame]) -> tuple[ColumnLineage, ...]:
    """Return the lineage of each column that a query makes, in its order.

    Branches of a union are matched by position, and named by the first.
    """
    tracer = _Tracer()
    first, *others = frames
    found = []
    for position, output in enumerate(first.outputs):
        traces = [tracer.output(first, output)]
        for frame in others:
            traces.append(
                tracer.output(frame, frame.outputs[position]) if position < len(frame.outputs) else _Trace()
            )
        sources = tuple(sorted({ref for trace in traces for ref in trace.refs}))
        name = ALL_COLUMNS if output.hidden else output.name or ""
        found.append(ColumnLineage(name, sources, all(trace.complete for trace in traces)))
    return tuple(found)


def columns_read(frames: Sequence[Frame]) -> tuple[ColumnRef, ...]:
    """Return every column of a table that a query names anywhere, filters and joins included."""
    found: set[ColumnRef] = set()
    for top in frames:
        for frame in top.frames():
            for column in own_columns(frame.select):
                meaning = frame.find(column)
                if meaning and isinstance(meaning.source, Read) and meaning.source.relation:
                    found.add(ColumnRef(meaning.source.relation.declared, meaning.name))
    return tuple(sorted(found))


@dataclass
class _Trace:
    refs: set[ColumnRef] = field(default_factory=set)
    complete: bool = True

    def add(self, other: "_Trace") -> None:
        self.refs |= other.refs
        self.complete &= other.complete


class _Tracer:
    """Follows columns inwards; each column of each frame once."""

    def __init__(self) -> None:
        self._done: dict[tuple[int, int], _Trace] = {}

    def output(self, frame: Frame, output: Output) -> _Trace:
        if output.hidden is not None:
            return self._all_of(Meaning(frame, output.hidden, ALL_COLUMNS))
        key = (id(frame), id(output.node))
        if key not in self._done:
            self._done[key] = _Trace()  # a column that is made of itself adds nothing
            self._done[key] = self._expression(frame, output.node)
        return self._done[key]

    def _expression(self, frame: Frame, node: exp.Expr) -> _Trace:
        trace = _Trace()
        for part in node.walk(prune=lambda part: isinstance(part, exp.Query | exp.Column)):
            if isinstance(part, exp.Query):
                for inner in frame.inner.get(id(part), ()):
                    for output in inner.outputs:
                        trace.add(self.output(inner, output))
            elif isinstance(part, exp.Column) and not part.is_star:
                trace.add(self._column(frame, part))
        return trace

    def _column(self, frame: Frame, column: exp.Column) -> _Trace:
        meaning = frame.find(column)
        if meaning is None:
            alias = next((output for output in frame.outputs if output.name == column.name), None)
            named = alias is not None and not column.table and alias.node is not column
            return self.output(frame, alias) if alias and named else _Trace(complete=False)
        if isinstance(meaning.source, Read):
            relation = meaning.source.relation
            return (
                _Trace({ColumnRef(relation.declared, meaning.name)}) if relation else _Trace(complete=False)
            )
        if isinstance(meaning.source, Derived):
            return self._derived(meaning, meaning.source)
        return self._all_of(meaning)

    def _derived(self, meaning: Meaning, source: Derived) -> _Trace:
        trace = _Trace()
        for inner, output in source.inner_outputs(meaning.name):
            trace.add(self.output(inner, output) if output else _Trace(complete=False))
        return trace

    def _all_of(self, meaning: Meaning) -> _Trace:
        source = meaning.source
        if isinstance(source, Read):
            name = source.relation.declared if source.relation else source.node.name
            return _Trace({ColumnRef(name, ALL_COLUMNS)}, complete=False)
        trace = _Trace(complete=isinstance(source, Derived) or not source.inner)
        for inner in source.frames if isinstance(source, Derived) else source.inner:
            for output in inner.outputs:
                trace.add(self.output(inner, output))
        if not isinstance(source, Derived):
            for node in source.inputs:
                trace.add(self._expression(meaning.frame, node))
        return trace
