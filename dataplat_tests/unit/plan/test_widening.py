"""Which Hive type holds two others, proven on values and not on names."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.plan.widening import null_of, widen, widen_all

RANGES = {"tinyint": 7, "smallint": 15, "int": 31, "bigint": 63}
DECIMALS = st.builds(
    lambda whole, scale: f"decimal({whole + scale},{scale})", st.integers(1, 20), st.integers(0, 18)
)
KINDS = st.sampled_from(
    [*RANGES, "float", "double", "boolean", "string", "binary", "date", "timestamp", "decimal(20,0)"]
)
TYPES = KINDS | DECIMALS


@given(TYPES, TYPES)
def test_widening_has_no_direction(one: str, other: str) -> None:
    assert widen(one, other) == widen(other, one)


@given(TYPES, TYPES)
def test_what_is_wider_holds_both(one: str, other: str) -> None:
    wide = widen(one, other)
    if wide is not None:
        assert widen(wide, one) == widen(wide, other) == wide


@given(st.sampled_from([*RANGES]) | DECIMALS, st.sampled_from([*RANGES]) | DECIMALS)
def test_the_largest_values_of_both_fit_into_the_wider_one(one: str, other: str) -> None:
    wide = widen(one, other)
    for kind in (one, other):
        for value in extremes(kind):
            assert wide is None or fits(value, wide)


@given(DECIMALS, DECIMALS)
def test_decimals_have_no_common_type_only_if_they_need_more_than_38_digits(one: str, other: str) -> None:
    if widen(one, other) is None:
        (whole, scale), (other_whole, other_scale) = digits(one), digits(other)
        assert max(whole, other_whole) + max(scale, other_scale) > 38


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("string", "int"),
        ("date", "timestamp"),
        ("boolean", "tinyint"),
        ("bigint", "double"),
        ("decimal(10,2)", "double"),
        ("string", "binary"),
        ("float", "int"),
    ],
)
def test_what_would_lose_or_mean_something_else_has_no_common_type(one: str, other: str) -> None:
    assert widen(one, other) is None


def test_a_number_of_types_has_the_widest_of_them() -> None:
    assert widen_all(["tinyint", "decimal(5,2)", "int"]) == "decimal(12,2)"
    assert widen_all(["tinyint", "string", "int"]) is None
    assert widen_all(["date"]) == "date"


def test_every_type_has_a_null_that_arrives_as_its_kind() -> None:
    nulls = {kind: null_of(kind) for kind in ("int", "decimal(12,2)", "double", "string", "timestamp")}
    assert nulls == {
        "int": "CAST(NULL AS SIGNED)",
        "decimal(12,2)": "CAST(NULL AS DECIMAL(12,2))",
        "double": "(NULL + 0e0)",
        "string": "CAST(NULL AS CHAR(1))",
        "timestamp": "CAST(NULL AS DATETIME)",
    }


def digits(kind: str) -> tuple[int, int]:
    precision, scale = map(int, kind.removeprefix("decimal(").removesuffix(")").split(","))
    return precision - scale, scale


def extremes(kind: str) -> list[Decimal]:
    if kind in RANGES:
        return [Decimal(-(2 ** RANGES[kind])), Decimal(2 ** RANGES[kind] - 1)]
    whole, scale = digits(kind)
    largest = Decimal("9" * whole + "." + "9" * scale)
    return [-largest, largest]


def fits(value: Decimal, kind: str) -> bool:
    low, high = extremes(kind)
    scale = 0 if kind in RANGES else digits(kind)[1]
    return low <= value <= high and -int(value.as_tuple().exponent) <= scale
