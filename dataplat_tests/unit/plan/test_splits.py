"""Tasks of a read: whatever the sizes, every row of every partition belongs to exactly one of them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dataplat.plan.cuts import Cut
from dataplat.plan.splits import PartitionSize, Task, plan_pieces, plan_tasks

KEYS = st.integers(-(2**63), 2**64)


@st.composite
def sizes(draw: st.DrawFn) -> list[PartitionSize]:
    made = []
    for part in range(draw(st.integers(1, 8))):
        low, high = draw(st.none() | st.tuples(KEYS, KEYS).map(sorted)) or (None, None)
        made.append(PartitionSize(part, draw(st.integers(0, 50_000_000)), low, high))
    return made


def takes(task: Task, part: int, key: int | None) -> bool:
    """The meaning of a task, as its docstring says it."""
    if not task.first <= part <= task.last:
        return False
    if key is None:
        return task.low is None
    return (task.low is None or task.low <= (key,)) and (task.high is None or (key,) < task.high)


@settings(deadline=None)
@given(
    sizes=sizes(),
    parallelism=st.integers(1, 16),
    parts=st.none() | st.integers(1, 40),
    keys=st.lists(KEYS, max_size=10),
)
def test_every_key_of_every_partition_is_in_exactly_one_task(
    sizes: list[PartitionSize], parallelism: int, parts: int | None, keys: list[int]
) -> None:
    tasks = plan_tasks(sizes, parallelism=parallelism, parts=parts)

    edges = [edge for task in tasks for edge in (task.low, task.high) if edge is not None]
    near = [int(edge[0]) + step for edge in edges for step in (-1, 0)]
    for size in sizes:
        for key in [None, *keys, *near]:
            assert sum(takes(task, size.part, key) for task in tasks) == 1


@given(sizes=sizes(), parallelism=st.integers(1, 16))
def test_tasks_are_in_order_and_none_mixes_a_cut_partition_with_others(
    sizes: list[PartitionSize], parallelism: int
) -> None:
    tasks = plan_tasks(sizes, parallelism=parallelism)

    assert [task.first for task in tasks] == sorted(task.first for task in tasks)
    assert all(task.first == task.last for task in tasks if (task.low, task.high) != (None, None))


def test_small_neighbours_share_a_task() -> None:
    days = [PartitionSize(part, 1_000, 1, 9) for part in range(30)]

    assert plan_tasks(days, parallelism=4) == [Task(0, 29, rows=30_000)]


def test_a_large_day_between_small_ones_is_cut_alone() -> None:
    days = [PartitionSize(0, 10), PartitionSize(1, 1_000_000, 0, 99), PartitionSize(2, 10)]

    assert plan_tasks(days, parallelism=2) == [
        Task(0, 0, rows=10),
        Task(1, 1, None, (50,), rows=500_000),
        Task(1, 1, (50,), None, rows=500_000),
        Task(2, 2, rows=10),
    ]


def test_the_last_wave_of_tasks_is_full() -> None:
    (size,) = [PartitionSize(0, 33_000_000, 0, 10**9)]

    assert len(plan_tasks([size], parallelism=4)) == 12


def test_a_partition_is_cut_into_no_more_than_256_pieces() -> None:
    days = [PartitionSize(0, 10), PartitionSize(1, 10**11)]

    assert plan_pieces(days, parallelism=4) == {1: 256}
    assert plan_pieces(days, parallelism=4, parts=9_999) == {0: 256, 1: 256}
    assert len(plan_tasks([PartitionSize(0, 10**11, 1, 10**18)], parallelism=4)) == 256


def test_known_bounds_win_over_equal_widths() -> None:
    size = PartitionSize(0, 1_000_000, 0, 99)
    known = Cut((("2026-01-01 08:00:00",),), (0.25, 0.75), on="window")

    assert plan_tasks([size], parallelism=2, cuts={0: known}) == [
        Task(0, 0, None, ("2026-01-01 08:00:00",), "window", 250_000),
        Task(0, 0, ("2026-01-01 08:00:00",), None, "window", 750_000),
    ]
    assert plan_tasks([size], parallelism=2, cuts={0: Cut()}) == [Task(0, 0, rows=1_000_000)]


def test_a_partition_without_a_numeric_key_is_one_task_however_large() -> None:
    assert plan_tasks([PartitionSize(0, 10**9)], parallelism=4, parts=8) == [Task(0, 0, rows=10**9)]


def test_one_key_cannot_be_cut() -> None:
    assert plan_tasks([PartitionSize(0, 10**9, 7, 7)], parallelism=4) == [Task(0, 0, rows=10**9)]
