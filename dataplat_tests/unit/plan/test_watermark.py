"""The watermark (A16 to A29): windows join without a gap, and every finished task is audited."""

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from dataplat.errors import SelectionError
from dataplat.plan.finished_tasks import FinishedTask, distinct_tasks, split_repeats, task_key
from dataplat.plan.watermark import (
    RunOutcome,
    ScanWindow,
    Watermark,
    WatermarkOptions,
    choose_options,
    initial_watermark,
    next_watermark,
    plan_window,
)
from dataplat_tests.services.effort import repetitions
from dataplat_tests.unit.plan.audit_world import MOST_LATE, World

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 20, 9, tzinfo=ZONE)
HOUR, TEN_MINUTES = timedelta(hours=1), timedelta(minutes=10)
OPTIONS = WatermarkOptions()


def mark(hours_ago: float) -> Watermark:
    return Watermark(NOW - hours_ago * HOUR, NOW - hours_ago * HOUR)


def test_without_a_watermark_a_run_looks_back_a23() -> None:
    half = WatermarkOptions(lookback=0.5 * HOUR)
    assert plan_window(NOW, None, half) == ScanWindow(NOW - 0.5 * HOUR, NOW)
    assert plan_window(NOW, mark(3), WatermarkOptions(enabled=False)) == ScanWindow(NOW - 24 * HOUR, NOW)


def test_a_run_starts_where_the_last_one_ended_less_the_overlap_a17_a18() -> None:
    assert plan_window(NOW, mark(1), OPTIONS) == ScanWindow(NOW - HOUR - TEN_MINUTES, NOW)


def test_a_long_stop_is_caught_up_in_chunks_measured_without_the_overlap_a19_a27() -> None:
    stored, ends = mark(50), []
    for _ in range(4):
        window = plan_window(NOW, stored, OPTIONS)
        assert window.start == stored.last_end_time - TEN_MINUTES
        stored = next_watermark(window, RunOutcome(True, 1, 1), OPTIONS, NOW) or stored
        ends.append((NOW - window.end, window.behind))
    assert ends == [(26 * HOUR, 26 * HOUR), (2 * HOUR, 2 * HOUR), (0 * HOUR, 0 * HOUR), (0 * HOUR, 0 * HOUR)]


def test_a_chunk_shorter_than_the_overlap_still_comes_forward_a27() -> None:
    options = WatermarkOptions(overlap=2 * HOUR, max_window=0.5 * HOUR)
    assert plan_window(NOW, mark(10), options).end == NOW - 9.5 * HOUR


def test_no_limit_is_one_window_a19() -> None:
    assert plan_window(NOW, mark(5000), WatermarkOptions(max_window=None)).end == NOW


def test_a_watermark_in_the_future_falls_back_with_a_warning_a27() -> None:
    window = plan_window(NOW, mark(-1), OPTIONS)
    assert (window.start, window.end) == (NOW - 24 * HOUR, NOW)
    assert window.warning == (
        "the watermark 2026-03-20T10:00:00+08:00 lies in the future of 2026-03-20T09:00:00+08:00: "
        "a clock was wrong; looking back 24 h, and the watermark goes back"
    )
    assert plan_window(NOW, mark(-0.1), OPTIONS).warning == "", "within the overlap nothing is lost"


@pytest.mark.parametrize(
    ("outcome", "options", "advances"),
    [
        (RunOutcome(True, 3, 3), OPTIONS, True),
        (RunOutcome(True, 0, 0), OPTIONS, True),
        (RunOutcome(True, 3, 0), OPTIONS, False),
        (RunOutcome(True, 3, 3, failed=1), OPTIONS, False),
        (RunOutcome(True, 3, 3, partial=1), OPTIONS, False),
        (RunOutcome(True, 3, 3, failed=1), WatermarkOptions(advance_on_failure=True), True),
        (RunOutcome(True, 3, 3, partial=1), WatermarkOptions(advance_on_failure=True), True),
        (RunOutcome(True, 3, 0), WatermarkOptions(advance_on_failure=True), False),
        (RunOutcome(False, 3, 3), OPTIONS, False),
        (RunOutcome(True, 3, 3, dry_run=True), OPTIONS, False),
        (RunOutcome(True, 3, 3), WatermarkOptions(enabled=False), False),
    ],
)
def test_when_the_watermark_advances_a24_a25_a26(
    outcome: RunOutcome, options: WatermarkOptions, advances: bool
) -> None:
    window = ScanWindow(NOW - HOUR, NOW - TEN_MINUTES)
    expected = Watermark(NOW - TEN_MINUTES, NOW) if advances else None
    assert next_watermark(window, outcome, options, NOW) == expected


