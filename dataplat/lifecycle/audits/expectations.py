"""What the rows of audited tables are compared with: asked once everything of a run is counted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dataplat.errors import DataplatError
from dataplat.ledger.audit_results import ResultFilter
from dataplat.lifecycle.audits.counting import Counter
from dataplat.lifecycle.audits.setting import AuditSetting
from dataplat.lifecycle.protection import guarded_sources
from dataplat.plan.audit_jobs import AuditJob, partition_of
from dataplat.plan.audit_results import AuditResult, result_of, series_key
from dataplat.plan.audit_verdict import RowsVerdict, compare_history, compare_rows
from dataplat.plan.file_counts import PathCount
from dataplat.sources.mysql_connection import connect_source
from dataplat.specs.audit_expect import ExpectSpec, HistoryExpectation


@dataclass(frozen=True)
class _Known:
    """A number to compare with, if anybody knows it, and what it is of."""

    rows: int | None
    what: str


class Expectations:
    """Compares the counts of one run.

    Args:
        setting: Where sources, ledger and earlier results are.
        counter: Counts the files of other paths.
    """

    def __init__(self, setting: AuditSetting, counter: Counter) -> None:
        self._setting, self._counter = setting, counter

    def judge(self, jobs: Sequence[AuditJob], counts: Sequence[PathCount]) -> list[AuditResult]:
        """Return the results of a run, in the order of its jobs.

        Only what was counted wholly is compared. What cannot be asked leaves the verdict unknown: it is
        neither good nor bad.
        """
        at = self._setting.now()
        by_table: dict[str, list[tuple[AuditJob, PathCount]]] = {}
        for job, counted in zip(jobs, counts, strict=True):
            by_table.setdefault(job.table, []).append((job, counted))
        results = []
        for job, counted in zip(jobs, counts, strict=True):
            verdict, expected = None, None
            if job.expect is not None and counted.status == "success":
                verdict, expected = self._compare(job, job.expect, counted.rows, by_table)
            results.append(result_of(job, counted, at, verdict, expected))
        return results

    def _compare(
        self,
        job: AuditJob,
        expect: ExpectSpec,
        rows: int,
        by_table: Mapping[str, list[tuple[AuditJob, PathCount]]],
    ) -> tuple[RowsVerdict, int | None]:
        if expect.history is not None:
            return self._history(job, expect.history, rows), None
        known = self._known(job, expect, by_table)
        return compare_rows(rows, known.rows, expect.tolerance, known.what), known.rows

    def _history(self, job: AuditJob, history: HistoryExpectation, rows: int) -> RowsVerdict:
        try:
            earlier = self._setting.results.earlier(series_key(job), job.date, history.against)
        except DataplatError as error:
            return RowsVerdict(None, f"{rows:,} rows, compared with nothing: {error.problem}")
        verdict = compare_history(rows, earlier, history.drop, history.rise)
        # The first count of a table has nothing to be compared with, and must not hold it for ever.
        return RowsVerdict(True, verdict.text) if verdict.passed is None else verdict

    def _known(
        self, job: AuditJob, expect: ExpectSpec, by_table: Mapping[str, list[tuple[AuditJob, PathCount]]]
    ) -> _Known:
        if expect.sql is not None:
            return self._sql(expect.sql.source, expect.sql.query)
        if expect.path is not None:
            path = expect.path
            data_format, delimiter = path.format or job.format, path.delimiter or job.delimiter
            counted = self._counter.count(path.path, data_format, delimiter, job.threads)
            return _Known(counted.rows if counted.status == "success" else None, path.path)
        if expect.table is not None:
            template = expect.table.partition_template
            return self._table(job, expect.table.name, template, by_table.get(expect.table.name, []))
        assert expect.ledger is not None, "one of the ways is given: the configuration is checked"
        key = partition_of(job.date)
        status = self._setting.ledger.statuses(expect.ledger, [key])[key]
        return _Known(status.published.rows if status.published else None, f"{expect.ledger}[{key}]")

    def _sql(self, source: str, query: str) -> _Known:
        try:
            spec = self._setting.catalog.sources[source]
            purpose = "audit of rows"
            with (
                guarded_sources(lambda: self._setting.ledger, self._setting.secrets, purpose=purpose),
                connect_source(spec, self._setting.secrets) as connection,
            ):
                rows = connection.rows(query, subject=f"source {source}")
        except DataplatError as error:
            return _Known(None, f"{source} ({error.problem})")
        if len(rows) != 1 or len(rows[0]) != 1 or rows[0][0] is None:
            return _Known(None, f"{source} (the query returned {len(rows)} rows, expected one number)")
        try:
            return _Known(int(rows[0][0]), source)
        except (TypeError, ValueError):
            return _Known(None, f"{source} (the query returned no number)")

    def _table(
        self, job: AuditJob, name: str, template: str | None, here: Sequence[tuple[AuditJob, PathCount]]
    ) -> _Known:
        """Return the rows of all jobs of another table at the same date, or of the partition named."""
        what = f"{name}/{template.strip('/')}" if template else f"{name}[{partition_of(job.date)}]"
        end = f"/{template.strip('/')}" if template else ""
        same = [counted for other, counted in here if _meant(other.path, end, other.date == job.date)]
        if same:
            whole = all(counted.status == "success" for counted in same)
            return _Known(sum(counted.rows for counted in same) if whole else None, what)
        found = list(self._recorded(job, name, end))
        whole = bool(found) and all(one.status == "success" for one in found)
        return _Known(sum(one.row_count for one in found) if whole else None, what)

    def _recorded(self, job: AuditJob, name: str, end: str) -> Iterator[AuditResult]:
        date = {} if end else {"data_date": job.date.data_date, "data_month": job.date.data_month}
        for one in self._setting.results.find(ResultFilter(table_name=name, **date)):
            if _meant(one.hdfs_path, end, one.data_hour == job.date.data_hour):
                yield one


def _meant(path: str, end: str, same_date: bool) -> bool:
    return path.endswith(end) if end else same_date
