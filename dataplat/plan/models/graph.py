"""What all models read and make, and nothing of how that was found out.

``plan.models.reading`` finds it in their SQL. This module does without the parser, so that a process that
starts with a graph which was kept from before need not import one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from dataplat.plan.grains import Grain
from dataplat.plan.models.mapping import Upstream
from dataplat.specs.problems import Problem

ALL_COLUMNS = "*"


@dataclass(frozen=True, order=True)
class ColumnRef:
    """A column of a table; ``*`` is all of them, where they are not known."""

    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


@dataclass(frozen=True)
class ColumnLineage:
    """One column of a model and the columns of upstreams that its value is made of.

    Attributes:
        column: The column; ``*`` for those that a star over an upstream brings.
        sources: In order of their names; none for a constant or a count of rows.
        complete: Whether all sources are known.
    """

    column: str
    sources: tuple[ColumnRef, ...]
    complete: bool = True


@dataclass(frozen=True)
class FunctionCall:
    """A function that a model calls and that is none of Spark's own.

    Attributes:
        name: In lower case.
        place: Where it is called first: a problem without words, for whoever finds one.
    """

    name: str
    place: Problem


@dataclass(frozen=True)
class ModelAnalysis:
    """What is known about a model without running it.

    Attributes:
        upstreams: The tables that it reads, in order of their names; itself among them if it reads its past.
        columns: The columns that it makes, without those of the partition; none if a star hides some.
        lineage: Where each column comes from.
        columns_read: Every column of an upstream that the SQL names, in filters and joins too.
        functions: The functions that it calls and Spark does not bring, in order of their names.
        problems: What is wrong. The other attributes then hold what could be found nevertheless.
    """

    upstreams: tuple[Upstream, ...] = ()
    columns: tuple[str, ...] | None = None
    lineage: tuple[ColumnLineage, ...] = ()
    columns_read: tuple[ColumnRef, ...] = ()
    functions: tuple[FunctionCall, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class ModelGraph:
    """What every model reads and makes, by its name, upstreams before those who read them."""

    models: Mapping[str, ModelAnalysis]

    def upstreams(self, table: str) -> tuple[Upstream, ...]:
        """Return what a table reads; nothing for one that is no model."""
        return self.models[table].upstreams if table in self.models else ()

    def downstreams(self, table: str) -> tuple[str, ...]:
        """Return the models that read a table, in order of their names; itself not among them."""
        return self._downstreams.get(table, ())

    def level(self, table: str) -> int:
        """Return how many models stand between a table and those that are loaded, on the longest way."""
        return self._levels.get(table, 0)

    def upstream_partitions(
        self, table: str, grain: Grain, key: str, zone: ZoneInfo | None = None
    ) -> dict[str, tuple[str, ...]]:
        """Return the partitions that one partition of a model reads, by upstream.

        Those that nobody can wait for are left out: external tables, and upstreams that are read as a whole.
        With a zone, hours that its clock skips are left out too.
        """
        return {
            upstream.table: upstream.partitions(key, grain, zone)
            for upstream in self.upstreams(table)
            if upstream.reads == "partitions" and not upstream.external
        }

    @cached_property
    def _levels(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for name, analysis in self.models.items():  # upstreams come first
            others = (upstream.table for upstream in analysis.upstreams if upstream.table != name)
            found[name] = 1 + max((found.get(other, 0) for other in others), default=0)
        return found

    @cached_property
    def _downstreams(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name, analysis in self.models.items():
            for upstream in analysis.upstreams:
                if upstream.table != name:
                    found.setdefault(upstream.table, []).append(name)
        return {name: tuple(sorted(readers)) for name, readers in found.items()}
