"""A rule gives the same partitions in both directions, and is found again however a filter is written."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataplat.plan.grains import Grain, partition_key, wall_start
from dataplat.plan.models.analysis import PROBES
from dataplat.plan.models.mapping import GRAINS, Span, Upstream, fit_spans
from dataplat_tests.unit.plan.models.builders import upstreams

OFFSETS = st.integers(-400, 30)
FEW = settings(max_examples=40, deadline=None)


def quoted(offset: int) -> str:
    return f"'$[yyyy-MM-dd{offset:+d}]'" if offset else "'{{ ds }}'"


def subtracted(offset: int) -> str:
    return f"date_sub('{{{{ ds }}}}', {-offset})"


def added(offset: int) -> str:
    return f"date_format(date_add('{{{{ ds }}}}', {offset}), 'yyyy-MM-dd')"


def before(offset: int) -> str:
    return f"date '{{{{ ds }}}}' - {-offset}" if offset < 0 else f"date '{{{{ ds }}}}' + {offset}"


def counted(first: int, last: int) -> str:
    return f"datediff(ds, '{{{{ ds }}}}') BETWEEN {first} AND {last}"


SPELLINGS = st.sampled_from([quoted, subtracted, added, before])


@FEW
@given(OFFSETS, SPELLINGS)
def test_one_partition_is_found_however_it_is_written(offset: int, spell: object) -> None:
    assert callable(spell)
    rules = upstreams(f"SELECT id FROM ods.account WHERE ds = {spell(offset)}")

    assert rules == [f"ods.account: {Span('day', offset, offset)}"]


@FEW
@given(OFFSETS, st.integers(1, 300), SPELLINGS, SPELLINGS, st.integers(0, 3))
def test_a_range_is_found_however_it_is_written(
    last: int, length: int, spell_first: object, spell_last: object, form: int
) -> None:
    assert callable(spell_first)
    assert callable(spell_last)
    first = last - length
    condition = [
        f"ds BETWEEN {spell_first(first)} AND {spell_last(last)}",
        f"ds >= {spell_first(first)} AND {spell_last(last)} >= ds",
        f"ds > {spell_first(first - 1)} AND ds < {spell_last(last + 1)}",
        counted(first, last),
    ][form]

    assert upstreams(f"SELECT id FROM ods.account WHERE {condition}") == [
        f"ods.account: {Span('day', first, last)}"
    ]


@FEW
@given(st.sets(st.integers(-60, 5), min_size=1, max_size=5), SPELLINGS)
def test_a_set_of_partitions_is_its_runs(offsets: set[int], spell: object) -> None:
    assert callable(spell)
    choices = ", ".join(spell(offset) for offset in sorted(offsets, reverse=True))
    (rule,) = upstreams(f"SELECT id FROM ods.account WHERE ds IN ({choices})")
    found = [run for part in rule.split(": ")[1].split(", ") for run in part.split(" ")[:1]]
    ends = [(int(run.split("..")[0]), int(run.split("..")[-1])) for run in found]

    assert {offset for first, last in ends for offset in range(first, last + 1)} == offsets


grains = st.sampled_from(GRAINS)
walls = st.datetimes(min_value=wall_start("2020-01-01", "day"), max_value=wall_start("2030-01-01", "day"))


@st.composite
def rules(draw: st.DrawFn, *, finer: bool = False) -> tuple[Grain, Upstream]:
    model, upstream = draw(grains), draw(grains)
    unit = draw(st.sampled_from(GRAINS if finer else GRAINS[: GRAINS.index(upstream) + 1]))
    first = draw(st.integers(-8, 3))
    last = first + draw(st.integers(0, 4))
    anchors = st.sampled_from(["start", "end", "day", "month"])
    span = Span(unit, first, last, draw(anchors), draw(anchors))
    return model, Upstream("ods.x", upstream, "partitions", (span,))


@settings(max_examples=80, deadline=None)
@given(rules(finer=True), walls)
def test_a_partition_is_read_by_exactly_those_that_name_it(
    rule: tuple[Grain, Upstream], wall: object
) -> None:
    grain, upstream = rule
    key = partition_key(wall, grain)

    for read in upstream.partitions(key, grain)[:: max(1, len(upstream.partitions(key, grain)) // 5)]:
        assert key in upstream.downstream_partitions(read, grain)
    assert upstream.grain is not None
    for reader in upstream.downstream_partitions(partition_key(wall, upstream.grain), grain)[:50:7]:
        assert partition_key(wall, upstream.grain) in upstream.partitions(reader, grain)


@settings(max_examples=80, deadline=None)
@given(rules())
def test_a_rule_is_found_again_from_what_it_gives(rule: tuple[Grain, Upstream]) -> None:
    grain, upstream = rule
    assert upstream.grain is not None
    keys = PROBES[grain]
    given_ = [
        (
            wall_start(key, grain),
            [wall_start(read, upstream.grain) for read in upstream.partitions(key, grain)],
        )
        for key in keys
    ]
    if not all(read for _, read in given_):
        return
    found = fit_spans(given_, grain, upstream.grain)

    assert found is not None
    again = Upstream("ods.x", upstream.grain, "partitions", found)
    assert [again.partitions(key, grain) for key in keys] == [upstream.partitions(key, grain) for key in keys]


@pytest.mark.parametrize(
    ("span", "model", "upstream", "key", "ends", "count"),
    [
        (Span("day", 0, 0), "day", "hour", "2026-01-09", ("2026-01-09-00:00", "2026-01-09-23:00"), 24),
        (Span("day", -6, 0), "day", "day", "2026-01-03", ("2025-12-28", "2026-01-03"), 7),
        (Span("hour", 8, 8), "day", "hour", "2026-01-09", ("2026-01-09-08:00", "2026-01-09-08:00"), 1),
        (Span("day", 0, 0), "hour", "day", "2026-01-09-05:00", ("2026-01-09", "2026-01-09"), 1),
        (Span("month", -1, 0), "day", "month", "2026-01-09", ("2025-12", "2026-01"), 2),
        (Span("month", 0, 0), "month", "day", "2028-02", ("2028-02-01", "2028-02-29"), 29),
        (Span("day", 0, 0, "end", "end"), "month", "day", "2026-02", ("2026-02-28", "2026-02-28"), 1),
        (Span("day", 0, 0, "month", "start"), "day", "day", "2026-01-09", ("2026-01-01", "2026-01-09"), 9),
        (Span("hour", 0, 0, "day", "start"), "hour", "hour", "2026-01-09-05:00",
         ("2026-01-09-00:00", "2026-01-09-05:00"), 6),
        (Span("month", 0, 0), "month", "hour", "2026-02", ("2026-02-01-00:00", "2026-02-28-23:00"), 672),
    ],
)  # fmt: skip
def test_a_rule_gives_partitions(
    span: Span, model: Grain, upstream: Grain, key: str, ends: tuple[str, str], count: int
) -> None:
    read = Upstream("ods.x", upstream, "partitions", (span,)).partitions(key, model)

    assert ((read[0], read[-1]), len(read)) == (ends, count)


def test_an_hour_that_the_clock_skips_is_not_waited_for() -> None:
    upstream = Upstream("ods.x", "hour", "partitions", (Span("day", 0, 0),))
    hours = upstream.partitions("2026-03-08", "day", ZoneInfo("America/New_York"))

    assert len(hours) == 23
    assert "2026-03-08-02:00" not in hours


def test_a_repaired_day_is_read_again_by_the_days_after_it() -> None:
    week = Upstream("ods.x", "day", "partitions", (Span("day", -6, 0),))
    month = Upstream("ods.x", "day", "partitions", (Span("day", 0, 0, "month", "start"),))
    days = [(date(2026, 1, 29) + timedelta(days=number)).isoformat() for number in range(7)]

    assert list(week.downstream_partitions("2026-01-29", "day")) == days
    assert list(month.downstream_partitions("2026-01-29", "day")) == days[:3]


def test_what_is_read_as_a_whole_names_no_partitions() -> None:
    everything = Upstream("ods.x", "day", "all_partitions")
    city = Upstream("legacy.city", None, "whole")

    assert everything.partitions("2026-01-09", "day") == city.partitions("2026-01-09", "day") == ()
    assert everything.downstream_partitions("2026-01-09", "day") == ()
