"""The statements that count again, whole: one branch a shard, one statement for many."""

from zoneinfo import ZoneInfo

from dataplat.plan.recounts import Recount, render_recounts
from dataplat.plan.sql import PhysicalTable
from dataplat.plan.windows import partition_window
from dataplat_tests.unit.plan.shapes import ORDERS, ZONE

DAYS = [partition_window(f"2026-01-0{day}", "day", ZoneInfo(ZONE)) for day in (1, 2, 3)]
OTHER = PhysicalTable("shop", "t_`order`")


def test_a_branch_scans_a_shard_once_for_all_days_and_tells_them_apart_by_their_edges() -> None:
    recounts = [
        Recount(0, ORDERS, (0, 1, 2), tuple(DAYS), "deleted = 0 OR 1"),
        Recount(1, OTHER, (1,), (DAYS[1],)),
    ]

    (query,) = render_recounts(recounts, window_column="at", zone=ZONE)

    assert query == (
        "SELECT 0, CASE WHEN `at` < '2026-01-02 00:00:00' THEN 0 WHEN `at` < '2026-01-03 00:00:00' THEN 1"
        " ELSE 2 END AS `__dp_part`, COUNT(*) FROM `shop`.`t_order`"
        " WHERE (`at` >= '2026-01-01 00:00:00' AND `at` < '2026-01-04 00:00:00') AND (deleted = 0 OR 1)"
        " GROUP BY `__dp_part`\n"
        "UNION ALL\n"
        "SELECT 1, 1 AS `__dp_part`, COUNT(*) FROM `shop`.`t_``order```"
        " WHERE (`at` >= '2026-01-02 00:00:00' AND `at` < '2026-01-03 00:00:00') GROUP BY `__dp_part`"
    )


def test_the_edges_are_written_in_the_zone_of_the_source() -> None:
    (query,) = render_recounts([Recount(0, ORDERS, (0, 1), tuple(DAYS[:2]))], window_column="at", zone="UTC")
    assert "WHEN `at` < '2026-01-01 16:00:00' THEN 0 ELSE 1" in query
    assert "`at` >= '2025-12-31 16:00:00' AND `at` < '2026-01-02 16:00:00'" in query


def test_eight_days_of_sixty_four_shards_are_one_statement() -> None:
    days = [partition_window(f"2026-01-0{day}", "day", ZoneInfo(ZONE)) for day in range(1, 9)]
    shards = [Recount(n, PhysicalTable("shop", f"t_{n}"), tuple(range(8)), tuple(days)) for n in range(64)]
    assert len(render_recounts(shards, window_column="at", zone=ZONE)) == 1


def test_many_branches_and_many_edges_are_sent_in_batches_and_none_is_left_out() -> None:
    names = [f"2026-01-{1 + n // 24:02}-{n % 24:02}:00" for n in range(192)]
    hours = [partition_window(name, "hour", ZoneInfo(ZONE)) for name in names]
    few = [Recount(n, ORDERS, (0,), (DAYS[0],)) for n in range(1001)]
    wide = [Recount(n, ORDERS, tuple(range(192)), tuple(hours)) for n in range(50)]
    for recounts, sizes in ((few, [400, 400, 201]), (wide, [20, 20, 10])):
        queries = render_recounts(recounts, window_column="at", zone=ZONE)
        assert [query.count("SELECT") for query in queries] == sizes
        assert all(f"SELECT {one.shard}, " in "\n".join(queries) for one in recounts)


def test_nothing_to_count_is_no_statement() -> None:
    assert render_recounts([], window_column="at", zone=ZONE) == []
