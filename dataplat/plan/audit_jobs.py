"""From schedules, finished tasks and a date to the counts that a run makes.

The date of a job is the one of the command line, else the one in the batch's number, else what the kind of
period says: yesterday for a daily or unknown one, today for an hourly or minutely one, last month for a
monthly one. What a path needs and nobody knows (the hour of a daily batch) makes no job: it is said.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dataplat.errors import SelectionError
from dataplat.plan.audit_loops import fill_spec
from dataplat.plan.finished_tasks import FinishedTask
from dataplat.plan.grains import Grain
from dataplat.plan.partition_names import parse_partition, read_batch_number
from dataplat.specs.audit import AuditDefaults, AuditLimits, AuditTableSpec, ScheduleSpec
from dataplat.specs.audit_checks import variables_in
from dataplat.specs.audit_expect import ExpectSpec

_GRAINS: dict[str, Grain] = {"hourly": "hour", "minutely": "hour", "daily": "day", "monthly": "month"}


@dataclass(frozen=True, slots=True)
class AuditDate:
    """The business date of a job, as far as it is known: ``20260109``, ``202601``, ``05``."""

    data_date: str = ""
    data_month: str = ""
    data_hour: str = ""


@dataclass(frozen=True, slots=True)
class AuditJob:
    """One count to make. Texts are filled in; ``path`` includes the partition.

    Attributes:
        series: The path with its dates left open: the same for every date of one table and loop value.
        end_time: When the task ended, as far as its list tells.
        external: The table of the metastore that has these files, if it is declared.
    """

    task_name: str
    interface_id: str
    platform_id: str
    partner_id: str
    table: str
    path: str
    format: str
    delimiter: str
    threads: int
    period_type: str
    batch_no: str
    date: AuditDate
    expect: ExpectSpec | None = None
    series: str = ""
    end_time: datetime | None = None
    external: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedJobs:
    """The jobs of a run, and what was left out of it, in words."""

    jobs: tuple[AuditJob, ...]
    warnings: tuple[str, ...]


def plan_jobs(
    schedules: Iterable[ScheduleSpec],
    tasks: Iterable[FinishedTask] | None,
    now: datetime,
    *,
    date_option: str | None = None,
    defaults: AuditDefaults | None = None,
) -> PlannedJobs:
    """Return a job for each table of each schedule whose task is among ``tasks``.

    Args:
        schedules: With their loops filled in.
        tasks: Batches that ended; ``None`` takes every schedule once.
        now: In the business zone; decides yesterday, today and last month.
        date_option: ``--date``, which wins over batch numbers.
        defaults: For tables that name no number of threads.

    Raises:
        SelectionError: ``date_option`` is no date. Nothing was planned.
    """
    day = None if date_option is None else parse_partition(date_option, "day", subject="--date")
    by_name: dict[str, list[ScheduleSpec]] = {}
    for schedule in schedules:
        by_name.setdefault(schedule.task_name, []).append(schedule)
    batches = [FinishedTask(name) for name in by_name] if tasks is None else tasks
    jobs: list[AuditJob] = []
    warnings: list[str] = []
    for task in batches:
        for schedule in by_name.get(task.task_name, ()):
            at, warning = job_date(schedule, task, now, day)
            warnings += [f"{task.task_name}: {warning}"] if warning else []
            for job in _jobs(schedule, task, at, now, defaults or AuditDefaults()) if at else ():
                missing = ", ".join(f"${{{name}}}" for name in sorted(variables_in(job.path)))
                if missing:
                    warnings.append(f"{job.table}: {missing} is not known in {job.path}; it is left out")
                else:
                    jobs.append(job)
    return PlannedJobs(tuple(jobs), tuple(warnings))


def job_date(
    schedule: ScheduleSpec, task: FinishedTask, now: datetime, day: str | None
) -> tuple[AuditDate | None, str]:
    """Return the date of a batch, ``None`` if it must be left out, and what is to be said about it.

    Args:
        schedule: Whose batch it is.
        task: The batch; a period that disagrees with the schedule's leaves it out.
        now: In the business zone.
        day: ``--date`` as a key, which decides alone.
    """
    period = task.period_type or schedule.period_type or ""
    if task.period_type and schedule.period_type and task.period_type != schedule.period_type:
        return None, (
            f"batch {task.batch_no or 'without a number'} is {task.period_type} for the scheduler and "
            f"{schedule.period_type} in the configuration; it is left out"
        )
    if day is not None:
        return _of_key(day), ""
    grain = _GRAINS.get(period, "day")
    if task.batch_no:
        try:
            batch = read_batch_number(task.batch_no, grain, subject=task.task_name)
        except SelectionError as error:
            return None, f"{error.problem}; it is left out"
        return _of_key(batch.key), batch.warning
    return _of_key(_rule(grain, now)), ""


def partition_of(date: AuditDate) -> str:
    """Return the key of the partition that a date names.

    >>> partition_of(AuditDate("20260109", "202601", "05")), partition_of(AuditDate("", "202601"))
    ('2026-01-09-05:00', '2026-01')
    """
    month = f"{date.data_month[:4]}-{date.data_month[4:]}"
    if not date.data_date:
        return month
    day = f"{month}-{date.data_date[6:]}"
    return f"{day}-{date.data_hour}:00" if date.data_hour else day


def jobs_of_partition(
    schedules: Iterable[ScheduleSpec], external: str, key: str, now: datetime
) -> tuple[AuditJob, ...]:
    """Return every job that counts files of one partition of an external table, of whichever task.

    Args:
        schedules: With their loops filled in.
        external: ``database.table``.
        key: Its partition.
        now: As for ``plan_jobs``.
    """
    makers = [one for one in schedules if any(table.external == external for table in one.tables)]
    batch = "".join(letter for letter in key.removesuffix(":00") if letter.isdigit())
    tasks = [FinishedTask(name, batch_no=batch) for name in dict.fromkeys(one.task_name for one in makers)]
    planned = plan_jobs(makers, tasks, now)
    return tuple(job for job in planned.jobs if job.external == external)


def parallelism(
    concurrency: int | None, threads: int, defaults: AuditDefaults, limits: AuditLimits
) -> tuple[int, int]:
    """Return how many tables are counted at once, and by how many threads each.

    Args:
        concurrency: ``--concurrency``, which wins over the default and not over the limits.
        threads: What the table asks for.
        defaults: Where nothing is asked for.
        limits: ``max_effective_parallelism`` bounds the product: threads give way first.

    >>> parallelism(8, 10, AuditDefaults(), AuditLimits(max_effective_parallelism=20))
    (8, 2)
    """
    asked = concurrency or defaults.python_concurrency
    tables = min(asked, limits.max_python_concurrency or asked)
    each = min(threads, limits.max_jar_threads or threads)
    if limits.max_effective_parallelism is not None:
        tables = min(tables, limits.max_effective_parallelism)
        each = min(each, max(1, limits.max_effective_parallelism // tables))
    return tables, each


def _jobs(
    schedule: ScheduleSpec, task: FinishedTask, at: AuditDate, now: datetime, defaults: AuditDefaults
) -> Iterator[AuditJob]:
    values = {"today": f"{now:%Y%m%d}", "yesterday": f"{now.date() - timedelta(days=1):%Y%m%d}"}
    values |= {name: text for name in AuditDate.__slots__ if (text := getattr(at, name))}
    filled = fill_spec(schedule, values)
    for written, table in zip(schedule.tables, filled.tables, strict=True):
        yield AuditJob(
            task_name=filled.task_name,
            interface_id=filled.interface_id,
            platform_id=filled.platform_id,
            partner_id=filled.partner_id,
            table=table.name,
            path=_path(table),
            format=table.format,
            delimiter=table.delimiter,
            threads=table.threads or defaults.threads,
            period_type=task.period_type or schedule.period_type or "",
            batch_no=task.batch_no,
            date=at,
            expect=table.expect,
            series=_path(written),
            end_time=task.end_time,
            external=table.external,
        )


def _path(table: AuditTableSpec) -> str:
    if not table.partition_template:
        return table.hdfs_path
    return f"{table.hdfs_path.rstrip('/')}/{table.partition_template.strip('/')}"


def _rule(grain: Grain, now: datetime) -> str:
    if grain == "month":
        return f"{now.date().replace(day=1) - timedelta(days=1):%Y-%m}"
    return f"{now.date() - timedelta(days=grain == 'day'):%Y-%m-%d}"


def _of_key(key: str) -> AuditDate:
    """Return what a partition's key says: a month has no day, a day no hour."""
    digits = key.replace("-", "").partition(":")[0]
    return AuditDate(
        data_date=digits[:8] if len(digits) >= 8 else "",
        data_month=digits[:6],
        data_hour=digits[8:10] if len(digits) >= 10 else "",
    )
