"""Wall clocks that no clock ever showed."""

from zoneinfo import ZoneInfo

from dataplat.plan.wall_clocks import MovedWalls, skipped_walls


def test_a_zone_skipped_the_hours_that_its_clock_jumped_over() -> None:
    found = skipped_walls(ZoneInfo("Asia/Shanghai"))
    assert MovedWalls("1986-05-04 02:00:00", "1986-05-04 03:00:00", 3600) in found
    assert [one.start for one in found] == sorted(one.start for one in found)
    assert found[-1].start == "1991-04-14 02:00:00"


def test_a_jump_that_is_no_hour_is_as_long_as_it_was() -> None:
    singapore = skipped_walls(ZoneInfo("Asia/Singapore"))
    assert MovedWalls("1981-12-31 23:30:00", "1982-01-01 00:00:00", 1800) in singapore


def test_utc_skipped_nothing() -> None:
    assert skipped_walls(ZoneInfo("UTC")) == ()
