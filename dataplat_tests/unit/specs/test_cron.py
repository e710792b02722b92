"""Our check of cron expressions against the one that will compute their ticks."""

import pytest
from dagster._utils.schedules import is_valid_cron_schedule
from hypothesis import given
from hypothesis import strategies as st

from dataplat.specs.cron import parse_cron

ITEMS = st.one_of(
    st.just("*"),
    st.integers(0, 65).map(str),
    st.tuples(st.integers(0, 65), st.integers(0, 65)).map(lambda pair: f"{pair[0]}-{pair[1]}"),
    st.sampled_from(
        ["*/5", "*/0", "1-9/2", "mon", "jan", "fri-mon", "tue,thu", "1,2,70", "L", "?", "x", "1-", "/2"]
    ),
)
EXPRESSIONS = st.lists(ITEMS, min_size=4, max_size=6).map(" ".join)


@given(EXPRESSIONS)
def test_what_we_accept_dagster_accepts(text: str) -> None:
    try:
        accepted = parse_cron(text)
    except ValueError:
        return
    assert is_valid_cron_schedule(accepted)


@pytest.mark.parametrize(
    "text",
    [
        "0 2 * * *",
        "*/15 0-6,22 1,15 * mon-fri",
        "5/10 * * JAN Sun",
        "0 0 29 2 *",
        "0 0 * * 7",
    ],
)
def test_everyday_expressions_are_accepted(text: str) -> None:
    assert parse_cron(text) == text
    assert is_valid_cron_schedule(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("@daily", "found 1"),
        ("0 0 2 * * *", "found 6"),
        ("60 * * * *", "minute 60 is outside 0 to 59"),
        ("0 24 * * *", "hour 24 is outside 0 to 23"),
        ("0 0 0 * *", "day of month 0 is outside 1 to 31"),
        ("0 0 * 13 *", "month 13 is outside 1 to 12"),
        ("0 0 * * 8", "day of week 8 is outside 0 to 7"),
        ("0 0 * * fri-mon", "day of week 'fri-mon' runs backwards"),
        ("0 0 * jam *", "month 'jam' cannot be read"),
        ("*/0 * * * *", "minute '*/0' cannot be read"),
        ("0 0 31 4,6 *", "no chosen month has a day 31"),
    ],
)
def test_a_refusal_names_the_field(text: str, problem: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_cron(text)

    assert str(caught.value).endswith(problem)
