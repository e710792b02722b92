"""The counts of a run: several tables at once, each by several threads, none for longer than it may."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from dataplat.lifecycle.audits.setting import AuditSetting
from dataplat.plan.audit_jobs import AuditJob, parallelism
from dataplat.plan.delimiters import parse_delimiter
from dataplat.plan.file_counts import UNKNOWN_ROWS, FileFormat, FileProblem, PathCount
from dataplat.storage.hadoop_conf import locate
from dataplat.storage.row_counter import count_path

Counted = Callable[[AuditJob, PathCount], None]


class _TimeOverError(Exception):
    """Thrown out of a count by its progress."""


@dataclass(frozen=True)
class Counter:
    """Counts files as an audit says.

    Attributes:
        setting: Whose limits and file systems.
        concurrency: ``--concurrency``.
    """

    setting: AuditSetting
    concurrency: int | None = None

    def count_all(self, jobs: Sequence[AuditJob], counted: Counted) -> list[PathCount]:
        """Count the files of jobs and return what was found, in their order.

        Args:
            jobs: What to count.
            counted: Told of each that has ended, by the thread that counted it.
        """

        def work(job: AuditJob) -> PathCount:
            found = self.count(job.path, job.format, job.delimiter, job.threads)
            counted(job, found)
            return found

        with _pool(self._tables()) as pool:
            return list(pool.map(work, jobs))

    def count(self, path: str, data_format: str, delimiter: str, threads: int) -> PathCount:
        """Count the files of one path; one that takes too long is a count that failed."""
        audit = self.setting.audit
        seconds = audit.defaults.timeout_seconds
        _, each = parallelism(self.concurrency, threads, audit.defaults, audit.limits)
        until = time.monotonic() + seconds

        def progress(_done: int, _total: int) -> None:
            if time.monotonic() > until:
                raise _TimeOverError

        began = time.monotonic()
        try:
            found = count_path(
                locate(path, self.setting.default_fs),
                _format(data_format),
                threads=each,
                delimiter=parse_delimiter(delimiter),
                hadoop_conf=self.setting.hadoop_conf_dir,
                progress=progress,
            )
        except _TimeOverError:
            problem = FileProblem(path, f"it was not counted within {seconds:,} s")
            duration_ms = round((time.monotonic() - began) * 1000)
            return PathCount(path, "failed", UNKNOWN_ROWS, 0, 0, duration_ms, (problem,))
        return replace(found, path=path)

    def _tables(self) -> int:
        audit = self.setting.audit
        return parallelism(self.concurrency, 1, audit.defaults, audit.limits)[0]


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Give a pool that, when it is left by an error or an interrupt, begins nothing that waits."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="audit")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _format(name: str) -> FileFormat:
    known: dict[str, FileFormat] = {
        "orc": "orc",
        "parquet": "parquet",
        "textfile": "textfile",
        "avro": "avro",
        "sequencefile": "sequencefile",
    }
    return known[name]
