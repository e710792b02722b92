"""From the partitions that were read for some partitions of a model to its upstreams, or to problems."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dataplat.plan.grains import partition_key
from dataplat.plan.models.mapping import Span, Upstream, default_unit, fit_spans
from dataplat.plan.models.reads import PartitionsRead, Reach
from dataplat.plan.models.relations import Relation, Relations
from dataplat.plan.models.render import RenderedSql
from dataplat.specs import ModelSpec
from dataplat.specs.problems import Loc, Problem, did_you_mean

_SHOWN = 2


@dataclass(frozen=True)
class Place:
    """A position in the SQL of a model."""

    rendered: RenderedSql
    position: int

    def problem(self, text: str) -> Problem:
        """Return a problem with what stands there."""
        return self.rendered.problem(self.position, text)


@dataclass
class ReadSamples:
    """What is read of one table: for some partitions of the model, the partitions of the table."""

    relation: Relation
    keys: dict[datetime, str] = field(default_factory=dict)
    walls: dict[datetime, set[datetime]] = field(default_factory=dict)
    trouble: tuple[Reach, Place, str] | None = None
    first: Place | None = None

    def add(self, start: datetime, key: str, found: PartitionsRead, place: Place) -> None:
        """Add what one place of the SQL reads for one partition of the model."""
        self.first = self.first or place
        self.keys[start] = key
        self.walls.setdefault(start, set()).update(found.walls)
        if found.reach != "bounded" or not found.walls:
            self.trouble = self.trouble or (found.reach, place, found.read.alias)

    @property
    def samples(self) -> list[tuple[datetime, list[datetime]]]:
        """The samples in order of time."""
        return [(start, sorted(walls)) for start, walls in sorted(self.walls.items())]


def resolve_upstreams(
    spec: ModelSpec, samples: Sequence[ReadSamples], whole: Sequence[Relation], relations: Relations
) -> tuple[tuple[Upstream, ...], list[Problem]]:
    """Return the upstreams of a model, and what is wrong with how it reads them.

    Args:
        spec: The model, with what its YAML states.
        samples: What its SQL reads of tables with partitions.
        whole: The tables without partitions that it reads.
        relations: All tables.
    """
    found = [Upstream(relation.declared, None, "whole", external=relation.external) for relation in whole]
    problems = [*_stated_in_vain(spec, [sample.relation.table for sample in samples], relations)]
    for sample in samples:
        upstream, wrong = _resolve(spec, sample)
        problems += wrong
        if upstream:
            found.append(upstream)
            problems += _own_partition(spec, sample, upstream)
    return tuple(sorted(found, key=lambda upstream: upstream.table)), problems


def _resolve(spec: ModelSpec, sample: ReadSamples) -> tuple[Upstream | None, list[Problem]]:
    relation = sample.relation
    stated = _stated(spec, relation)
    if stated and stated.reads != "partitions":
        return stated, []
    derived, problem = _derived(spec, sample)
    if stated is None:
        return derived, [problem] if problem else []
    if derived is None:
        return stated, []
    agree = all(
        stated.partitions(key, spec.grain) == derived.partitions(key, spec.grain)
        for key in sample.keys.values()
    )
    text = f"says {_spans(stated)}, and the SQL reads {_spans(derived)}: leave it out, or correct one of them"
    return stated, [] if agree else [spec.declared.problem(_stated_at(spec, relation), text)]


def _spans(upstream: Upstream) -> str:
    return " and ".join(map(str, upstream.spans))


def _stated(spec: ModelSpec, relation: Relation) -> Upstream | None:
    given = next((one for name, one in spec.upstreams.items() if name.lower() == relation.table), None)
    mode = next((mode for name, mode in spec.reads.items() if name.lower() == relation.table), None)
    grain, external = relation.grain, relation.external
    assert grain is not None
    unit = default_unit(spec.grain, grain)
    if given is not None:
        anchor = given.counted_from
        span = Span(given.unit or unit, *given.partitions, anchor, anchor)
        return Upstream(relation.declared, grain, "partitions", (span,), stated=True, external=external)
    if mode == "same":
        return Upstream(relation.declared, grain, "partitions", (Span(unit, 0, 0),), True, external)
    return Upstream(relation.declared, grain, mode, (), True, external) if mode else None


def _stated_at(spec: ModelSpec, relation: Relation) -> Loc:
    for key, names in (("upstreams", spec.upstreams), ("reads", spec.reads)):
        for name in names:
            if name.lower() == relation.table:
                return key, name
    return ()


def _derived(spec: ModelSpec, sample: ReadSamples) -> tuple[Upstream | None, Problem | None]:
    relation = sample.relation
    assert relation.grain is not None
    if sample.trouble:
        anyhow = _for_every_upstream(spec, relation)
        return (anyhow, None) if anyhow else (None, _trouble(spec, sample, *sample.trouble))
    spans = fit_spans(sample.samples, spec.grain, relation.grain)
    if spans is not None:
        return Upstream(
            relation.declared, relation.grain, "partitions", spans, False, relation.external
        ), None
    anyhow = _for_every_upstream(spec, relation)
    return (anyhow, None) if anyhow else (None, _no_rule(spec, sample))


def _for_every_upstream(spec: ModelSpec, relation: Relation) -> Upstream | None:
    """Return what ``reads`` says of all upstreams, for one whose filter says nothing."""
    mode = spec.reads.get("*")
    if mode == "same":
        assert relation.grain is not None
        span = Span(default_unit(spec.grain, relation.grain), 0, 0)
        return Upstream(relation.declared, relation.grain, "partitions", (span,), True, relation.external)
    return Upstream(relation.declared, relation.grain, mode, (), True, relation.external) if mode else None


def _trouble(spec: ModelSpec, sample: ReadSamples, reach: Reach, place: Place, alias: str) -> Problem:
    relation = sample.relation
    name, columns = relation.declared, " and ".join(relation.partition_names)
    called = name if alias == relation.table.split(".")[1] else f"{name} ({alias})"
    remedy = f"or say in {spec.declared.file} `reads: {{{name}: all_partitions}}`"
    if reach == "all":
        return place.problem(f"{called} is read without a filter on {columns}; filter it, {remedy}")
    if reach == "open":
        text = f"the filter on {columns} of {called} has no beginning or no end"
        return place.problem(f"{text}; bound it, {remedy}")
    example = next(iter(sample.keys.values()))
    grain = relation.grain
    assert grain is not None
    values = relation.partition_values(partition_key(min(sample.keys), grain))
    shown = ", ".join(f"{column} = '{value}'" for column, value in values.items())
    text = f"the filter on {columns} of {called} lets no partition through for {example}"
    return place.problem(f"{text}; its partitions are written {shown}")


def _no_rule(spec: ModelSpec, sample: ReadSamples) -> Problem:
    relation = sample.relation
    assert relation.grain is not None
    shown = []
    for start, walls in sample.samples:
        keys = [partition_key(wall, relation.grain) for wall in walls]
        listed = ", ".join(keys) if len(keys) <= _SHOWN else f"{keys[0]} .. {keys[-1]}"
        shown.append(f"{sample.keys[start]} reads {listed}")
    text = (
        f"which partitions of {relation.declared} are read follows no rule ({'; '.join(shown)});"
        f" state it in {spec.declared.file}: `upstreams: {{{relation.declared}: -6..0}}`"
    )
    assert sample.first is not None
    return sample.first.problem(text)


def _own_partition(spec: ModelSpec, sample: ReadSamples, upstream: Upstream) -> Iterator[Problem]:
    if sample.relation.table != spec.table.lower() or sample.first is None:
        return
    earlier = upstream.reads == "partitions" and all(
        read < key for key in sample.keys.values() for read in upstream.partitions(key, spec.grain)
    )
    if not earlier:
        text = "a model may read earlier partitions of itself, not the one that it makes or later ones"
        yield sample.first.problem(text)


def _stated_in_vain(spec: ModelSpec, read: Sequence[str], relations: Relations) -> Iterator[Problem]:
    names = {table: relations[table].declared for table in read}
    for key, stated in (("reads", spec.reads), ("upstreams", spec.upstreams)):
        for name in stated:
            if name != "*" and name.lower() not in names:
                text = f"'{name}' is no table with partitions that the SQL reads"
                yield spec.declared.problem((key, name), text + did_you_mean(name, names.values()))
