"""Which partitions make one run, and what each waits for."""

from dataplat.plan.backfills.runs import backfill_runs, waits_for, without_unchanged
from dataplat.plan.splits import MAX_PARTITIONS_A_READ
from dataplat.specs import Catalog
from dataplat_tests.unit.plan.backfills.graphs import WEEK, closure, graph_of, in_zone, reader, source_table

ZONE = "Europe/Berlin"
DAYS = tuple(f"2026-01-{day:02}" for day in range(1, 11))


def runs(found: Catalog, **partitions: tuple[str, ...]) -> list[int]:
    named = {table.replace("_", ".", 1): keys for table, keys in partitions.items()}
    return [len(keys) for _, keys in backfill_runs(found, graph_of(found), named)]


def test_a_run_is_neighbours_that_one_read_or_one_write_covers() -> None:
    found = in_zone(ZONE, source_table("ods.a"), reader("dw.b", "ods.a"))
    assert runs(found, ods_a=DAYS, dw_b=DAYS) == [10, 4, 4, 2]
    assert runs(found, ods_a=(*DAYS[:3], *DAYS[5:])) == [3, 5]


def test_a_run_is_never_wider_than_a_read() -> None:
    found = in_zone(ZONE, source_table("ods.a"))
    days = closure(found, "ods.a", "2026-01-01", "2026-03-05").partitions["ods.a"]
    assert runs(found, ods_a=days) == [MAX_PARTITIONS_A_READ, 4]


def test_the_hours_around_a_skipped_one_are_neighbours() -> None:
    found = in_zone(ZONE, source_table("ods.h", "hour"))
    hours = closure(found, "ods.h", "2026-03-29").partitions["ods.h"]
    assert runs(found, ods_h=hours) == [23]


def test_a_model_that_builds_on_its_past_is_one_partition_a_run() -> None:
    found = in_zone(ZONE, source_table("ods.a"), reader("dw.p", "ods.a", depends_on_past=True))
    assert runs(found, dw_p=DAYS[:3]) == [1, 1, 1]
    waits = waits_for(found, graph_of(found), {"dw.p": DAYS[:2]})
    assert waits == {("dw.p", DAYS[0]): (), ("dw.p", DAYS[1]): (("dw.p", DAYS[0]),)}


def test_a_partition_waits_for_those_of_the_backfill_that_it_reads() -> None:
    found = in_zone(ZONE, source_table("ods.a"), reader("dw.w", "ods.a", WEEK))
    waits = waits_for(found, graph_of(found), {"ods.a": DAYS[:2], "dw.w": DAYS[:3]})
    read = (("ods.a", DAYS[0]), ("ods.a", DAYS[1]))
    assert waits == {
        **dict.fromkeys(read, ()),
        ("dw.w", DAYS[0]): read[:1],
        **dict.fromkeys([("dw.w", DAYS[1]), ("dw.w", DAYS[2])], read),
    }


def test_who_reads_whatever_is_visible_waits_for_all_that_is_made() -> None:
    latest = reader("dw.r", "ods.a", "TRUE", reads={"ods.a": "latest"})
    found = in_zone(ZONE, source_table("ods.a"), latest)
    waits = waits_for(found, graph_of(found), {"ods.a": DAYS[:2], "dw.r": DAYS[:1]})
    assert waits["dw.r", DAYS[0]] == (("ods.a", DAYS[0]), ("ods.a", DAYS[1]))


def test_what_is_unchanged_is_left_out_unless_what_it_reads_is_made() -> None:
    found = in_zone(ZONE, source_table("ods.a"), reader("dw.b", "ods.a"))
    partitions = {"ods.a": DAYS[:3], "dw.b": DAYS[:3]}
    waits = waits_for(found, graph_of(found), partitions)
    unchanged = {"ods.a": DAYS[1:3], "dw.b": DAYS[:2]}
    assert without_unchanged(partitions, waits, unchanged) == {
        "ods.a": DAYS[:1],
        "dw.b": (DAYS[0], DAYS[2]),
    }
    assert without_unchanged({"ods.a": DAYS[:1]}, {("ods.a", DAYS[0]): ()}, {"ods.a": DAYS}) == {}
