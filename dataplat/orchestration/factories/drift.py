"""The job ``drift`` and the sensor that launches it: sources are asked what changed, and just that is loaded.

The sensor decides nothing but that it is time, so its ticks are short whatever the sources do. Counting is a
run: it may take as long as it takes, its page in the UI shows what was found, and one run for each source
keeps a server that is down from holding up the others. The job may be launched by hand, too.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from dataplat.orchestration.automation import LAUNCHED_BY
from dataplat.orchestration.gatekeeper import Gatekeeper
from dataplat.specs import Catalog, TableSpec
from dataplat.specs.drift import DriftSpec

DRIFT, COUNT_AGAIN = "drift", "count_again"  # Dagster wants different names for a job and its op
GROUP_TAG = "dataplat/drift"
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DriftConfig(dg.Config):
    """What is counted again."""

    tables: list[str] = Field(description="Tables: ods.ods_t_money_record")
    days: int = Field(8, description="How many business days back.")
    checksum: bool = Field(False, description="Whether values are compared too; it needs the engine.")
    load: bool = Field(True, description="Whether what changed is queued, or only told.")


@dg.op(
    name=COUNT_AGAIN,
    required_resource_keys={"platform"},
    description="Counts partitions that are over at their source again, and queues those that changed.",
)
def count_again_op(
    context: dg.OpExecutionContext, config: DriftConfig
) -> Iterator[dg.AssetObservation | dg.Output[Any]]:
    """Hand over to the body, which imports the ledger and what asks sources."""
    from dataplat.orchestration.drift import count_again

    yield from count_again(
        context, config.tables, days=config.days, checksum=config.checksum, load=config.load
    )


def build_drift_job() -> dg.JobDefinition:
    """Return the job."""

    @dg.job(name=DRIFT, description="Find partitions that their sources changed, and load them again.")
    def drift() -> None:
        count_again_op()

    return drift


def build_drift_sensors(
    catalog: Catalog, gatekeeper: Gatekeeper, now: Callable[[], datetime] = _utc_now
) -> list[dg.SensorDefinition]:
    """Return the sensor, if the sources of any table are to be asked. ``now`` says when it is time."""
    groups = drift_groups(catalog)
    if not groups:
        return []

    @dg.sensor(
        name=DRIFT,
        job_name=DRIFT,  # given the job itself, Dagster 1.13 warns of its own beta parameters at every load
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Launches the job drift for each source when it is time.",
    )
    def drift(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        moment, last = now(), _read_cursor(context.cursor)
        paused, busy = gatekeeper.paused(), _under_way(context.instance)
        requests = []
        for name, (spec, tables) in groups.items():
            wanted = [table.table for table in tables if table.table not in paused]
            began = last.get(name)
            due = began is None or moment - began >= spec.every or began > moment
            if wanted and due and name not in busy:
                requests.append(_request(name, spec, wanted, moment))
                last[name] = moment
        kept = {name: at.isoformat() for name, at in last.items() if name in groups}
        return dg.SensorResult(
            run_requests=requests,
            cursor=json.dumps(kept),
            skip_reason=None if requests else _when(groups, last, moment),
        )

    return [drift]


def drift_groups(catalog: Catalog) -> Mapping[str, tuple[DriftSpec, Sequence[TableSpec]]]:
    """Return the tables that one run asks about, by a name: those of a source with equal settings."""
    found: dict[str, tuple[DriftSpec, list[TableSpec]]] = {}
    for spec in catalog.tables.values():
        if isinstance(spec.drift, DriftSpec):
            settings = spec.drift
            minutes = int(settings.every.total_seconds() // 60)
            name = f"{'+'.join(spec.all_sources)}_{settings.days}d_every_{minutes}m"
            name += "_checksum" if settings.checksum else ""
            found.setdefault(name, (settings, []))[1].append(spec)
    return found


def _request(name: str, spec: DriftSpec, tables: Sequence[str], moment: datetime) -> dg.RunRequest:
    config = {"tables": list(tables), "days": spec.days, "checksum": spec.checksum}
    return dg.RunRequest(
        run_key=f"{name}|{moment.isoformat()}",
        run_config={"ops": {COUNT_AGAIN: {"config": config}}},
        tags={GROUP_TAG: name, LAUNCHED_BY: "drift"},
    )


def _under_way(instance: dg.DagsterInstance) -> set[str]:
    """Return the groups whose last run has not ended: a slow source is not asked by two at once."""
    runs = instance.get_runs(dg.RunsFilter(job_name=DRIFT, statuses=_UNFINISHED))
    return {run.tags.get(GROUP_TAG, "") for run in runs}


def _read_cursor(cursor: str | None) -> dict[str, datetime]:
    """Return when each group was asked last; what cannot be read was never asked.

    >>> _read_cursor('{"market_8d_every_360m": "2026-01-09T05:00:00+08:00", "other": 7}').keys()
    dict_keys(['market_8d_every_360m'])
    """
    try:
        found = json.loads(cursor or "{}")
    except ValueError:
        return {}
    times: dict[str, datetime] = {}
    for name, text in found.items() if isinstance(found, dict) else ():
        try:
            at = datetime.fromisoformat(text)
        except (ValueError, TypeError):
            continue
        if at.tzinfo is not None:
            times[name] = at
    return times


def _when(
    groups: Mapping[str, tuple[DriftSpec, Sequence[TableSpec]]],
    last: Mapping[str, datetime],
    moment: datetime,
) -> str:
    waits = [spec.every - (moment - last[name]) for name, (spec, _) in groups.items() if name in last]
    if not waits:
        return "every table is paused"
    minutes = max(0, -(-int(min(waits, default=timedelta()).total_seconds()) // 60))
    return f"the next source is asked in {minutes} min"
