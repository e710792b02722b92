"""Holds as Dagster sees them: the check ``not_held``, and what an automation condition makes of it."""

from typing import Any

import dagster as dg
import pytest

from dataplat.audit.outcome import NOT_HELD, Outcome
from dataplat.ledger import CheckResult, LockOwner, TableVersion, VersionState
from dataplat.lifecycle.rollback import RollbackReport
from dataplat.orchestration.record import outcome_events, record_hold, record_release, record_rollback
from dataplat.storage import FooterCount
from dataplat_tests.contract.dagster.conftest import AUDITED, CHECKS, KEY, TABLE, Stage, report_of

ONE, TWO = "2026-01-05", "2026-01-06"
V1 = "20260302T020109-aaaaaa"


def open_gates(stage: Stage) -> set[str]:
    """The partitions that a downstream would be launched for, by Dagster's own evaluation."""
    blocked = dg.AutomationCondition.any_checks_match(
        ~dg.AutomationCondition.check_passed(), blocking_only=True
    )
    missing = dg.AutomationCondition.missing()
    condition = missing & ~dg.AutomationCondition.any_deps_match(missing | blocked)
    [spec] = stage.asset.specs

    @dg.asset(
        partitions_def=spec.partitions_def,
        deps=[KEY],
        automation_condition=condition.with_label("when_nothing_is_held"),
    )
    def downstream() -> None: ...

    defs = dg.Definitions(
        [stage.asset, downstream], resources={"platform": dg.ResourceDefinition.none_resource()}
    )
    only = dg.AssetSelection.assets(downstream.key)
    result = dg.evaluate_automation_conditions(defs, stage.instance, asset_selection=only)
    return set(result.get_requested_partitions(downstream.key))


def told(stage: Stage) -> list[tuple[str, bool, str]]:
    return [(one.partition, one.passed, one.description or "") for one in stage.evaluations(NOT_HELD)]


def hold(stage: Stage, key: str, reason: str, check: str = "") -> None:
    held = stage.platform.ledger.hold(TABLE, key, reason, "ann", check=check)
    record_hold(stage.instance, stage.platform.ledger, stage.spec, held)


def release(stage: Stage, key: str) -> None:
    ended = stage.platform.ledger.release_hold(TABLE, key, "bob", reason="it is there")
    record_release(stage.instance, stage.platform.ledger, stage.spec, key, ended)


def test_a_published_partition_that_nobody_holds_lets_downstreams_start(stage: Stage) -> None:
    assert open_gates(stage) == set()
    stage.run(ONE, TWO)
    assert told(stage) == [(TWO, True, ""), (ONE, True, "")]
    assert open_gates(stage) == {ONE, TWO}


def test_a_hold_closes_the_partition_for_automation_and_a_release_opens_it(stage: Stage) -> None:
    stage.run(ONE, TWO)
    hold(stage, ONE, "half of it came late")
    assert told(stage)[0] == (ONE, False, "held by ann: half of it came late")
    assert open_gates(stage) == {TWO}
    release(stage, ONE)
    assert told(stage)[0] == (ONE, True, "")
    assert open_gates(stage) == {ONE, TWO}


def test_a_load_into_a_held_partition_succeeds_and_the_partition_stays_held(stage: Stage) -> None:
    stage.run(ONE)
    hold(stage, ONE, "the source is wrong")
    assert stage.run(ONE, TWO).succeeded
    assert stage.status(ONE, TWO) == {ONE: "MATERIALIZED", TWO: "MATERIALIZED"}
    assert told(stage)[:2] == [(TWO, True, ""), (ONE, False, "held by ann: the source is wrong")]
    assert open_gates(stage) == {TWO}


def test_a_partition_that_is_held_before_its_first_load_is_held_after_it(stage: Stage) -> None:
    hold(stage, ONE, "wait for me")
    assert open_gates(stage) == set()
    stage.run(ONE)
    assert open_gates(stage) == set()


def test_a_rejected_load_says_who_holds_too(stage: Stage) -> None:
    hold(stage, ONE, "wait for me")
    stage.script = lambda keys: iter([report_of(dict.fromkeys(keys, False))])
    assert not stage.run(ONE).succeeded
    assert told(stage)[0] == (ONE, False, "held by ann: wait for me")


@pytest.mark.parametrize("passed", [True, False])
def test_a_rollback_brings_the_answers_of_the_earlier_version_back(stage: Stage, passed: bool) -> None:
    stage.run(ONE)
    rolled_back(stage, passed)
    assert stage.evaluations(AUDITED[0])[0].metadata["rows"].value == 3
    newest = stage.materializations(ONE)[0].storage_id
    for check in CHECKS:
        assert stage.evaluations(check)[0].target_materialization_data.storage_id == newest
    assert open_gates(stage) == ({ONE} if passed else set())


def test_who_releases_what_a_check_held_overrules_the_check_for_automation(stage: Stage) -> None:
    stage.run(ONE)
    failed = Outcome("unique_id", False, message="3 ids twice")
    for event in outcome_events(stage.instance, stage.spec, {ONE: [failed]}):
        stage.instance.report_runless_asset_event(event)
    hold(stage, ONE, "3 ids twice", "unique_id")
    assert open_gates(stage) == set()
    release(stage, ONE)
    assert stage.evaluations("unique_id")[0].description == (
        "released by bob: it is there; it had failed: 3 ids twice"
    )
    assert open_gates(stage) == {ONE}


def test_a_hold_and_a_release_are_runs_that_say_who_gave_them(stage: Stage) -> None:
    stage.run(ONE)
    hold(stage, ONE, "half of it came late")
    release(stage, ONE)
    runs = {run.job_name: run for run in stage.instance.get_runs()}
    assert {name: runs[name].status.value for name in ("hold", "release")} == {
        "hold": "SUCCESS",
        "release": "SUCCESS",
    }
    assert runs["hold"].tags["dataplat/actor"] == "ann"
    assert runs["release"].tags["dataplat/actor"] == "bob"
    assert runs["hold"].tags["dataplat/table"] == TABLE


def rolled_back(stage: Stage, passed: bool) -> None:
    """Tell of a rollback to a version of which the ledger remembers the checks."""
    ledger = stage.platform.ledger
    version = TableVersion(table=TABLE, partition=ONE, version=V1, location="file:///w/v1", actor="ann")
    ledger.begin([version])
    with ledger.lock_partitions(TABLE, [ONE], LockOwner.current()) as locks:
        for state in (VersionState.STAGED, VersionState.PUBLISHING):
            ledger.advance(TABLE, V1, [ONE], state)
        ledger.publish(TABLE, V1, [ONE], locks)
    ledger.record_checks(
        CheckResult(table=TABLE, partition=ONE, version=V1, check=check, passed=passed, numbers={"rows": 3})
        for check in AUDITED
    )
    files: Any = FooterCount(rows=3, files=1, bytes=9)
    record_rollback(
        stage.instance,
        ledger,
        stage.spec,
        RollbackReport(TABLE, ONE, ledger.visible(TABLE)[ONE], "v2", files),
    )
