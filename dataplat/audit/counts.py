"""The built-in audit of a staged partition: three questions, none answered by the writer.

* ``row_count_matches_source``: do the files hold what the source held? The source is counted before
  and after the read; what was written must lie between the two, in either order. A source at rest
  thus allows exactly one number.
* ``files_are_complete``: has every file a readable footer, and do the footers add up to what the
  engine says it wrote? A half-written and a duplicated file are seen here.
* ``rows_in_their_partition``: does the smallest and largest window value lie inside the partition's
  window, and is there no file outside the folders that were asked for?
"""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from dataplat.audit.outcome import DIRTY, FILES, PLACEMENT, ROW_COUNT, Number, Outcome
from dataplat.plan.windows import Window
from dataplat.storage import FooterCount


def compare_with_source(before: int, after: int, staged: FooterCount, dirty: int = 0) -> Outcome:
    """Say whether the files, and what was set aside, hold a number of rows that the source had meanwhile."""
    low, high = sorted((before, after))
    rows = staged.rows + dirty
    numbers = {"source_before": before, "source_after": after, "rows": staged.rows}
    if dirty:
        numbers["set_aside"] = dirty
    if rows < low:
        numbers["missing"] = low - rows
    elif rows > high:
        numbers["extra"] = rows - high
    expected = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return Outcome(
        ROW_COUNT,
        passed=low <= rows <= high,
        numbers=numbers,
        message=f"source {expected} rows, files {staged.rows:,} rows"
        + (f", set aside {dirty:,}" if dirty else ""),
    )


def check_dirty_rows(dirty: int, kept: int, allowed: int, declared: str = "") -> Outcome:
    """Say whether no more rows than allowed could not be represented, and whether each of them was kept.

    Args:
        dirty: Rows that the read set aside.
        kept: Rows in the files of the quarantine.
        allowed: How many may be dirty.
        declared: Where that is declared.
    """
    numbers: dict[str, Number] = {"dirty": dirty, "allowed": allowed}
    if kept != dirty:
        message = (
            f"{dirty:,} rows were set aside, the quarantine holds {kept:,}: the source changed meanwhile"
        )
        return Outcome(DIRTY, False, numbers={**numbers, "kept": kept}, message=message, declared=declared)
    message = f"{dirty:,} rows cannot be represented, {allowed:,} are allowed" if dirty else ""
    return Outcome(DIRTY, dirty <= allowed, numbers=numbers, message=message, declared=declared)


def check_files(staged: FooterCount, written_rows: int | None) -> Outcome:
    """Say whether every file is readable; ``written_rows`` is the writer's word for this partition."""
    numbers = {"files": staged.files, "bytes": staged.bytes, "broken": len(staged.broken)}
    if staged.broken:
        name, problem = staged.broken[0]
        others = f" and {len(staged.broken) - 1} more" if len(staged.broken) > 1 else ""
        return Outcome(FILES, False, numbers=numbers, message=f"{name}{others} cannot be read: {problem}")
    if written_rows is not None and written_rows != staged.rows:
        numbers["written"] = written_rows
        message = f"the engine wrote {written_rows:,} rows, the files hold {staged.rows:,}"
        return Outcome(FILES, False, numbers=numbers, message=message)
    return Outcome(FILES, True, numbers=numbers)


def compare_with_record(published: FooterCount, recorded_rows: int | None) -> Outcome:
    """Say whether the files of a published version hold what was counted when it was staged."""
    outcome = check_files(published, None)
    numbers = {**outcome.numbers, "rows": published.rows}
    if outcome.passed and recorded_rows is not None and recorded_rows != published.rows:
        numbers["recorded"] = recorded_rows
        message = f"{recorded_rows:,} rows were published, the files hold {published.rows:,}"
        return Outcome(FILES, False, numbers=numbers, message=message)
    return Outcome(FILES, outcome.passed, numbers=numbers, message=outcome.message)


def check_placement(
    staged: FooterCount, window: Window | None, zone: ZoneInfo, strays: tuple[str, ...]
) -> Outcome:
    """Say whether the rows belong to the partition in whose folder they lie.

    ``strays`` are files outside every folder that was asked for: some row of this write was put into a
    wrong partition, and it may be missing here.
    """
    if strays:
        message = f"{len(strays)} file(s) outside the partitions that were read, first {strays[0]}"
        return Outcome(PLACEMENT, False, numbers={"strays": len(strays)}, message=message)
    if window is None or staged.low is None or staged.high is None:
        return Outcome(PLACEMENT, True)
    low, high = _moment(staged.low, zone), _moment(staged.high, zone)
    passed = window.start <= low and high < window.end
    numbers = {"low": low.isoformat(sep=" "), "high": high.isoformat(sep=" ")}
    found = f"rows from {numbers['low']} to {numbers['high']}"
    expected = f"from {window.start.isoformat(sep=' ')} to before {window.end.isoformat(sep=' ')}"
    return Outcome(PLACEMENT, passed, numbers=numbers, message=f"expected {expected}, found {found}")


def _moment(value: datetime | date, zone: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):
        return datetime.combine(value, time(), zone)
    return value.astimezone(zone) if value.tzinfo else value.replace(tzinfo=zone)
