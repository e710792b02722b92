"""Which span of the scheduler's finished tasks an audit run looks at, and how far it has then come.

A run asks the task source for what ended in ``[start, end)`` and, if all went well, remembers ``end``. The
next run starts there, so windows join without a gap, or rather a little earlier: by the *overlap*, because a
task that ended at 02:00 may be written down at 02:07. What is in the overlap is audited twice, and that is
recognised (``plan.finished_tasks``).

After a stop of days one run would look at too much at once. Its window is capped, and the cap is measured
from the watermark and not from the overlapped start: a capped window always ends later than the last one,
so several runs catch up and none skips.

``now`` is the clock of whoever writes the ends of tasks down. A watermark that lies in the future of that
clock means that one of them was wrong: the window falls back to the lookback, and the watermark goes back.

What is promised: once there is a watermark, a task is in a window of some successful run if it is written
down within the overlap after its end, and if clocks that are set meanwhile leave that much of the overlap. A
clock that is set back further is noticed by the next run within the lookback. ``test_watermark`` tries that
in ten thousand histories. Until the first success there is no watermark: what ended before its window is
not audited.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from dataplat.errors import SelectionError

OVERLAP_SECONDS, MAX_WINDOW_HOURS, LOOKBACK_HOURS = 600.0, 24.0, 24.0
_VARIABLES = {
    "watermark_overlap_seconds": "DATAPLAT_AUDIT_WATERMARK_OVERLAP_SECONDS",
    "watermark_max_window_hours": "DATAPLAT_AUDIT_WATERMARK_MAX_WINDOW_HOURS",
    "hours_lookback": "DATAPLAT_AUDIT_HOURS_LOOKBACK",
}
_OPTIONS = {name: "--" + name.replace("_", "-") for name in _VARIABLES}


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far audits have come: every task that ended before ``last_end_time`` was looked at."""

    last_end_time: datetime
    updated_at: datetime


class WatermarkStore(Protocol):
    """Where the watermark is kept: a file of its own, or the ledger."""

    def read(self) -> Watermark | None:
        """Return the watermark, ``None`` if there never was one or it was cleared.

        Raises:
            WatermarkError: It is there and cannot be read. It is never taken for absent: the runs that
                were missed would be lost.
        """

    def save(self, watermark: Watermark) -> None:
        """Keep it, wholly or not at all; when this returns it survives a crash of the machine."""

    def clear(self) -> None:
        """Forget it, also one that cannot be read; none there is fine."""


@dataclass(frozen=True, slots=True)
class WatermarkOptions:
    """How windows are made.

    Attributes:
        enabled: Without it every run looks back by ``lookback`` and nothing is remembered.
        overlap: How late a finished task may be written down.
        max_window: What one run looks at at most, beyond the overlap; ``None`` for no limit.
        lookback: What a run looks at when there is no watermark to start from.
        advance_on_failure: Go on although audits failed; only where failures are run again by other means.
    """

    enabled: bool = True
    overlap: timedelta = timedelta(seconds=OVERLAP_SECONDS)
    max_window: timedelta | None = timedelta(hours=MAX_WINDOW_HOURS)
    lookback: timedelta = timedelta(hours=LOOKBACK_HOURS)
    advance_on_failure: bool = False


