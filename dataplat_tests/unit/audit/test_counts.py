"""The built-in audit: which numbers pass, which block, and the whole text of every finding."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.audit.counts import (
    check_dirty_rows,
    check_files,
    check_placement,
    compare_with_record,
    compare_with_source,
)
from dataplat.audit.outcome import Outcome
from dataplat.plan.windows import partition_window
from dataplat.storage import FooterCount

ZONE = ZoneInfo("Asia/Shanghai")
DAY = partition_window("2026-01-01", "day", ZONE)
ROWS = st.integers(0, 10**12)


def test_a_source_at_rest_allows_one_number() -> None:
    assert compare_with_source(1204331, 1204331, FooterCount(rows=1204331)) == Outcome(
        "row_count_matches_source",
        True,
        numbers={"source_before": 1204331, "source_after": 1204331, "rows": 1204331},
        message="source 1,204,331 rows, files 1,204,331 rows",
    )


def test_rows_that_were_set_aside_are_no_loss() -> None:
    apart = compare_with_source(1000, 1000, FooterCount(rows=997), 3)
    assert (apart.passed, apart.numbers["set_aside"], apart.numbers["rows"]) == (True, 3, 997)
    assert apart.message == "source 1,000 rows, files 997 rows, set aside 3"
    assert compare_with_source(1000, 1000, FooterCount(rows=997), 2).numbers["missing"] == 1


def test_dirty_rows_block_beyond_what_is_allowed_or_where_one_is_not_kept() -> None:
    assert check_dirty_rows(3, 3, 3).passed
    many = check_dirty_rows(4, 4, 3, "config/ods/t.yaml:9")
    assert (many.blocks, many.message) == (True, "4 rows cannot be represented, 3 are allowed")
    assert many.declared == "config/ods/t.yaml:9"
    lost = check_dirty_rows(3, 2, 9)
    assert (lost.blocks, lost.numbers) == (True, {"dirty": 3, "allowed": 9, "kept": 2})
    assert lost.message == "3 rows were set aside, the quarantine holds 2: the source changed meanwhile"


def test_missing_and_extra_rows_are_counted() -> None:
    missing = compare_with_source(1000, 1000, FooterCount(rows=787))
    extra = compare_with_source(1000, 1010, FooterCount(rows=1013))

    assert (missing.blocks, missing.numbers["missing"]) == (True, 213)
    assert missing.message == "source 1,000 rows, files 787 rows"
    assert (extra.blocks, extra.numbers["extra"]) == (True, 3)
    assert extra.message == "source 1,000 to 1,010 rows, files 1,013 rows"


@given(before=ROWS, after=ROWS, rows=ROWS)
def test_what_lies_between_the_two_counts_passes_and_nothing_else(before: int, after: int, rows: int) -> None:
    outcome = compare_with_source(before, after, FooterCount(rows=rows))

    assert outcome.passed == (before <= rows <= after or after <= rows <= before)
    assert outcome.blocks is not outcome.passed


def test_readable_files_with_the_written_rows_are_complete() -> None:
    assert check_files(FooterCount(rows=5, files=2, bytes=900), 5) == Outcome(
        "files_are_complete", True, numbers={"files": 2, "bytes": 900, "broken": 0}
    )


def test_a_broken_file_is_named_with_its_problem() -> None:
    staged = FooterCount(rows=5, files=3, bytes=9, broken=(("ds=1/a", "no footer"), ("ds=1/b", "x")))

    outcome = check_files(staged, 5)

    assert outcome.blocks
    assert outcome.message == "ds=1/a and 1 more cannot be read: no footer"
    assert outcome.numbers == {"files": 3, "bytes": 9, "broken": 2}


def test_published_files_hold_what_the_ledger_recorded() -> None:
    good = compare_with_record(FooterCount(rows=5, files=1, bytes=9), 5)
    assert (good.passed, good.numbers["rows"], good.message) == (True, 5, "")
    less = compare_with_record(FooterCount(rows=1204, files=1), 1207)
    assert (less.blocks, less.message) == (True, "1,207 rows were published, the files hold 1,204")
    assert (less.numbers["rows"], less.numbers["recorded"]) == (1204, 1207)
    broken = compare_with_record(FooterCount(rows=5, files=1, broken=(("a", "no footer"),)), 5)
    assert (broken.passed, broken.message) == (False, "a cannot be read: no footer")


def test_the_writer_and_the_files_must_agree() -> None:
    outcome = check_files(FooterCount(rows=24, files=2), 12)

    assert outcome.blocks
    assert outcome.message == "the engine wrote 12 rows, the files hold 24"
    assert outcome.numbers == {"files": 2, "bytes": 0, "broken": 0, "written": 12}


def test_a_writer_that_says_nothing_is_not_compared() -> None:
    assert check_files(FooterCount(rows=24, files=2), None).passed


@pytest.mark.parametrize(
    ("low", "high", "passed"),
    [
        (datetime(2025, 12, 31, 16, tzinfo=UTC), datetime(2026, 1, 1, 15, 59, 59, 999999, UTC), True),
        (datetime(2025, 12, 31, 15, 59, 59, 999999, UTC), datetime(2026, 1, 1, 1, tzinfo=UTC), False),
        (datetime(2026, 1, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 16, tzinfo=UTC), False),
        (date(2026, 1, 1), date(2026, 1, 1), True),
        (date(2025, 12, 31), date(2026, 1, 1), False),
        (date(2026, 1, 1), date(2026, 1, 2), False),
        (datetime(2026, 1, 1), datetime(2026, 1, 1, 23, 59, 59), True),  # noqa: DTZ001 - a footer without a zone
        (None, None, True),
    ],
)
def test_the_first_and_last_moment_lie_in_the_half_open_window(
    low: datetime | None, high: datetime | None, passed: bool
) -> None:
    staged = FooterCount(rows=2, files=1, low=low, high=high)

    assert check_placement(staged, DAY, ZONE, ()).passed is passed


def test_a_wrong_day_is_told_in_the_business_zone() -> None:
    staged = FooterCount(
        rows=2, low=datetime(2026, 1, 1, 16, tzinfo=UTC), high=datetime(2026, 1, 1, 17, tzinfo=UTC)
    )

    outcome = check_placement(staged, DAY, ZONE, ())

    assert outcome.numbers == {"low": "2026-01-02 00:00:00+08:00", "high": "2026-01-02 01:00:00+08:00"}
    assert outcome.message == (
        "expected from 2026-01-01 00:00:00+08:00 to before 2026-01-02 00:00:00+08:00, "
        "found rows from 2026-01-02 00:00:00+08:00 to 2026-01-02 01:00:00+08:00"
    )


def test_a_file_outside_of_every_partition_blocks() -> None:
    outcome = check_placement(FooterCount(), None, ZONE, ("ds=2026-01-09/part-0", "ds=x/part-1"))

    assert outcome.blocks
    assert outcome.numbers == {"strays": 2}
    assert outcome.message == ("2 file(s) outside the partitions that were read, first ds=2026-01-09/part-0")
