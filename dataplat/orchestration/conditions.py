"""When automation makes a partition of a model: Dagster says what is due, the ledger if the gate is open.

What it promises: a partition is launched once every upstream partition that it maps to is published and none
is held or failed its last check, and again when one of them was repaired; a partition whose gate is closed is
never launched, one that failed by itself is not tried again, and one that failed at a closed gate is launched
once when the gate opens.

What surprises, measured on Dagster 1.13 and pinned by tests:

* ``missing()`` alone launches a failing partition on every tick; hence ``~execution_failed()``.
* ``any_deps_match`` means *any* mapped partition, so "every" would have to be "not any that is not".
* Asking Dagster whether upstreams stand (``missing()`` and ``any_checks_match()`` of dependencies) costs a
  query for every check of every upstream: 60 ms a model and tick. Nor would it be the whole answer: Dagster
  knows neither who paused a table, nor checks that hold back only some downstreams, nor partition mappings
  between grains that are shifted. The ledger knows, for all models in a few questions a tick.
* So the sensors run in the code server: the daemon cannot evaluate a condition of ours.
* ``newly_true`` looks at every partition there is; the time window inside it keeps that cheap.

Upstreams that are read as a whole, and external tables without readiness, neither hold nor launch anything.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster import AutomationCondition

Condition = Any  # Dagster's classes of conditions on assets and on checks do not compose in types
Ask = Callable[[tuple[str, ...], Iterable[str], object], set[str]]


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
        moment = context.asset_graph_view  # one for each tick
        agreed = self._ask(tuple(context.key.path), sorted(keys), moment) if keys else set()
        return dg.AutomationResult(context, left.compute_intersection_with_partition_keys(agreed))


@dataclass(frozen=True)
class Waiting:
    """What tells the conditions of two models apart; models that agree in it share one object.

    Attributes:
        scheduled: Whether a schedule makes a partition first, and automation only repairs it.
        lookback: How far back partitions are looked at.
        not_held_by: Upstreams whose runs are not waited for.
        not_launched_by: Upstreams whose updates launch nothing.
    """

    scheduled: bool
    lookback: timedelta
    not_held_by: frozenset[dg.AssetKey] = frozenset()
    not_launched_by: frozenset[dg.AssetKey] = frozenset()


def when_upstream_ready(waiting: Waiting, may_launch: Ask, is_open: Ask) -> Condition:
    """Return the condition of a model.

    Args:
        waiting: What the model waits for.
        may_launch: Which partitions may be launched: not paused, and open.
        is_open: Which partitions have an open gate.
    """
    window = AutomationCondition.in_latest_time_window(waiting.lookback)
    failed = AutomationCondition.execution_failed()
    first_time = (AutomationCondition.missing() & ~failed).with_label("first_time")
    repaired = _any_upstream(_updated(), waiting.not_launched_by).since_last_handled()
    repaired = repaired.with_label("upstream_repaired")
    is_now_open = LedgerAgrees("gate_open", "The ledger finds the gate open.", is_open)
    handled = AutomationCondition.newly_requested() | AutomationCondition.newly_updated()
    opened = (window & is_now_open).newly_true().since(handled).with_label("gate_opened_since")
    reopened = (failed & opened).with_label("failed_and_gate_opened_since")
    due = (repaired & ~first_time) | reopened if waiting.scheduled else first_time | repaired | reopened
    at_rest = ~_any_upstream(AutomationCondition.in_progress(), waiting.not_held_by)
    agrees = LedgerAgrees("ledger_agrees", "Not paused, and the ledger finds the gate open.", may_launch)
    return (
        window
        & due.with_label("due")
        & ~AutomationCondition.in_progress()
        & agrees
        & at_rest.with_label("no_upstream_runs")
    ).with_label("when_upstream_ready")


def _updated() -> Condition:
    return AutomationCondition.newly_updated() & ~AutomationCondition.executed_with_root_target()


def _any_upstream(condition: Condition, ignored: frozenset[dg.AssetKey]) -> Condition:
    found = AutomationCondition.any_deps_match(condition)
    return found.ignore(dg.AssetSelection.assets(*sorted(ignored))) if ignored else found
