"""What ``dataplat audit run`` says: jobs, progress, the table at the end, and the log file."""

from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from dataplat.cli.output import count as number
from dataplat.cli.output import size
from dataplat.cli.progress import Counter
from dataplat.cli.session import Session
from dataplat.errors import SelectionError
from dataplat.lifecycle.audits.run import AuditPlan, AuditReport, AuditRun
from dataplat.lifecycle.audits.setting import AuditSetting
from dataplat.plan.audit_jobs import AuditDate, AuditJob, partition_of
from dataplat.plan.audit_results import AuditResult
from dataplat.plan.audit_selection import AuditRequest
from dataplat.plan.file_counts import PathCount
from dataplat.plan.watermark import WatermarkOptions, WatermarkStore, initial_watermark
from dataplat.specs.problems import counted

_SHOWN_ERRORS = 20
_UNDER_WAY = "what was not written down is counted by the next run"


class AuditTalk:
    """Says what happens, on stderr and in the log file if there is one."""

    def __init__(self, session: Session, log_file: Path | None, verbose: bool) -> None:
        self.session, self.verbose = session, verbose
        self._path = log_file
        self._log: TextIO | None = None

    def __enter__(self) -> "AuditTalk":
        if self._path is not None:
            try:
                self._log = self._path.open("a", encoding="utf-8")
            except OSError as error:
                raise SelectionError(
                    "--log-file",
                    f"{self._path} cannot be written",
                    facts=[("found", str(error))],
                    effect="nothing was audited",
                ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._log is not None:
            if error is not None:
                self.log(str(error) or type(error).__name__)
            self._log.close()

    def note(self, text: str) -> None:
        """Say something beside the result."""
        self.session.output.note(text)
        self.log(text)

    def line(self, text: str) -> None:
        """Say a line of the result."""
        self.session.output.line(text)
        self.log(text)

    def log(self, text: str) -> None:
        """Write into the log file only."""
        if self._log is not None:
            now = datetime.now().astimezone()
            self._log.writelines(f"{now:%Y-%m-%d %H:%M:%S} {line}\n" for line in text.splitlines())
            self._log.flush()


def begin_now(setting: AuditSetting, store: WatermarkStore, talk: AuditTalk) -> bool:
    """Save a watermark of this moment if there is none; return whether the run ends with that."""
    first = initial_watermark(store.read(), setting.now())
    if first is None:
        return False
    store.save(first)
    shown = _moment(first.last_end_time, setting.zone)
    talk.session.output.document({"ok": True, "watermark": first.last_end_time, "results": []})
    talk.line(f"the watermark is {shown}: what ends from then on is audited; nothing was counted")
    return True


def carry_out(
    setting: AuditSetting,
    options: WatermarkOptions,
    store: WatermarkStore,
    request: AuditRequest,
    talk: AuditTalk,
    *,
    dry_run: bool,
) -> int:
    """Run an audit, tell everything, and return the exit code."""
    run = AuditRun(setting, options, store)
    try:
        plan = run.plan(request, look_up=not dry_run)
        _tell_plan(plan, setting, talk)
        if dry_run:
            _show_jobs(plan, talk)
            return 0
        jobs = plan.to_do.jobs
        talk.session.under_way = _UNDER_WAY
        with Counter(talk.session.output, len(jobs), f"counting {counted(len(jobs), 'table')}") as bar:

            def told(job: AuditJob, found: PathCount) -> None:
                bar.advance(job.table)
                text = f"{job.task_name}  {job.table}  {job.path}  {found.status}  {found.rows:,} rows"
                talk.log(text)
                if talk.verbose:
                    talk.session.output.note(text)

            report = run.count(plan, told)
        talk.session.under_way = ""
        _record(report, talk)
        _show_report(report, plan, setting, talk)
        return report.exit_code
    finally:
        setting.close()


def _record(report: AuditReport, talk: AuditTalk) -> None:
    """Tell Dagster of external tables, so that the UI and automation know."""
    if report.external:
        from dataplat.orchestration.audits.record import record_standings

        record_standings(talk.session.instance, report.external, talk.session.settings.actor)


def _tell_plan(plan: AuditPlan, setting: AuditSetting, talk: AuditTalk) -> None:
    window, to_do = plan.window, plan.to_do
    if window is not None:
        begin, end = _moment(window.start, setting.zone), _moment(window.end, setting.zone)
        told = f"{counted(to_do.tasks, 'task')} ended from {begin} to {end} {setting.zone.key}"
        talk.note(told + (f", {to_do.repeats} of them audited already" if to_do.repeats else ""))
        if window.warning:
            talk.note(f"warning: {window.warning}")
        if window.behind:
            hours = window.behind.total_seconds() / 3600
            talk.note(f"{hours:.1f} h are left for later runs")
        if to_do.tasks and not to_do.planned:
            talk.note("none of them makes a table that is configured: the watermark stays")
    for warning in to_do.warnings:
        talk.note(f"warning: {warning}")


def _show_jobs(plan: AuditPlan, talk: AuditTalk) -> None:
    jobs = plan.to_do.jobs
    talk.session.output.document(
        {
            "ok": True,
            "dry_run": True,
            "warnings": list(plan.to_do.warnings),
            "jobs": [_job(job) for job in jobs],
        }
    )
    talk.session.output.table(
        ["task", "table", "date", "format", "path"],
        [[job.task_name, job.table, _date(job.date), job.format, job.path] for job in jobs],
    )
    talk.line(f"{counted(len(jobs), 'count')} would be made; nothing was counted")


def _show_report(report: AuditReport, plan: AuditPlan, setting: AuditSetting, talk: AuditTalk) -> None:
    results = report.results
    talk.session.output.document(_document(report, plan))
    talk.session.output.table(
        ["task", "table", "date", "status", "rows", "files", "size", "ms"],
        [_row(one) for one in results],
    )
    for one in results:
        talk.log("  ".join(map(str, _row(one))))
    _tell_troubles(results, talk)
    tally = Tally(one.status for one in results)
    talk.line(
        f"{counted(len(results), 'table')}: {tally['success']} success, {tally['partial']} partial, "
        f"{tally['failed']} failed"
    )
    for standing in report.external:
        verdict = "may be read" if standing.ready else "is held"
        talk.line(f"{standing.table}[{standing.partition}] {verdict}: {standing.evidence}")
    if report.delivered_late:
        talk.note(
            f"{counted(report.delivered_late, 'result')} of earlier runs reached {setting.results.place}"
        )
    if report.trouble is not None:
        talk.note(report.trouble.render())
    if report.spooled:
        talk.note(f"{setting.spool.folder}: {counted(report.spooled, 'result')} for the next run to deliver")
    if plan.window is not None:
        saved = report.watermark
        talk.line(
            f"watermark {_moment(saved.last_end_time, setting.zone)}" if saved else "the watermark stays"
        )


def _tell_troubles(results: Sequence[AuditResult], talk: AuditTalk) -> None:
    import json

    told = 0
    for one in results:
        for error in json.loads(one.error_msg or "[]"):
            told += 1
            if told <= _SHOWN_ERRORS:
                talk.note(f"{one.table_name}: {error['file']}: {error['error']}".replace(": : ", ": "))
        if one.verdict in ("failed", "unknown"):
            talk.note(f"{one.table_name}[{_date_of(one)}]: {one.verdict_text}")
    if told > _SHOWN_ERRORS:
        talk.note(f"and {told - _SHOWN_ERRORS} more; --json names all")


def _document(report: AuditReport, plan: AuditPlan) -> dict[str, Any]:
    window = plan.window
    tally = Tally(one.status for one in report.results)
    return {
        "ok": report.exit_code == 0,
        "exit_code": report.exit_code,
        "window": None if window is None else {"start": window.start, "end": window.end},
        "tasks": plan.to_do.tasks,
        "repeats": plan.to_do.repeats,
        "warnings": list(plan.to_do.warnings),
        "summary": {
            "total": len(report.results),
            **{name: tally[name] for name in ("success", "partial", "failed")},
        },
        "results": [asdict(one) for one in report.results],
        "external": [asdict(one) for one in report.external],
        "delivered_late": report.delivered_late,
        "spooled": report.spooled,
        "watermark": report.watermark.last_end_time if report.watermark else None,
    }


def _row(one: AuditResult) -> list[object]:
    rows = number(None if one.status == "failed" else one.row_count)
    begin = [one.task_name, one.table_name, _date_of(one), one.status, rows]
    return [*begin, number(one.file_count), size(one.total_size_bytes), number(one.duration_ms)]


def _job(job: AuditJob) -> dict[str, Any]:
    names = ("task_name", "interface_id", "platform_id", "partner_id", "table", "path", "format", "threads")
    found: dict[str, Any] = {name: getattr(job, name) for name in names}
    return found | {"period_type": job.period_type, "batch_no": job.batch_no, **asdict(job.date)}


def _date_of(one: AuditResult) -> str:
    return _date(AuditDate(one.data_date, one.data_month, one.data_hour))


def _date(date: AuditDate) -> str:
    return partition_of(date) if date.data_month else ""


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
