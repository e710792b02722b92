"""Definitions cost what definitions cost: no Spark, no ledger; and every grain knows its last partition."""

import gc
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from dataplat.definitions import defs
from dataplat.errors import SpecError
from dataplat.orchestration.build import build_definitions
from dataplat.settings import read_settings
from dataplat.specs import load_catalog

ROOT = Path(__file__).parents[2]
ZONE = ZoneInfo("Asia/Shanghai")


def test_loading_definitions_imports_neither_spark_nor_the_ledger_nor_a_data_frame() -> None:
    code = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from dataplat.definitions import defs\n"
        "defs().get_repository_def()\n"
        "heavy = {'pyspark', 'grpc', 'pandas', 'pyarrow', 'dataplat.ledger', 'dataplat.engine'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    environ = {**os.environ, "DATAPLAT_CONFIG": str(ROOT / "config"), "DATAPLAT_HOME": "/nowhere"}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_the_garbage_collector_works_again_once_definitions_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAPLAT_HOME", str(tmp_path))
    monkeypatch.setenv("DATAPLAT_CONFIG", str(ROOT / "config"))
    before = gc.get_freeze_count()
    defs()
    after = gc.get_freeze_count()
    assert gc.isenabled()
    assert after > before, "what stays is left out"

    monkeypatch.setenv("DATAPLAT_CONFIG", str(tmp_path / "gone"))
    with pytest.raises(SpecError):
        defs()
    assert gc.isenabled()
    assert gc.get_freeze_count() <= after, "nothing was made"


@pytest.mark.parametrize(
    ("grain", "cron", "tick", "partition"),
    [
        ("day", "0 2 * * *", "2026-03-01T02:00", "2026-02-28"),
        ("day", "59 23 * * *", "2026-03-01T23:59", "2026-02-28"),
        ("day", "0 0 * * *", "2026-03-01T00:00", "2026-02-28"),
        ("hour", "10 * * * *", "2026-03-01T05:10", "2026-03-01-04:00"),
        ("hour", "0 * * * *", "2026-03-01T00:00", "2026-02-28-23:00"),
        ("month", "0 3 1 * *", "2026-03-01T03:00", "2026-02"),
        ("month", "0 3 15 * *", "2026-01-15T03:00", "2025-12"),
    ],
)
def test_a_tick_asks_for_the_last_partition_that_is_over(
    tmp_path: Path, grain: str, cron: str, tick: str, partition: str
) -> None:
    definitions = _definitions(tmp_path, grain, cron)
    [schedule] = definitions.schedules or ()
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert (schedule.cron_schedule, schedule.execution_timezone) == (cron, ZONE.key)
    moment = datetime.fromisoformat(tick).replace(tzinfo=ZONE)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=moment,
            repository_def=definitions.get_repository_def(),
        )
        [request] = schedule.evaluate_tick(context).run_requests or ()
    assert request.partition_key == partition
    assert request.run_key == f"ods.orders|{partition}|{moment.isoformat()}"


def _definitions(root: Path, grain: str, cron: str) -> dg.Definitions:
    texts = {
        "platform": "timezone: Asia/Shanghai\nwarehouse: file:///nowhere\nledger: sqlite:///home/ledger.db\n",
        "sources/shop": "kind: mysql\nhost: 127.0.0.1\nuser: etl\npassword: ${SHOP_PASSWORD}\n",
        "ods/orders": "table: ods.orders\nowner: team:warehouse\nsource: shop\nload: incremental\n"
        "from: {database: shop, table: orders}\ncolumns: [id]\n"
        f"window: {{column: at, grain: {grain}, start: 2025-01-01}}\nschedule: '{cron}'\n",
    }
    for name, text in texts.items():
        file = root / "config" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    catalog = load_catalog(root / "config", {})
    return build_definitions(read_settings({}, config=root / "config"), catalog, {})
