"""One run of an audit: which tasks, which jobs, their counts, what they mean, and where it is written down.

The order is the promise. Results reach the database or this disk before the watermark moves, so a crash
between any two steps makes the next run do it again, and what was done already is recognised: a result that
is written twice is one row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dataplat.errors import LedgerError
from dataplat.lifecycle.audits.counting import Counter
from dataplat.lifecycle.audits.expectations import Expectations
from dataplat.lifecycle.audits.external import ExternalStanding, record_standing, stand_of, touched_partitions
from dataplat.lifecycle.audits.setting import AuditSetting
from dataplat.plan.audit_jobs import AuditJob, jobs_of_partition
from dataplat.plan.audit_results import AuditResult, audit_exit_code, job_key, result_key
from dataplat.plan.audit_selection import (
    AuditRequest,
    JobsToDo,
    chosen_schedules,
    given_tasks,
    plan_run,
    task_origin,
    without_repeats,
)
from dataplat.plan.file_counts import PathCount
from dataplat.plan.finished_tasks import FinishedTask
from dataplat.plan.watermark import (
    RunOutcome,
    ScanWindow,
    Watermark,
    WatermarkOptions,
    WatermarkStore,
    next_watermark,
    plan_window,
)


@dataclass(frozen=True)
class AuditPlan:
    """What a run is about to do.

    Attributes:
        window: What the task list was asked for; none if it was not asked.
        to_do: The jobs.
    """

    request: AuditRequest
    window: ScanWindow | None
    to_do: JobsToDo


@dataclass(frozen=True)
class AuditReport:
    """What a run came to.

    Attributes:
        results: In the order of the jobs.
        exit_code: 0 all well, 1 something failed or waits on this disk, 2 something was counted in part.
        delivered_late: Results of earlier runs that reached the database now.
        spooled: Results that wait on this disk, because the database did not take them.
        trouble: Why it did not.
        external: Partitions of external tables, where they stand now.
        watermark: As it was saved; none if it stayed.
    """

    results: tuple[AuditResult, ...]
    exit_code: int
    delivered_late: int = 0
    spooled: int = 0
    trouble: LedgerError | None = None
    external: tuple[ExternalStanding, ...] = ()
    watermark: Watermark | None = None


@dataclass
class _Delivery:
    late: int = 0
    spooled: int = 0
    trouble: LedgerError | None = field(default=None)


class AuditRun:
    """Carries out one request of one audit.

    Args:
        setting: The audit in its surroundings.
        options: How windows are made.
        store: Where the watermark is.
    """

    def __init__(self, setting: AuditSetting, options: WatermarkOptions, store: WatermarkStore) -> None:
        self._setting, self._options, self._store = setting, options, store

    def plan(self, request: AuditRequest, *, look_up: bool = True) -> AuditPlan:
        """Return what is to be counted. Asks the task list if nothing else says which tasks.

        Args:
            request: What is asked for.
            look_up: Whether to ask which results are there already; a dry run does not.

        Raises:
            SelectionError: A task, table or date is none.
            SourceError: The task list could not be asked.
            WatermarkError: The watermark cannot be read.
            LedgerError: Results cannot be looked up, and trying again would not help.
        """
        setting, now = self._setting, self._setting.now()
        schedules = chosen_schedules(setting.schedules, request.tables)
        window, tasks = self._tasks(request)
        planned, found = plan_run(
            *(schedules, tasks, now.astimezone(setting.zone)),
            date_option=request.date_option,
            defaults=setting.audit.defaults,
        )
        keys = [result_key(job) for job in planned.jobs if job.end_time is not None] if look_up else []
        return AuditPlan(request, window, without_repeats(planned, found, self._settled(keys)))

    def count(self, plan: AuditPlan, counted: Callable[[AuditJob, PathCount], None]) -> AuditReport:
        """Count, compare, write down, and move the watermark if everything went well.

        Raises:
            LedgerError: The table of results is none that can be written. Nothing was counted.
            StorageError: Results could not be kept anywhere. The watermark is as it was.
            WatermarkError: The watermark could not be saved; the results are.
        """
        delivery = self._deliver_late()
        counter = Counter(self._setting, plan.request.concurrency)
        jobs = plan.to_do.jobs
        results = Expectations(self._setting, counter).judge(jobs, counter.count_all(jobs, counted))
        self._deliver(results, delivery)
        external = self._stand(jobs, results, delivery.trouble is not None)
        warned = [result_key(job) for job in jobs if job.expect and job.expect.severity == "warn"]
        code = audit_exit_code(results, warned)
        return AuditReport(
            tuple(results),
            1 if delivery.spooled else code,
            delivery.late,
            delivery.spooled,
            delivery.trouble,
            tuple(external),
            self._advance(plan, results),
        )

    def _tasks(self, request: AuditRequest) -> tuple[ScanWindow | None, list[FinishedTask] | None]:
        setting = self._setting
        origin = task_origin(request, setting.task_list is not None)
        if origin == "given":
            return None, given_tasks(request, setting.schedules)
        if origin == "all" or setting.task_list is None:
            return None, None
        stored = self._store.read() if self._options.enabled else None
        window = plan_window(setting.now(), stored, self._options)
        return window, setting.task_list.finished(window, request.date_option)

    def _settled(self, keys: Sequence[str]) -> set[str]:
        if not keys:
            return set()
        try:
            self._setting.results.prepare()
            return self._setting.results.settled(keys)
        except LedgerError as error:
            if not error.retryable:
                raise
            return set()  # the database is down: what it may have is counted once more, and is one row

    def _deliver_late(self) -> _Delivery:
        """Write what waits from earlier runs, and find out whether the table can be written at all."""
        delivery, spool = _Delivery(), self._setting.spool
        try:
            self._setting.results.prepare()
            for path in spool.files():
                waiting = spool.read(path)
                self._setting.results.keep(waiting)
                spool.remove(path)
                delivery.late += len(waiting)
        except LedgerError as error:
            if not error.retryable:
                raise
            delivery.trouble = error
        return delivery

    def _deliver(self, results: Sequence[AuditResult], delivery: _Delivery) -> None:
        if not results:
            return
        try:
            self._setting.results.keep(results)
            delivery.trouble = None
        except LedgerError as error:
            self._setting.spool.add(results)
            delivery.spooled, delivery.trouble = len(results), error

    def _stand(
        self, jobs: Sequence[AuditJob], results: Sequence[AuditResult], results_unreachable: bool
    ) -> list[ExternalStanding]:
        schedules, now = self._setting.schedules, self._setting.now().astimezone(self._setting.zone)
        here = {one.job_key: one for one in results}
        found = []
        for table, key in touched_partitions(jobs):
            wanted = [job_key(job) for job in jobs_of_partition(schedules, table, key, now)]
            others = [one for one in wanted if one not in here]
            recorded = {} if results_unreachable else self._setting.results.newest(others)
            standing = stand_of(schedules, table, key, recorded | here, now)
            record_standing(self._setting.ledger, standing)
            found.append(standing)
        return found

    def _advance(self, plan: AuditPlan, results: Sequence[AuditResult]) -> Watermark | None:
        if plan.window is None:
            return None
        outcome = RunOutcome(
            from_source=True,
            tasks=plan.to_do.tasks,
            jobs=plan.to_do.planned,
            failed=sum(one.status == "failed" for one in results),
            partial=sum(one.status == "partial" for one in results),
        )
        watermark = next_watermark(plan.window, outcome, self._options, self._setting.now())
        if watermark is not None:
            self._store.save(watermark)
        return watermark
