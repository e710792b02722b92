"""Every kind of check keeps the same promises, on real rows."""

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any, get_args

import pytest

from dataplat.audit.kinds import KINDS
from dataplat.audit.outcome import Outcome
from dataplat.specs.checks import CheckEntry
from dataplat_tests.contract.checks.desk import Desk
from dataplat_tests.contract.checks.scenarios import BAD, EMPTY, GOOD, NULLS, SCENARIOS, Scenario

Outcomes = dict[str, list[Outcome]]

each_scenario = pytest.mark.parametrize(
    "scenario", SCENARIOS, ids=lambda scenario: f"{scenario.check.kind} {scenario.title}".strip()
)


@pytest.fixture(scope="session")
def outcomes_of(desk: Desk) -> Callable[[Scenario], Outcomes]:
    """All four partitions of a scenario in one staged version, evaluated once."""

    @cache
    def evaluate(index: int) -> Outcomes:
        scenario = SCENARIOS[index]
        return desk.evaluate([scenario.declared], scenario.days, scenario.around)

    return lambda scenario: evaluate(next(i for i, one in enumerate(SCENARIOS) if one is scenario))


def test_every_kind_that_can_be_declared_is_evaluated() -> None:
    declared = {get_args(field.annotation)[0] for field in CheckEntry.model_fields.values()}

    assert set(KINDS) == declared


def test_every_kind_has_a_scenario() -> None:
    assert {type(scenario.check) for scenario in SCENARIOS} == set(KINDS)


@each_scenario
@pytest.mark.parametrize("day", [GOOD, BAD, EMPTY, NULLS])
def test_a_partition_is_judged_by_its_own_rows_alone(
    scenario: Scenario, day: str, outcomes_of: Callable[[Scenario], Outcomes]
) -> None:
    (outcome,) = outcomes_of(scenario)[day]
    said = scenario.said_of(day)

    assert (outcome.passed, outcome.numbers, outcome.message) == (said.passed, said.numbers, said.message)
    assert outcome.sample == said.sample


@each_scenario
def test_an_outcome_names_its_check_and_the_line_that_declares_it(
    scenario: Scenario, outcomes_of: Callable[[Scenario], Outcomes]
) -> None:
    (outcome,) = outcomes_of(scenario)[BAD]

    assert outcome.check == scenario.name
    assert outcome.declared == f"config/ods/orders.yaml:10 checks[0].{scenario.check.kind}"
    assert (outcome.severity, outcome.downstream, outcome.blocks) == ("error", "all", True)


@each_scenario
def test_a_warning_fails_and_never_blocks(scenario: Scenario, desk: Desk) -> None:
    kind, written = next(iter(scenario.declared.items()))
    short = scenario.check.short_form
    full: dict[str, Any] = written if isinstance(written, dict) else {short: written}
    declared = {kind: full | {"severity": "warn"}}

    (outcome,) = desk.evaluate([declared], {BAD: scenario.bad_rows}, scenario.around)[BAD]

    assert (outcome.passed, outcome.severity, outcome.blocks) == (False, "warn", False)


def test_one_pass_serves_all_checks_that_can_share_it(desk: Desk) -> None:
    sharing = [
        one for one in SCENARIOS if one.check.kind in ("not_null", "unique", "accepted_values", "fresh")
    ]
    checks = [one.declared for one in sharing]
    desk.evaluate(checks, {GOOD: SCENARIOS[0].good_rows, EMPTY: []})

    assert (desk.asked.passes, desk.asked.queries) == (1, [])


def test_failures_of_several_checks_and_days_cost_one_further_query(desk: Desk) -> None:
    checks = [{"not_null": ["status"]}, {"unique": ["status"]}]
    rows = SCENARIOS[0].days[NULLS]
    found = desk.evaluate(checks, {GOOD: rows, BAD: rows})

    assert (desk.asked.passes, len(desk.asked.queries)) == (1, 1)
    assert [len(outcome.sample) for day in (GOOD, BAD) for outcome in found[day]] == [3, 1, 3, 1]


def test_counts_that_are_known_cost_no_question(desk: Desk) -> None:
    desk.evaluate([{"min_rows": 1}, {"volume": {"against": 7, "drop": "1%"}}], {GOOD: SCENARIOS[0].good_rows})

    assert (desk.asked.passes, desk.asked.queries) == (0, [])


@pytest.mark.parametrize("kind", ["share", "fan_out", "referential"])
def test_a_table_that_is_not_published_cannot_be_compared_with(desk: Desk, kind: str) -> None:
    scenarios = [one for one in SCENARIOS if one.check.kind == kind and one.around.others]
    for scenario in scenarios:
        there = dataclasses.replace(scenario.around.others["ods.account"], absent=("2026-01-05",))
        around = dataclasses.replace(scenario.around, others={"ods.account": there})
        (outcome,) = desk.evaluate([scenario.declared], {GOOD: scenario.good_rows}, around)[GOOD]

        assert not outcome.passed
        assert outcome.message == "ods.account[2026-01-05] is not published"
        assert outcome.numbers == {"absent": 1}
