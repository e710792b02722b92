"""The Dagster instance of a home: made on first use, the same for commands, runs and the UI."""

from pathlib import Path

import dagster as dg
import yaml

from dataplat.specs import Catalog

_INSTANCE = {
    "telemetry": {"enabled": False},
    "nux": {"enabled": False},  # no dialog that asks a newcomer for an address
    "concurrency": {
        "runs": {
            "max_concurrent_runs": 4,
            # A backfill never takes the whole queue.
            "tag_concurrency_limits": [{"key": "dagster/backfill", "limit": 3}],
        },
        "pools": {"default_limit": 2, "granularity": "op"},
    },
    "run_monitoring": {
        "enabled": True,
        "start_timeout_seconds": 300,
        # Without it a killed run keeps its place in the pool for ever.
        "free_slots_after_run_end_seconds": 60,
    },
    # A sensor that waits for a server does not keep the others from their ticks.
    "sensors": {"use_threads": True, "num_workers": 4},
    "schedules": {"use_threads": True, "num_workers": 2},
    "retention": {"sensor": {"purge_after_days": {"skipped": 2, "failure": 14, "success": 30}}},
    "run_retries": {"enabled": True, "max_retries": 1, "retry_on_asset_or_op_failure": False},
}


_EVENT_LOG = {"module": "dataplat.orchestration.sqlite_log", "class": "KeptSqliteEventLog"}


def prepare_dagster_home(home: Path) -> None:
    """Write ``dagster.yaml`` where there is none. What is there is somebody's decision and stays."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / "dagster.yaml"
    if not path.exists():
        # Where Dagster itself would put it, so that nothing is lost by taking the entry out again.
        log = {**_EVENT_LOG, "config": {"base_dir": str(home.absolute() / "history" / "runs")}}
        path.write_text(yaml.safe_dump({**_INSTANCE, "event_log_storage": log}, sort_keys=False))


def open_instance(home: Path, catalog: Catalog) -> dg.DagsterInstance:
    """Return the instance of a home, with a pool for each source as its budget allows."""
    prepare_dagster_home(home)
    instance = dg.DagsterInstance.from_config(str(home))
    limits = {item.name: item.limit for item in instance.event_log_storage.get_pool_limits()}
    for source in catalog.sources.values():
        pool, limit = pool_name(source.name), source.budget.loads_at_once
        if limits.get(pool) != limit:
            instance.event_log_storage.set_concurrency_slots(pool, limit)
    return instance


def pool_name(source: str) -> str:
    """Return the pool that all loads from a source share."""
    return f"source_{source}"
