"""The gate asks the ledger: what it lets through, what it says, and how a waiver is used up."""

from datetime import timedelta

import pytest

from dataplat.errors import GateClosedError
from dataplat.ledger import CheckResult, Waiver
from dataplat.lifecycle.gate import pass_gate
from dataplat.lifecycle.stations import RunInfo
from dataplat.plan.gate import Trigger
from dataplat.specs import TableSpec
from dataplat_tests.unit.lifecycle.fakes import FakePlatform

DAY, OTHER = "2026-03-01", "2026-03-02"
V1, V2 = "20260302T020000-aaaaaa", "20260302T030000-bbbbbb"
DOWN = "dw.x"
NUMBERS = "3 ids are there twice: 3 of 1,204 rows (id=7, id=8, id=9)"


def ask(
    platform: FakePlatform,
    spec: TableSpec,
    *keys: str,
    closing: tuple[str, ...] = (),
    trigger: Trigger = "all_success",
) -> Waiver | None:
    run = RunInfo("run-7", "bob", "dataplat load")
    upstreams = {spec.table: keys or (DAY,)}
    return pass_gate(platform.ledger, DOWN, DAY, upstreams, {spec.table: closing}, trigger, run)


def closed(platform: FakePlatform, spec: TableSpec, *keys: str, closing: tuple[str, ...] = ()) -> str:
    with pytest.raises(GateClosedError) as caught:
        ask(platform, spec, *keys, closing=closing)
    return str(caught.value)


def judge(platform: FakePlatform, spec: TableSpec, version: str, check: str, passed: bool) -> None:
    platform.ledger.record_checks(
        [
            CheckResult(
                table=spec.table, partition=DAY, version=version, check=check, passed=passed, message=NUMBERS
            )
        ]
    )


def test_what_is_published_and_not_held_lets_pass(platform: FakePlatform, spec: TableSpec) -> None:
    platform.load(spec, V1, [DAY])
    assert ask(platform, spec) is None


def test_a_partition_that_was_never_loaded_closes_it(platform: FakePlatform, spec: TableSpec) -> None:
    platform.load(spec, V1, [DAY])
    assert (
        closed(platform, spec, DAY, OTHER)
        == """\
dw.x[2026-03-01]: the gate is closed by 1 upstream partition
  expected                             every upstream published
  ods.ods_t_money_record[2026-03-02]   absent: never loaded
  effect                               nothing was read; what was visible before is still visible
  next                                 dataplat ledger ods.ods_t_money_record 2026-03-02   or   \
dataplat waive dw.x 2026-03-01 --reason … --until …"""
    )


def test_a_hold_is_told_with_its_reason(platform: FakePlatform, spec: TableSpec) -> None:
    platform.load(spec, V1, [DAY])
    platform.ledger.hold(spec.table, DAY, "half of it came late", "ann")
    platform.ledger.hold(spec.table, DAY, NUMBERS, "night", check="unique_id")
    said = closed(platform, spec)
    assert f"held: held by ann: half of it came late; held by check unique_id: {NUMBERS}\n" in said


def test_a_failed_check_that_names_the_downstream_closes_only_its_gate(
    platform: FakePlatform, spec: TableSpec
) -> None:
    platform.load(spec, V1, [DAY])
    judge(platform, spec, V1, "unique_id", passed=False)
    assert ask(platform, spec) is None
    assert (
        closed(platform, spec, closing=("unique_id",))
        == """\
dw.x[2026-03-01]: the gate is closed by 1 upstream partition
  expected                             every upstream published
  ods.ods_t_money_record[2026-03-01]   blocked: check unique_id: \
3 ids are there twice: 3 of 1,204 rows (id=7, id=8, id=9)
  effect                               nothing was read; what was visible before is still visible
  next                                 dataplat ledger ods.ods_t_money_record 2026-03-01   or   \
dataplat waive dw.x 2026-03-01 --reason … --until …"""
    )


def test_a_later_version_that_passes_opens_the_gate_again(platform: FakePlatform, spec: TableSpec) -> None:
    platform.load(spec, V1, [DAY])
    judge(platform, spec, V1, "unique_id", passed=False)
    platform.load(spec, V2, [DAY])
    judge(platform, spec, V2, "unique_id", passed=True)
    assert ask(platform, spec, closing=("unique_id",)) is None


def test_a_version_that_passes_when_it_is_checked_again_opens_the_gate(
    platform: FakePlatform, spec: TableSpec
) -> None:
    platform.load(spec, V1, [DAY])
    judge(platform, spec, V1, "unique_id", passed=False)
    judge(platform, spec, V1, "unique_id", passed=True)
    assert ask(platform, spec, closing=("unique_id",)) is None


def test_all_done_asks_only_that_upstreams_have_ended(platform: FakePlatform, spec: TableSpec) -> None:
    platform.load(spec, V1, [DAY])
    judge(platform, spec, V1, "unique_id", passed=False)
    platform.ledger.hold(spec.table, DAY, "odd", "ann")
    platform.reject(spec, V2, [OTHER])
    assert ask(platform, spec, DAY, OTHER, closing=("unique_id",), trigger="all_done") is None
    with pytest.raises(GateClosedError) as caught:
        ask(platform, spec, "2026-03-03", trigger="all_done")
    assert caught.value.facts[0] == ("expected", "every upstream ended")


def test_a_waiver_lets_one_build_pass_and_says_who_used_it(platform: FakePlatform, spec: TableSpec) -> None:
    until = platform.clock() + timedelta(hours=2)
    platform.ledger.waive(DOWN, DAY, reason="known gap", actor="ann", until=until)
    waiver = ask(platform, spec)
    assert waiver is not None
    assert (waiver.reason, waiver.used_by) == ("known gap", "bob run-7")
    closed(platform, spec)


def test_an_open_gate_uses_up_no_waiver(platform: FakePlatform, spec: TableSpec) -> None:
    platform.load(spec, V1, [DAY])
    until = platform.clock() + timedelta(hours=2)
    platform.ledger.waive(DOWN, DAY, reason="known gap", actor="ann", until=until)
    assert ask(platform, spec) is None
    assert len(platform.ledger.waivers(DOWN)) == 1
