"""Windows tile the time line in every zone, as instants and as a source's wall clock."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataplat.errors import SelectionError
from dataplat.plan.grains import Grain, next_wall_start, partition_key, wall_start
from dataplat.plan.windows import (
    Window,
    first_instant,
    merge_windows,
    partition_exists,
    partition_window,
    session_time_zone,
    wall_clock,
)

# Troll shifts by two hours, Lord_Howe by half an hour, Sao_Paulo did it at midnight, Apia lost a day.
TROLL = ZoneInfo("Antarctica/Troll")
KOLKATA = ZoneInfo("Asia/Kolkata")
ZONES = tuple(
    ZoneInfo(name)
    for name in (
        "UTC",
        "Asia/Shanghai",
        "Asia/Kolkata",
        "America/New_York",
        "Europe/London",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Pacific/Apia",
    )
)
SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
GRAINS: tuple[Grain, ...] = ("hour", "day", "month")
small_shift_zones = st.sampled_from(ZONES)
zones = st.sampled_from((*ZONES, TROLL))
grains = st.sampled_from(GRAINS)
# Years in which these zones changed their clocks, close to the changes often enough.
instants = st.datetimes(
    datetime.fromisoformat("2006-01-01"), datetime.fromisoformat("2038-01-01"), timezones=st.just(UTC)
)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def windows_from(start: datetime, grain: Grain, zone: ZoneInfo, count: int) -> list[Window]:
    """Return the windows of the next partitions that exist, beginning with the one that shows ``start``."""
    found = []
    current = wall_start(partition_key(start, grain), grain)
    while len(found) < count:
        if partition_exists(current, grain, zone):
            found.append(partition_window(partition_key(current, grain), grain, zone))
        current = next_wall_start(current, grain)
    return found


@given(instants, grains, zones)
@example(datetime(2011, 12, 29, 12, tzinfo=UTC), "day", ZoneInfo("Pacific/Apia"))
@example(datetime(2026, 3, 8, 5, tzinfo=UTC), "hour", NEW_YORK)
@example(datetime(2026, 11, 1, 4, tzinfo=UTC), "hour", NEW_YORK)
@example(datetime(2026, 4, 4, 13, tzinfo=UTC), "hour", ZoneInfo("Australia/Lord_Howe"))
@example(datetime(2018, 11, 4, 1, tzinfo=UTC), "day", ZoneInfo("America/Sao_Paulo"))
@example(datetime(2026, 3, 28, 23, tzinfo=UTC), "hour", TROLL)
def test_consecutive_windows_have_no_gap_and_no_overlap(
    instant: datetime, grain: Grain, zone: ZoneInfo
) -> None:
    windows = windows_from(instant.astimezone(zone).replace(tzinfo=None), grain, zone, 30)
    assert all(a.end.astimezone(UTC) == b.start.astimezone(UTC) for a, b in pairwise(windows))
    assert (
        sum((w.duration for w in windows), timedelta()) == Window(windows[0].start, windows[-1].end).duration
    )


@given(instants, grains, small_shift_zones)
@example(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "hour", NEW_YORK)
@example(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), "hour", NEW_YORK)
@example(datetime(2026, 4, 4, 15, 15, tzinfo=UTC), "hour", ZoneInfo("Australia/Lord_Howe"))
def test_an_instant_is_in_the_partition_that_its_wall_clock_names(
    instant: datetime, grain: Grain, zone: ZoneInfo
) -> None:
    key = partition_key(instant.astimezone(zone), grain)
    assert partition_window(key, grain, zone).holds(instant)


@given(instants, grains, zones, zones)
@example(datetime(2026, 3, 28, 23, tzinfo=UTC), "hour", KOLKATA, ZoneInfo("Antarctica/Troll"))
@example(datetime(2026, 10, 24, 22, tzinfo=UTC), "hour", KOLKATA, ZoneInfo("Antarctica/Troll"))
@example(datetime(2026, 11, 1, 3, tzinfo=UTC), "hour", KOLKATA, NEW_YORK)
@example(datetime(2026, 11, 1, 3, tzinfo=UTC), "hour", NEW_YORK, NEW_YORK)
def test_wall_clock_literals_tile_any_sources_naive_column(
    instant: datetime, grain: Grain, zone: ZoneInfo, source: ZoneInfo
) -> None:
    windows = windows_from(instant.astimezone(zone).replace(tzinfo=None), grain, zone, 12)
    cuts = [wall_clock(w.start, source) for w in windows] + [wall_clock(windows[-1].end, source)]
    assert cuts == sorted(cuts)
    assert [wall_clock(w.end, source) for w in windows] == cuts[1:]


@given(instants, grains, zones, zones)
@example(datetime(2026, 11, 1, 5, 15, tzinfo=UTC), "hour", KOLKATA, NEW_YORK)
@example(datetime(2026, 11, 1, 6, 15, tzinfo=UTC), "hour", KOLKATA, NEW_YORK)
@example(datetime(2026, 10, 25, 1, 15, tzinfo=UTC), "hour", ZoneInfo("UTC"), TROLL)
def test_a_row_never_lies_in_a_partition_that_ended_before_it_was_written(
    written: datetime, grain: Grain, zone: ZoneInfo, source: ZoneInfo
) -> None:
    stored = written.astimezone(source).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
    before = next_wall_start(written.astimezone(zone).replace(tzinfo=None) - timedelta(days=3), "hour")
    for window in windows_from(before, grain, zone, 100 if grain == "hour" else 6):
        if wall_clock(window.start, source) <= stored < wall_clock(window.end, source):
            assert window.end.astimezone(UTC) > written
            return
    pytest.fail("the row is in no partition")


@given(instants, zones)
def test_the_hours_of_a_day_are_exactly_its_day(instant: datetime, zone: ZoneInfo) -> None:
    day = wall_start(partition_key(instant.astimezone(zone), "day"), "day")
    hours = [day + timedelta(hours=hour) for hour in range(24)]
    windows = [
        partition_window(partition_key(hour, "hour"), "hour", zone)
        for hour in hours
        if partition_exists(hour, "hour", zone)
    ]
    (joined,) = merge_windows(windows)
    whole = partition_window(partition_key(day, "day"), "day", zone)
    assert (joined.start.astimezone(UTC), joined.end.astimezone(UTC)) == (
        whole.start.astimezone(UTC),
        whole.end.astimezone(UTC),
    )


@pytest.mark.parametrize(
    ("key", "grain", "zone", "start", "end"),
    [
        ("2026-01-09", "day", SHANGHAI, "2026-01-09T00:00:00+08:00", "2026-01-10T00:00:00+08:00"),
        ("2026-01-09-05:00", "hour", SHANGHAI, "2026-01-09T05:00:00+08:00", "2026-01-09T06:00:00+08:00"),
        ("2024-02", "month", SHANGHAI, "2024-02-01T00:00:00+08:00", "2024-03-01T00:00:00+08:00"),
        ("2026-12", "month", SHANGHAI, "2026-12-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
        ("2026-03-08", "day", NEW_YORK, "2026-03-08T00:00:00-05:00", "2026-03-09T00:00:00-04:00"),
        ("2026-11-01-01:00", "hour", NEW_YORK, "2026-11-01T01:00:00-04:00", "2026-11-01T02:00:00-05:00"),
        ("2026-03-08-01:00", "hour", NEW_YORK, "2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00-04:00"),
        (
            "2018-11-04",
            "day",
            ZoneInfo("America/Sao_Paulo"),
            "2018-11-04T01:00:00-02:00",
            "2018-11-05T00:00:00-02:00",
        ),
    ],
)
def test_a_window_begins_when_the_wall_clock_has_reached_its_partition(
    key: str, grain: Grain, zone: ZoneInfo, start: str, end: str
) -> None:
    window = partition_window(key, grain, zone)
    assert (window.start.isoformat(), window.end.isoformat()) == (start, end)


def test_the_hour_that_occurs_twice_is_one_partition_of_two_hours() -> None:
    window = partition_window("2026-11-01-01:00", "hour", NEW_YORK)
    assert window.duration == timedelta(hours=2)
    assert (wall_clock(window.start, NEW_YORK), wall_clock(window.end, NEW_YORK)) == (
        "2026-11-01 01:00:00",
        "2026-11-01 02:00:00",
    )


def test_a_time_that_the_clock_skipped_is_cut_into_the_partition_before_the_jump() -> None:
    window = partition_window("2026-03-08-01:00", "hour", NEW_YORK)
    assert wall_clock(window.start, NEW_YORK) <= "2026-03-08 02:30:00" < wall_clock(window.end, NEW_YORK)


def test_an_hour_and_a_day_that_the_clock_skips_are_no_partitions() -> None:
    with pytest.raises(SelectionError) as refused:
        partition_window("2026-03-08-02:00", "hour", NEW_YORK)
    assert str(refused.value) == (
        "2026-03-08-02:00: this hour does not exist in America/New_York: its clock jumped over it\n"
        "  jumped to   2026-03-08T03:00:00-04:00\n"
        "  effect      nothing was read"
    )
    assert not partition_exists(wall("2011-12-30"), "day", ZoneInfo("Pacific/Apia"))


def test_inside_a_jump_the_first_instant_is_the_one_after_it() -> None:
    assert first_instant(wall("2026-03-29T02:00"), TROLL).isoformat() == "2026-03-29T03:00:00+02:00"
    assert first_instant(wall("2026-03-29T01:00"), TROLL).isoformat() == "2026-03-29T03:00:00+02:00"


def test_in_the_first_pass_of_a_repeated_span_a_naive_column_is_cut_at_its_beginning() -> None:
    first_pass = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert first_pass.astimezone(NEW_YORK).isoformat() == "2026-11-01T01:30:00-04:00"
    assert wall_clock(first_pass, NEW_YORK) == "2026-11-01 01:00:00"
    assert wall_clock(first_pass + timedelta(hours=1), NEW_YORK) == "2026-11-01 01:30:00"


@pytest.mark.parametrize(
    "key", ["2026-1-9", "20260109", "2026-02-30", "2026-01", "0999-12-31", "9999-01-01", "2026-01-09 ", ""]
)
def test_only_canonical_keys_have_windows(key: str) -> None:
    with pytest.raises(ValueError):
        partition_window(key, "day", SHANGHAI)


def test_a_window_is_aware_and_not_empty() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    with pytest.raises(ValueError, match="aware"):
        Window(wall("2026-01-01"), noon)
    with pytest.raises(ValueError, match="ends after it starts"):
        Window(noon, noon)


def test_a_window_that_spans_only_the_clock_change_is_not_empty() -> None:
    first = datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK)
    window = Window(first, first.replace(fold=1))
    assert window.duration == timedelta(hours=1)
    assert window.holds(first)
    assert not window.holds(first.replace(fold=1))


spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 12)).map(
        lambda pair: Window(
            datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=15 * pair[0]),
            (datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=15 * sum(pair))).astimezone(NEW_YORK),
        )
    ),
    max_size=12,
)


@given(spans, st.integers(-5, 80))
def test_merged_windows_hold_the_same_instants_and_do_not_touch(windows: list[Window], quarter: int) -> None:
    instant = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=15 * quarter)
    merged = merge_windows(windows)
    assert any(w.holds(instant) for w in merged) == any(w.holds(instant) for w in windows)
    assert all(a.end.astimezone(UTC) < b.start.astimezone(UTC) for a, b in pairwise(merged))
    assert merge_windows(reversed(windows)) == merged


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Asia/Shanghai", "+08:00"),
        ("UTC", "+00:00"),
        ("Asia/Kolkata", "+05:30"),
        ("America/Phoenix", "-07:00"),
        ("America/New_York", "America/New_York"),
        ("Asia/Pyongyang", "Asia/Pyongyang"),  # +08:30 from 2015 to 2018
        ("Africa/Casablanca", "Africa/Casablanca"),
        ("Pacific/Kiritimati", "Pacific/Kiritimati"),  # -10:40 until 1994, and +14:00 is new in MySQL 8.0.19
    ],
)
def test_a_session_is_set_to_an_offset_only_where_it_never_changes(zone: str, expected: str) -> None:
    assert session_time_zone(ZoneInfo(zone)) == expected
