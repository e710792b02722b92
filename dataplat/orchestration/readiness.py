"""External tables whose readiness is asked: their assets, and the sensor that asks.

The sensor asks every open partition of every readiness, within a bounded time; where it stops it goes on at
the next tick. What it finds goes to the ledger, where the gate looks, and what is ready becomes a
materialization of the external asset, which automation waits for. A server that is down is told in the
tick's log and stops nobody else; its partitions stay as they were.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from dataplat.orchestration.gatekeeper import Gatekeeper
from dataplat.orchestration.partitions import partitions_from
from dataplat.specs import Catalog, ReadinessSpec, SecretResolver
from dataplat.specs.problems import counted

if TYPE_CHECKING:
    from dataplat.lifecycle.readiness import Answer

SENSOR = "readiness"
SECONDS_A_TICK = 30  # Dagster ends a tick after 60
Clock = Callable[[], datetime]


def _utc_now() -> datetime:
    return datetime.now(UTC)


def build_external_assets(catalog: Catalog) -> list[dg.AssetSpec]:
    """Return the assets of external tables that a readiness declares."""
    return [
        dg.AssetSpec(
            dg.AssetKey(list(spec.external_path)),
            partitions_def=partitions_from(spec.grain, spec.start or catalog.platform.start, catalog),
            description=spec.description or None,
            group_name="external",
            kinds={"external"},
            metadata={"readiness": spec.declared.at("table")},
        )
        for spec in catalog.readiness.values()
    ]


def build_readiness_sensors(
    catalog: Catalog,
    gatekeeper: Gatekeeper,
    environ: Mapping[str, str],
    now: Clock = _utc_now,
) -> list[dg.SensorDefinition]:
    """Return the sensor that asks, if there is anything to ask. ``now`` says which partitions have ended."""
    if not catalog.readiness:
        return []

    @dg.sensor(
        name=SENSOR,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        asset_selection=dg.AssetSelection.assets(
            *(dg.AssetKey(list(spec.external_path)) for spec in catalog.readiness.values())
        ),
        description="Asks whether partitions of external tables are ready.",
    )
    def readiness(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        tick = _Tick(catalog, gatekeeper, SecretResolver(environ), context.instance)
        tick.ask(now(), _position(context.cursor))
        for trouble in tick.troubles:
            context.log.error(trouble)
        told = f"asked about {counted(tick.asked, 'partition')}, {len(tick.events)} became ready"
        problem = f"; {len(tick.troubles)} could not be asked: {tick.troubles[0]}" if tick.troubles else ""
        return dg.SensorResult(
            asset_events=tick.events,
            cursor=json.dumps({"from": tick.stopped_at}),
            skip_reason=told + problem,
        )

    return [readiness]


def arrival_event(spec: ReadinessSpec, answer: "Answer") -> dg.AssetMaterialization:
    """Return what Dagster is told of a partition that is ready."""
    metadata: dict[str, Any] = {"readiness": spec.name, "evidence": answer.evidence}
    if answer.landed_at is not None:
        metadata["landed_at"] = dg.MetadataValue.timestamp(answer.landed_at)
    return dg.AssetMaterialization(
        dg.AssetKey(list(spec.external_path)), partition=answer.partition, metadata=metadata
    )


def _position(cursor: str | None) -> str:
    """Return where to go on: the beginning, if the cursor cannot be read or names what is gone."""
    try:
        found = json.loads(cursor or "{}")
    except ValueError:
        return ""
    place = found.get("from") if isinstance(found, dict) else ""
    return place if isinstance(place, str) else ""


class _Tick:
    """One tick: what was asked, what became ready, and what could not be asked."""

    def __init__(
        self, catalog: Catalog, gatekeeper: Gatekeeper, secrets: SecretResolver, instance: dg.DagsterInstance
    ) -> None:
        self._catalog, self._gatekeeper, self._secrets = catalog, gatekeeper, secrets
        self._instance = instance
        self.events: list[dg.AssetMaterialization] = []
        self.troubles: list[str] = []
        self.asked = 0
        self.stopped_at = ""

    def ask(self, now: datetime, begin: str) -> None:
        """Ask about every open partition, beginning with the readiness named, until the time is over."""
        until = time.monotonic() + SECONDS_A_TICK
        names = sorted(self._catalog.readiness)
        later = [name for name in names if name >= begin]
        for name in [*later, *names[: len(names) - len(later)]]:
            if time.monotonic() > until:
                self.stopped_at = name
                return
            self._ask_one(self._catalog.readiness[name], now, until)

    def _ask_one(self, spec: ReadinessSpec, now: datetime, until: float) -> None:
        from dataplat.lifecycle.readiness import open_partitions, record_answer

        told = self._instance.get_materialized_partitions(dg.AssetKey(list(spec.external_path)))
        for answer in self._answers(spec, open_partitions(self._catalog, spec, now), until):
            self.asked += 1
            if answer.error is not None:
                self.troubles.append(str(answer.error).splitlines()[0] + _found(answer.error.facts))
                return  # its server is asked again at the next tick, and not for every partition now
            changed = record_answer(self._gatekeeper.ledger, answer)
            if answer.ready and (changed or answer.partition not in told):
                self.events.append(arrival_event(spec, answer))

    def _answers(self, spec: ReadinessSpec, keys: Any, until: float) -> "Iterator[Answer]":
        from dataplat.lifecycle.readiness import ask_partition

        for key in keys:
            if time.monotonic() > until:
                return
            yield ask_partition(self._catalog, self._secrets, spec, key)


def _found(facts: Any) -> str:
    return "".join(f" ({text})" for label, text in facts if label == "found")
