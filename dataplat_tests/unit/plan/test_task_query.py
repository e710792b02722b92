"""The question for finished tasks and its answer (A07 to A10)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.errors import SourceError
from dataplat.plan.finished_tasks import FinishedTask
from dataplat.plan.task_query import read_tasks, render_query
from dataplat.plan.watermark import ScanWindow

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
TEMPLATE = "{start_time}|{end_time}|{data_date}|{other}"
FORMAT = "%Y-%m-%d %H:%M:%S"


def window(start: datetime, hours: float = 1) -> ScanWindow:
    return ScanWindow(start, start + timedelta(hours=hours))


def test_a_date_of_the_command_line_is_in_the_query_and_yesterday_without_one_a07() -> None:
    found = window(datetime(2026, 1, 9, 16, tzinfo=UTC))
    shown = "2026-01-10 00:00:00|2026-01-10 01:00:00|{}|{{other}}"
    assert render_query(TEMPLATE, found, SHANGHAI) == shown.format("20260109")
    assert render_query(TEMPLATE, found, SHANGHAI, "20251231") == shown.format("20251231")


@given(
    st.integers(0, 48 * 3600).map(
        lambda seconds: datetime(2026, 10, 24, tzinfo=UTC) + timedelta(seconds=seconds)
    ),
    st.floats(0.1, 6),
    st.floats(0, 1, exclude_max=True),
)
def test_every_end_in_a_window_is_between_the_wall_clocks_also_where_they_are_set_back(
    start: datetime, hours: float, share: float
) -> None:
    hours = round(hours * 3600) / 3600
    begin, end, *_ = render_query(TEMPLATE, window(start, hours), BERLIN).split("|")
    ended = (start + timedelta(seconds=int(hours * 3600 * share))).astimezone(BERLIN)
    assert begin <= ended.strftime(FORMAT) < end


@pytest.mark.parametrize(
    ("row", "task"),
    [
        (("t",), FinishedTask("t")),
        ((" t ", "DAILY", 20260109), FinishedTask("t", "daily", "20260109")),
        (("t", None, None, None), FinishedTask("t")),
        (
            ("t", "hourly", "2026010905", "2026-01-09 06:00:00"),
            FinishedTask("t", "hourly", "2026010905", datetime(2026, 1, 9, 6, tzinfo=SHANGHAI)),
        ),
        (
            ("t", "", "", datetime(2026, 1, 8, 22, tzinfo=UTC)),
            FinishedTask("t", "", "", datetime(2026, 1, 9, 6, tzinfo=SHANGHAI)),
        ),
    ],
)
def test_one_three_and_four_columns_are_tasks_a10(row: tuple[object, ...], task: FinishedTask) -> None:
    assert read_tasks([row], SHANGHAI, "s") == [task]


def test_rows_without_a_name_are_none() -> None:
    assert read_tasks([(None,), ("",), ()], SHANGHAI, "s") == []


def test_an_end_that_is_no_time_is_told_whole() -> None:
    with pytest.raises(SourceError) as caught:
        read_tasks([("t", "daily", "20260109", "soon")], SHANGHAI, "tasks of audit n")
    assert str(caught.value) == (
        "tasks of audit n: its answer cannot be read as finished tasks\n"
        "  expected   a time in the 4th column\n"
        "  found      'soon'\n"
        "  effect     nothing was audited, the watermark is as it was\n"
        "  next       write the columns of query_template so"
    )
