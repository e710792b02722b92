"""Date formats: one table of tokens for SQL and for partition values."""

from datetime import datetime

import pytest

from dataplat.plan.tokens import DateSyntaxError, parse_format

MOMENT = datetime.fromisoformat("2026-01-09T05:07:03")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yyyy-MM-dd", "2026-01-09"),
        ("yyyyMMdd", "20260109"),
        ("yyyy-MM", "2026-01"),
        ("yyyyMM", "202601"),
        ("HH", "05"),
        ("yyyy.MM.dd_HH:mm:ss", "2026.01.09_05:07:03"),
        ("yyyyyyyy", "20262026"),
    ],
)
def test_tokens_are_padded_and_everything_else_stays(text: str, expected: str) -> None:
    assert parse_format(text).render(MOMENT) == expected


def test_a_year_has_four_digits_before_the_year_1000() -> None:
    assert parse_format("yyyy").render(datetime.fromisoformat("0987-01-01")) == "0987"


def test_the_smallest_unit_does_not_depend_on_the_order_of_tokens() -> None:
    assert parse_format("dd/MM/yyyy").smallest_unit == "d"
    assert parse_format("ss HH mm").smallest_unit == "s"


def test_a_syntax_error_knows_its_place() -> None:
    with pytest.raises(DateSyntaxError) as refused:
        parse_format("yyyy-QQ")
    assert (refused.value.found, refused.value.at) == ("'QQ' is no date token", 5)
