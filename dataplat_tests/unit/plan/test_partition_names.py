"""One partition as people, Dagster and schedulers spell it."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.errors import SelectionError
from dataplat.plan.grains import Grain, next_wall_start, partition_key, wall_start
from dataplat.plan.partition_names import parse_partition, read_batch_number

GRAINS: tuple[Grain, ...] = ("hour", "day", "month")
walls = st.datetimes(datetime.fromisoformat("1000-01-01"), datetime.fromisoformat("9998-12-31T23:59:59"))


@pytest.mark.parametrize(
    ("text", "grain", "key"),
    [
        ("20260109", "day", "2026-01-09"),
        ("2026-01-09", "day", "2026-01-09"),
        (" 2026-01-09 ", "day", "2026-01-09"),
        ("20240229", "day", "2024-02-29"),
        ("2026010905", "hour", "2026-01-09-05:00"),
        ("2026-01-09 05", "hour", "2026-01-09-05:00"),
        ("2026-01-09 05:00", "hour", "2026-01-09-05:00"),
        ("2026-01-09 05:00:00", "hour", "2026-01-09-05:00"),
        ("2026-01-09-05:00", "hour", "2026-01-09-05:00"),
        ("2026-01-09T05", "hour", "2026-01-09-05:00"),
        ("2026-01-09T23:00", "hour", "2026-01-09-23:00"),
        ("2026-11-01-01:00-0500", "hour", "2026-11-01-01:00"),
        ("2026-10-25-01:00+0000", "hour", "2026-10-25-01:00"),
        ("202601", "month", "2026-01"),
        ("2026-01", "month", "2026-01"),
    ],
)
def test_a_partition_has_several_spellings_and_one_key(text: str, grain: Grain, key: str) -> None:
    assert parse_partition(text, grain) == key


@given(walls, st.sampled_from(GRAINS))
def test_a_canonical_key_reads_as_itself(wall: datetime, grain: Grain) -> None:
    key = partition_key(wall, grain)
    assert parse_partition(key, grain) == key
    assert partition_key(wall_start(key, grain), grain) == key


@given(walls, st.sampled_from(GRAINS))
def test_the_partition_after_one_holds_the_first_moment_after_it(wall: datetime, grain: Grain) -> None:
    following = next_wall_start(wall_start(partition_key(wall, grain), grain), grain)
    assert partition_key(following, grain) > partition_key(wall, grain)
    assert partition_key(following - timedelta(seconds=1), grain) == partition_key(wall, grain)


@given(st.text(max_size=25), st.sampled_from(GRAINS))
def test_any_other_text_is_refused(text: str, grain: Grain) -> None:
    try:
        key = parse_partition(text, grain)
    except SelectionError:
        return
    assert text.strip()[:4] == key[:4]


@pytest.mark.parametrize(
    ("text", "grain", "expected", "found"),
    [
        ("2026-02-30", "day", "a day: YYYYMMDD or YYYY-MM-DD", "'2026-02-30': day is out of range for month"),
        ("20261301", "day", "a day: YYYYMMDD or YYYY-MM-DD", "'20261301': month must be in 1..12"),
        ("99991231", "day", "a day: YYYYMMDD or YYYY-MM-DD", "'99991231': years run from 1000 to 9998"),
        ("yesterday", "day", "a day: YYYYMMDD or YYYY-MM-DD", "'yesterday'"),
        ("2026-0109", "day", "a day: YYYYMMDD or YYYY-MM-DD", "'2026-0109'"),
        ("２０２６０１０９", "day", "a day: YYYYMMDD or YYYY-MM-DD", "'２０２６０１０９'"),
        ("202601", "day", "a day: YYYYMMDD or YYYY-MM-DD", "'202601', which is a month"),
        ("20260109", "month", "a month: YYYYMM or YYYY-MM", "'20260109', which is a day"),
        ("2026010905", "day", "a day: YYYYMMDD or YYYY-MM-DD", "'2026010905', which is an hour"),
        ("20260109", "hour", "an hour: YYYYMMDDHH or YYYY-MM-DD HH", "'20260109', which is a day"),
        ("2026010924", "hour", "an hour: YYYYMMDDHH or YYYY-MM-DD HH", "'2026010924': hour must be in 0..23"),
        ("2026-04-05-02:30", "hour", "an hour: YYYYMMDDHH or YYYY-MM-DD HH", "'2026-04-05-02:30'"),
    ],
)
def test_an_unreadable_partition_says_what_is_expected_and_what_was_found(
    text: str, grain: Grain, expected: str, found: str
) -> None:
    with pytest.raises(SelectionError) as refused:
        parse_partition(text, grain, subject="ods.orders")
    assert str(refused.value) == (
        f"ods.orders: '{text}' is no partition that can be read\n"
        f"  expected   {expected}\n"
        f"  found      {found}\n"
        "  effect     nothing was read"
    )


def test_without_a_table_the_message_is_about_a_partition() -> None:
    with pytest.raises(SelectionError, match=r"^partition: 'x' is no partition that can be read"):
        parse_partition("x", "day")


@pytest.mark.parametrize(
    ("batch_no", "declared", "key", "grain", "warning"),
    [
        ("2026010905", "hour", "2026-01-09-05:00", "hour", ""),
        ("20260109", "day", "2026-01-09", "day", ""),
        ("202601", "month", "2026-01", "month", ""),
        (
            "20260109",
            "hour",
            "2026-01-09",
            "day",
            "batch number '20260109' is of a day, its schedule is declared per hour",
        ),
        (
            "2026010905",
            "month",
            "2026-01-09-05:00",
            "hour",
            "batch number '2026010905' is of an hour, its schedule is declared per month",
        ),
    ],
)
def test_the_length_of_a_batch_number_decides_its_grain_and_disagreement_is_told(
    batch_no: str, declared: Grain, key: str, grain: Grain, warning: str
) -> None:
    batch = read_batch_number(batch_no, declared)
    assert (batch.key, batch.grain, batch.warning) == (key, grain, warning)


@pytest.mark.parametrize("batch_no", ["2026-01-09", "2026010", "", "2026o1", " 202601", "２０２６０１"])
def test_a_batch_number_is_digits_only(batch_no: str) -> None:
    with pytest.raises(SelectionError) as refused:
        read_batch_number(batch_no, "day", subject="task load_orders")
    assert str(refused.value) == (
        f"task load_orders: '{batch_no.strip()}' is no batch number that can be read\n"
        "  expected   digits only: YYYYMMDDHH, YYYYMMDD or YYYYMM\n"
        f"  found      '{batch_no}'\n"
        "  effect     nothing was read"
    )


def test_a_batch_number_of_no_date_is_refused() -> None:
    with pytest.raises(SelectionError, match=r"month must be in 1..12"):
        read_batch_number("202613", "month")
