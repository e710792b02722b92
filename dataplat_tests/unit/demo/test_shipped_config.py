"""The shipped configuration fits the demo's business."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dataplat.demo.market import addresses
from dataplat.demo.schema import FLOW_LOG_COLUMNS, LOGISTICS, MARKET, MARKET_TABLES
from dataplat.demo.story import FIRST_DAY
from dataplat.demo.words import REGIONS
from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.models.reading import build_graph
from dataplat.specs import Catalog, load_catalog
from dataplat.specs.checks import CheckEntry
from dataplat.udfs.ip_table import read_ip_table
from dataplat.udfs.parse_ip import parse_ip
from dataplat.udfs.places import normalise_place

CONFIG = Path(__file__).parents[3] / "config"
FIRST_KEY = {"hour": "%Y-%m-%d-00:00", "day": "%Y-%m-%d", "month": "%Y-%m"}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(CONFIG, {"DATAPLAT_DEMO_PORT": "13306"})


@pytest.fixture(scope="module")
def graph(catalog: Catalog) -> ModelGraph:
    return build_graph(catalog)


def test_the_shipped_tables_show_every_way_to_load_from_a_source(catalog: Catalog) -> None:
    loads = {name: (spec.source, spec.load, spec.window.grain) for name, spec in catalog.tables.items()}
    shown = {
        "ods.ods_t_account": ("market", "snapshot", "day"),
        "ods.ods_t_money_record": ("market", "incremental", "day"),
        "ods.ods_t_order": ("market", "incremental", "day"),
        "ods.ods_t_order_item": ("market", "incremental", "day"),
        "ods.ods_t_package_flow_log": ("logistics", "incremental", "day"),
        "ods.ods_t_page_view": ("market", "incremental", "hour"),
        "ods.ods_t_product": ("market", "snapshot", "day"),
        "ods.ods_t_region": ("market", "snapshot", "day"),
    }
    assert loads | shown == loads


def test_every_table_says_who_owns_it_what_a_row_is_what_its_key_is_and_when_it_runs(
    catalog: Catalog,
) -> None:
    for spec in catalog.tables.values():
        assert all((spec.owner, spec.description, spec.key, spec.schedule, spec.checks)), spec.table


def test_every_table_starts_with_the_story(catalog: Catalog) -> None:
    assert {spec.window.start for spec in catalog.tables.values()} == {FIRST_DAY}


def test_the_models_are_a_small_warehouse_in_three_layers(catalog: Catalog) -> None:
    layers = Counter(spec.layer for spec in catalog.models.values())
    assert layers["dim"] >= 4
    assert layers["dw"] >= 5
    assert layers["ads"] >= 3
    assert all(spec.table == f"{spec.layer}.{spec.declared.path.stem}" for spec in catalog.models.values())


def test_every_model_says_who_owns_it_what_a_row_and_each_column_is_and_has_checks_and_tests(
    catalog: Catalog, graph: ModelGraph
) -> None:
    for name, spec in catalog.models.items():
        assert all((spec.owner, spec.description, spec.key, spec.checks)), name
        assert tuple(spec.columns) == graph.models[name].columns, name
        tests = catalog.model_tests[name].tests
        assert any(case.given and case.expect for case in tests.values()), name


def test_the_models_show_every_kind_of_check(catalog: Catalog) -> None:
    shown = {check.kind for spec in catalog.models.values() for check in spec.checks}
    assert shown == set(CheckEntry.model_fields)


def test_a_model_reads_no_day_before_its_upstream_begins(catalog: Catalog, graph: ModelGraph) -> None:
    for name, spec in catalog.models.items():
        start = spec.window.start or catalog.platform.start
        first = f"{start:{FIRST_KEY[spec.grain]}}"
        for upstream, keys in graph.upstream_partitions(name, spec.grain, first).items():
            begins = catalog.any_table(upstream).window.start or catalog.platform.start
            assert keys[0][:10] >= str(begins), f"{name} reads {upstream}[{keys[0]}] on its first day"


def test_the_models_read_their_upstreams_in_every_way(graph: ModelGraph) -> None:
    read = {
        (name, upstream.table): str(upstream).removeprefix(f"{upstream.table}: ")
        for name, analysis in graph.models.items()
        for upstream in analysis.upstreams
    }
    assert {mapping.split(" ")[0] for mapping in read.values()} >= {"0", "-1..0", "-6..0"}
    hours = graph.upstream_partitions("dw.dw_user_day", "day", "2026-01-09")["ods.ods_t_page_view"]
    assert hours == tuple(f"2026-01-09-{hour:02}:00" for hour in range(24))


def test_the_models_are_hourly_daily_and_monthly(catalog: Catalog, graph: ModelGraph) -> None:
    grains = Counter(spec.grain for spec in catalog.models.values())
    assert min(grains["hour"], grains["month"]) >= 1
    [hour] = graph.upstream_partitions("dw.dw_place_hour", "hour", "2026-01-09-07:00").values()
    assert hour == ("2026-01-09-07:00",)
    [days] = graph.upstream_partitions("ads.ads_mau", "month", "2026-02").values()
    assert days == tuple(f"2026-02-{day:02}" for day in range(1, 29))


def test_the_shipped_addresses_are_those_of_the_story(catalog: Catalog) -> None:
    table = read_ip_table(Path(catalog.platform.udf_files["parse_ip"]))
    regions = np.array([code for code, _, _ in REGIONS] * 40)
    visitors = addresses(np.random.default_rng(7), regions)
    assert {":" in visitor for visitor in visitors} == {True, False}
    found = parse_ip.function(pa.array(visitors), table).to_pylist()
    assert found == [normalise_place("中国", name) for _, name, _ in REGIONS] * 40


def test_every_column_named_exists_at_the_source(catalog: Catalog) -> None:
    for spec in catalog.tables.values():
        place = spec.read_from
        assert place.database in (MARKET, LOGISTICS)
        declared = MARKET_TABLES[place.table] if place.table else FLOW_LOG_COLUMNS
        known = set(re.findall(r"^\s*([a-z0-9_]+) ", declared, re.MULTILINE))
        wanted = {spec.window.column} - {None}
        if spec.columns != "*":
            wanted |= {re.sub(r"^CAST\((\w+) .*|^(\w+) AS .*", r"\1\2", entry.text) for entry in spec.columns}
        assert wanted <= known, spec.table


def test_the_time_column_of_every_incremental_table_has_an_index(catalog: Catalog) -> None:
    for spec in catalog.tables.values():
        if spec.load == "incremental":
            declared = MARKET_TABLES[spec.read_from.table] if spec.read_from.table else FLOW_LOG_COLUMNS
            assert f"KEY idx_{spec.window.column} ({spec.window.column})" in declared, spec.table


def test_the_sources_follow_the_demo_s_port_and_hold_no_password(catalog: Catalog) -> None:
    assert {source.port for source in catalog.sources.values()} == {13306}
    assert {name: repr(source.password) for name, source in catalog.sources.items()} == {
        "market": "Secret(${MARKET_PASSWORD})",
        "logistics": "Secret(${LOGISTICS_PASSWORD})",
    }
