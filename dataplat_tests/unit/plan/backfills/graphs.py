"""Small graphs for the tests of backfills, in any zone."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from dataplat.plan.backfills.closure import Closure, close_over
from dataplat.plan.backfills.selection import parse_picks, parse_range
from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.models.reading import build_graph
from dataplat.specs import Catalog, ModelSpec, TableSpec
from dataplat_tests.unit.plan.models.builders import catalog, declared, model

NOW = datetime(2026, 12, 1, 3, tzinfo=UTC)
SAME, WEEK = "ds = '{{ ds }}'", "ds BETWEEN date_sub('{{ ds }}', 6) AND '{{ ds }}'"


def source_table(table: str, grain: str = "day", **window: Any) -> TableSpec:
    """A table that is loaded from a source, from 2024 on."""
    keys = {"table": table, "source": "s", "from": {"database": "d", "table": "t"}, "load": "snapshot"}
    keys |= {"columns": ["id"], "window": {"grain": grain, "start": "2024-01-01"} | window}
    return TableSpec.model_validate(keys).declared_in(declared(table))


def reader(table: str, upstream: str, where: str = SAME, **keys: Any) -> ModelSpec:
    """A model over one other, from 2024 on."""
    return model(f"SELECT id FROM {upstream} WHERE {where}", table, **{"start": "2024-01-01"} | keys)


def in_zone(zone: str, *specs: ModelSpec | TableSpec) -> Catalog:
    """A catalog whose business days begin in a zone."""
    found = catalog(*specs)
    platform = found.platform.model_copy(update={"timezone": zone})
    return Catalog(found.config_dir, platform, found.sources, found.tables, found.models)


def closure(found: Catalog, select: str, first: str, last: str = "", now: datetime = NOW) -> Closure:
    """What a selection and a range mean."""
    return close_over(found, build_graph(found), parse_picks(found, select), parse_range(first, last), now)


def ends(keys: Sequence[str]) -> tuple[str, str, int]:
    """The first, the last and how many."""
    return keys[0], keys[-1], len(keys)


def graph_of(found: Catalog) -> ModelGraph:
    return build_graph(found)
