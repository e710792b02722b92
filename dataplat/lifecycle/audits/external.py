"""What audits mean for external tables: whether a partition may be read, for the gate and for Dagster."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dataplat.ledger import Arrival, Ledger
from dataplat.plan.audit_jobs import AuditJob, jobs_of_partition, partition_of
from dataplat.plan.audit_results import AuditResult, job_key
from dataplat.specs.audit import ScheduleSpec
from dataplat.specs.problems import counted


@dataclass(frozen=True, kw_only=True)
class ExternalStanding:
    """Where one partition of an external table stands after its audit.

    Attributes:
        ready: Every job that counts files of it has counted all of them, and none speaks against it.
        counted: Every job has counted all of them.
        as_expected: No comparison speaks against it.
        rows: Of the jobs that are counted.
        evidence: In words, for the gate and for people.
    """

    table: str
    partition: str
    ready: bool
    counted: bool
    as_expected: bool
    rows: int
    files: int
    bytes: int
    evidence: str
    landed_at: datetime | None


def touched_partitions(jobs: Iterable[AuditJob]) -> list[tuple[str, str]]:
    """Return the partitions of external tables that jobs count files of, each once."""
    return list(dict.fromkeys((job.external, partition_of(job.date)) for job in jobs if job.external))


def stand_of(
    schedules: Sequence[ScheduleSpec],
    table: str,
    key: str,
    newest: Mapping[str, AuditResult],
    now: datetime,
) -> ExternalStanding:
    """Return where a partition stands by the newest results of all jobs that it has.

    Args:
        schedules: With their loops filled in.
        table: The external table.
        key: Its partition.
        newest: The newest result of each job, by ``job_key``.
        now: In the business zone.
    """
    jobs = jobs_of_partition(schedules, table, key, now)
    known = {job: newest[job_key(job)] for job in jobs if job_key(job) in newest}
    done = [one for one in known.values() if one.status == "success"]
    against = [
        f"{job.table}: {one.verdict_text or f'count is {one.status}'}"
        for job, one in known.items()
        if not one.good and not (one.status == "success" and job.expect and job.expect.severity == "warn")
    ]
    speaks = [one for one in known.values() if one.verdict in ("failed", "unknown")]
    rows = sum(one.row_count for one in done)
    evidence = f"audit: {len(done)} of {counted(len(jobs), 'count')} made, {rows:,} rows"
    evidence += "".join(f"; {text}" for text in against[:3]) + (
        f"; {len(against) - 3} more" * (len(against) > 3)
    )
    return ExternalStanding(
        table=table,
        partition=key,
        ready=len(done) == len(jobs) and not against,
        counted=len(done) == len(jobs),
        as_expected=not speaks,
        rows=rows,
        files=sum(one.file_count for one in done),
        bytes=sum(one.total_size_bytes for one in done),
        evidence=evidence,
        landed_at=max((one.created_at for one in done), default=None),
    )


def record_standing(ledger: Ledger, standing: ExternalStanding) -> None:
    """Remember where a partition stands, for the gate."""
    ledger.record_arrival(
        Arrival(
            table=standing.table,
            partition=standing.partition,
            ready=standing.ready,
            landed_at=standing.landed_at if standing.ready else None,
            evidence=standing.evidence,
        )
    )
