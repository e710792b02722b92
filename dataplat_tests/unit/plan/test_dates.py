"""Date expressions: the golden vectors of the old system's working part, and what it got wrong."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from dataplat.errors import DateExpressionError
from dataplat.plan.dates import explain_date, find_date_expressions, render_dates

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
BASE = datetime(2026, 11, 20, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$[yyyy-MM-dd-8]", "2026-11-12"),
        ("$[yyyyMM-1_M]", "202610"),
        ("$[yyyyMMdd+7*2_d]", "20261204"),
        ("$[yyyyMMdd-8_d]", "20261112"),
        ("$[yyyyMM-7*2_M]", "202509"),
        ("$[HHmmss+1_H]", "010000"),
        ("a >= '$[yyyy-MM-dd-8]' and b < '$[yyyyMMdd]'", "a >= '2026-11-12' and b < '20261120'"),
        ("$[yyyy]$[MM]$[dd]", "20261120"),
        ("t_flow_$[yyyy_MM]", "t_flow_2026_11"),
        ("$[yyyyMMdd-1_Y]", "20251120"),
        ("$[yyyyMMddHHmmss-1_s]", "20261119235959"),
        ("$[yyyyMMddHHmm-1]", "202611192359"),
        ("$[yyyyMMddHH-1]", "2026111923"),
        ("$[yyyyMM-1]", "202610"),
        ("$[yyyy-1]", "2025"),
        ("$[dd/MM/yyyy+2*3*4_d]", "14/12/2026"),
        ("", ""),
        ("no expression, $x, $ [yyyy], ${HOME}", "no expression, $x, $ [yyyy], ${HOME}"),
    ],
)
def test_expressions_render_relative_to_the_partition(text: str, expected: str) -> None:
    assert render_dates(text, BASE) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$[yyyy-MM-dd]", "2026-11-20"),  # was: %Y-%m-%d
        ("$[HHmm]", "0000"),  # was: %H%M
        ("$[yyyy-MM-dd HH:00:00-1_H]", "2026-11-19 23:00:00"),  # was: %Y-%m-%d %H:00:00-1_H
        ("$[yyyy-MM-dd HH:00:00]", "2026-11-20 00:00:00"),
        ("$[yyyyMMdd000000]", "20261120000000"),
        ("$[yyyy-MM-ddTHH:mm:ss]", "2026-11-20T00:00:00"),
        ("$[yyyy年MM月dd日]", "2026年11月20日"),
    ],
)
def test_the_old_systems_leaks_render_dates(text: str, expected: str) -> None:
    assert render_dates(text, BASE) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$[yyyy-MM-dd-8]", "2026-11-12"),  # sign and number at the end: the offset
        ("$[yyyy-MM-dd-0]", "2026-11-20"),
        ("$[yyyy-MM-15]", "2025-08"),
        ("$[yyyy-MM-01]", "2026-11-01"),  # two digits from 0, no unit: text
        ("$[yyyy-MM-dd+08:00]", "2026-11-20+08:00"),
        ("$[yyyy-MM-dd-08_d]", "2026-11-12"),  # the unit makes it an offset
        ("$[yyyy-MM-01-1]", "2026-10-01"),
        ("$[yyyy-MM-15+0]", "2026-11-15"),  # an offset follows: two digits are text
    ],
)
def test_a_trailing_signed_number_is_the_offset_unless_it_is_written_with_a_zero(
    text: str, expected: str
) -> None:
    assert render_dates(text, BASE) == expected


def test_a_backfill_needs_no_edited_config_and_changes_nothing_but_the_dates() -> None:
    """The old date script also turned ``<>`` into ``=``, ``%@x`` into ``%=x`` and ``7*2`` into ``7``."""
    where = "date(t) >= '$[yyyy-MM-dd-7*2_d]' and status <> 3 and mail like '%@x'"
    days = [datetime(2026, 3, day, tzinfo=SHANGHAI) for day in (30, 31)]
    assert [render_dates(where, day) for day in days] == [
        "date(t) >= '2026-03-16' and status <> 3 and mail like '%@x'",
        "date(t) >= '2026-03-17' and status <> 3 and mail like '%@x'",
    ]


@pytest.mark.parametrize(
    ("base", "text", "expected"),
    [
        ("2026-03-31", "$[yyyy-MM-dd-1_M]", "2026-02-28"),
        ("2024-03-31", "$[yyyy-MM-dd-1_M]", "2024-02-29"),
        ("2024-02-29", "$[yyyy-MM-dd-1_Y]", "2023-02-28"),
        ("2024-02-29", "$[yyyy-MM-dd+4_Y]", "2028-02-29"),
        ("2026-01-31", "$[yyyy-MM-dd+13_M]", "2027-02-28"),
        ("2026-01-01", "$[yyyy-MM-dd-1]", "2025-12-31"),
    ],
)
def test_months_and_years_end_at_the_last_day_the_month_has(base: str, text: str, expected: str) -> None:
    assert render_dates(text, datetime.fromisoformat(base).replace(tzinfo=SHANGHAI)) == expected


def test_hours_are_elapsed_time_and_days_are_calendar_time_where_clocks_change() -> None:
    after_spring = datetime(2026, 3, 8, 3, tzinfo=NEW_YORK)
    assert render_dates("$[yyyy-MM-dd HH-1_H]", after_spring) == "2026-03-08 01"
    assert render_dates("$[yyyy-MM-dd HH-1_d]", after_spring) == "2026-03-07 03"
    day_of_autumn = datetime(2026, 11, 1, tzinfo=NEW_YORK)
    assert render_dates("$[yyyy-MM-dd HH+24_H]", day_of_autumn) == "2026-11-01 23"
    assert render_dates("$[yyyy-MM-dd HH+1_d]", day_of_autumn) == "2026-11-02 00"


def test_a_calendar_step_into_a_skipped_hour_renders_the_hour_after_it() -> None:
    assert render_dates("$[HH:mm+1_d]", datetime(2026, 3, 7, 2, 30, tzinfo=NEW_YORK)) == "03:30"


@pytest.mark.parametrize(
    "path", ["$[0]", "$[*]", "$[last]", "$[last-2]", "$[1 to 3]", "$[0 to last]", "$[0][1]"]
)
def test_json_paths_are_not_date_expressions(path: str) -> None:
    text = f"detail->'{path}' = '$[yyyy]'"
    assert render_dates(text, BASE) == f"detail->'{path}' = '2026'"
    assert [found.text for found in find_date_expressions(text)] == ["$[yyyy]"]


REFUSED = {
    "$[]": "no date token (character 3)",
    "$[-8]": "no date token (character 3)",
    "$[00:00:00]": "no date token (character 3)",
    "$[yyyyMMDD]": "'DD' is no date token; did you mean 'dd'? (character 9)",
    "$[YYYY-MM]": "'YYYY' is no date token; did you mean 'yyyy'? (character 3)",
    "$[yyyyMMddhh]": "'hh' is no date token; did you mean 'HH'? (character 11)",
    "$[yyyyM]": "'M' is no date token; did you mean 'MM'? (character 7)",
    "$[yyyyMMMdd]": "'M' is no date token; did you mean 'MM'? (character 9)",
    "$[yyyyMMddT]": "'T' is no date token (character 11)",
    "$[t_yyyy]": "'t' is no date token (character 3)",
    "$[yyyy-mm-dd]": "'mm' is minutes, and there are no hours; did you mean 'MM'? (character 8)",
    "$[HH:MM:ss]": "'MM' is months, and there are no days; did you mean 'mm'? (character 6)",
    "$[yyyyMMdd-8_x]": "'x' is no unit, use one of Y M d H m s (character 14)",
    "$[yyyyMMdd-8_D]": "'D' is no unit, use one of Y M d H m s (character 14)",
    "$[yyyyMMdd-8_]": (
        "'-8' is neither an offset at the end nor text with two digits"
        " and an offset after it, as in $[yyyy-MM-15+0] (character 11)"
    ),
    "$[yyyyMMdd-8.5]": (
        "'-8' is neither an offset at the end nor text with two digits"
        " and an offset after it, as in $[yyyy-MM-15+0] (character 11)"
    ),
    "$[yyyyMMdd - 8]": (
        "'- 8' is neither an offset at the end nor text with two digits"
        " and an offset after it, as in $[yyyy-MM-15+0] (character 12)"
    ),
    "$[yyyyMMdd-8-1]": (
        "'-8' is neither an offset at the end nor text with two digits"
        " and an offset after it, as in $[yyyy-MM-15+0] (character 11)"
    ),
    "$[yyyy-MM-15 00:00:00]": (
        "'-15' is neither an offset at the end nor text with two digits"
        " and an offset after it, as in $[yyyy-MM-15+0] (character 10)"
    ),
    "$[yyyyMMdd-]": "'-' is followed by no number (character 11)",
    "$[yyyyMMdd--8]": "'-' is followed by no number (character 11)",
    "$[yyyyMMdd-7*]": "'*' cannot stand in a date format (character 13)",
    "$[yyyyMMdd-7**2]": "'*' cannot stand in a date format (character 13)",
    "$[yyyy'-'MM]": '"\'" cannot stand in a date format (character 7)',
    "$[yyyy\nMM]": "'\\n' cannot stand in a date format (character 7)",
    "$[yyyy１]": "'１' cannot stand in a date format (character 7)",
    "$[yyyyMMdd-9999999999]": "'9999999999' is too large an offset (character 12)",
    "$[yyyyMMdd-99999*99999]": "'99999*99999' is too large an offset (character 12)",
    "$[__import__('os')]": "'i' is no date token (character 5)",
    "$[yyyyMMdd": "it is never closed by ']'",
}


@pytest.mark.parametrize(("text", "problem"), REFUSED.items())
def test_what_cannot_be_read_is_refused_with_the_reason_and_the_character(text: str, problem: str) -> None:
    (found,) = find_date_expressions(f"a = {text}")
    assert (found.text, found.start, found.expression, found.problem) == (text, 4, None, problem)
    with pytest.raises(DateExpressionError):
        render_dates(text, BASE)
    with pytest.raises(DateExpressionError):
        explain_date(text, BASE)


def test_the_error_says_what_was_expected_and_found_and_what_to_try() -> None:
    with pytest.raises(DateExpressionError) as refused:
        render_dates("create_time >= '$[yyyyMMDD-1]'", BASE, subject="config/ods/x.yaml:14 where")
    assert str(refused.value) == (
        "config/ods/x.yaml:14 where: date expression $[yyyyMMDD-1] cannot be read\n"
        "  expected   $[format(+|-)N(_U)], format of yyyy MM dd HH mm ss, U one of Y M d H m s\n"
        "  found      'DD' is no date token; did you mean 'dd'? (character 9)\n"
        "  effect     nothing was sent to any source\n"
        "  next       dataplat expr '$[yyyy-MM-dd-8_d]' --at 2026-03-31"
    )


def test_an_offset_that_leaves_the_calendar_is_refused() -> None:
    for text in ("$[yyyy-9000]", "$[yyyyMMdd-999999999]", "$[HH+999999999]", "$[yyyyMM+99999999]"):
        assert find_date_expressions(text)[0].problem is None
        with pytest.raises(DateExpressionError, match="leaves the years 1 to 9999"):
            render_dates(text, BASE)
    with pytest.raises(DateExpressionError) as refused:
        render_dates("$[yyyy-9000]", BASE)
    assert str(refused.value) == (
        "$[yyyy-9000]: this date expression cannot be read\n"
        "  expected   $[format(+|-)N(_U)], format of yyyy MM dd HH mm ss, U one of Y M d H m s\n"
        "  found      -9000 years from 2026-11-20 leaves the years 1 to 9999\n"
        "  effect     nothing was sent to any source\n"
        "  next       dataplat expr '$[yyyy-MM-dd-8_d]' --at 2026-03-31"
    )


def test_every_expression_is_found_with_its_place_even_after_a_broken_one() -> None:
    text = "a $[yyyy b $[MM] c $[QQ]"
    found = find_date_expressions(text)
    assert [text[one.start : one.end] for one in found] == ["$[yyyy b ", "$[MM]", "$[QQ]"]
    assert [one.problem is None for one in found] == [False, True, False]


def test_an_explanation_names_base_offset_moment_and_format() -> None:
    first, second = explain_date("$[yyyy-MM-dd-1_M] and $[HHmm]", datetime(2026, 3, 31, tzinfo=SHANGHAI))
    assert first.render() == (
        "$[yyyy-MM-dd-1_M] = 2026-02-28\n"
        "  base     2026-03-31 00:00:00+08:00\n"
        "  offset   -1 months\n"
        "  moment   2026-02-28 00:00:00+08:00\n"
        "  format   yyyy-MM-dd"
    )
    assert second.render() == (
        "$[HHmm] = 0000\n"
        "  base     2026-03-31 00:00:00+08:00\n"
        "  offset   none\n"
        "  moment   2026-03-31 00:00:00+08:00\n"
        "  format   HHmm"
    )
    assert explain_date("no expression", BASE) == ()
