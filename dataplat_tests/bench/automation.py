"""One automation tick over 1,000 models and 1,000 tables, against Dagster's ``eager()`` on the same graph.

Nothing is due: that is how most ticks of a day are.
"""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor

from dataplat.ledger import LockOwner, TableVersion, VersionState
from dataplat.lifecycle.platform import Platform
from dataplat.orchestration.build import build_definitions
from dataplat.orchestration.instance import open_instance
from dataplat.settings import read_settings
from dataplat_tests.bench.definitions import write_config
from dataplat_tests.bench.measure import Side, compare

_MODELS = 1000
_DAY, _VERSION = "2026-03-10", "20260311T020000-aaaaaa"
_OWNER = LockOwner(host="h", host_id="h", pid=1, pid_started=1.0, run_id="bench", command="bench")
_NOW = datetime(2026, 3, 11, 3, tzinfo=ZoneInfo("Asia/Shanghai"))


class Ticks:
    """The automation of some definitions, tick after tick, as the daemon evaluates it."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self._definitions, self._instance = definitions, instance
        self._cursor: AssetDaemonCursor | None = None

    def tick(self) -> int:
        """Evaluate every condition once; return how many partitions are requested."""
        result = dg.evaluate_automation_conditions(
            self._definitions,
            self._instance,
            asset_selection=dg.AssetSelection.all(),
            evaluation_time=_NOW,
            cursor=self._cursor,
        )
        self._cursor = result.cursor
        return result.total_requested


def thousand_conditions(rounds: int = 3) -> str:
    """One automation tick of 1,000 models."""
    with _world() as (platform, instance, definitions):
        eager = definitions.map_asset_specs(func=_eager)
        _publish_everything(platform, instance)
        ours, theirs = Ticks(definitions, instance), Ticks(eager, instance)
        sides = [
            Side("dataplat: a tick with nothing due", lambda: _expect(ours.tick(), 0)),
            Side("Dagster's eager() on the same graph", theirs.tick),
        ]
        steady = compare(
            "One automation tick, 1,000 models over 1,000 tables", "bounded", sides, rounds=rounds
        )
        return steady.render(sides[0].name)


def _expect(requested: int, expected: int) -> None:
    if requested != expected:
        raise RuntimeError(f"{requested} partitions were requested, expected {expected}")


def _eager(spec: dg.AssetSpec) -> dg.AssetSpec:
    if spec.automation_condition is None:
        return spec
    return spec.replace_attributes(automation_condition=dg.AutomationCondition.eager())


@contextmanager
def _world() -> Iterator[tuple[Platform, dg.DagsterInstance, dg.Definitions]]:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        home = Path(folder)
        write_config(home / "config", _MODELS)
        platform_file = home / "config" / "platform.yaml"
        platform_file.write_text(platform_file.read_text().replace("/w/ledger.db", f"{folder}/ledger.db"))
        environ = {"DATAPLAT_HOME": folder, "BENCH_PASSWORD": "unused"}
        settings = read_settings(environ, config=home / "config")
        with Platform.load(settings, environ) as platform:
            instance = open_instance(settings.dagster_home, platform.catalog)
            try:
                yield platform, instance, build_definitions(settings, platform.catalog, environ)
            finally:
                instance.dispose()


def _publish_everything(platform: Platform, instance: dg.DagsterInstance) -> None:
    """Record the last day of every asset as published, in the ledger and in Dagster."""
    ledger = platform.ledger
    for spec in platform.catalog.all_tables.values():
        row = TableVersion(table=spec.table, partition=_DAY, version=_VERSION, run_id="bench", actor="bench")
        ledger.begin([row])
        ledger.advance(spec.table, _VERSION, [_DAY], VersionState.STAGED)
        with ledger.lock_partitions(spec.table, [_DAY], _OWNER, wait_seconds=0) as locks:
            ledger.advance(spec.table, _VERSION, [_DAY], VersionState.PUBLISHING)
            ledger.publish(spec.table, _VERSION, [_DAY], locks)
        published = dg.AssetMaterialization(dg.AssetKey(spec.asset_path), partition=_DAY)
        instance.report_runless_asset_event(published)
