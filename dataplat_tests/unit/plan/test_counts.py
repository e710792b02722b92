"""The counting statements, whole: one branch a shard and partition, each over its own half-open window."""

from dataplat.plan.counts import CountTask, render_counts
from dataplat.plan.sql import PhysicalTable
from dataplat_tests.unit.plan.shapes import ORDERS, ZONE, targets

FIRST, SECOND = targets("2026-01-01", "2026-01-02")


def test_each_branch_counts_one_partition_of_one_shard() -> None:
    other = PhysicalTable("shop", "t_`order`")
    tasks = [CountTask(0, 0, ORDERS, FIRST.window), CountTask(1, 1, other, SECOND.window)]

    (query,) = render_counts(
        tasks, window_column="at", zone=ZONE, where="deleted = 0 OR 1", split_column="id"
    )

    assert query == (
        "SELECT 0, 0, COUNT(*), MIN(`id`), MAX(`id`) FROM `shop`.`t_order`"
        " WHERE (`at` >= '2026-01-01 00:00:00' AND `at` < '2026-01-02 00:00:00') AND (deleted = 0 OR 1)\n"
        "UNION ALL\n"
        "SELECT 1, 1, COUNT(*), MIN(`id`), MAX(`id`) FROM `shop`.`t_``order```"
        " WHERE (`at` >= '2026-01-02 00:00:00' AND `at` < '2026-01-03 00:00:00') AND (deleted = 0 OR 1)"
    )


def test_a_snapshot_is_counted_whole() -> None:
    (query,) = render_counts(
        [CountTask(0, 0, ORDERS, None)], window_column=None, zone=ZONE, where=None, split_column=None
    )

    assert query == "SELECT 0, 0, COUNT(*), NULL, NULL FROM `shop`.`t_order`"


def test_the_window_is_written_in_the_zone_of_the_source() -> None:
    (query,) = render_counts(
        [CountTask(0, 0, ORDERS, FIRST.window)], window_column="at", zone="UTC", where=None
    )

    assert query.endswith("WHERE (`at` >= '2025-12-31 16:00:00' AND `at` < '2026-01-01 16:00:00')")


def test_many_branches_are_sent_in_batches_and_none_is_left_out() -> None:
    tasks = [CountTask(shard, 0, ORDERS, None) for shard in range(1001)]

    queries = render_counts(tasks, window_column=None, zone=ZONE, where=None)

    assert [query.count("SELECT") for query in queries] == [400, 400, 201]
    assert all(f"SELECT {shard}, 0," in "\n".join(queries) for shard in range(1001))


def test_nothing_to_count_is_no_query() -> None:
    assert render_counts([], window_column="at", zone=ZONE, where=None) == []
