"""Which days of which models the demo builds, and what its tables look like."""

from io import StringIO

import pytest
from rich.console import Console

from dataplat.demo.models import BAD_DAY, BUILT_DAYS, REJECTED, WAITING, partitions_to_build
from dataplat.demo.tally import DayTally, render_loads, render_models
from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.models.reading import build_graph
from dataplat.specs import Catalog, load_catalog
from dataplat_tests.unit.demo.test_shipped_config import CONFIG


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(CONFIG, {})


@pytest.fixture(scope="module")
def graph(catalog: Catalog) -> ModelGraph:
    return build_graph(catalog)


def test_a_partition_is_built_when_all_that_it_reads_is_there(catalog: Catalog, graph: ModelGraph) -> None:
    keys = partitions_to_build(catalog, graph)
    assert BUILT_DAYS[0] == "2026-01-08"
    assert keys["dim.dim_account"] == [*BUILT_DAYS]
    assert keys["dw.dw_account_change_day"] == [*BUILT_DAYS[1:]], "its first day has no yesterday"
    assert len(keys["dw.dw_place_hour"]) == 24, "a day hour by hour"
    assert "ads.ads_mau" not in keys, "no month is over"
    assert keys["ads.ads_dau"] == [BUILT_DAYS[-1]], "the only day with a whole week before it"
    assert set(keys) == {name for name, spec in catalog.models.items() if spec.grain != "month"}


def test_a_model_is_built_after_all_that_it_reads(catalog: Catalog, graph: ModelGraph) -> None:
    layers = {
        name: ("ods", "dim", "dw", "ads").index(spec.layer) for name, spec in catalog.all_tables.items()
    }
    for name in graph.models:
        for upstream in graph.upstreams(name):
            assert layers[upstream.table] <= layers[name], f"{name} reads {upstream.table}"


def test_only_the_two_tables_of_the_story_depend_on_the_bad_day(catalog: Catalog, graph: ModelGraph) -> None:
    assert graph.downstreams(REJECTED) == (WAITING,)
    assert graph.downstreams(WAITING) == ()
    assert f"{BAD_DAY}" in partitions_to_build(catalog, graph)[WAITING]


def test_both_tables_fit_into_eighty_columns(catalog: Catalog) -> None:
    large = DayTally(345_678, 345_678, 345_678, 337, 1, 99.5)
    out = StringIO()
    console = Console(file=out, width=80)
    console.print(render_loads([(spec, large) for spec in catalog.tables.values()]))
    for layer in ("dim", "dw", "ads"):
        models = [(spec, large, 1) for spec in catalog.models.values() if spec.layer == layer]
        console.print(render_models(layer, models))
    said = out.getvalue()
    assert "…" not in said
    assert all(name in said for name in catalog.all_tables)
    assert max(len(line.rstrip()) for line in said.splitlines()) <= 80
