"""A night in a warehouse: real definitions, a real gate and ledger, real Dagster runs; only rows are missing.

Tables and models are declared by the test. A run does everything that a run does but for Spark: it asks the
gate, records its version in the ledger, publishes or rejects, and tells Dagster.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from dataplat.audit.outcome import FILES, PLACEMENT, ROW_COUNT, Outcome
from dataplat.errors import EngineError
from dataplat.ledger import CheckResult, LockOwner, TableVersion, VersionState
from dataplat.lifecycle.gate import pass_gate
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.report import LoadReport, PartitionReport, Verdict
from dataplat.lifecycle.stations import RunInfo
from dataplat.orchestration import materialize
from dataplat.orchestration.build import build_definitions
from dataplat.orchestration.launch import RunResult, run_table
from dataplat.orchestration.observer import Observer
from dataplat.orchestration.record import record_hold, record_release
from dataplat.plan.needed import awaited_arrivals, closing_of, needed_partitions
from dataplat.settings import read_settings
from dataplat.specs import AnyTable, ModelSpec

ZONE = ZoneInfo("Asia/Shanghai")
OWNER = LockOwner(host="h", host_id="h", pid=1, pid_started=1.0, run_id="r", command="night")
BUILT_IN = {True: (FILES, PLACEMENT), False: (ROW_COUNT, FILES, PLACEMENT)}
PLATFORM = """\
timezone: Asia/Shanghai
home: ${DATAPLAT_HOME}
warehouse: file://${DATAPLAT_HOME}/warehouse
ledger: sqlite:///${DATAPLAT_HOME}/ledger.db
start: 2026-03-01
"""
SOURCE = "kind: mysql\nhost: 127.0.0.1\nuser: etl\npassword: ${SHOP_PASSWORD}\n"


def loaded(name: str, grain: str = "day", more: str = "") -> dict[str, str]:
    """Return the file of a loaded table."""
    return {
        f"ods/{name}.yaml": f"table: ods.{name}\nsource: shop\nload: incremental\ncolumns: [id]\n"
        f"from: {{database: shop, table: {name}}}\nwindow: {{column: at, grain: {grain}}}\nkey: [id]\n{more}"
    }


def model(name: str, sql: str, more: str = "") -> dict[str, str]:
    """Return the files of a model; its layer is what its name begins with."""
    layer = name.split("_", maxsplit=1)[0]
    return {f"{layer}/{name}.yaml": f"table: {layer}.{name}\n{more}", f"{layer}/{name}.sql": sql + "\n"}


@dataclass
class Clock:
    """The ledger's clock, which the test sets."""

    now: datetime = datetime(2026, 3, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Night:
    """One platform, and its sensors' cursor."""

    platform: Platform
    definitions: dg.Definitions
    instance: dg.DagsterInstance
    clock: Clock
    failing: set[tuple[str, str]] = field(default_factory=set)
    rejected: set[tuple[str, str]] = field(default_factory=set)
    warned: set[tuple[str, str]] = field(default_factory=set)
    runs: list[tuple[str, str]] = field(default_factory=list)
    _cursor: Any = None
    _versions: int = 0

    def run(self, table: str, *keys: str) -> list[RunResult]:
        """Run partitions of a table in this process, each range in a run."""
        spec = self.platform.catalog.any_table(table)
        return run_table(self.platform, self.instance, spec, keys, Observer())

    def tick(self, at: str) -> dict[str, list[str]]:
        """Let automation decide once; return the partitions that it requests, by table."""
        result = dg.evaluate_automation_conditions(
            self.definitions,
            self.instance,
            asset_selection=dg.AssetSelection.all(),
            evaluation_time=datetime.fromisoformat(at).replace(tzinfo=ZONE),
            cursor=self._cursor,
        )
        self._cursor = result.cursor
        found = {
            spec.table: sorted(map(str, result.get_requested_partitions(dg.AssetKey(spec.asset_path))))
            for spec in self.platform.catalog.models.values()
        }
        return {table: keys for table, keys in found.items() if keys}

    def tick_and_run(self, at: str) -> dict[str, list[str]]:
        """Let automation decide once, and run what it requests."""
        requested = self.tick(at)
        for table, keys in requested.items():
            for key in keys:
                self.run(table, key)
        return requested

    def hold(self, table: str, key: str) -> None:
        """Hold a partition as the command does: the ledger knows, and Dagster is told."""
        held = self.platform.ledger.hold(table, key, "looks odd", "ann")
        spec = self.platform.catalog.any_table(table)
        record_hold(self.instance, self.platform.ledger, spec, held)

    def release(self, table: str, key: str) -> None:
        """End its holds as the command does."""
        ended = self.platform.ledger.release_hold(table, key, "ann")
        spec = self.platform.catalog.any_table(table)
        record_release(self.instance, self.platform.ledger, spec, key, ended)

    def reports(self, spec: AnyTable, keys: Sequence[str], run: RunInfo) -> Iterator[LoadReport]:
        """Do what a load or a build does, one partition a report."""
        for key in keys:
            self.runs.append((spec.table, key))
            if isinstance(spec, ModelSpec):
                needed = needed_partitions(self.platform.catalog, self.platform.graph, spec, key)
                closing = closing_of(self.platform.catalog, self.platform.graph, spec)
                awaited = awaited_arrivals(self.platform.catalog, self.platform.graph, spec, key)
                pass_gate(self.platform.ledger, spec.table, key, needed, closing, spec.trigger, run, awaited)
            if (spec.table, key) in self.failing:
                raise EngineError(f"{spec.table}[{key}]", "the SQL fails")
            yield self._report(spec, key)

    def _report(self, spec: AnyTable, key: str) -> LoadReport:
        self._versions += 1
        version = f"20260310T0000{self._versions:02d}-aaaaaa"
        good = (spec.table, key) not in self.rejected
        self._record(spec.table, key, version, good)
        names = (*BUILT_IN[isinstance(spec, ModelSpec)], *(check.name for check in spec.checks))
        warned = (spec.table, key) in self.warned
        failed = set() if good and not warned else {names[-1]}
        outcomes = [Outcome(name, name not in failed, numbers={"rows": 1}) for name in names]
        if warned:
            self.platform.ledger.record_checks(
                CheckResult(table=spec.table, partition=key, version=version, check=name, passed=False)
                for name in failed
            )
        verdict = Verdict.PUBLISHED if good else Verdict.REJECTED
        item = PartitionReport(
            key, verdict, version, "file:///x", 1, 1, 1, 1, 1, 1, tuple(outcomes), version if good else ""
        )
        return LoadReport(spec.table, version, (item,))

    def _record(self, table: str, key: str, version: str, good: bool) -> None:
        ledger = self.platform.ledger
        ledger.begin([TableVersion(table=table, partition=key, version=version, run_id="r", actor="night")])
        ledger.advance(table, version, [key], VersionState.STAGED)
        if not good:
            ledger.advance(table, version, [key], VersionState.REJECTED, reason="unique_id failed")
            return
        with ledger.lock_partitions(table, [key], OWNER, wait_seconds=0) as locks:
            ledger.advance(table, version, [key], VersionState.PUBLISHING)
            ledger.publish(table, version, [key], locks)


@contextmanager
def open_night(
    root: Path, monkeypatch: pytest.MonkeyPatch, *files: Mapping[str, str], platform: str = ""
) -> Iterator[Night]:
    """Open a platform of these files below ``root``; ``platform`` are further lines of platform.yaml."""
    texts = {"platform.yaml": PLATFORM + platform, "sources/shop.yaml": SOURCE}
    for path, text in {**texts, **{path: text for one in files for path, text in one.items()}}.items():
        file = root / "config" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    environ = {"DATAPLAT_HOME": str(root / "home"), "DATAPLAT_CONFIG": str(root / "config")}
    settings = read_settings(environ)
    with Platform.load(settings, environ) as opened, dg.DagsterInstance.ephemeral() as instance:
        clock = Clock()
        opened.ledger._clock = clock
        night = Night(opened, build_definitions(settings, opened.catalog, environ), instance, clock)

        def reports(
            _: Platform, spec: AnyTable, keys: Sequence[str], run: RunInfo, *__: object
        ) -> Iterator[LoadReport]:
            return night.reports(spec, keys, run)

        monkeypatch.setattr(materialize, "make_partitions", reports)
        monkeypatch.setattr(materialize, "load_partitions", reports)
        yield night