def test_a_cold_start_from_now_acts_only_where_there_is_no_watermark_a22() -> None:
    assert initial_watermark(None, NOW) == Watermark(NOW, NOW)
    assert initial_watermark(mark(5), NOW) is None


NAMES = {
    "watermark_overlap_seconds": "DATAPLAT_AUDIT_WATERMARK_OVERLAP_SECONDS",
    "watermark_max_window_hours": "DATAPLAT_AUDIT_WATERMARK_MAX_WINDOW_HOURS",
    "hours_lookback": "DATAPLAT_AUDIT_HOURS_LOOKBACK",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_command_line_wins_over_environment_and_configuration_a29(name: str) -> None:
    def chosen(**given: float | str | None) -> WatermarkOptions:
        return choose_options(
            {name: given.get("cli")},  # type: ignore[dict-item]
            {NAMES[name]: str(given["env"])} if "env" in given else {},
            {name: given.get("config")},  # type: ignore[dict-item]
        )

    assert chosen(cli=7.0, env="8", config=9.0) == chosen(cli=7.0)
    assert chosen(env="8", config=9.0) == chosen(cli=8.0)
    assert chosen(env="", config=9.0) == chosen(cli=9.0)
    assert chosen() == OPTIONS
    assert chosen(cli=0.0, config=9.0) == chosen(cli=0.0), "0 is given, it is not absent"


def test_zero_or_less_is_no_limit_a19() -> None:
    assert choose_options({"watermark_max_window_hours": 0}, {}, {}).max_window is None
    assert choose_options({}, {}, {"watermark_max_window_hours": -1}).max_window is None


@pytest.mark.parametrize(
    ("variable", "given", "text"),
    [
        (
            "watermark_overlap_seconds",
            "soon",
            (
                "DATAPLAT_AUDIT_WATERMARK_OVERLAP_SECONDS: 'soon' is no number of seconds that can be used\n"
                "  expected   a number from 0 to 3.1536e+08, such as 0.5"
            ),
        ),
        (
            "hours_lookback",
            "-1",
            (
                "DATAPLAT_AUDIT_HOURS_LOOKBACK: '-1' is no number of hours that can be used\n"
                "  expected   a number from 0 to 87600, such as 0.5"
            ),
        ),
        (
            "watermark_max_window_hours",
            "nan",
            (
                "DATAPLAT_AUDIT_WATERMARK_MAX_WINDOW_HOURS: 'nan' is no number of hours that can be used\n"
                "  expected   a number from -87600 to 87600, such as 0.5"
            ),
        ),
    ],
)
def test_a_number_that_cannot_be_used_is_one_message(variable: str, given: str, text: str) -> None:
    with pytest.raises(SelectionError) as caught:
        choose_options({}, {NAMES[variable]: given}, {})
    assert str(caught.value) == f"{text}\n  effect     nothing was audited, the watermark is as it was"


def test_batches_of_one_task_are_apart_and_keep_their_first_place_and_newest_end_a11() -> None:
    first = FinishedTask("t", "hourly", "2026010905", NOW)
    again = FinishedTask("t", "hourly", "2026010905", NOW + HOUR)
    other = FinishedTask("t", "hourly", "2026010906", NOW)
    assert distinct_tasks([first, other, again]) == [again, other]
    unknown = FinishedTask("t", "daily", "2026010905")
    assert distinct_tasks([unknown, unknown, FinishedTask("t", "hourly", "2026010905")]) == [unknown]


def test_a_batch_that_ended_twice_in_one_window_is_no_repeat_of_its_first_end() -> None:
    first = FinishedTask("t", "hourly", "2026010905", NOW)
    again = FinishedTask("t", "hourly", "2026010905", NOW + HOUR)
    fresh, _ = split_repeats(distinct_tasks([first, again]), {task_key(first)})
    assert fresh == [again]


def test_a_batch_that_ends_again_later_is_no_repeat() -> None:
    first = FinishedTask("t", "hourly", "2026010905", NOW)
    again = FinishedTask("t", "hourly", "2026010905", NOW + HOUR)
    assert split_repeats([first, again], {task_key(first)}) == ([again], [first])


NAME, BATCH = st.sampled_from("abc"), st.sampled_from("123456")


class Audits(RuleBasedStateMachine):
    """Hypothesis chooses what happens, and makes a failure small."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @rule(name=NAME, batch=st.integers(0, 10**6).map(str), late=st.integers(0, MOST_LATE))
    def finish(self, name: str, batch: str, late: int) -> None:
        self.world.finish(name, batch, late)

    @rule(seconds=st.one_of(st.integers(0, 900), st.integers(0, 5 * 86400)))
    def wait(self, seconds: int) -> None:
        self.world.wait(seconds)

    @rule(by=st.integers(-300, 300))
    def set_clock(self, by: int) -> None:
        self.world.set_clock(by)

    @rule(hours=st.integers(-72, 72))
    def jump(self, hours: int) -> None:
        self.world.jump(hours)

    @rule()
    def run_well(self) -> None:
        self.world.run()

    @rule(after=st.integers(0, 12))
    def run_and_crash(self, after: int) -> None:
        self.world.run(crash_after=after)

    @rule(failing=st.frozensets(st.integers(0, 3), min_size=1))
    def run_and_fail(self, failing: frozenset[int]) -> None:
        self.world.run(failing=failing)

    @rule(
        overlap=st.integers(600, 7200),
        max_hours=st.sampled_from([0.0, 0.1, 1.0, 24.0]),
        lookback=st.sampled_from([0.5, 24.0, 48.0]),
    )
    def change_options(self, overlap: int, max_hours: float, lookback: float) -> None:
        self.world.change(overlap, max_hours, lookback)

    @rule()
    def reset(self) -> None:
        self.world.reset()

    @rule()
    def init_now(self) -> None:
        self.world.init_now()

    def teardown(self) -> None:
        self.world.settle()
        self.world.check()


Audits.TestCase.settings = settings(
    max_examples=repetitions(200), stateful_step_count=40, deadline=None, print_blob=True
)
TestAudits = Audits.TestCase


@pytest.mark.slow
def test_every_finished_task_is_audited_in_ten_thousand_random_histories() -> None:
    """The same world, driven by numbers: much faster than Hypothesis, which makes failures small."""
    for seed in range(repetitions(10_000)):
        live(World(), random.Random(seed), seed)


def live(world: World, chance: random.Random, seed: int) -> None:
    for _ in range(chance.randrange(5, 60)):
        act(world, chance)
    try:
        world.settle()
        world.check()
    except AssertionError as error:
        raise AssertionError(f"history {seed}: {error}") from error


def act(world: World, chance: random.Random) -> None:
    action = chance.random()
    if action < 0.35:
        world.finish(chance.choice("abc"), str(chance.randrange(10**6)), chance.randrange(MOST_LATE + 1))
    elif action < 0.55:
        world.wait(chance.choice([chance.randrange(900), chance.randrange(5 * 86400)]))
    elif action < 0.62:
        world.set_clock(chance.randrange(-300, 301))
    elif action < 0.65:
        world.jump(chance.randrange(-72, 73))
    elif action < 0.78:
        world.run()
    elif action < 0.86:
        world.run(crash_after=chance.randrange(12))
    elif action < 0.93:
        world.run(failing=frozenset(chance.sample(range(4), 2)))
    elif action < 0.97:
        hours = chance.choice([0.0, 0.1, 1.0, 24.0])
        world.change(chance.randrange(600, 7200), hours, chance.choice([0.5, 24.0, 48.0]))
    elif action < 0.985:
        world.reset()
    else:
        world.init_now()
