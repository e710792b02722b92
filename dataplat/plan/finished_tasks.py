"""Tasks that a scheduler finished, and which of them a run has to audit."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FinishedTask:
    """One end of one batch of a task; all but the name as far as the source tells it."""

    task_name: str
    period_type: str = ""
    batch_no: str = ""
    end_time: datetime | None = None


TaskKey = tuple[str, str, datetime | None]


def task_key(task: FinishedTask) -> TaskKey:
    """Return what makes two sightings one event: a batch that ends again later is another one."""
    return task.task_name, task.batch_no, task.end_time


def distinct_tasks(tasks: Iterable[FinishedTask]) -> list[FinishedTask]:
    """Return the tasks of one window, each batch once: its first occurrence, in their order.

    Of a batch that ended several times the newest end is kept: its tables are counted once, as they are now.

    >>> found = [FinishedTask("a", "hourly", "2026010905"), FinishedTask("a", "hourly", "2026010906")]
    >>> len(distinct_tasks(found + found))
    2
    """
    first: dict[tuple[str, str], FinishedTask] = {}
    for task in tasks:
        known = first.setdefault((task.task_name, task.batch_no), task)
        if task.end_time is not None and (known.end_time is None or task.end_time > known.end_time):
            first[task.task_name, task.batch_no] = replace(known, end_time=task.end_time)
    return list(first.values())


def split_repeats(
    tasks: Iterable[FinishedTask], audited: Collection[TaskKey]
) -> tuple[list[FinishedTask], list[FinishedTask]]:
    """Return the tasks that were not audited yet, and those that an earlier window already had.

    A task whose source tells no end is a repeat when its batch was audited without one: sources that
    re-run batches must tell ends.
    """
    fresh: list[FinishedTask] = []
    repeats: list[FinishedTask] = []
    for task in tasks:
        (repeats if task_key(task) in audited else fresh).append(task)
    return fresh, repeats
