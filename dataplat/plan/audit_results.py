"""What is written down of one count, and what makes two of them one.

A *series* is one table of one task and loop value; a *job* is a series at a date; a *result* is a job after
one end of one batch of its task. A result that is written twice is one row, and a task that ends again makes
another. The columns are those of the old auditor's ``audit_result``; what is ours comes after them.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from dataplat.plan.audit_jobs import AuditJob
from dataplat.plan.audit_verdict import RowsVerdict
from dataplat.plan.file_counts import PathCount

Verdict = Literal["", "passed", "failed", "unknown"]
_MOST_ERRORS = 200  # of 10,000 files that cannot be read the first ones say why


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """One row of ``audit_result``.

    Attributes:
        row_count: -1 when nothing could be counted.
        error_msg: JSON, ``[{file, error}]``; empty when there is none.
        verdict: Whether the rows are those that are expected; empty when nothing is.
    """

    task_name: str
    interface_id: str
    platform_id: str
    partner_id: str
    table_name: str
    hdfs_path: str
    period_type: str
    batch_no: str
    data_date: str
    data_month: str
    data_hour: str
    row_count: int
    file_count: int
    total_size_bytes: int
    status: str
    error_msg: str
    duration_ms: int
    created_at: datetime
    series_key: str
    job_key: str
    result_key: str
    expected_rows: int | None = None
    verdict: Verdict = ""
    verdict_text: str = ""

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to ask: all was counted, and what it is compared with is known."""
        return self.status == "success" and self.verdict != "unknown"

    @property
    def good(self) -> bool:
        """Whether all was counted and nothing speaks against it."""
        return self.status == "success" and self.verdict in ("", "passed")


def series_key(job: AuditJob) -> str:
    """Return what one table of one task and loop value is known by, over all its dates."""
    return _key(job.task_name, job.platform_id, job.partner_id, job.table, job.series)


def job_key(job: AuditJob) -> str:
    """Return what a series at one date is known by, whatever the batch that brought it."""
    return _key(series_key(job), job.path, job.date.data_date, job.date.data_month, job.date.data_hour)


def result_key(job: AuditJob) -> str:
    """Return what a job after one end of one batch is known by."""
    ended = "" if job.end_time is None else job.end_time.astimezone(UTC).isoformat()
    return _key(job_key(job), job.batch_no, ended)


def result_of(
    job: AuditJob,
    counted: PathCount,
    at: datetime,
    verdict: RowsVerdict | None = None,
    expected: int | None = None,
) -> AuditResult:
    """Return the row for a count.

    Args:
        job: What was to be counted.
        counted: What was found.
        at: When.
        verdict: What a comparison came to, if one was made.
        expected: With what number it was compared, if it is one.
    """
    return AuditResult(
        task_name=job.task_name,
        interface_id=job.interface_id,
        platform_id=job.platform_id,
        partner_id=job.partner_id,
        table_name=job.table,
        hdfs_path=job.path,
        period_type=job.period_type,
        batch_no=job.batch_no,
        data_date=job.date.data_date,
        data_month=job.date.data_month,
        data_hour=job.date.data_hour,
        row_count=counted.rows,
        file_count=counted.files,
        total_size_bytes=counted.bytes,
        status=counted.status,
        error_msg=_errors(counted),
        duration_ms=counted.duration_ms,
        created_at=at,
        series_key=series_key(job),
        job_key=job_key(job),
        result_key=result_key(job),
        expected_rows=expected,
        verdict=_verdict(verdict),
        verdict_text=verdict.text if verdict else "",
    )


def audit_exit_code(results: Sequence[AuditResult], warned: Sequence[str]) -> int:
    """Return how a run ends: 0 all well, 1 something failed, 2 something was counted in part.

    Args:
        results: Of the run.
        warned: ``result_key`` of those whose comparison only warns.
    """
    against = [
        one for one in results if one.verdict in ("failed", "unknown") and one.result_key not in warned
    ]
    if against or any(one.status == "failed" for one in results):
        return 1
    return 2 if any(one.status == "partial" for one in results) else 0


def _verdict(verdict: RowsVerdict | None) -> Verdict:
    if verdict is None:
        return ""
    return "unknown" if verdict.passed is None else "passed" if verdict.passed else "failed"


def _errors(counted: PathCount) -> str:
    if not counted.problems:
        return ""
    shown: list[dict[str, Any]] = [
        {"file": one.file, "error": one.error} for one in counted.problems[:_MOST_ERRORS]
    ]
    if len(counted.problems) > _MOST_ERRORS:
        shown.append({"file": "", "error": f"and {len(counted.problems) - _MOST_ERRORS} more"})
    return json.dumps(shown, ensure_ascii=False)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]
