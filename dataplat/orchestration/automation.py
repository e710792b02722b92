"""Automation of models: which condition each has, and the sensors that evaluate them.

One sensor serves a layer; models with a priority of their own have one more, because a run gets its priority
from the sensor that requests it. A sensor serves at most as many models as Dagster lets one serve.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from itertools import groupby

import dagster as dg

from dataplat.orchestration.conditions import Condition, Waiting, when_upstream_ready
from dataplat.orchestration.gatekeeper import Gatekeeper
from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.models.mapping import Upstream, default_unit
from dataplat.plan.needed import awaited_upstreams
from dataplat.specs import Catalog, ModelSpec

PRIORITY = "dagster/priority"
LAUNCHED_BY = "dataplat/launched_by"
SECONDS_BETWEEN_TICKS = 30
MODELS_A_SENSOR = 400  # Dagster refuses more than 500 where it asks the code server
_TWO_MONTHS = timedelta(days=62)


class Automation:
    """Gives models their conditions; models that wait for the same share one."""

    def __init__(self, catalog: Catalog, graph: ModelGraph, gatekeeper: Gatekeeper) -> None:
        self._catalog = catalog
        self._graph = graph
        self._gatekeeper = gatekeeper
        self._shared = lru_cache(maxsize=None)(self._condition)

    def condition_of(self, spec: ModelSpec) -> Condition | None:
        """Return the condition of a model, none if only people launch it."""
        return self._shared(self._waiting(spec)) if spec.automatic else None

    def _condition(self, waiting: Waiting) -> Condition:
        return when_upstream_ready(waiting, self._gatekeeper.may_launch, self._gatekeeper.open_partitions)

    def _waiting(self, spec: ModelSpec) -> Waiting:
        awaited = awaited_upstreams(self._catalog, self._graph, spec)
        known = {upstream.table for upstream in awaited}
        upstreams = [one for one in self._graph.upstreams(spec.table) if one.table not in known] + [*awaited]
        unseen = {
            one for one in upstreams if one.reads != "partitions" or (one.external and one.table not in known)
        }
        inexact = {one for one in upstreams if one not in unseen and not maps_exactly(spec, one)}
        not_launched_by = {upstream_key(self._catalog, one) for one in unseen}
        if spec.depends_on_past and all(one.table != spec.table for one in upstreams):
            not_launched_by.add(dg.AssetKey(spec.asset_path))
        lookback = self._catalog.platform.automation.lookback
        return Waiting(
            scheduled=spec.schedule is not None,
            lookback=max(lookback, _TWO_MONTHS) if spec.grain == "month" else lookback,
            not_held_by=frozenset(upstream_key(self._catalog, one) for one in unseen | inexact),
            not_launched_by=frozenset(not_launched_by),
        )


def upstream_key(catalog: Catalog, upstream: Upstream) -> dg.AssetKey:
    """Return the asset of a table that a model reads."""
    if upstream.external:
        return dg.AssetKey(["external", *upstream.table.split(".")])
    return dg.AssetKey(catalog.any_table(upstream.table).asset_path)


def maps_exactly(spec: ModelSpec, upstream: Upstream) -> bool:
    """Say whether Dagster's mapping gives exactly the partitions that the gate asks about.

    It does for one span, shifted or not, of an equal grain, and for the partitions that overlap, of another
    grain. It cannot leave gaps, count from the first day of a month, or shift between grains.
    """
    if len(upstream.spans) != 1 or upstream.grain is None:
        return False
    (span,) = upstream.spans
    anchors = {span.first_from, span.last_from}
    if len(anchors) != 1 or not anchors <= {"start", "end"}:
        return False
    shifted = (span.first, span.last) != (0, 0)
    return span.unit == default_unit(spec.grain, upstream.grain) and (
        upstream.grain == spec.grain or not shifted
    )


def build_automation_sensors(catalog: Catalog) -> list[dg.SensorDefinition]:
    """Return the sensors of all models that are made by themselves, running as soon as the daemon does."""
    return [_sensor(name, models) for name, models in sensor_models(catalog).items()]


def sensor_models(catalog: Catalog) -> dict[str, list[ModelSpec]]:
    """Return which models each sensor serves, by its name."""

    def together(spec: ModelSpec) -> tuple[str, int]:
        return spec.layer, spec.priority

    found: dict[str, list[ModelSpec]] = {}
    automatic = sorted((spec for spec in catalog.models.values() if spec.automatic), key=together)
    for (layer, priority), group in groupby(automatic, key=together):
        name = f"automation_{layer}" + (f"_priority_{priority}".replace("-", "minus_") if priority else "")
        models = list(group)
        for start in range(0, len(models), MODELS_A_SENSOR):
            part = f"{name}_{start // MODELS_A_SENSOR + 1}" if start else name
            found[part] = models[start : start + MODELS_A_SENSOR]
    return found


def priority_tags(priority: int) -> dict[str, str]:
    """Return the tags that give runs their place in the queue."""
    return {PRIORITY: str(priority)} if priority else {}


def _sensor(name: str, models: Sequence[ModelSpec]) -> dg.SensorDefinition:
    return dg.AutomationConditionSensorDefinition(
        name=name,
        target=dg.AssetSelection.assets(*(dg.AssetKey(spec.asset_path) for spec in models)),
        run_tags={LAUNCHED_BY: "automation", **priority_tags(models[0].priority)},
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=SECONDS_BETWEEN_TICKS,
        emit_backfills=False,
        use_user_code_server=True,
        description=f"Makes partitions of {models[0].layer} once their upstreams stand.",
    )
