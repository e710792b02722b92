"""A world in which tasks finish and are written down late, clocks are wrong, and auditors crash anywhere.

It says which tasks were audited, by the real decisions of ``plan.watermark`` and ``plan.finished_tasks``.
Time is counted twice: ``elapsed`` only grows, and the clock that everybody reads may be set.

What must hold has conditions, and the world keeps them: what a task is late, and what clocks are set while it
is late, fit together into the overlap. A clock that goes back further is seen by a run before it catches up.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dataplat.plan.finished_tasks import FinishedTask, TaskKey, distinct_tasks, split_repeats, task_key
from dataplat.plan.watermark import (
    RunOutcome,
    Watermark,
    WatermarkOptions,
    initial_watermark,
    next_watermark,
    plan_window,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
MOST_LATE, MOST_SET, LEAST_OVERLAP = 240, 300, 600
HOUR = 3600


@dataclass
class World:
    elapsed: int = 0
    offset: int = 0
    set_since_save: int = 0
    tasks: list[tuple[FinishedTask, int]] = field(default_factory=list)
    stored: Watermark | None = None
    promised_from: datetime | None = None
    recorded: set[TaskKey] = field(default_factory=set)
    audits: Counter[TaskKey] = field(default_factory=Counter)
    crashes: int = 0
    options: WatermarkOptions = field(default_factory=WatermarkOptions)

    @property
    def clock(self) -> datetime:
        return START + timedelta(seconds=self.elapsed + self.offset)

    def finish(self, name: str, batch: str, late: int) -> None:
        """Let a batch end now and be written down ``late`` seconds from now."""
        task = FinishedTask(name, "hourly", batch, self.clock)
        self.tasks.append((task, self.elapsed + late))

    def wait(self, seconds: int) -> None:
        self.elapsed += seconds

    def set_clock(self, by: int) -> None:
        """Set the clock a little, as far as the overlap has room for it."""
        room = MOST_SET - self.set_since_save
        by = max(-room, min(room, by))
        self.set_since_save += abs(by)
        self.offset += by

    def jump(self, hours: int) -> None:
        """Set the clock far ahead, or far back; what was under way is written down before."""
        self.wait(MOST_LATE)
        if hours > 0 or self.stored is None:
            self.offset += hours * HOUR
            return
        noticed_after = int(self.options.lookback.total_seconds()) - 60
        behind = max(timedelta(0), self.clock - self.stored.last_end_time)
        self.offset -= int((behind + self.options.overlap).total_seconds()) - hours * HOUR + noticed_after
        self.finish("on the clock set back", str(len(self.tasks)), late=0)
        self.wait(noticed_after)
        self.run()

    def change(self, overlap: int, max_hours: float, lookback_hours: float) -> None:
        self.options = WatermarkOptions(
            overlap=timedelta(seconds=max(overlap, LEAST_OVERLAP)),
            max_window=timedelta(hours=max_hours) if max_hours > 0 else None,
            lookback=timedelta(hours=lookback_hours),
        )

    def reset(self) -> None:
        self.stored = self.promised_from = None

    def init_now(self) -> None:
        fresh = initial_watermark(self.stored, self.clock)
        if fresh is not None:
            self._save(fresh, fresh.last_end_time)

    def run(self, *, crash_after: int | None = None, failing: frozenset[int] = frozenset()) -> None:
        """Run once; ``crash_after`` steps nothing more happens; jobs whose number is in ``failing`` fail."""
        for number, _ in enumerate(self._steps(failing)):
            if number == crash_after:
                self.crashes += 1
                return

    def _steps(self, failing: frozenset[int]) -> Iterator[str]:
        stored = self.stored
        yield "the watermark was read"
        window = plan_window(self.clock, stored, self.options)
        found = [
            task
            for task, written_down in self.tasks
            if written_down <= self.elapsed and task.end_time and window.start <= task.end_time < window.end
        ]
        yield "the task source was asked"
        fresh, repeats = split_repeats(distinct_tasks(found), self.recorded)
        assert self.recorded.isdisjoint(map(task_key, fresh))
        assert self.recorded.issuperset(map(task_key, repeats))
        failed = 0
        for number, task in enumerate(fresh):
            if number in failing:
                failed += 1
                continue
            self.audits[task_key(task)] += 1
            yield "a table was counted"
            self.recorded.add(task_key(task))
            yield "its result was recorded"
        outcome = RunOutcome(from_source=True, tasks=len(found), jobs=len(found), failed=failed)
        advanced = next_watermark(window, outcome, self.options, self.clock)
        if advanced is not None:
            self._save(advanced, window.start)
        yield "the watermark was saved"

    def _save(self, watermark: Watermark, covered_from: datetime) -> None:
        self.stored = watermark
        if all(written_down <= self.elapsed for _, written_down in self.tasks):
            self.set_since_save = 0
        if self.promised_from is None:
            self.promised_from = covered_from

    def settle(self) -> None:
        """Let everything be written down, and runs succeed until none is behind."""
        self.wait(MOST_LATE)
        last = max((task.end_time for task, _ in self.tasks if task.end_time), default=self.clock)
        self.wait(max(0, int((last - self.clock).total_seconds())) + 1)
        self.run()
        while self.stored is None or self.stored.last_end_time < self.clock:
            self.run()

    def check(self) -> None:
        """Assert that no batch was missed, and that none was counted again but after a crash."""
        assert self.promised_from is not None
        for task, _ in self.tasks:
            if task.end_time is not None and task.end_time >= self.promised_from:
                batches = {key[:2] for key, count in self.audits.items() if count}
                assert (task.task_name, task.batch_no) in batches, f"{task} was never audited"
        assert sum(count - 1 for count in self.audits.values()) <= self.crashes
