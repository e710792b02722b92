"""What the check of a census says, for people and for programs."""

from dataplat.audit.census import check_alike, check_shards
from dataplat.plan.census import Expectation, take_census
from dataplat.plan.sql import PhysicalTable

ALL = tuple(PhysicalTable("hydra", f"t_{number}") for number in range(8))


def test_missing_shards_are_named_and_block() -> None:
    outcome = check_shards(
        take_census("2026-01-09", ALL[:1], Expectation(ALL, because="history: 2026-01-08"))
    )
    assert outcome.blocks
    assert outcome.message == (
        "missing 7 of 8 (history: 2026-01-08): "
        "hydra.t_1, hydra.t_2, hydra.t_3, hydra.t_4, hydra.t_5 and 2 more"
    )
    assert outcome.numbers == {"found": 1, "expected": 8, "missing": 7}


def test_a_number_of_shards_names_none() -> None:
    outcome = check_shards(take_census("2026-01-09", ALL[:3], Expectation(None, 4, "expect: 4")))
    assert outcome.blocks
    assert outcome.message == "expected at least 4 (expect: 4), found 3"
    assert outcome.numbers == {"found": 3, "expected": 4, "missing": 1}


def test_nothing_at_all_is_never_right() -> None:
    outcome = check_shards(take_census("2026-01-09", (), Expectation()))
    assert outcome.blocks
    assert outcome.message == "expected at least 1, found 0"


def test_a_new_shard_passes_and_is_told() -> None:
    outcome = check_shards(take_census("2026-01-09", ALL[:2], Expectation(ALL[:1], because="history: x")))
    assert outcome.passed
    assert outcome.message == "new: hydra.t_1"
    assert outcome.numbers == {"found": 2, "expected": 1, "new": 1}


def test_shards_that_differ_warn_or_block_as_the_table_says() -> None:
    differences = [f"c{number} is not in t_0" for number in range(6)]
    warned, refused = (check_alike(differences, refuse=refuse) for refuse in (False, True))
    assert (warned.passed, warned.blocks, refused.blocks) == (False, False, True)
    assert warned.message == "; ".join(differences[:5]) + "; and 1 more"
    assert check_alike([], refuse=True).passed
