# ruff: noqa: DTZ001 - a source holds wall clocks without a zone
"""What is sent to the source and what Spark makes of the answer, as whole texts; and that nothing is lost."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.plan.projection import partition_patterns, render_projection
from dataplat.plan.reads import JdbcRead, ReadShape, plan_reads
from dataplat.plan.split_keys import KeyColumn, SplitKey
from dataplat.plan.splits import PartitionSize, Task, plan_tasks
from dataplat.plan.sql import PhysicalTable
from dataplat.specs import PartitionFormatSpec
from dataplat_tests.conftest import Golden
from dataplat_tests.unit.plan.shapes import ORDERS, shape

GOLDEN = Path(__file__).parents[2] / "golden" / "reads"
DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
BY_KEY = (Task(0, 0, None, (500,)), Task(0, 0, (500,), None))
BY_TIME = (
    Task(0, 0, None, ("2026-01-01 12:00:00",), on="window"),
    Task(0, 0, ("2026-01-01 12:00:00",), None, on="window"),
)
TENANTS = SplitKey((KeyColumn("tenant", "text", nullable=False), KeyColumn("id", "number")), "PRIMARY")
BY_TENANT = (
    Task(0, 0, None, ("acme", 7)),
    Task(0, 0, ("acme", 7), ("zeta's", 9)),
    Task(0, 0, ("zeta's", 9), None),
)
SHARDS = (PhysicalTable("hydra", "flow_1"), PhysicalTable("hydra", "flow's_2"))

CASES: dict[str, tuple[ReadShape, tuple[PhysicalTable, ...], tuple[Task, ...]]] = {
    "one_day": (shape(DAYS[0]), (ORDERS,), (Task(0, 0),)),
    "one_day_by_key": (shape(DAYS[0]), (ORDERS,), BY_KEY),
    "one_day_by_time": (shape(DAYS[0], split_key=None), (ORDERS,), BY_TIME),
    "by_two_columns": (shape(DAYS[0], window_column=None, split_key=TENANTS), (ORDERS,), BY_TENANT),
    "one_day_without_key": (shape(DAYS[0], split_key=None), (ORDERS,), (Task(0, 0),)),
    "three_days": (shape(*DAYS), (ORDERS,), (Task(0, 2),)),
    "three_days_by_day_and_key": (shape(*DAYS), (ORDERS,), (*BY_KEY, Task(1, 2))),
    "days_that_do_not_touch": (shape(DAYS[0], DAYS[2]), (ORDERS,), (Task(0, 1),)),
    "two_hours": (shape("2026-01-09-05:00", "2026-01-09-06:00", grain="hour"), (ORDERS,), (Task(0, 1),)),
    "two_months": (shape("2026-01", "2026-02", grain="month"), (ORDERS,), (Task(0, 1),)),
    "where": (shape(DAYS[0], where="deleted = 0 OR at > '2026-01-01'"), (ORDERS,), (Task(0, 0),)),
    "snapshot": (shape(DAYS[0], window_column=None), (ORDERS,), BY_KEY),
    "snapshot_of_three_days": (shape(*DAYS[:3], window_column=None), (ORDERS,), BY_KEY),
    "snapshot_of_two_hours": (
        shape("2026-01-09-05:00", "2026-01-09-06:00", grain="hour", window_column=None),
        (ORDERS,),
        (Task(0, 0),),
    ),
    "shards": (shape(*DAYS[:2], identity="shard_name", split_key=None), SHARDS, (Task(0, 1),)),
    "source_in_utc": (shape(*DAYS[:2], source_zone="UTC"), (ORDERS,), (Task(0, 0), Task(1, 1))),
    "window_of_dates": (shape(*DAYS[:2], window_is_date=True), (ORDERS,), (Task(0, 1),)),
    "own_partition_format": (
        shape(*DAYS[:2], partition_format=PartitionFormatSpec(column="data_date", format="yyyyMMdd")),
        (ORDERS,),
        (Task(0, 1),),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_read_and_its_projection_are_as_reviewed(name: str, golden: Golden) -> None:
    made, shards, tasks = CASES[name]
    golden(GOLDEN / f"{name}.sql", as_text(plan_reads(made, shards, tasks), render_projection(made)))


def as_text(reads: list[JdbcRead], projection: list[str]) -> str:
    parts = []
    for read in reads:
        parts.append(read.query)
        parts += [f"-- task: {predicate}" for predicate in read.predicates]
    return "\n".join([*parts, "-- projection", *projection, ""])


def test_shards_are_read_a_hundred_in_a_query() -> None:
    shards = [PhysicalTable("hydra", f"flow_{number:03d}") for number in range(250)]

    reads = plan_reads(shape(DAYS[0], split_key=None), shards, [Task(0, 0)])

    assert [read.query.count("UNION ALL") for read in reads] == [99, 99, 49]
    assert [read.predicates for read in reads] == [()] * 3
    text = "\n".join(read.query for read in reads)
    assert all(f"`{shard.name}`" in text for shard in shards)


def test_the_partition_of_a_row_is_written_as_hive_names_it() -> None:
    hours = shape("2026-01-09-05:00", "2026-01-09-06:00", grain="hour")
    months = shape("2026-01", "2026-02", grain="month")

    assert partition_patterns(hours) == [("ds", "yyyy-MM-dd"), ("hr", "HH")]
    assert partition_patterns(months) == [("ds", "yyyy-MM")]


MOMENTS = st.datetimes(datetime(2025, 12, 31), datetime(2026, 1, 5)) | st.sampled_from(
    [datetime.fromisoformat(day) + timedelta(microseconds=n) for day in DAYS for n in (-1, 0, 1)]
)
ROWS = st.lists(st.tuples(MOMENTS, st.none() | st.integers(-50, 50)), max_size=30)


@given(rows=ROWS, parts=st.integers(1, 9), counted=st.integers(0, 30))
def test_every_row_of_the_days_is_read_once_whatever_the_tasks(
    rows: list[tuple[datetime, int | None]], parts: int, counted: int
) -> None:
    """The tasks are planned from the first ``counted`` rows; the others come during the read."""
    made = shape(*DAYS, columns=())
    tasks = plan_tasks(sizes_of(rows[:counted]), parallelism=4, parts=parts)

    (read,) = plan_reads(made, [PhysicalTable("main", "t")], tasks)

    wanted = sorted(
        (str(at), repr(key)) for at, key in rows if datetime(2026, 1, 1) <= at < datetime(2026, 1, 4)
    )
    assert sorted((at, repr(key)) for at, key in answer(read, rows)) == wanted


def sizes_of(rows: list[tuple[datetime, int | None]]) -> list[PartitionSize]:
    sizes = []
    for part, day in enumerate(DAYS):
        of_day = [key for at, key in rows if str(at.date()) == day]
        keys = [key for key in of_day if key is not None]
        sizes.append(PartitionSize(part, len(of_day), min(keys, default=None), max(keys, default=None)))
    return sizes


def answer(read: JdbcRead, rows: list[tuple[datetime, int | None]]) -> list[tuple[Any, ...]]:
    """Send the tasks to SQLite, which reads this subset of MySQL, in the form that Spark sends them."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (at TEXT, id INTEGER)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(str(at), key) for at, key in rows])
        query = read.query.replace("SELECT , ", "SELECT ")
        found = []
        for predicate in read.predicates or ("1 = 1",):
            found += connection.execute(f"SELECT * FROM ({query}) AS r WHERE {predicate}").fetchall()
    return found
