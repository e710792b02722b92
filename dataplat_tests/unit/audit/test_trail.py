from collections.abc import Sequence
from datetime import datetime, timedelta

from dataplat.audit.kinds import Finding, Past, StagedPartition
from dataplat.audit.trail import Trail
from dataplat.specs import CheckSpec
from dataplat.specs.checks import CheckEntry

MONDAY = datetime.fromisoformat("2026-01-05T00:00+08:00")
CHECK = CheckEntry.model_validate({"min_rows": 5}).check
TOLD_ONLY = CheckEntry.model_validate({"min_rows": {"rows": 5, "severity": "warn"}}).check


class Published:
    def __init__(self, *rows: tuple[int, int]) -> None:
        self.rows = [Past(key(day), rows) for day, rows in rows]
        self.asked: list[tuple[str, int, bool]] = []

    def past(self, key: str, count: int, same_weekday: bool) -> Sequence[Past]:
        self.asked.append((key, count, same_weekday))
        return self.rows[:count]


def key(day: int) -> str:
    return (MONDAY + timedelta(days=day)).date().isoformat()


def partition(day: int, rows: int) -> StagedPartition:
    starts = MONDAY + timedelta(days=day)
    return StagedPartition(key(day), (("ds", key(day)),), rows, starts, starts + timedelta(days=1))


def trail(
    *days: int, published: Published | None = None, check: CheckSpec = CHECK, good: bool = True
) -> Trail:
    made = Trail(published or Published())
    for day in days:
        made.add(partition(day, 100 + day), [(check, Finding(good, {"rows": day}))])
    return made


def seen(made: Trail, day: int, count: int, same_weekday: bool = False) -> list[tuple[str, int]]:
    past = made.past(key(day), MONDAY + timedelta(days=day), count, same_weekday)
    return [(one.key, one.rows) for one in past]


def test_days_of_the_same_version_precede_each_other() -> None:
    assert seen(trail(0, 1, 2), 2, 7) == [(key(1), 101), (key(0), 100)]


def test_what_was_published_comes_after_what_is_newer() -> None:
    made = trail(1, published=Published((0, 7), (-1, 8), (-2, 9)))

    assert seen(made, 2, 3) == [(key(1), 101), (key(0), 7), (key(-1), 8)]


def test_a_new_load_of_a_day_takes_the_place_of_the_old_one() -> None:
    assert seen(trail(0, published=Published((0, 7))), 1, 3) == [(key(0), 100)]


def test_a_day_that_is_held_back_leaves_the_old_one_in_its_place() -> None:
    assert seen(trail(0, good=False, published=Published((0, 7))), 1, 3) == [(key(0), 7)]


def test_a_day_that_was_only_warned_of_counts() -> None:
    assert seen(trail(0, good=False, check=TOLD_ONLY), 1, 3) == [(key(0), 100)]


def test_only_whole_weeks_before_count_for_the_same_weekday() -> None:
    made = trail(0, 3, 7, 14, 20)

    assert seen(made, 21, 2, same_weekday=True) == [(key(14), 114), (key(7), 107)]
    assert seen(made, 21, 3, same_weekday=True) == [(key(14), 114), (key(7), 107), (key(0), 100)]


def test_what_checks_found_in_the_same_version_is_known() -> None:
    (past,) = trail(4).past(key(5), MONDAY + timedelta(days=5), 1, False)

    assert past.numbers("min_rows") == {"rows": 4}
    assert past.numbers("another") == {}
