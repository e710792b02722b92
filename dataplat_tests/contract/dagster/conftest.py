"""A platform whose loads are written by the test: real definitions, a real instance on disk, no Spark."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataplat.audit.outcome import FILES, NOT_HELD, PLACEMENT, ROW_COUNT, Outcome
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.report import LoadReport, PartitionReport, Verdict
from dataplat.orchestration import materialize
from dataplat.orchestration.factories.tables import build_table_asset
from dataplat.orchestration.instance import open_instance
from dataplat.orchestration.launch import RunResult, run_table
from dataplat.orchestration.observer import Observer
from dataplat.orchestration.partitions import partitions_of
from dataplat.settings import read_settings
from dataplat.specs import TableSpec

TABLE = "ods.orders"
KEY = dg.AssetKey(["ods", "ods", "orders"])
AUDITED = (ROW_COUNT, FILES, PLACEMENT, "unique_id")
CHECKS = (*AUDITED, NOT_HELD)
Load = Callable[[Sequence[str]], Iterator[LoadReport]]

PLATFORM = """\
timezone: Asia/Shanghai
home: ${DATAPLAT_HOME}
warehouse: file://${DATAPLAT_HOME}/warehouse
ledger: sqlite:///${DATAPLAT_HOME}/ledger.db
"""
SOURCE = """\
kind: mysql
host: 127.0.0.1
user: etl
password: ${SHOP_PASSWORD}
budget: {connections: 2}
"""
ORDERS = """\
table: ods.orders
owner: team:warehouse
source: shop
from: {database: shop, table: orders}
load: incremental
window: {column: at, grain: day, start: 2026-01-01}
columns: [id, at]
key: [id]
checks:
  - unique: [id]
retries: {count: 1, delay: 1s}
"""


@dataclass
class Stage:
    """The platform, its instance, and what the next loads do."""

    platform: Platform
    instance: dg.DagsterInstance
    environ: Mapping[str, str]
    loads: list[tuple[str, ...]] = field(default_factory=list)
    script: Load | None = None

    @property
    def spec(self) -> TableSpec:
        return self.platform.catalog.table(TABLE)

    def run(self, *keys: str) -> RunResult:
        """Materialize one range in this process, as a command does."""
        [result] = run_table(self.platform, self.instance, self.spec, keys, Observer())
        return result

    def materializations(self, partition: str | None = None) -> list[Any]:
        """Return the records of the table's materializations, newest first."""
        wanted = dg.AssetRecordsFilter(KEY, asset_partitions=[partition] if partition else None)
        return list(self.instance.fetch_materializations(wanted, limit=100).records)

    def evaluations(self, check: str) -> list[Any]:
        """Return the evaluations of one check, newest first; a planned one is none."""
        storage = self.instance.event_log_storage
        records = storage.get_asset_check_execution_history(dg.AssetCheckKey(KEY, check), limit=100)
        events = [record.event.dagster_event for record in records]
        made = dg.DagsterEventType.ASSET_CHECK_EVALUATION
        return [event.asset_check_evaluation_data for event in events if event.event_type is made]

    def status(self, *keys: str) -> dict[str, str]:
        """Return what Dagster's partition bar shows."""
        partitions = partitions_of(self.platform.catalog, self.spec)
        found = self.instance.get_status_by_partition(KEY, list(keys), partitions) or {}
        return {key: found[key].value if found.get(key) else "MISSING" for key in keys}

    @property
    def asset(self) -> dg.AssetsDefinition:
        return build_table_asset(self.platform.catalog, self.spec)


def report_of(verdicts: Mapping[str, bool], version: str = "20260302T020109-aaaaaa") -> LoadReport:
    """Return the report of a read whose partitions were published (True) or rejected."""
    return LoadReport(
        TABLE,
        version,
        tuple(_partition(key, good, version) for key, good in verdicts.items()),
        seconds={"total": 1.5},
        sql=("SELECT id FROM shop.orders",),
        columns=(("id", "bigint"), ("at", "timestamp")),
    )


def _partition(key: str, good: bool, version: str) -> PartitionReport:
    rows = int(key[-2:])
    numbers = {"rows": rows, "source_before": rows + (not good), "source_after": rows + (not good)}
    row_count = Outcome(ROW_COUNT, good, numbers=numbers | ({} if good else {"missing": 1}))
    others = [Outcome(name, True, numbers={"rows": rows}) for name in AUDITED[1:]]
    return PartitionReport(
        key,
        Verdict.PUBLISHED if good else Verdict.REJECTED,
        version,
        f"file:///warehouse/{version}/ds={key}",
        rows + (not good),
        rows + (not good),
        rows,
        rows,
        1,
        100,
        (row_count, *others),
        version if good else "",
    )


def write_config(root: Path) -> dict[str, str]:
    """Write the configuration below ``root`` and return the environment that names it."""
    for name, text in (("platform", PLATFORM), ("sources/shop", SOURCE), ("ods/orders", ORDERS)):
        file = root / "config" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return {
        "DATAPLAT_HOME": str(root / "home"),
        "DATAPLAT_CONFIG": str(root / "config"),
        "SHOP_PASSWORD": "unused",
    }


@contextmanager
def open_stage(environ: Mapping[str, str]) -> Iterator[Stage]:
    """Open the platform with loads that do as the stage's script says."""
    original = materialize.load_partitions
    with Platform.load(read_settings(environ), environ) as platform:
        instance = open_instance(read_settings(environ).dagster_home, platform.catalog)
        stage = Stage(platform, instance, environ)

        def load(_: Platform, __: TableSpec, keys: Sequence[str], *___: object) -> Iterator[LoadReport]:
            stage.loads.append(tuple(keys))
            yield from stage.script(keys) if stage.script else [report_of(dict.fromkeys(keys, True))]

        materialize.load_partitions = load
        try:
            yield stage
        finally:
            materialize.load_partitions = original
            instance.dispose()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with open_stage(write_config(tmp_path)) as stage:
        yield stage
