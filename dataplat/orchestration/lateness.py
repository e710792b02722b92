"""The sensor that tells once of each partition that is late, and once more when it came.

The ledger remembers what was told, so the sensor needs no cursor; one from another year changes nothing. It
looks at the partitions that ended within the platform's lookback.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from dataplat.orchestration.gatekeeper import Gatekeeper
from dataplat.plan.lateness import freshness_cron
from dataplat.specs import AnyTable, Catalog

if TYPE_CHECKING:
    from dataplat.lifecycle.lateness import Change

SENSOR = "lateness"


def _utc_now() -> datetime:
    return datetime.now(UTC)


def freshness_policy(catalog: Catalog, spec: AnyTable) -> dg.FreshnessPolicy | None:
    """Return the policy behind the badge in the UI, which looks at the newest event of any partition."""
    cron = freshness_cron(spec.fresh, spec.window.grain) if spec.fresh else None
    if cron is None:
        return None
    return dg.FreshnessPolicy.cron(
        deadline_cron=cron[0], lower_bound_delta=cron[1], timezone=catalog.platform.timezone
    )


def build_lateness_sensors(
    catalog: Catalog, gatekeeper: Gatekeeper, now: Callable[[], datetime] = _utc_now
) -> list[dg.SensorDefinition]:
    """Return the sensor, if any table has a deadline. ``now`` says which deadlines are over."""
    late = [spec for spec in catalog.all_tables.values() if spec.fresh is not None]
    if not late:
        return []

    @dg.sensor(
        name=SENSOR,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        asset_selection=dg.AssetSelection.assets(*(dg.AssetKey(spec.asset_path) for spec in late)),
        description="Tells once of each partition that is not there at its deadline.",
    )
    def lateness(_: dg.SensorEvaluationContext) -> dg.SensorResult:
        from dataplat.lifecycle.lateness import raise_lateness

        changes = list(raise_lateness(catalog, gatekeeper.ledger, now()))
        if not changes:
            return dg.SensorResult(skip_reason="nothing became late, and nothing late came")
        return dg.SensorResult(asset_events=[_event(catalog, change) for change in changes])

    return [lateness]


def _event(catalog: Catalog, change: "Change") -> dg.AssetObservation:
    landing = change.landing
    assert landing.deadline is not None
    metadata: dict[str, Any] = {
        "lateness": "came late" if change.ended else "late",
        "deadline": dg.MetadataValue.timestamp(landing.deadline),
    }
    if landing.reason and not change.ended:
        metadata["reason"] = landing.reason
    if change.ended and landing.landed_at is not None:
        metadata["landed_at"] = dg.MetadataValue.timestamp(landing.landed_at)
        metadata["late_by_minutes"] = int((landing.landed_at - landing.deadline).total_seconds() // 60)
    if landing.usual is not None:
        metadata["usual_landing_minutes"] = int(landing.usual.total_seconds() // 60)
    spec = catalog.any_table(landing.table)
    return dg.AssetObservation(dg.AssetKey(spec.asset_path), partition=landing.partition, metadata=metadata)
