"""What every backend promises about hop counts and check results."""

from decimal import Decimal

import pytest

from dataplat.ledger import CheckResult, Hop, HopCount, Ledger
from dataplat_tests.unit.ledger.builders import DAY, NEXT_DAY, ORDERS, FrozenClock


def hop(kind: Hop, rows: int | None = 3, **more: object) -> HopCount:
    return HopCount(
        **({"table": ORDERS, "partition": DAY, "version": "v1", "hop": kind, "rows": rows} | more)
    )  # type: ignore[arg-type]


def check(name: str, passed: bool = True, **more: object) -> CheckResult:
    facts = {"table": ORDERS, "partition": DAY, "version": "v1", "check": name, "passed": passed}
    return CheckResult(**(facts | more))  # type: ignore[arg-type]


class CountBehaviour:
    def test_hops_come_back_in_the_order_of_recording(self, ledger: Ledger, clock: FrozenClock) -> None:
        ledger.record_hops(hop(kind, rows=number) for number, kind in enumerate(Hop))
        found = ledger.hops(ORDERS, DAY, "v1")
        assert [(count.hop, count.rows) for count in found] == [(kind, n) for n, kind in enumerate(Hop)]
        assert {count.at for count in found} == {clock.now}

    def test_shards_and_targets_are_counted_apart(self, ledger: Ledger) -> None:
        counts = [
            hop(Hop.SOURCE_BEFORE, shard="t_flow_2026_01"),
            hop(Hop.SOURCE_BEFORE, shard="t_flow_2026_02", rows=0),
            hop(Hop.DELIVERED, target="clickhouse", files=2, bytes=2**40),
            hop(Hop.DELIVERED, target="sftp", rows=None),
        ]
        ledger.record_hops(counts)
        found = ledger.hops(ORDERS, DAY)
        assert [(c.shard, c.target, c.rows, c.files, c.bytes) for c in found] == [
            ("t_flow_2026_01", "", 3, None, None),
            ("t_flow_2026_02", "", 0, None, None),
            ("", "clickhouse", 3, 2, 2**40),
            ("", "sftp", None, None, None),
        ]

    def test_the_shards_of_a_version_are_those_that_were_counted_at_the_source(self, ledger: Ledger) -> None:
        ledger.record_hops(
            [
                hop(Hop.SOURCE_BEFORE),
                hop(Hop.SOURCE_BEFORE, shard="d.t_2", rows=0),
                hop(Hop.SOURCE_BEFORE, shard="d.t_1"),
                hop(Hop.SOURCE_AFTER, shard="d.t_1"),
                hop(Hop.SOURCE_BEFORE, shard="d.old", version="v0"),
                hop(Hop.SOURCE_BEFORE, partition=NEXT_DAY),
            ]
        )
        assert ledger.shards(ORDERS, {DAY: "v1", NEXT_DAY: "v1"}) == {DAY: ("d.t_1", "d.t_2")}
        assert ledger.shards(ORDERS, {DAY: "v0"}) == {DAY: ("d.old",)}
        assert ledger.shards(ORDERS, {}) == {}

    def test_some_hops_of_one_version_of_each_partition_are_asked_for_together(self, ledger: Ledger) -> None:
        ledger.record_hops(
            [
                hop(Hop.SOURCE_BEFORE, shard="d.t_1", rows=1),
                hop(Hop.SOURCE_BEFORE, shard="d.t_1", rows=2),
                hop(Hop.SOURCE_BEFORE, shard="d.t_2", rows=3),
                hop(Hop.FILES),
                hop(Hop.FILTERED, version="v0"),
                hop(Hop.FILTERED, partition=NEXT_DAY, version="v0", rows=4),
            ]
        )
        found = ledger.hops_of(ORDERS, {DAY: "v1", NEXT_DAY: "v0"}, {Hop.SOURCE_BEFORE, Hop.FILTERED})
        assert {key: [(one.shard, one.rows) for one in some] for key, some in found.items()} == {
            DAY: [("d.t_1", 2), ("d.t_2", 3)],
            NEXT_DAY: [("", 4)],
        }
        assert ledger.hops_of(ORDERS, {}, {Hop.FILES}) == {}

    def test_the_last_count_of_a_hop_answers(self, ledger: Ledger) -> None:
        ledger.record_hops([hop(Hop.READ, 3), hop(Hop.FILES, 3)])
        ledger.record_hops([hop(Hop.READ, 4)])
        assert [(count.hop, count.rows) for count in ledger.hops(ORDERS, DAY)] == [
            (Hop.FILES, 3),
            (Hop.READ, 4),
        ]

    def test_counts_of_other_partitions_and_versions_stay_apart(self, ledger: Ledger) -> None:
        ledger.record_hops([hop(Hop.READ), hop(Hop.READ, partition=NEXT_DAY), hop(Hop.READ, version="v2")])
        assert len(ledger.hops(ORDERS, DAY, "v1")) == 1
        assert [count.version for count in ledger.hops(ORDERS, DAY)] == ["v1", "v2"]
        assert ledger.hops("ods.other", DAY) == ()

    def test_a_check_comes_back_with_its_numbers(self, ledger: Ledger, clock: FrozenClock) -> None:
        numbers = {"source": 2**60, "share": 0.5, "names": ["金", None], "nested": {"a": True}}
        given = check("unique_id", False, severity="warn", blocking=False, numbers=numbers, message="5 次\n…")
        ledger.record_checks([given])
        (found,) = ledger.checks(ORDERS, DAY, "v1")
        assert found == CheckResult(**vars(given) | {"at": clock.now})
        assert found.passed is False
        assert found.blocking is False

    def test_what_failed_last_is_found_for_the_version_asked_about(self, ledger: Ledger) -> None:
        ledger.record_checks(
            [
                check("repaired", False),
                check("repaired", True),
                check("failed", True),
                check("failed", False, message="3 twice"),
                check("not asked", False),
                check("failed", False, version="v0", partition=NEXT_DAY),
            ]
        )
        asked = {DAY: "v1", NEXT_DAY: "v1"}
        found = ledger.failures(ORDERS, asked, {"repaired", "failed"})
        assert {key: [one.check for one in some] for key, some in found.items()} == {DAY: ["failed"]}
        assert ledger.failures(ORDERS, asked, ()) == {}
        assert ledger.failures(ORDERS, {}, {"failed"}) == {}

    def test_decimals_are_kept_exactly_as_text(self, ledger: Ledger) -> None:
        ledger.record_checks([check("sum_money", numbers={"sum": Decimal("0.10")})])
        assert ledger.checks(ORDERS, DAY)[0].numbers == {"sum": "0.10"}

    def test_numbers_that_are_not_json_are_refused_before_anything_is_written(self, ledger: Ledger) -> None:
        with pytest.raises(TypeError, match="not object"):
            ledger.record(hops=[hop(Hop.READ)], checks=[check("c", numbers={"x": object()})])
        assert ledger.hops(ORDERS, DAY) == ()

    def test_a_recheck_answers_in_place_of_the_first_result(self, ledger: Ledger) -> None:
        ledger.record_checks([check("a", True), check("b", True)])
        ledger.record_checks([check("a", False, message="11 rows twice")])
        assert [(c.check, c.passed) for c in ledger.checks(ORDERS, DAY)] == [("b", True), ("a", False)]

    def test_long_messages_and_numbers_are_kept_whole(self, ledger: Ledger) -> None:
        ledger.record_checks([check("c", message="数" * 100_000, numbers={"sample": ["x" * 1000] * 200})])
        (found,) = ledger.checks(ORDERS, DAY)
        assert len(found.message) == 100_000
        assert len(found.numbers["sample"]) == 200

    def test_recording_nothing_does_nothing(self, ledger: Ledger) -> None:
        ledger.record()
        ledger.record_hops([])
        ledger.record_checks([])
        assert ledger.hops(ORDERS, DAY) == ()

    def test_thousands_of_shards_are_recorded_together(self, ledger: Ledger) -> None:
        ledger.record_hops(hop(Hop.SOURCE_BEFORE, shard=f"t_{number}") for number in range(5000))
        assert sum(count.rows or 0 for count in ledger.hops(ORDERS, DAY)) == 15_000
