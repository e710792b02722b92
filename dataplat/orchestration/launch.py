"""Running assets from a command: in this process, without a daemon, recorded where the UI looks.

A table's partitions become one run for each contiguous range, tagged as Dagster tags its own range runs,
so that the partition bar, the checks and the run's page look the same whoever started it.
"""

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from zoneinfo import ZoneInfo

import dagster as dg
from dagster import BetaWarning, DagsterInstance, PreviewWarning

from dataplat.lifecycle.platform import Platform
from dataplat.orchestration.factories.models import build_model_asset
from dataplat.orchestration.factories.recheck import CHECK_AGAIN, build_recheck_job
from dataplat.orchestration.factories.tables import build_table_asset
from dataplat.orchestration.observer import INTERRUPTED, Observer, observed_by
from dataplat.orchestration.partitions import range_tags
from dataplat.orchestration.places import cancel_own_runs, process_tag, settle_dead_runs, wait_for_place
from dataplat.plan.partitions import contiguous_runs
from dataplat.specs import AnyTable, ModelSpec


@dataclass(frozen=True)
class RunResult:
    """How one run ended.

    Attributes:
        run_id: As the UI knows it.
        partitions: What it was asked for.
        succeeded: Whether every partition is published.
        message: The error's whole text; empty on success.
    """

    run_id: str
    partitions: tuple[str, ...]
    succeeded: bool
    message: str = ""


def run_table(
    platform: Platform,
    instance: DagsterInstance,
    spec: AnyTable,
    keys: Sequence[str],
    observer: Observer,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> list[RunResult]:
    """Materialize partitions of one table in this process; a failed run does not stop the next.

    ``tags`` are put on every run, beside our own.

    Returns:
        The result of each run, in order of time. Nothing is raised for a failed load.

    Raises:
        KeyboardInterrupt: There was one during the run, which Dagster keeps to itself. What was reported
            so far is published.
    """
    asset = (
        build_model_asset(platform.catalog, platform.graph, spec)
        if isinstance(spec, ModelSpec)
        else build_table_asset(platform.catalog, spec)
    )
    zone = ZoneInfo(platform.catalog.platform.timezone)
    settle_dead_runs(instance)
    return [
        _run(platform, instance, asset, spec, run, observer, tags)
        for run in contiguous_runs(keys, spec.window.grain, zone)
    ]


def run_recheck(
    platform: Platform,
    instance: DagsterInstance,
    spec: AnyTable,
    keys: Sequence[str],
    observer: Observer,
) -> RunResult:
    """Check published partitions of one table again in this process, by the job that the UI has too."""
    with observed_by(observer):
        result = build_recheck_job().execute_in_process(
            instance=instance,
            resources={"platform": platform},
            tags={"dataplat/table": spec.table, "dataplat/actor": platform.settings.actor, **process_tag()},
            raise_on_error=False,
            run_config={
                "ops": {CHECK_AGAIN: {"config": {"table": spec.table, "dates": ",".join(keys)}}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )
    if any(event.event_type is dg.DagsterEventType.RUN_CANCELED for event in result.all_events):
        raise KeyboardInterrupt
    return RunResult(result.run_id, tuple(keys), result.success, "" if result.success else _failure(result))


def _run(
    platform: Platform,
    instance: DagsterInstance,
    asset: dg.AssetsDefinition,
    spec: AnyTable,
    keys: tuple[str, ...],
    observer: Observer,
    more_tags: Mapping[str, str],
) -> RunResult:
    if asset.op.pool is not None:
        wait_for_place(instance, asset.op.pool, observer.waiting)
    tags = {**more_tags, "dataplat/table": spec.table, "dataplat/actor": platform.settings.actor}
    tags |= process_tag()
    tags |= range_tags(keys)
    try:
        with observed_by(observer):
            result = dg.materialize(
                [asset],
                instance=instance,
                partition_key=keys[0] if len(keys) == 1 else None,
                resources={"platform": platform},
                tags=tags,
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
    except KeyboardInterrupt:  # between two of Dagster's own steps: nobody has told the run
        cancel_own_runs(instance)
        raise
    if any(event.event_type is dg.DagsterEventType.RUN_CANCELED for event in result.all_events):
        raise KeyboardInterrupt
    message = "" if result.success else _failure(result)
    if message == INTERRUPTED:
        raise KeyboardInterrupt
    return RunResult(result.run_id, keys, result.success, message)


def _failure(result: dg.ExecuteInProcessResult) -> str:
    for event in reversed(result.all_events):
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data is not None and data.user_failure_data.description:
                return str(data.user_failure_data.description)
            if data.error is not None:
                cause = data.error.cause or data.error
                return str(cause.message).strip()
    return "the run failed before its first step; see its page in the UI"


def quiet_dagster() -> None:
    """Keep Dagster's log lines out of a command's output, and its notes that what we use is still in preview.

    The lines are in the run's page; the notes are answered by our contract tests.
    """
    for category in (PreviewWarning, BetaWarning):
        warnings.filterwarnings("ignore", category=category)
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
