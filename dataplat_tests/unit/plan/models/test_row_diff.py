"""Rows are compared by what they say, and a difference fits on a screen."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.plan.models.row_diff import compare_rows, written

ROWS = st.lists(
    st.fixed_dictionaries({"a": st.integers(0, 3) | st.none(), "b": st.text("xy\n", max_size=40)}), max_size=6
)


@pytest.mark.parametrize(
    ("expected", "made"),
    [
        (3.5, Decimal("3.500")),
        ("3.50", Decimal("3.5")),
        (1, Decimal("1.00")),
        (0, Decimal("-0.0")),
        (100, Decimal("1E+2")),
        ("2026-01-09", date(2026, 1, 9)),
        ("2026-01-09 05:00:00", datetime(2026, 1, 9, 5, tzinfo=UTC)),
        (True, True),
        (None, None),
        ("007", "007"),
        ([1, 2.5], [Decimal(1), Decimal("2.50")]),
        ({"b": 1, "a": None}, {"a": None, "b": 1}),
    ],
)
def test_one_value_is_equal_however_its_type_writes_it(expected: object, made: object) -> None:
    assert compare_rows([{"x": expected}], [{"x": made}]).equal


@pytest.mark.parametrize(
    ("expected", "made"),
    [("007", "7"), (1, True), (None, "NULL"), (0, None), ("", None), (3.5, Decimal("3.51")), ("a", "A")],
)
def test_values_that_differ_are_not_equal(expected: object, made: object) -> None:
    assert not compare_rows([{"x": expected}], [{"x": made}]).equal


def test_columns_that_no_row_names_are_not_compared_and_the_others_are_null() -> None:
    made = [{"ID": 1, "n": None, "noise": 7}, {"ID": 2, "n": 5, "noise": 8}]

    assert compare_rows([{"id": 1}, {"id": 2, "N": 5}], made).equal
    assert not compare_rows([{"id": 1, "n": 4}, {"id": 2}], made).equal


def test_the_order_counts_only_if_it_is_said_to() -> None:
    rows = [{"id": 1}, {"id": 2}]

    assert compare_rows(rows, rows[::-1]).equal
    turned = compare_rows(rows, rows[::-1], ordered=True)
    assert turned.render() == "expected 2 rows, made 2: the same, in another order"


def test_a_difference_shows_what_is_missing_beside_what_came_instead() -> None:
    expected = [{"id": 1, "money": 3.5, "name": "ann"}, {"id": 2, "money": 1, "name": "bob"}, {"id": 3}]
    made = [
        {"id": 3, "money": None, "name": None},
        {"id": 2, "money": Decimal("1.50"), "name": "bob"},
        {"id": 1, "money": Decimal("4.00"), "name": "ann"},
        {"id": 9, "money": Decimal("0.00"), "name": "eve"},
    ]

    assert compare_rows(expected, made).render() == (
        "expected 3 rows, made 4: - is missing, + is too much\n"
        "  id   money   name\n"
        "- 1    3.5     ann\n"
        "+ 1    4       ann\n"
        "- 2    1       bob\n"
        "+ 2    1.5     bob\n"
        "+ 9    0       eve"
    )


def test_rows_that_were_made_of_nothing_are_all_too_much() -> None:
    assert compare_rows([], []).render() == "0 rows, as expected"
    assert compare_rows([], [{"id": 1, "name": "a\nb"}]).render() == (
        "expected 0 rows, made 1: - is missing, + is too much\n  id   name\n+ 1    a⏎b"
    )


def test_a_wide_difference_shows_the_columns_that_differ() -> None:
    expected = [{"id": 1, **{f"column_{n}": "same text in it" for n in range(9)}, "last": "x" * 50}]
    made = [{**expected[0], "last": "y" * 50}]

    assert compare_rows(expected, made).render() == (
        "expected 1 rows, made 1: - is missing, + is too much\n"
        "  id   column_0          column_1          last\n"
        "- 1    same text in it   same text in it   xxxxxxxxxxxxxxxxxxxxxxx…\n"
        "+ 1    same text in it   same text in it   yyyyyyyyyyyyyyyyyyyyyyy…\n"
        "(7 more columns)"
    )


def test_a_long_difference_says_how_much_more_there_is() -> None:
    lines = compare_rows([{"id": n} for n in range(30)], []).render().split("\n")

    assert (len(lines), lines[-1]) == (13, "… and 20 more")


def _in_order(row: dict[str, object]) -> str:
    return repr(sorted(row.items()))


@given(ROWS, ROWS)
def test_a_difference_is_the_difference_and_fits_into_80_columns(
    expected: list[dict[str, object]], made: list[dict[str, object]]
) -> None:
    diff = compare_rows(expected, made)
    same = sorted(map(_in_order, expected)) == sorted(map(_in_order, made)) if expected else not made

    assert diff.equal == same
    assert len(diff.missing) - len(diff.surplus) == len(expected) - len(made)
    assert max(map(len, diff.render().split("\n"))) <= 80


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4), st.integers(0, 6))
def test_trailing_zeros_say_nothing(number: Decimal, zeros: int) -> None:
    assert (
        written(number)
        == written(Decimal(f"{number:f}" + "0" * zeros))
        == written(str(number), as_number=True)
    )
