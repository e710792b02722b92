"""Holds by people and by checks: what they say, and what ends them by itself."""

from dataplat.audit.outcome import Outcome
from dataplat.lifecycle.holds import describe_holds, hold_outcomes, release_answered_holds
from dataplat_tests.unit.lifecycle.fakes import FakePlatform

TABLE, DAY, OTHER = "ods.orders", "2026-03-01", "2026-03-02"
GOOD, BAD = Outcome("unique_id", True), Outcome("unique_id", False, message="3 ids twice")


def hold(platform: FakePlatform, key: str, check: str = "") -> None:
    platform.ledger.hold(TABLE, key, "3 ids twice" if check else "it looks odd", "ann", check=check)


def release(platform: FakePlatform, key: str, *outcomes: Outcome) -> list[str]:
    ended = release_answered_holds(
        platform.ledger, TABLE, {key: outcomes}, actor="bob", reason="version v2 was published"
    )
    assert {(one.released_by, one.release_reason) for one in ended} <= {("bob", "version v2 was published")}
    return [one.check for one in ended]


def test_the_hold_of_a_check_ends_when_the_check_passes(platform: FakePlatform) -> None:
    hold(platform, DAY, "unique_id")
    assert release(platform, DAY, GOOD) == ["unique_id"]
    assert platform.ledger.holds(TABLE) == ()


def test_the_hold_of_a_check_that_fails_again_stays(platform: FakePlatform) -> None:
    hold(platform, DAY, "unique_id")
    assert release(platform, DAY, BAD) == []


def test_the_hold_of_a_check_that_is_declared_no_longer_ends(platform: FakePlatform) -> None:
    hold(platform, DAY, "was_declared_once")
    assert release(platform, DAY, GOOD) == ["was_declared_once"]


def test_the_hold_of_a_person_stays_whatever_passes(platform: FakePlatform) -> None:
    hold(platform, DAY)
    hold(platform, DAY, "unique_id")
    assert release(platform, DAY, GOOD) == ["unique_id"]
    (left,) = platform.ledger.holds(TABLE, [DAY])
    assert left.check == ""


def test_other_partitions_stay_held(platform: FakePlatform) -> None:
    hold(platform, OTHER, "unique_id")
    assert release(platform, DAY, GOOD) == []


def test_all_who_hold_are_named_with_their_reasons(platform: FakePlatform) -> None:
    hold(platform, DAY)
    hold(platform, DAY, "unique_id")
    assert describe_holds(platform.ledger.holds(TABLE, [DAY])) == (
        "held by ann: it looks odd; held by check unique_id: 3 ids twice"
    )


def test_not_held_is_answered_for_every_partition_that_is_asked(platform: FakePlatform) -> None:
    hold(platform, DAY)
    found = hold_outcomes(platform.ledger, TABLE, [DAY, OTHER])
    assert {key: (one.passed, one.message) for key, one in found.items()} == {
        DAY: (False, "held by ann: it looks odd"),
        OTHER: (True, ""),
    }
