from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.specs.values import (
    duration_text,
    jvm_memory,
    parse_day,
    parse_duration,
    parse_percent,
    parse_size,
    parse_zone_name,
    shown,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("15m", 900), ("12h", 43_200), ("2d", 172_800), ("1w", 604_800), ("0 d", 0)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@given(st.integers(0, 999_999))
def test_a_duration_written_out_is_read_back(seconds: int) -> None:
    assert parse_duration(duration_text(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", ["2", "d", "2 days", "-1d", "1.5h", 2, None, True, ["2d"]])
def test_a_duration_without_a_unit_could_mean_anything(value: object) -> None:
    with pytest.raises(ValueError, match=r"^expected a duration such as 30s, 15m, 12h, 2d or 1w, found "):
        parse_duration(value)


@pytest.mark.parametrize(("text", "fraction"), [("30%", 0.3), ("200 %", 2.0), ("0.5%", 0.005), ("0%", 0.0)])
def test_a_percentage_is_a_fraction(text: str, fraction: float) -> None:
    assert parse_percent(text) == fraction


@pytest.mark.parametrize("value", [0.3, 30, "30", "%", "-1%", None])
def test_a_percentage_needs_its_sign(value: object) -> None:
    with pytest.raises(ValueError, match=r"^expected a percentage such as 30%, found "):
        parse_percent(value)


@pytest.mark.parametrize(
    ("text", "size"), [("1k", 1024), ("512MB", 2**29), ("2g", 2**31), ("1.5GiB", 3 * 2**29), ("1T", 2**40)]
)
def test_a_size_counts_in_powers_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "jvm"), [("2g", "2g"), ("2048MB", "2g"), ("1.5GB", "1536m"), ("512m", "512m")]
)
def test_the_jvm_is_told_whole_numbers(text: str, jvm: str) -> None:
    assert jvm_memory(text) == jvm


@pytest.mark.parametrize("name", ["Asia/Shanghai", "UTC", "America/New_York"])
def test_a_zone_name_is_kept(name: str) -> None:
    assert parse_zone_name(name) == name


@pytest.mark.parametrize("name", ["Asia", "../etc/passwd", "/etc/localtime", "", "\0", "x" * 500, "PRC+8"])
def test_what_is_no_zone_is_refused_whatever_the_files_say(name: str) -> None:
    with pytest.raises(ValueError, match="is not a known time zone"):
        parse_zone_name(name)


@pytest.mark.parametrize("value", [20260101, "20260101", "2026-1-1", "2026-01", None])
def test_a_day_is_written_in_one_way(value: object) -> None:
    with pytest.raises(ValueError, match=r"^expected a day such as 2026-01-01, found "):
        parse_day(value)


def test_long_values_are_cut_in_messages() -> None:
    assert shown("x\n" * 100) == f"'{'x ' * 30}…'"
