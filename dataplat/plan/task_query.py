"""The question for finished tasks, and its answer.

A template asks for the ends of tasks between two wall clocks of one zone. Where clocks are set back, one wall
clock is two moments: a window that meets such an hour asks for more than itself and never for less.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dataplat.errors import SourceError
from dataplat.plan.finished_tasks import FinishedTask
from dataplat.plan.watermark import ScanWindow, align

_FORMAT = "%Y-%m-%d %H:%M:%S"
_COLUMNS = "task_name, or task_name, period_type, batch_no, or these and the time at which the task ended"
NOTHING_AUDITED = "nothing was audited, the watermark is as it was"


def render_query(template: str, window: ScanWindow, zone: ZoneInfo, date_option: str | None = None) -> str:
    """Return the query for what ended in a window.

    Args:
        template: With ``{start_time}``, ``{end_time}`` and ``{data_date}``; other braces stay.
        window: ``start <= end_time < end``.
        zone: Of the wall clocks in the query.
        date_option: ``--date`` as ``20260109``; without it ``{data_date}`` is the day before the window ends.

    >>> from datetime import UTC
    >>> window = ScanWindow(datetime(2026, 1, 8, 16, tzinfo=UTC), datetime(2026, 1, 8, 17, tzinfo=UTC))
    >>> render_query("e >= '{start_time}' AND d = '{data_date}'", window, ZoneInfo("Asia/Shanghai"))
    "e >= '2026-01-09 00:00:00' AND d = '20260108'"
    """
    start, end = _walls(window, zone)
    values = {
        "{start_time}": start.strftime(_FORMAT),
        "{end_time}": end.strftime(_FORMAT),
        "{data_date}": date_option or f"{window.end.astimezone(zone).date() - timedelta(days=1):%Y%m%d}",
    }
    for name, text in values.items():
        template = template.replace(name, text)
    return template


def read_tasks(rows: Sequence[Sequence[Any]], zone: ZoneInfo, subject: str) -> list[FinishedTask]:
    """Return the tasks in the rows of an answer, in their order; rows without a task's name are none.

    Args:
        rows: Of 1, 3 or 4 columns.
        zone: Of ends without one.
        subject: The task list, for messages.

    Raises:
        SourceError: The rows have another number of columns, or an end is no time.

    >>> read_tasks([("load_orders", "Daily", 20260109)], ZoneInfo("UTC"), "t")[0].batch_no
    '20260109'
    """
    return [_task(row, zone, subject) for row in rows if row and row[0] not in (None, "")]


def _task(row: Sequence[Any], zone: ZoneInfo, subject: str) -> FinishedTask:
    if len(row) not in (1, 3, 4):
        raise _refused(subject, _COLUMNS, f"{len(row)} columns")
    name, period, batch, ended = [*row, None, None, None][:4]
    return FinishedTask(
        task_name=str(name).strip(),
        period_type=_text(period).lower(),
        batch_no=_text(batch),
        end_time=None if ended is None else _moment(ended, zone, subject),
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _moment(value: Any, zone: ZoneInfo, subject: str) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise _refused(subject, "a time in the 4th column", repr(str(value)[:60])) from None
    return align(moment, zone)


def _walls(window: ScanWindow, zone: ZoneInfo) -> tuple[datetime, datetime]:
    start, end = window.start.astimezone(zone), window.end.astimezone(zone)
    back = (start.utcoffset() or timedelta()) - (end.utcoffset() or timedelta())
    widened = max(back, timedelta())
    return start - widened, end + widened


def _refused(subject: str, expected: str, found: str) -> SourceError:
    return SourceError(
        subject,
        "its answer cannot be read as finished tasks",
        facts=[("expected", expected), ("found", found)],
        effect=NOTHING_AUDITED,
        next_steps=["write the columns of query_template so"],
    )
