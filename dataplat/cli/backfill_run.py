"""Carrying out a backfill: the next run to the next free worker, until nothing is left to do."""

from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Any

from dataplat.cli.backfill_workers import Workers
from dataplat.cli.progress import start_bar, subject
from dataplat.cli.session import Session
from dataplat.plan.backfills.document import BackfillPlan
from dataplat.plan.backfills.runs import Place, waits_for
from dataplat.plan.backfills.schedule import Ended, Ending, Schedule, Work, left_to_do
from dataplat.specs import TableSpec


def schedule_of(session: Session, plan: BackfillPlan, done: Collection[Place]) -> Schedule:
    """Return the runs of a plan that are left, in its order."""
    catalog = session.catalog
    specs = [catalog.any_table(table) for table in plan.tables]
    return Schedule(
        left_to_do([Work(run.table, run.partitions) for run in plan.runs], done),
        waits_for(catalog, session.graph, plan.partitions),
        {spec.table: spec.all_sources for spec in specs if isinstance(spec, TableSpec)},
        {source.name: source.budget.loads_at_once for source in catalog.sources.values()},
        {place: Ended(Ending.PUBLISHED) for place in done},
    )


def carry_out(session: Session, schedule: Schedule, workers: Workers) -> None:
    """Carry out every run that is left. How partitions ended is in the schedule.

    Raises:
        KeyboardInterrupt: The runs that were under way have ended, most likely without being published.
    """
    session.under_way = "nothing had been read yet"
    with BackfillProgress(session, schedule) as progress:
        try:
            while True:
                _begin_what_may(session, schedule, workers, progress)
                if not workers.busy:
                    break
                _hear(session, schedule, workers, progress)
        finally:
            workers.close()
    assert not schedule.waiting, "what waits has something under way that it waits for"
    session.under_way = ""


def _begin_what_may(
    session: Session, schedule: Schedule, workers: Workers, progress: "BackfillProgress"
) -> None:
    from dataplat.lifecycle.backfills.gates import closed_gates

    while workers.has_room and (work := schedule.next()):
        spec = session.catalog.any_table(work.table)
        held = closed_gates(
            session.catalog, session.graph, session.ledger, spec, work.keys, schedule.made, forecast=False
        )
        begun = schedule.without(work, held)
        for key, reason in held.items():
            progress.ended(work.table, [key], f"held: {reason}")
        if begun is not None:
            workers.give(begun)


def _hear(session: Session, schedule: Schedule, workers: Workers, progress: "BackfillProgress") -> None:
    worker, event = workers.listen()
    match event["event"]:
        case "step":
            progress.step(event["text"])
        case "ended" if worker.work is not None:
            work, worker.work = worker.work, None
            endings = _endings(session, work, event)
            schedule.end(work, endings)
            _tell(progress, work, endings)
        case "broken" | "gone" if worker.work is not None:
            work, worker.work = worker.work, None
            lost = f"its process ended without a word; what it printed is in {worker.log}"
            endings = dict.fromkeys(work.keys, Ended(Ending.FAILED, event.get("message", lost)))
            schedule.end(work, endings)
            _tell(progress, work, endings)


def _endings(session: Session, work: Work, event: Mapping[str, Any]) -> dict[str, Ended]:
    """Return how the partitions of a run ended; those are absent that are to be tried again in halves."""
    from dataplat.lifecycle.backfills.standing import still_there

    runs, messages = event["runs"], event["messages"]
    endings: dict[str, Ended] = {}
    for key, reason in still_there(session.ledger, work.table, runs).items():
        ending = Ending.FAILED if reason else Ending.PUBLISHED
        endings[key] = Ended(ending, messages[key] if reason else "", runs[key])
    left = [key for key in work.keys if key not in endings]
    if len(left) == 1 or event["retryable"] or event["error"] == "GateClosedError":
        ending = Ending.HELD if event["error"] == "GateClosedError" else Ending.FAILED
        endings |= {key: Ended(ending, messages[key], runs[key]) for key in left}
    return endings


def _tell(progress: "BackfillProgress", work: Work, endings: Mapping[str, Ended]) -> None:
    for ending in Ending:
        keys = [key for key in work.keys if key in endings and endings[key].ending is ending]
        if keys:
            progress.ended(work.table, keys, f"{len(keys)} {ending}" if len(keys) > 1 else ending)
    again = [key for key in work.keys if key not in endings]
    if again:
        progress.note(f"{subject(work.table, again)} failed as a whole: again, in halves")


class BackfillProgress:
    """How many partitions have ended and how, and how long the rest takes; without a terminal, lines."""

    def __init__(self, session: Session, schedule: Schedule) -> None:
        self._session = session
        self._schedule = schedule
        self._total = sum(len(work.keys) for work in schedule.waiting)
        self._before = len(schedule.ended)
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "BackfillProgress":
        self._bar = start_bar(self._session.output, remaining=True)
        if self._bar is not None:
            self._task = self._bar.add_task("starting", total=self._total)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, text: str) -> None:
        """Hear what a worker does now; shown only where it can be replaced by the next."""
        if self._bar is not None:
            self._bar.update(self._task, description=f"{self._standing()}  {text}")

    def ended(self, table: str, keys: list[str], how: str) -> None:
        """Hear that partitions ended."""
        ended = len(self._schedule.ended) - self._before
        self._session.under_way = (
            f"{ended} of {self._total} partitions had ended and stay as they are; what was under way was not "
            f"published; go on with: dataplat backfill resume"
        )
        if self._bar is not None:
            self._bar.update(self._task, completed=ended, description=self._standing())
        if self._bar is None or not how.endswith(Ending.PUBLISHED):
            self.note(f"{subject(table, keys)} {how}  ({ended} of {self._total})")

    def note(self, text: str) -> None:
        """Say something that stays on the screen."""
        if self._bar is None:
            self._session.output.note(text)
        else:
            self._bar.console.print(text)

    def _standing(self) -> str:
        counts = {ending: self._schedule.count(ending) for ending in Ending}
        counts[Ending.PUBLISHED] -= self._before
        return ", ".join(f"{count} {ending}" for ending, count in counts.items() if count)
