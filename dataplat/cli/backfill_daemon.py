"""Letting Dagster's daemon carry out a backfill, and watching it by what the ledger says."""

import time
from typing import TYPE_CHECKING

from dataplat.cli.backfill_run import BackfillProgress
from dataplat.cli.backfill_worker import PLAN_TAG
from dataplat.cli.session import Session
from dataplat.errors import DataplatError
from dataplat.plan.backfills.document import BackfillPlan
from dataplat.plan.backfills.runs import Place
from dataplat.plan.backfills.schedule import Ended, Ending, Schedule

if TYPE_CHECKING:
    from dataplat.orchestration.daemon_backfill import DaemonBackfill

_LOOK_AGAIN_SECONDS = 2.0
_NOT_BEGUN = "the daemon, which makes nothing of what is not there"


def carry_out_by_daemon(session: Session, plan: BackfillPlan, schedule: Schedule) -> None:
    """Hand over what is left of a plan, and return when it has ended. How is in the schedule.

    Raises:
        DataplatError: No daemon is running, or it gave the backfill up.
        KeyboardInterrupt: The daemon was told to cancel the backfill.
    """
    partitions: dict[str, list[str]] = {}
    for work in schedule.waiting:
        partitions.setdefault(work.table, []).extend(work.keys)
    given = _give(session, plan, partitions)
    with BackfillProgress(session, schedule) as progress:
        progress.note(f"given to the daemon as backfill {given.backfill_id}")
        try:
            while not given.has_ended:
                _hear(session, schedule, partitions, given.runs, progress)
                _wait()
            _hear(session, schedule, partitions, given.runs, progress)
        except KeyboardInterrupt:
            given.cancel()
            session.under_way = (
                f"the daemon cancels backfill {given.backfill_id}; what was published stays; "
                "go on with: dataplat backfill resume"
            )
            raise
    if given.error:
        raise DataplatError(
            f"backfill {plan.id}",
            f"the daemon gave backfill {given.backfill_id} up",
            facts=[("reason", given.error)],
            effect="what was published stays",
            next_steps=["dataplat backfill resume"],
        )
    for table, keys in partitions.items():
        _end_the_rest(session, schedule, table, keys, given)


def _give(session: Session, plan: BackfillPlan, partitions: dict[str, list[str]]) -> "DaemonBackfill":
    from dataplat.orchestration.daemon_backfill import missing_daemons, submit_backfill

    instance = session.instance
    missing = missing_daemons(instance)
    if missing:
        raise DataplatError(
            f"backfill {plan.id}",
            "no daemon is running that could carry it out",
            facts=[("expected", "a dagster-daemon of this home"), ("silent", ", ".join(missing))],
            effect="nothing was run",
            next_steps=["the same command without --daemon", "dataplat demo --ui"],
        )
    tags = {PLAN_TAG: plan.id, "dataplat/actor": session.settings.actor}
    title = f"{plan.select}, {plan.first} to {plan.last}"
    return submit_backfill(session.catalog, instance, partitions, title=title, tags=tags)


def _wait() -> None:
    time.sleep(_LOOK_AGAIN_SECONDS)


def _hear(
    session: Session,
    schedule: Schedule,
    partitions: dict[str, list[str]],
    runs: frozenset[str],
    progress: BackfillProgress,
) -> None:
    """Take for ended what runs of the backfill have published."""
    for table, keys in partitions.items():
        left = [key for key in keys if (table, key) not in schedule.ended]
        visible = session.ledger.visible(table, left) if left else {}
        published = [key for key, version in visible.items() if version.run_id in runs]
        for key in published:
            schedule.ended[table, key] = Ended(Ending.PUBLISHED, "", visible[key].run_id)
        if published:
            progress.ended(table, published, Ending.PUBLISHED)


def _end_the_rest(
    session: Session, schedule: Schedule, table: str, keys: list[str], given: "DaemonBackfill"
) -> None:
    """Say of what is not published whether its run failed, or never began."""
    spec, runs = session.catalog.any_table(table), given.runs
    for key, status in session.ledger.statuses(table, keys).items():
        place: Place = (table, key)
        if place in schedule.ended:
            continue
        latest = status.latest
        if latest is not None and latest.run_id in runs:
            message = f"{table}[{key}]: {latest.state}: {latest.reason}"
            schedule.ended[place] = Ended(Ending.FAILED, message, latest.run_id)
        elif run := given.failed_run(spec, key):
            message = f"{table}[{key}]: run {run[:8]} failed; its page in the UI says why"
            schedule.ended[place] = Ended(Ending.FAILED, message, run)
        else:
            schedule.ended[place] = Ended(Ending.HELD, _NOT_BEGUN)
