"""The shipped configuration as Dagster sees it: loaded for real, compared with a reviewed list."""

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from dataplat.orchestration.build import build_definitions
from dataplat.settings import read_settings
from dataplat.specs import Catalog, load_catalog

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "dataplat_tests" / "golden" / "definitions"
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return load_catalog(ROOT / "config", {"DATAPLAT_HOME": str(tmp_path_factory.mktemp("home"))})


@pytest.fixture(scope="module")
def definitions(catalog: Catalog) -> dg.Definitions:
    return build_definitions(read_settings({}, config=ROOT / "config"), catalog, {})


def test_the_shipped_definitions_are_loadable(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_the_shipped_definitions_are_as_reviewed(
    definitions: dg.Definitions, golden: Callable[[Path, str], None]
) -> None:
    described = [
        _describe(asset) for asset in definitions.assets or () if isinstance(asset, dg.AssetsDefinition)
    ]
    schedules = [_describe_schedule(schedule) for schedule in definitions.schedules or ()]
    sensors = [_describe_sensor(sensor) for sensor in definitions.sensors or ()]
    everything = {"assets": described, "schedules": schedules, "sensors": sensors}
    text = json.dumps(everything, indent=1, ensure_ascii=False) + "\n"
    golden(GOLDEN / "shipped.json", text)


def _describe(asset: dg.AssetsDefinition) -> dict[str, Any]:
    (spec,) = asset.specs
    partitions = spec.partitions_def
    assert isinstance(partitions, dg.TimeWindowPartitionsDefinition)
    return {
        "key": spec.key.to_user_string(),
        "group": spec.group_name,
        "owners": list(spec.owners),
        "kinds": sorted(spec.kinds),
        "deps": {dep.asset_key.to_user_string(): repr(dep.partition_mapping) for dep in spec.deps},
        "partitions": [str(partitions.schedule_type), f"{partitions.start:%Y-%m-%d}", partitions.timezone],
        "automation": spec.automation_condition.get_label() if spec.automation_condition else None,
        "pools": sorted(asset.op.pools),
        "checks": {check.name: "blocks" if check.blocking else "warns" for check in asset.check_specs},
    }


def _describe_schedule(schedule: Any) -> dict[str, Any]:
    return {
        "name": schedule.name,
        "cron": schedule.cron_schedule,
        "zone": schedule.execution_timezone,
        "status": schedule.default_status.value,
    }


def _describe_sensor(sensor: Any) -> dict[str, Any]:
    return {
        "name": sensor.name,
        "status": sensor.default_status.value,
        "seconds": sensor.minimum_interval_seconds,
        "tags": dict(getattr(sensor, "run_tags", {})),
    }


def test_every_check_is_partitioned_like_its_table(definitions: dg.Definitions) -> None:
    made = [asset for asset in definitions.assets or () if isinstance(asset, dg.AssetsDefinition)]
    assert made
    for asset in made:
        (spec,) = asset.specs
        assert {check.partitions_def for check in asset.check_specs} == {spec.partitions_def}


@pytest.mark.parametrize(
    ("name", "tick", "partition"),
    [
        ("schedule_day_0_2_any_any_any", datetime(2026, 3, 1, 2, tzinfo=ZONE), "2026-02-28"),
        ("schedule_hour_10_any_any_any_any", datetime(2026, 3, 1, 0, 10, tzinfo=ZONE), "2026-02-28-23:00"),
    ],
)
def test_a_schedule_asks_for_the_partition_that_ended_last(
    definitions: dg.Definitions, name: str, tick: datetime, partition: str
) -> None:
    schedule = next(item for item in definitions.schedules or () if item.name.startswith(name))
    assert isinstance(schedule, dg.ScheduleDefinition)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=tick,
            repository_def=definitions.get_repository_def(),
        )
        requests = schedule.evaluate_tick(context).run_requests or []
    assert requests
    assert {request.partition_key for request in requests} == {partition}
    assert len({request.run_key for request in requests}) == len(requests)
    assert all(len(request.asset_selection or ()) == 1 for request in requests), "a run for each table"


def test_dagsters_own_command_finds_nothing_to_complain_about() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "dg"), "check", "defs"],
        cwd=ROOT,
        env={**os.environ, "DAGSTER_IS_DEV_CLI": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_loading_definitions_opens_no_connection() -> None:
    code = (
        "import socket\n"
        "def refuse(*_): raise AssertionError('a connection was opened while definitions loaded')\n"
        "socket.socket.connect = refuse\n"
        "import warnings; warnings.simplefilter('ignore')\n"
        "from dataplat.definitions import defs\n"
        "defs().get_repository_def()\n"
    )
    environ = {**os.environ, "DATAPLAT_CONFIG": str(ROOT / "config"), "DATAPLAT_HOME": "/nowhere"}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_secret_and_no_password_is_in_the_definitions(catalog: Catalog) -> None:
    environ = {
        "MARKET_PASSWORD": "canary-7f3a",
        "LOGISTICS_PASSWORD": "canary-7f3a",
        "DATAPLAT_HOME": "/nowhere",
    }
    loaded = load_catalog(ROOT / "config", environ)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        repository = build_definitions(
            read_settings(environ, config=ROOT / "config"), loaded, environ
        ).get_repository_def()
        from dagster._core.remote_representation.external_data import RepositorySnap

        snapshot = dg.serialize_value(RepositorySnap.from_def(repository))
    assert "canary-7f3a" not in snapshot
    assert "ods_t_account" in snapshot
