"""Which partitions belong to a backfill, at the edges of the calendar and the clock."""

from datetime import UTC, datetime, timedelta

import pytest

from dataplat.plan.backfills.closure import BEFORE_FIRST, NOT_ENDED, STALE, LeftOut
from dataplat_tests.unit.plan.backfills.graphs import (
    WEEK,
    closure,
    ends,
    graph_of,
    in_zone,
    reader,
    source_table,
)

SHANGHAI, BERLIN, NEW_YORK = "Asia/Shanghai", "Europe/Berlin", "America/New_York"
CHAIN = (
    source_table("ods.hours", "hour"),
    reader("dw.days", "ods.hours"),
    reader("dw.week", "dw.days", WEEK),
    reader("ads.months", "dw.days", "ds BETWEEN '{{ month }}-01' AND last_day('{{ ds }}')", grain="month"),
)
OWN = reader("dw.own", "dw.own", "ds = '{{ prev_ds }}'")


def test_what_reads_a_table_is_made_again_for_exactly_the_partitions_that_read_it() -> None:
    found = closure(in_zone(SHANGHAI, *CHAIN), "ods.hours+", "2026-01-31 22", "2026-02-01 01")
    assert found.partitions == {
        "ods.hours": ("2026-01-31-22:00", "2026-01-31-23:00", "2026-02-01-00:00", "2026-02-01-01:00"),
        "dw.days": ("2026-01-31", "2026-02-01"),
        "ads.months": ("2026-01", "2026-02"),
        "dw.week": tuple(f"2026-{day}" for day in ("01-31", *(f"02-0{n}" for n in range(1, 8)))),
    }
    assert (found.left_out, found.outside, found.unfollowed) == ([], [], [])


def test_the_leap_day_is_a_day_like_others() -> None:
    found = closure(in_zone(SHANGHAI, *CHAIN), "dw.days+", "2024-02-28", "2024-03-01").partitions
    assert found["dw.days"] == ("2024-02-28", "2024-02-29", "2024-03-01")
    assert ends(found["dw.week"]) == ("2024-02-28", "2024-03-07", 9)
    assert found["ads.months"] == ("2024-02", "2024-03")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (BERLIN, "2026-03-29", 23),
        (BERLIN, "2026-10-25", 24),
        (NEW_YORK, "2026-03-08", 23),
        (NEW_YORK, "2026-11-01", 24),
        (SHANGHAI, "2026-03-29", 24),
    ],
)
def test_a_day_has_the_hours_that_its_clock_shows(zone: str, day: str, hours: int) -> None:
    found = closure(in_zone(zone, *CHAIN), "ods.hours+", day).partitions
    assert len(found["ods.hours"]) == hours
    assert found["dw.days"] == (day,)
    upwards = closure(in_zone(zone, *CHAIN), "+dw.days", day).partitions
    assert upwards == {"ods.hours": found["ods.hours"], "dw.days": (day,)}


def test_levels_end_where_they_are_told_to_and_what_is_left_behind_is_named() -> None:
    found = closure(in_zone(SHANGHAI, *CHAIN), "ods.hours+1", "2026-01-31")
    assert list(found.partitions) == ["ods.hours", "dw.days"]
    assert found.outside == [
        LeftOut("ads.months", ("2026-01",), STALE),
        LeftOut("dw.week", ("2026-01-31", *(f"2026-02-0{n}" for n in range(1, 7))), STALE),
    ]


def test_what_a_table_reads_is_what_its_range_needs_and_no_more() -> None:
    found = closure(in_zone(SHANGHAI, *CHAIN), "1+dw.week", "2026-03-02")
    assert ends(found.partitions["dw.days"]) == ("2026-02-24", "2026-03-02", 7)
    assert found.partitions["dw.week"] == ("2026-03-02",)
    assert [(one.table, ends(one.partitions)) for one in found.outside] == [
        ("ads.months", ("2026-02", "2026-03", 2)),
        ("dw.week", ("2026-02-24", "2026-03-08", 12)),
    ]


def test_a_model_that_reads_its_past_is_made_again_up_to_the_last_that_ended() -> None:
    now = datetime(2026, 1, 10, 0, 0, tzinfo=UTC)  # eight in the morning in Shanghai
    catalog = in_zone(SHANGHAI, source_table("ods.a"), OWN, reader("dw.after", "dw.own"))
    found = closure(catalog, "dw.own+", "2026-01-05", now=now)
    days = tuple(f"2026-01-0{day}" for day in range(5, 10))
    assert found.partitions == {"dw.own": days, "dw.after": days}
    assert found.left_out == [LeftOut("dw.own", ("2026-01-10",), NOT_ENDED)]
    alone = closure(catalog, "dw.own", "2026-01-05", now=now)
    assert alone.partitions == {"dw.own": ("2026-01-05",)}
    assert LeftOut("dw.own", days[1:], STALE) in alone.outside


def test_what_cannot_be_made_is_left_out_and_named() -> None:
    late = reader("dw.late", "ods.a", start="2026-11-30")
    catalog = in_zone(SHANGHAI, source_table("ods.a"), late)
    found = closure(catalog, "ods.a,dw.late", "2026-11-29", "2026-12-02")
    assert found.partitions == {"ods.a": ("2026-11-29", "2026-11-30"), "dw.late": ("2026-11-30",)}
    assert found.left_out == [
        LeftOut("dw.late", ("2026-11-29",), BEFORE_FIRST),
        LeftOut("dw.late", ("2026-12-01", "2026-12-02"), NOT_ENDED),
        LeftOut("ods.a", ("2026-12-01", "2026-12-02"), NOT_ENDED),
    ]


def test_readers_of_whatever_is_visible_are_named_and_not_followed() -> None:
    reading = reader("dw.r", "ods.a", "TRUE", reads={"ods.a": "latest"})
    found = closure(in_zone(SHANGHAI, source_table("ods.a"), reading), "ods.a+", "2026-01-05")
    assert found.partitions == {"ods.a": ("2026-01-05",)}
    assert [(one.table, one.upstream, one.reads) for one in found.unfollowed] == [("dw.r", "ods.a", "latest")]


def test_two_terms_are_joined() -> None:
    found = closure(in_zone(SHANGHAI, *CHAIN), "dw.week,1+dw.days", "2026-03-02").partitions
    assert {table: len(keys) for table, keys in found.items()} == {
        "ods.hours": 24,
        "dw.days": 1,
        "dw.week": 1,
    }


def test_a_partition_ends_with_the_platform_s_day_and_not_with_the_machine_s() -> None:
    midnight = datetime(2026, 3, 19, 16, 0, tzinfo=UTC)  # in Shanghai
    catalog = in_zone(SHANGHAI, source_table("ods.a"))
    for now, days in ((midnight, 2), (midnight - timedelta(seconds=1), 1)):
        found = closure(catalog, "ods.a", "2026-03-18", "2026-03-20", now=now)
        assert len(found.partitions["ods.a"]) == days


def test_the_graph_of_the_chain_is_as_meant() -> None:
    graph = graph_of(in_zone(SHANGHAI, *CHAIN))
    assert {table: [str(one) for one in graph.upstreams(table)] for table in graph.models} == {
        "dw.days": ["ods.hours: 0 day"],
        "dw.week": ["dw.days: -6..0 days"],
        "ads.months": ["dw.days: 0 month"],
    }
