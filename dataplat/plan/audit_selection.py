"""What an audit run is asked for, and the jobs that come of it.

Names on the command line stand before everything, "all that is configured" before the task list, and an
audit without a task list audits all that is configured.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from dataplat.errors import SelectionError
from dataplat.plan.audit_jobs import AuditJob, PlannedJobs, plan_jobs
from dataplat.plan.audit_results import result_key
from dataplat.plan.finished_tasks import FinishedTask, split_repeats, task_key
from dataplat.specs.audit import AuditDefaults, ScheduleSpec
from dataplat.specs.problems import did_you_mean

_NOTHING = "nothing was audited"


@dataclass(frozen=True, kw_only=True)
class AuditRequest:
    """What somebody asks of an audit.

    Attributes:
        tasks: ``--tasks``: these instead of those that the task list says.
        skip_task_list: ``--skip-clickhouse``: all that is configured.
        finished: Ends of tasks that are known already; the sensor's.
        tables: Only these tables, by ``name`` or by ``external``; empty is all.
        date_option: ``--date``.
        concurrency: ``--concurrency``.
    """

    tasks: tuple[str, ...] = ()
    skip_task_list: bool = False
    finished: tuple[FinishedTask, ...] = ()
    tables: tuple[str, ...] = ()
    date_option: str | None = None
    concurrency: int | None = None


def request_for_partitions(
    schedules: Iterable[ScheduleSpec], external: str, keys: Iterable[str]
) -> AuditRequest:
    """Return the request that counts partitions of one external table, whether they were counted or not.

    Args:
        schedules: With their loops filled in.
        external: ``database.table``.
        keys: Its partitions.
    """
    makers = [one.task_name for one in schedules if any(table.external == external for table in one.tables)]
    batches = ["".join(letter for letter in key.removesuffix(":00") if letter.isdigit()) for key in keys]
    finished = [FinishedTask(name, batch_no=batch) for batch in batches for name in dict.fromkeys(makers)]
    return AuditRequest(finished=tuple(finished), tables=(external,))


TaskOrigin = Literal["given", "all", "list"]


def task_origin(request: AuditRequest, has_task_list: bool) -> TaskOrigin:
    """Return where the tasks of a run come from.

    >>> task_origin(AuditRequest(tasks=("a",), skip_task_list=True), True)
    'given'
    """
    if request.tasks or request.finished:
        return "given"
    return "list" if has_task_list and not request.skip_task_list else "all"


def given_tasks(request: AuditRequest, schedules: Iterable[ScheduleSpec]) -> list[FinishedTask]:
    """Return the tasks that were given by name or as ends.

    Raises:
        SelectionError: A name is of no task that is configured; says which is near.
    """
    known = list(dict.fromkeys(schedule.task_name for schedule in schedules))
    for name in request.tasks:
        if name not in known:
            raise SelectionError(
                f"task {name}",
                f"it is not configured{did_you_mean(name, known)}",
                facts=[
                    ("configured", f"{len(known)} tasks: {', '.join(known[:5])}{', …' * (len(known) > 5)}")
                ],
                effect=_NOTHING,
            )
    return [*map(FinishedTask, request.tasks), *request.finished]


def chosen_schedules(schedules: Sequence[ScheduleSpec], tables: Collection[str]) -> list[ScheduleSpec]:
    """Return the schedules with only the tables that are wanted; all of them if none is named.

    Raises:
        SelectionError: A name is of no audited table; says which is near.
    """
    if not tables:
        return list(schedules)
    known = {
        name for one in schedules for table in one.tables for name in (table.name, table.external) if name
    }
    for name in tables:
        if name not in known:
            raise SelectionError(
                f"table {name}", f"it is not audited{did_you_mean(name, known)}", effect=_NOTHING
            )
    found = []
    for schedule in schedules:
        wanted = tuple(one for one in schedule.tables if one.name in tables or one.external in tables)
        if wanted:
            found.append(schedule.model_copy(update={"tables": wanted}))
    return found


@dataclass(frozen=True, slots=True)
class JobsToDo:
    """The jobs of a run.

    Attributes:
        jobs: To count now.
        warnings: What was left out, in words.
        tasks: Tasks that were found.
        repeats: Those of them that an earlier run has audited.
        planned: Jobs that were made of the tasks, those of repeats included.
    """

    jobs: tuple[AuditJob, ...]
    warnings: tuple[str, ...]
    tasks: int
    repeats: int
    planned: int


def plan_run(
    schedules: Sequence[ScheduleSpec],
    tasks: Sequence[FinishedTask] | None,
    now: datetime,
    *,
    date_option: str | None,
    defaults: AuditDefaults,
) -> tuple[PlannedJobs, int]:
    """Return the jobs of tasks with what was left out, and how many tasks there are.

    A task that is in no schedule is none of this audit's: schedulers finish many others.
    """
    planned = plan_jobs(schedules, tasks, now, date_option=date_option, defaults=defaults)
    return planned, len({one.task_name for one in schedules}) if tasks is None else len(tasks)


def without_repeats(planned: PlannedJobs, found: int, settled: Collection[str]) -> JobsToDo:
    """Return what is left to do of planned jobs.

    Args:
        planned: Of all tasks.
        found: How many tasks there were.
        settled: ``result_key`` of results that leave nothing to ask. A task without a known end has none:
            whether it ended again nobody can say, so it is counted again.
    """
    by_task: dict[FinishedTask, list[AuditJob]] = {}
    for job in planned.jobs:
        by_task.setdefault(FinishedTask(job.task_name, "", job.batch_no, job.end_time), []).append(job)
    audited = {
        task_key(task)
        for task, jobs in by_task.items()
        if task.end_time is not None and all(result_key(job) in settled for job in jobs)
    }
    fresh, repeats = split_repeats(by_task, audited)
    jobs = tuple(job for task in fresh for job in by_task[task])
    return JobsToDo(jobs, planned.warnings, found, len(repeats), len(planned.jobs))
