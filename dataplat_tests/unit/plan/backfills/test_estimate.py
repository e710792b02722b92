"""What the past says about a backfill, and what it does not."""

from dataplat.plan.backfills.estimate import Estimate, Made, total


def test_a_table_without_a_past_is_unknown() -> None:
    nothing = Estimate([])
    assert (nothing.rows(["2026-01-01"]), nothing.seconds(["2026-01-01"])) == (None, None)


def test_a_partition_has_the_rows_that_it_had_last_and_a_new_one_the_median() -> None:
    past = Estimate(
        [
            Made("2026-01-02", "v3", 50, 4.0),
            Made("2026-01-01", "v2", 10, 2.0),
            Made("2026-01-03", "v2", 20, 2.0),
            Made("2026-01-02", "v1", 999, 9.0),
        ]
    )
    assert past.rows(["2026-01-01", "2026-01-02"]) == 60
    assert past.rows(["2026-02-01"]) == 20


def test_seconds_are_the_median_of_the_last_writes_shared_among_their_partitions() -> None:
    past = Estimate(
        [Made("a", "v3", 1, 4.0), Made("a", "v2", 1, 2.0), Made("b", "v2", 1, 2.0), Made("a", "v1", 1, 9.0)]
    )
    assert past.seconds(["x", "y"]) == 8.0


def test_one_slow_night_long_ago_is_forgotten() -> None:
    nights = [Made("a", f"v{night}", 1, 1.0) for night in range(20)] + [Made("a", "old", 1, 10_000.0)] * 30
    assert Estimate(nights).seconds(["a"]) == 1.0


def test_what_is_not_known_is_counted_and_not_taken_for_nothing() -> None:
    assert total([]) == (0, 0)
    assert total([None, 2.5]) == (2.5, 1)
