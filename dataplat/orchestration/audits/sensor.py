"""Sensors that ask a task list which tasks have ended and launch an audit run for each.

The cursor is the watermark. It moves when runs are launched and not when they succeed, because a failed run
is tried again by its own policy and seen in the list of runs; commands keep another watermark.

The key of a run holds the end of its task: what the overlap shows again is launched once, and a task that
ended again is launched again. A task list that tells no ends cannot promise both, so it is refused here; it
works with ``dataplat audit run``, which counts such tasks again.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from dataplat.errors import DataplatError
from dataplat.plan.finished_tasks import FinishedTask
from dataplat.plan.watermark import ScanWindow, Watermark, WatermarkOptions, choose_options, plan_window
from dataplat.specs import Catalog
from dataplat.specs.audit import AuditSpec

if TYPE_CHECKING:
    from dataplat.lifecycle.audits.setting import AuditSetting
    from dataplat.orchestration.audits.body import AuditBody

RUNS_A_TICK = 100
_AFTER = timedelta(microseconds=1)  # a watermark's own moment is not looked at yet
_NO_ENDS = (
    "the task list tells no ends, so a task that ended again would look like one that was seen already: let "
    "query_template return the time at which a task ended as its 4th column"
)
_NUMBERS = ("watermark_overlap_seconds", "watermark_max_window_hours", "hours_lookback")


def build_audit_sensors(
    catalog: Catalog, job: dg.JobDefinition, body: "Callable[[], AuditBody]", op: str
) -> list[dg.SensorDefinition]:
    """Return a sensor for each audit whose ``tasks`` say ``sensor: true``.

    Args:
        catalog: The configuration.
        job: What is launched.
        body: Gives the surroundings of a tick, which imports what asks.
        op: The op of the job, which is configured.
    """
    asking = [audit for audit in catalog.audits.values() if audit.tasks and audit.tasks.sensor]
    return [_sensor(audit, job, body, op) for audit in asking]


def _sensor(
    audit: AuditSpec, job: dg.JobDefinition, body: "Callable[[], AuditBody]", op: str
) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"finished_tasks_{audit.name}",
        job=job,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Launches an audit run for each task of {audit.declared.file} that ended.",
    )
    def finished_tasks(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        setting = body().setting(audit)
        try:
            return _tick(setting, context, op)
        except DataplatError as error:
            raise dg.Failure(str(error)) from error
        finally:
            setting.close()

    return finished_tasks


def _tick(setting: "AuditSetting", context: dg.SensorEvaluationContext, op: str) -> dg.SensorResult:
    now = setting.now()
    stored = read_cursor(context.cursor) or setting.watermark().read()
    window = plan_window(now, stored, _options(setting))
    assert setting.task_list is not None, "an audit without a task list has no sensor"
    names = {schedule.task_name for schedule in setting.schedules}
    ended = [task for task in setting.task_list.finished(window) if task.task_name in names]
    if any(task.end_time is None for task in ended):
        return dg.SensorResult(skip_reason=_NO_ENDS)
    chosen, end = first_of(ended, window, stored, RUNS_A_TICK)
    requests = [_request(setting.audit.name, task, op) for task in chosen]
    reason = f"{len(ended)} tasks ended from {window.start.isoformat()} to {end.isoformat()}"
    return dg.SensorResult(
        run_requests=requests,
        cursor=json.dumps({"last_end_time": end.isoformat()}),
        skip_reason=None if requests else reason,
    )


def read_cursor(cursor: str | None) -> Watermark | None:
    """Return the watermark in a cursor; one that nobody can read is none, and the stored one is taken.

    >>> read_cursor('{"last_end_time": "2026-01-09T05:00:00+08:00"}').last_end_time.hour
    5
    """
    try:
        found = json.loads(cursor or "{}")
        moment = datetime.fromisoformat(found["last_end_time"])
    except (ValueError, TypeError, KeyError):
        return None
    return Watermark(moment, moment) if moment.tzinfo else None


def first_of(
    ended: list[FinishedTask], window: ScanWindow, stored: Watermark | None, most: int
) -> tuple[list[FinishedTask], datetime]:
    """Return the tasks that one tick asks to launch, and how far it has then come.

    Those of the overlap are asked for again, and Dagster knows which of them have a run. Of the others one
    tick takes the first that ended; what ended at one moment stays together.

    Args:
        ended: Tasks with ends, in any order.
        window: That they ended in.
        stored: The watermark before.
        most: How many new runs one tick may launch.
    """
    base = stored.last_end_time if stored and window.start <= stored.last_end_time else window.start
    new = sorted((task for task in ended if _end(task) >= base), key=_end)
    if len(new) <= most:
        return sorted(ended, key=_end), window.end
    last = _end(new[most - 1])
    return sorted((task for task in ended if _end(task) <= last), key=_end), last + _AFTER


def _end(task: FinishedTask) -> datetime:
    assert task.end_time is not None
    return task.end_time


def _request(audit: str, task: FinishedTask, op: str) -> dg.RunRequest:
    ended = _end(task).isoformat()
    finished = {
        "task_name": task.task_name,
        "period_type": task.period_type,
        "batch_no": task.batch_no,
        "end_time": ended,
    }
    return dg.RunRequest(
        run_key=f"{audit}|{task.task_name}|{task.batch_no}|{ended}",
        run_config={"ops": {op: {"config": {"audit": audit, "finished": [finished]}}}},
        tags={"dataplat/audit": audit, "dataplat/task": task.task_name},
    )


def _options(setting: "AuditSetting") -> WatermarkOptions:
    tasks = setting.audit.tasks
    return choose_options({}, setting.environ, {name: getattr(tasks, name) for name in _NUMBERS})
