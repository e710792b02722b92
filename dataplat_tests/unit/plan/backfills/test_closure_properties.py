"""Random graphs, zones and ranges: the closure is exact, and nobody's clock but the platform's is in it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from dataplat.plan.backfills.closure import Closure, close_over
from dataplat.plan.backfills.selection import WHOLE_GRAPH, Pick, WallSpan, span_keys
from dataplat.plan.grains import Grain, partition_key
from dataplat.plan.models.graph import ModelAnalysis, ModelGraph
from dataplat.plan.models.mapping import GRAINS, Span, Upstream, default_unit
from dataplat.plan.partitions import ends_at
from dataplat.plan.windows import partition_exists
from dataplat.specs import Catalog
from dataplat_tests.services.effort import repetitions
from dataplat_tests.unit.plan.backfills.graphs import in_zone, reader, source_table

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")
EDGES = (
    *("2024-02-28", "2024-02-29", "2025-02-28", "2025-12-31", "2026-01-31"),
    *("2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01"),
)
NOW = datetime(2027, 6, 1, tzinfo=UTC)
MARGIN = timedelta(days=130)  # further than any model here looks
MANY = settings(max_examples=repetitions(40), deadline=None)
SOME = settings(max_examples=repetitions(20), deadline=None)
FEW = settings(max_examples=repetitions(10), deadline=None)

grains: st.SearchStrategy[Grain] = st.sampled_from(GRAINS)
zones = st.sampled_from(ZONES)


@st.composite
def spans(draw: st.DrawFn) -> WallSpan:
    day = datetime.fromisoformat(draw(st.sampled_from(EDGES)))
    start = day + timedelta(days=draw(st.integers(-2, 1)), hours=draw(st.sampled_from([0, 0, 1, 2, 23])))
    return WallSpan(start, start + timedelta(hours=draw(st.sampled_from([1, 3, 24, 25, 72]))))


@st.composite
def chains(draw: st.DrawFn) -> tuple[Catalog, ModelGraph]:
    """A loaded table, and one to three models, each over the one before."""
    zone = draw(zones)
    levels = draw(st.lists(grains, min_size=2, max_size=3))
    names = ["ods.t0", *(f"dw.t{number}" for number in range(1, len(levels)))]
    specs = [source_table(names[0], levels[0])]
    models: dict[str, ModelAnalysis] = {}
    for (upper, above), (name, grain) in pairwise(zip(names, levels, strict=True)):
        last = draw(st.integers(-1, 1))
        span = Span(default_unit(grain, above), last - draw(st.integers(0, 1)), last)
        models[name] = ModelAnalysis(upstreams=(Upstream(upper, above, "partitions", (span,)),))
        specs.append(reader(name, upper, grain=grain))  # type: ignore[arg-type]
    return in_zone(zone, *specs), ModelGraph(models)


def closed(chain: tuple[Catalog, ModelGraph], span: WallSpan, pick: Pick, now: datetime = NOW) -> Closure:
    return close_over(*chain, [pick], span, now)


@SOME
@given(chain=chains(), span=spans())
def test_downwards_are_exactly_the_partitions_that_read_one_of_those_above(
    chain: tuple[Catalog, ModelGraph], span: WallSpan
) -> None:
    catalog, graph = chain
    zone = catalog.platform.zone
    found = closed(chain, span, Pick(("ods.t0",), down=WHOLE_GRAPH)).partitions
    above, name = set(found.get("ods.t0", ())), "ods.t0"
    while above and graph.downstreams(name):
        (name,) = graph.downstreams(name)
        (upstream,) = graph.upstreams(name)
        grain = catalog.any_table(name).window.grain
        wide = WallSpan(wall_of(min(above)) - MARGIN, wall_of(max(above)) + MARGIN)
        expected = {
            key
            for key in span_keys(wide, grain)
            if above.intersection(upstream.partitions(key, grain, zone)) and exists(key, grain, catalog)
        }
        assert set(found.get(name, ())) == expected
        above = expected


def exists(key: str, grain: Grain, catalog: Catalog) -> bool:
    return key[:4] >= "2024" and partition_exists(wall_of(key), grain, catalog.platform.zone)


def wall_of(key: str) -> datetime:
    return datetime.fromisoformat({7: f"{key}-01", 10: key, 16: f"{key[:10]}T{key[11:]}"}[len(key)])


@MANY
@given(zone=zones, grain=grains, span=spans())
def test_the_range_is_every_period_that_it_touches_and_no_other(
    zone: str, grain: Grain, span: WallSpan
) -> None:
    chain = in_zone(zone, source_table("ods.t0", grain)), ModelGraph({})
    found = closed(chain, span, Pick(("ods.t0",))).partitions.get("ods.t0", ())
    hours = [span.start + timedelta(hours=n) for n in range(-800, 900)]
    touched = {partition_key(hour, grain) for hour in hours if span.start <= hour < span.end}
    assert set(found) == {key for key in touched if exists(key, grain, chain[0])}
    assert list(found) == sorted(found)


@MANY
@given(chain=chains(), span=spans(), days=st.integers(-3, 3))
def test_no_partition_is_planned_before_it_has_ended(
    chain: tuple[Catalog, ModelGraph], span: WallSpan, days: int
) -> None:
    catalog, _ = chain
    now = span.start.replace(tzinfo=UTC) + timedelta(days=days)
    found = closed(chain, span, Pick(("ods.t0",), down=WHOLE_GRAPH), now)
    for table, keys in found.partitions.items():
        grain = catalog.any_table(table).window.grain
        assert all(ends_at(key, grain, catalog.platform.zone) <= now for key in keys)
    whole = closed(chain, span, Pick(("ods.t0",))).partitions.get("ods.t0", ())
    left = {key for one in found.left_out if one.table == "ods.t0" for key in one.partitions}
    assert {*found.partitions.get("ods.t0", ()), *left} >= set(whole)


@FEW
@given(chain=chains(), span=spans(), process_zone=zones)
def test_the_zone_of_the_process_changes_nothing(
    chain: tuple[Catalog, ModelGraph], span: WallSpan, process_zone: str
) -> None:
    pick = Pick(("ods.t0",), down=WHOLE_GRAPH)
    here = closed(chain, span, pick)
    with process_in(process_zone):
        assert closed(chain, span, pick) == here


@contextmanager
def process_in(zone: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()
