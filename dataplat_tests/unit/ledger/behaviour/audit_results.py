"""What every backend promises about the results of audits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dataplat.ledger import Ledger
from dataplat.ledger.audit_results import ResultFilter
from dataplat.plan.audit_jobs import AuditDate, AuditJob
from dataplat.plan.audit_results import AuditResult, job_key, result_of, series_key
from dataplat.plan.audit_verdict import RowsVerdict
from dataplat.plan.file_counts import CountStatus, PathCount

NOW = datetime(2026, 1, 10, 3, 0, 0, 123456, tzinfo=UTC)


def job(day: str = "20260109", table: str = "t", partner: str = "p", end: datetime | None = NOW) -> AuditJob:
    return AuditJob(
        task_name="load",
        interface_id="i",
        platform_id="hub",
        partner_id=partner,
        table=table,
        path=f"/w/{table}/ds={day}/名 字",
        format="orc",
        delimiter="\\n",
        threads=1,
        period_type="daily",
        batch_no=day,
        date=AuditDate(day, day[:6]),
        series=f"/w/{table}/ds=${{data_date}}",
        end_time=end,
    )


def result(of: AuditJob, rows: int, at: datetime = NOW, **changes: Any) -> AuditResult:
    status: CountStatus = "failed" if rows < 0 else "success"
    found = result_of(of, PathCount(of.path, status, rows, 2, 30, 7), at)
    return replace(found, **changes)


class AuditResultBehaviour:
    def test_a_result_comes_back_as_it_was_kept_a45(self, ledger: Ledger) -> None:
        verdict = RowsVerdict(False, "5 rows, 2 fewer than the 7 of market; allowed are 0")
        kept = result_of(job(), PathCount("/w", "partial", 5, 2, 30, 7), NOW, verdict, 7)
        ledger.audit_results.keep([kept])
        assert ledger.audit_results.find(ResultFilter()) == [kept]

    def test_a_result_that_is_kept_twice_is_one_row_and_the_later_count_stands(self, ledger: Ledger) -> None:
        book, later = ledger.audit_results, NOW + timedelta(minutes=1)
        book.keep([result(job(), 5), result(job("20260108"), 3)])
        book.keep([result(job(), 6, later)])
        book.keep([result(job(), 5)])  # what was spooled before comes after
        found = book.find(ResultFilter(data_date="20260109"), every=True)
        assert [(one.row_count, one.created_at) for one in found] == [(6, later)]

    def test_a_task_that_ends_again_makes_another_row_and_the_newest_is_read(self, ledger: Ledger) -> None:
        book, again = ledger.audit_results, NOW + timedelta(hours=1)
        book.keep([result(job(), 5)])
        book.keep([result(job(end=again), 9, again)])
        assert [one.row_count for one in book.find(ResultFilter(), every=True)] == [9, 5]
        assert [one.row_count for one in book.find(ResultFilter())] == [9]
        assert book.newest([job_key(job()), "other"])[job_key(job())].row_count == 9

    def test_settled_are_whole_counts_whose_comparison_is_known(self, ledger: Ledger) -> None:
        good = result(job(), 5, verdict="failed")
        broken = result(job("20260108"), -1)
        unknown = result(job("20260107"), 5, verdict="unknown")
        ledger.audit_results.keep([good, broken, unknown])
        keys = [good.result_key, broken.result_key, unknown.result_key, "none"]
        assert ledger.audit_results.settled(keys) == {good.result_key}

    def test_history_is_the_last_counts_of_other_dates_the_newest_first(self, ledger: Ledger) -> None:
        days = [f"202601{day:02}" for day in range(1, 10)]
        ledger.audit_results.keep([result(job(day), index) for index, day in enumerate(days)])
        ledger.audit_results.keep([result(job("20260108", end=None), 70, NOW + timedelta(hours=1))])
        ledger.audit_results.keep([result(job("20260107", end=None), -1, NOW + timedelta(hours=1))])
        ledger.audit_results.keep([result(job("20260108", table="other"), 1)])
        earlier = ledger.audit_results.earlier(series_key(job()), AuditDate("20260109", "202601"), 3)
        assert earlier == [70, 6, 5]

    def test_totals_are_of_the_newest_results_a_day_and_a_month_a45(self, ledger: Ledger) -> None:
        book, later = ledger.audit_results, NOW + timedelta(hours=1)
        book.keep([result(job("20260108"), 10), result(job("20260109"), 20), result(job("20260201"), 40)])
        book.keep([result(job("20260109", end=later), 30, later), result(job(partner="q"), -1)])
        days = book.totals(ResultFilter(data_month="202601"), "data_date")
        shown = [(row["data_date"], row["partner_id"], row["row_count"], row["not_counted"]) for row in days]
        assert shown == [("20260108", "p", 10, 0), ("20260109", "p", 30, 0), ("20260109", "q", 0, 1)]
        months = book.totals(ResultFilter(partner_id="p"), "data_month")
        assert [(row["data_month"], row["row_count"]) for row in months] == [("202601", 40), ("202602", 40)]