@dataclass(frozen=True, slots=True)
class ScanWindow:
    """A span of ends of tasks, ``start <= end_time < end``.

    Attributes:
        behind: How much of the past is left for later runs because the window was capped.
        warning: For people, empty when there is nothing to say.
    """

    start: datetime
    end: datetime
    behind: timedelta = timedelta(0)
    warning: str = ""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run found and did.

    Attributes:
        from_source: The tasks came from the task source by this window, not from ``--tasks`` or the
            configuration.
        tasks: Tasks that the source returned.
        jobs: Counts that were made of them.
        failed: Jobs of which nothing was counted.
        partial: Jobs of which a part was counted.
        dry_run: Nothing was counted, only shown.
    """

    from_source: bool
    tasks: int
    jobs: int
    failed: int = 0
    partial: int = 0
    dry_run: bool = False


def choose_options(
    command_line: Mapping[str, float | None],
    environ: Mapping[str, str],
    config: Mapping[str, float | None],
    *,
    enabled: bool = True,
    advance_on_failure: bool = False,
) -> WatermarkOptions:
    """Return the options of a run: command line, then environment, then configuration, then the default.

    The three numbers have one name everywhere: ``watermark_overlap_seconds``,
    ``watermark_max_window_hours`` (0 or less is no limit) and ``hours_lookback``; in the environment with
    ``DATAPLAT_AUDIT_`` before it, in capitals. ``None`` and an empty variable are not given.

    Raises:
        SelectionError: A number cannot be read, or a span is negative.

    >>> choose_options({"hours_lookback": 0.5}, {}, {"hours_lookback": 48.0}).lookback
    datetime.timedelta(seconds=1800)
    """
    chosen = {
        name: _choose(name, command_line, environ, config, default)
        for name, default in (
            ("watermark_overlap_seconds", OVERLAP_SECONDS),
            ("watermark_max_window_hours", MAX_WINDOW_HOURS),
            ("hours_lookback", LOOKBACK_HOURS),
        )
    }
    max_hours = chosen["watermark_max_window_hours"]
    return WatermarkOptions(
        enabled=enabled,
        overlap=timedelta(seconds=chosen["watermark_overlap_seconds"]),
        max_window=timedelta(hours=max_hours) if max_hours > 0 else None,
        lookback=timedelta(hours=chosen["hours_lookback"]),
        advance_on_failure=advance_on_failure,
    )


def plan_window(now: datetime, watermark: Watermark | None, options: WatermarkOptions) -> ScanWindow:
    """Return what a run looks at.

    Args:
        now: By the task source's clock.
        watermark: As it is stored; ``None`` starts with the lookback, which is not capped.
        options: How windows are made.
    """
    fallback = ScanWindow(now - options.lookback, now)
    if watermark is None or not options.enabled:
        return fallback
    base = watermark.last_end_time
    start = base - options.overlap
    if start >= now:
        text = f"the watermark {base.isoformat()} lies in the future of {now.isoformat()}: a clock was wrong"
        hours = options.lookback / timedelta(hours=1)
        return ScanWindow(
            fallback.start, now, warning=f"{text}; looking back {hours:g} h, and the watermark goes back"
        )
    end = now if options.max_window is None else min(now, base + options.max_window)
    return ScanWindow(start, end, behind=now - end)


def next_watermark(
    window: ScanWindow, outcome: RunOutcome, options: WatermarkOptions, now: datetime
) -> Watermark | None:
    """Return the watermark to save after a run; ``None`` leaves the stored one as it is.

    It advances when the source was asked and everything was counted, and when there was nothing to count.
    It stays after a dry run, with tasks from elsewhere, when tasks were found and none of them is
    configured, and when anything failed or was counted in part, unless that is allowed.
    """
    if outcome.dry_run or not outcome.from_source or not options.enabled:
        return None
    if outcome.tasks and not outcome.jobs:
        return None
    if (outcome.failed or outcome.partial) and not options.advance_on_failure:
        return None
    return Watermark(window.end, now)


def initial_watermark(stored: Watermark | None, now: datetime) -> Watermark | None:
    """Return what ``--watermark-init-now`` saves before it ends without a job; ``None`` if there is one."""
    return Watermark(now, now) if stored is None else None


def align(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return an aware time in ``zone``; a naive one is taken to be of it.

    >>> align(datetime(2026, 1, 9, 5), ZoneInfo("Asia/Shanghai")).isoformat()
    '2026-01-09T05:00:00+08:00'
    """
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _choose(
    name: str,
    command_line: Mapping[str, float | None],
    environ: Mapping[str, str],
    config: Mapping[str, float | None],
    default: float,
) -> float:
    given = command_line.get(name)
    if given is not None:
        return _checked(name, given, _OPTIONS[name])
    text = environ.get(_VARIABLES[name])
    if text:
        return _checked(name, text, _VARIABLES[name])
    configured = config.get(name)
    return default if configured is None else _checked(name, configured, name)


def _checked(name: str, given: float | str, where: str) -> float:
    try:
        number = float(given)
    except ValueError:
        number = float("nan")
    # Ten years, so that a slip of the hand is a message and no overflow; not-a-number is refused by both.
    limit = 87_600.0 * (3600 if name.endswith("seconds") else 1)
    lowest = -limit if name == "watermark_max_window_hours" else 0.0
    if lowest <= number <= limit:
        return number
    unit = "seconds" if name.endswith("seconds") else "hours"
    raise SelectionError(
        where,
        f"'{given}' is no number of {unit} that can be used",
        facts=[("expected", f"a number from {lowest:g} to {limit:g}, such as 0.5")],
        effect="nothing was audited, the watermark is as it was",
    )
