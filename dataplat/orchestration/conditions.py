"""When automation makes a partition of a model: Dagster's own conditions, and the ledger's word at the end.

What it promises: a partition is launched once every upstream partition that it maps to is published and none
has a failed blocking check, and again when one of them was repaired; a partition whose gate is closed is
never launched, one that failed by itself is not tried again, and one that failed at a closed gate is launched
once when the gate opens.

What surprises, measured on Dagster 1.13 and pinned by tests:

* ``missing()`` alone launches a failing partition on every tick; hence ``~execution_failed()``.
* ``any_deps_match`` means *any* mapped partition, so "every" is always written as "not any that is not".
* ``check_failed()`` and not ``~check_passed()``: a check that was never evaluated, such as ``not_held`` on a
  partition that nobody ever held, holds nothing.
* ``newly_true`` looks at every partition there is; the time window inside it keeps that cheap.
* Dagster knows neither who paused a table, nor checks that hold back only some downstreams, nor partition
  mappings between grains that are shifted. The ledger does, so it has the last word (``LedgerAgrees``), which
  is why the sensors run in the code server: the daemon cannot evaluate a condition of ours.

Upstreams that are read as a whole, and external tables without readiness, neither hold nor launch anything.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster import AutomationCondition

Condition = Any  # Dagster's classes of conditions on assets and on checks do not compose in types
Ask = Callable[[tuple[str, ...], Iterable[str]], set[str]]


class LedgerAgrees(dg.AutomationCondition[dg.AssetKey]):
    """True for the partitions that the ledger lets through. It is asked only about those that are left."""

    def __init__(self, name: str, description: str, ask: Ask) -> None:
        self._name, self._description, self._ask = name, description, ask

    @property
    def name(self) -> str:
        """What the evaluation in the UI calls it."""
        return self._name

    @property
    def description(self) -> str:
        """What the evaluation in the UI says about it."""
        return self._description

    def evaluate(self, context: dg.AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:
        """Ask about the partitions that everything before it left over."""
        left = context.candidate_subset
        keys = left.expensively_compute_partition_keys()
        agreed = self._ask(tuple(context.key.path), sorted(keys)) if keys else set()
        return dg.AutomationResult(context, left.compute_intersection_with_partition_keys(agreed))


@dataclass(frozen=True)
class Waiting:
    """What tells the conditions of two models apart; models that agree in it share one object.

    Attributes:
        trigger: Of the model.
        scheduled: Whether a schedule makes a partition first, and automation only repairs it.
        lookback: How far back partitions are looked at.
        not_held_by: Upstreams about which Dagster's view says nothing; the ledger may.
        not_launched_by: Upstreams whose updates launch nothing.
        ledger_only: Whether the gate may open without an event that Dagster can see.
    """

    trigger: str
    scheduled: bool
    lookback: timedelta
    not_held_by: frozenset[dg.AssetKey] = frozenset()
    not_launched_by: frozenset[dg.AssetKey] = frozenset()
    ledger_only: bool = False


def when_upstream_ready(waiting: Waiting, may_launch: Ask, is_open: Ask) -> Condition:
    """Return the condition of a model.

    Args:
        waiting: What the model waits for.
        may_launch: Which partitions may be launched: not paused, and open.
        is_open: Which partitions have an open gate.
    """
    window = AutomationCondition.in_latest_time_window(waiting.lookback)
    stands, failed = _upstreams_stand(waiting), AutomationCondition.execution_failed()
    first_time = (AutomationCondition.missing() & ~failed).with_label("first_time")
    repaired = _any_upstream(_updated(), waiting.not_launched_by).since_last_handled()
    repaired = repaired.with_label("upstream_repaired")
    reopened = _failed_and_reopened(waiting, window & stands, is_open)
    due = (repaired & ~first_time) | reopened if waiting.scheduled else first_time | repaired | reopened
    at_rest = ~_any_upstream(AutomationCondition.in_progress(), waiting.not_held_by)
    agrees = LedgerAgrees("ledger_agrees", "Not paused, and the ledger finds the gate open.", may_launch)
    return (
        window
        & due.with_label("due")
        & stands.with_label("upstreams_stand")
        & at_rest.with_label("no_upstream_runs")
        & ~AutomationCondition.in_progress()
        & agrees
    ).with_label("when_upstream_ready")


def _upstreams_stand(waiting: Waiting) -> Condition:
    missing: Condition = AutomationCondition.missing()
    if waiting.trigger == "all_done":
        return ~_any_upstream(missing & ~AutomationCondition.execution_failed(), waiting.not_held_by)
    wrong = AutomationCondition.any_checks_match(AutomationCondition.check_failed(), blocking_only=True)
    return ~_any_upstream(missing, waiting.not_held_by) & ~_any_upstream(wrong, waiting.not_held_by)


def _failed_and_reopened(waiting: Waiting, gate_open: Condition, is_open: Ask) -> Condition:
    if waiting.ledger_only:
        gate_open &= LedgerAgrees("open_in_the_ledger", "The ledger finds the gate open.", is_open)
    handled = AutomationCondition.newly_requested() | AutomationCondition.newly_updated()
    opened = gate_open.newly_true().since(handled).with_label("gate_opened_since")
    return (AutomationCondition.execution_failed() & opened).with_label("failed_and_gate_opened_since")


def _updated() -> Condition:
    return AutomationCondition.newly_updated() & ~AutomationCondition.executed_with_root_target()


def _any_upstream(condition: Condition, ignored: frozenset[dg.AssetKey]) -> Condition:
    found = AutomationCondition.any_deps_match(condition)
    return found.ignore(dg.AssetSelection.assets(*sorted(ignored))) if ignored else found
