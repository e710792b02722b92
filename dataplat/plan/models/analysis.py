"""What one model reads, makes and gets wrong, found by reading its SQL for a few partitions.

The SQL is rendered for three partitions that have little in common: a day in the middle of a month, the first
day of one, and a leap day (for hourly models at different hours). Whatever filter it is written with, the
partitions that it lets through are compared with the one that is made; if one rule explains all three, that
is the mapping, and otherwise the YAML has to state it.

What surprises: a branch of the template that none of the three takes is not seen.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from dataplat.plan.grains import Grain, wall_start
from dataplat.plan.models.building import TooManyFramesError, build_frames
from dataplat.plan.models.frames import Frame
from dataplat.plan.models.functions import called_functions
from dataplat.plan.models.graph import ModelAnalysis
from dataplat.plan.models.lineage import column_lineage, columns_read
from dataplat.plan.models.problems import SqlRefusedError
from dataplat.plan.models.projection import projection_problems, unknown_columns
from dataplat.plan.models.reads import (
    PartitionsRead,
    filtered_reads,
    find_reads,
    partitions_read,
)
from dataplat.plan.models.relations import Relation, Relations
from dataplat.plan.models.render import RenderedSql, render_sql
from dataplat.plan.models.sql import parse_model_sql, position_of, table_name
from dataplat.plan.models.upstreams import Place, ReadSamples, resolve_upstreams
from dataplat.specs import ModelSpec
from dataplat.specs.problems import Problem, did_you_mean

PROBES: Mapping[Grain, tuple[str, ...]] = {
    "hour": ("2026-03-18-07:00", "2026-05-01-00:00", "2028-02-29-23:00"),
    "day": ("2026-03-18", "2026-05-01", "2028-02-29"),
    "month": ("2026-03", "2027-01", "2028-02"),
}
_VALUE = re.compile(r"'(?:[^'\\]|\\.)*'|\b[0-9]+\b", re.DOTALL)


@dataclass(frozen=True)
class ParsedModel:
    """A model whose SQL is one SELECT.

    Attributes:
        spec: The model.
        probes: Its SQL rendered for each of ``PROBES``.
        tree: The tree of the first.
        tables: The tables that it names, in lower case.
    """

    spec: ModelSpec
    probes: tuple[RenderedSql, ...]
    tree: exp.Query
    tables: tuple[str, ...]

    @property
    def rendered(self) -> RenderedSql:
        """What ``tree`` was parsed from."""
        return self.probes[0]


def parse_model(spec: ModelSpec) -> ParsedModel:
    """Render the SQL for a few partitions, and parse it for the first.

    Raises:
        SqlRefusedError: With file, line and a caret.
    """
    probes = tuple(render_sql(spec, key) for key in PROBES[spec.grain])
    tree = parse_model_sql(probes[0])
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    names = (
        table_name(table) for table in tree.find_all(exp.Table) if isinstance(table.this, exp.Identifier)
    )
    return ParsedModel(spec, probes, tree, tuple(dict.fromkeys(name for name in names if name not in ctes)))


def analyse_model(model: ParsedModel, relations: Relations) -> ModelAnalysis:
    """Return what a model reads and makes. Never raises: what is wrong is in ``problems``.

    Args:
        model: The parsed model.
        relations: Every table that may be read, with its columns as far as they are known.
    """
    spec, rendered = model.spec, model.rendered
    try:
        frames = build_frames(model.tree, relations)
        unknown = [*_undeclared(rendered, frames, relations)]
        samples = [*_sampled(model, frames, relations)]
    except SqlRefusedError as refused:
        return ModelAnalysis(problems=refused.problems)
    except TooManyFramesError:
        text = "the CTEs of this SQL name each other too often to be followed; split the model"
        return ModelAnalysis(problems=(rendered.problem(0, text),))
    upstreams, problems = resolve_upstreams(spec, samples, _others(frames), relations)
    own = relations[spec.table.lower()]
    problems = [*unknown, *problems, *projection_problems(spec, rendered, frames, own.partition_names)]
    if not unknown:
        problems += unknown_columns(rendered, frames)
    return ModelAnalysis(
        upstreams,
        frames[0].output_names,
        column_lineage(frames),
        columns_read(frames),
        called_functions(_trees(model)),
        tuple(problems),
    )


def _trees(model: ParsedModel) -> Iterator[tuple[exp.Query, RenderedSql]]:
    """Yield the tree of each probe that is not the first one with other literals."""
    yield model.tree, model.rendered
    for rendered in model.probes[1:]:
        if _other_literals(model.rendered.text, rendered.text) is None:
            yield parse_model_sql(rendered), rendered


def _undeclared(rendered: RenderedSql, frames: Sequence[Frame], relations: Relations) -> Iterator[Problem]:
    seen: set[int] = set()
    for read in find_reads(frames):
        position = position_of(read.node)
        if read.relation is None and position not in seen:
            seen.add(position)
            yield rendered.problem(position, _undeclared_text(table_name(read.node), relations))


def _undeclared_text(name: str, relations: Relations) -> str:
    if "." not in name:
        near = [known.declared for known in relations.values() if known.table.split(".")[1] == name]
        hint = f"; did you mean '{near[0]}'?" if near else ": write database.table"
        return f"table '{name}' is named without its database{hint}"
    hint = did_you_mean(name, (relation.declared for relation in relations.values()))
    remedy = "; declare it, or list it as `external` in platform.yaml if somebody else makes it"
    return f"there is no table '{name}'{hint or remedy}"


def _others(frames: Sequence[Frame]) -> list[Relation]:
    """Return tables without partitions that are read."""
    found = {read.relation.table: read.relation for read in find_reads(frames) if read.relation}
    return [relation for relation in found.values() if relation.grain is None]


def _sampled(model: ParsedModel, frames: Sequence[Frame], relations: Relations) -> Iterator[ReadSamples]:
    spec, plan = model.spec, filtered_reads(frames)
    collected: dict[str, ReadSamples] = {}
    for key, rendered in zip(PROBES[spec.grain], model.probes, strict=True):
        literals, query = _other_literals(model.rendered.text, rendered.text), plan
        if literals is None:
            query = filtered_reads(build_frames(parse_model_sql(rendered), relations))
        else:
            rendered = model.rendered
        for read in partitions_read(query, key, spec.grain, literals or {}):
            _collect(collected, read, wall_start(key, spec.grain), key, rendered)
    yield from collected.values()


def _collect(
    collected: dict[str, ReadSamples], found: PartitionsRead, start: datetime, key: str, rendered: RenderedSql
) -> None:
    relation = found.read.relation
    assert relation is not None
    samples = collected.setdefault(relation.table, ReadSamples(relation))
    samples.add(start, key, found, Place(rendered, position_of(found.read.node)))


def _other_literals(first: str, other: str) -> dict[int, str] | None:
    """Return what stands in ``other`` in place of each literal of ``first``, by position.

    None if the texts differ in more than literals, as where a template decides by the date.
    """
    if _VALUE.sub("?", first) != _VALUE.sub("?", other):
        return None
    pairs = zip(_VALUE.finditer(first), _VALUE.finditer(other), strict=True)
    return {a.start(): b[0].strip("'") if b[0][0] == "'" else b[0] for a, b in pairs if a[0] != b[0]}
