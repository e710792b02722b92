"""The columns that a model makes: named, each once, and all that its YAML speaks of among them."""

import re
from collections.abc import Iterator, Sequence

from sqlglot import exp

from dataplat.plan.columns import RESERVED_PREFIX
from dataplat.plan.models.frames import Frame, Opaque, Output, Read
from dataplat.plan.models.render import RenderedSql
from dataplat.plan.models.sql import own_columns, position_of
from dataplat.specs import ModelSpec
from dataplat.specs.check_names import written_at
from dataplat.specs.problems import Loc, Problem, did_you_mean

_HIVE_COLUMN = re.compile(r"[a-z_][a-z0-9_]*")


def projection_problems(
    spec: ModelSpec, rendered: RenderedSql, frames: Sequence[Frame], partition_names: Sequence[str]
) -> Iterator[Problem]:
    """Yield what is wrong with the columns of a query.

    Args:
        spec: The model.
        rendered: Its SQL, for the places.
        frames: The branches of the query.
        partition_names: Columns that dataplat adds.
    """
    yield from _names(rendered, frames[0], partition_names)
    yield from _branches(rendered, frames)
    names = frames[0].output_names
    if names is not None:
        for loc, name in _named_in_yaml(spec):
            known = (*names, *partition_names) if loc[0] == "checks" else names
            if name.lower() not in known:
                text = f"'{name}' is not a column of the SQL{did_you_mean(name, names)}"
                yield spec.declared.problem(loc, text)


def unknown_columns(rendered: RenderedSql, frames: Sequence[Frame]) -> Iterator[Problem]:
    """Yield every name that is no column of what a SELECT reads from, where all of that is known."""
    seen: set[int] = set()
    for top in frames:
        for frame in top.frames():
            for column in own_columns(frame.select):
                problem = None if id(column) in seen else _unknown(rendered, frame, column)
                seen.add(id(column))
                if problem:
                    yield problem


def _names(rendered: RenderedSql, frame: Frame, partition_names: Sequence[str]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for number, output in enumerate(frame.outputs, 1):
        place = position_of(output.written)
        if output.hidden is not None:
            if brought := _brought_by_star(output, partition_names):
                text = f"* brings '{brought}', the partition column, which dataplat adds: leave it out"
                yield rendered.problem(place, f"{text} with * EXCEPT ({brought})")
            continue
        first = seen.setdefault(output.name or "", number)
        if output.name is None:
            text = f"column {number} has no name: write {_short(output.node)} AS some_name"
        elif output.name in partition_names:
            text = f"'{output.name}' is the partition column, which dataplat adds: leave it out"
        elif first != number:
            text = f"'{output.name}' is column {first} and column {number}: give one of them another name"
        elif not _HIVE_COLUMN.fullmatch(output.name):
            text = f"'{output.name}' is no name for a Hive column (a-z, 0-9, _): choose another with AS"
        elif output.name.startswith(RESERVED_PREFIX):
            text = f"'{output.name}': names that begin with {RESERVED_PREFIX} belong to dataplat"
        else:
            continue
        yield rendered.problem(place, text)


def _brought_by_star(output: Output, partition_names: Sequence[str]) -> str | None:
    source = output.hidden
    if not isinstance(source, Read) or source.relation is None:
        return None
    excluded = {
        column.name for star in output.written.find_all(exp.Star) for column in star.args.get("except_") or ()
    }
    brought = set(source.relation.partition_names) - excluded
    return next((name for name in partition_names if name in brought), None)


def _short(node: exp.Expr) -> str:
    text = " ".join(node.sql(dialect="spark").split())
    return text if len(text) <= 40 else f"{text[:40]}…"


def _branches(rendered: RenderedSql, frames: Sequence[Frame]) -> Iterator[Problem]:
    first = frames[0].output_names
    for frame in frames[1:]:
        names = frame.output_names
        if first is not None and names is not None and len(names) != len(first):
            text = f"this SELECT has {len(names)} columns, and the first of the union has {len(first)}"
            yield rendered.problem(position_of(frame.select), text)


def _named_in_yaml(spec: ModelSpec) -> Iterator[tuple[Loc, str]]:
    for index, name in enumerate(spec.key):
        yield ("key", index), name
    for index, name in enumerate(spec.sensitive):
        yield ("sensitive", index), name
    for name in spec.columns:
        yield ("columns", name), name
    for index, check in enumerate(spec.checks):
        for loc, name in check.columns_at():
            yield written_at(spec, index, check, loc), name


def _unknown(rendered: RenderedSql, frame: Frame, column: exp.Column) -> Problem | None:
    parts = [part.name for part in column.parts]
    aliases = {output.name for output in frame.outputs if output.node is not column}
    if parts[0].startswith("_") or (len(parts) == 1 and parts[0] in aliases):
        return None
    meaning = frame.find(column)
    if meaning is not None:
        columns = meaning.source.columns
        if columns is None or meaning.name in columns or isinstance(meaning.source, Opaque):
            return None
        text = (
            f"'{meaning.name}' is no column of {_called(meaning.source)}{did_you_mean(meaning.name, columns)}"
        )
        return rendered.problem(position_of(column), text)
    known: dict[str, None] = {}
    for around in frame.outwards():
        for source in around.sources.values():
            if source.columns is None:
                return None
            known |= dict.fromkeys(source.columns)
    if not known or parts[0] in known:
        return None
    called = ", ".join(_called(source) for source in frame.sources.values())
    text = f"'{parts[0]}' is no column of {called}{did_you_mean(parts[0], known)}"
    return rendered.problem(position_of(column), text)


def _called(source: object) -> str:
    if isinstance(source, Read) and source.relation:
        return source.relation.declared
    return str(getattr(source, "alias", "this"))
