"""A partition that lacks a shard is rejected before anything is read; the others go on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataplat.audit.outcome import ALIKE, SHARDS
from dataplat.ledger import Hop, HopCount, LockOwner, TableVersion, VersionState
from dataplat.lifecycle import life, load
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.protection import Protection
from dataplat.lifecycle.report import LoadReport, PartitionReport, Verdict
from dataplat.lifecycle.shards import FoundShards
from dataplat.lifecycle.source_table import SourceTable
from dataplat.lifecycle.stations import Load, RunInfo
from dataplat.orchestration.rejection import rejection_error
from dataplat.plan.layouts import SourceColumn
from dataplat.plan.sql import PhysicalTable
from dataplat.settings import read_settings
from dataplat.specs import TableSpec
from dataplat_tests.unit.lifecycle.fakes import FakeMetastore
from dataplat_tests.unit.specs.folder import FLOW, Config

DATABASE = "hydra_production_flow"
DAYS = ("2026-03-01", "2026-03-02")
RUN = RunInfo("run-7", "bob", "dataplat load")


class Source:
    """What discovery finds, by partition; and the partitions that went on to be read."""

    def __init__(self) -> None:
        self.shards: dict[str, list[str]] = {}
        self.others: dict[str, dict[str, str]] = {}
        self.read: list[tuple[str, ...]] = []

    def find(self, _table: SourceTable, keys: tuple[str, ...]) -> FoundShards:
        by_key = {key: tuple(PhysicalTable(DATABASE, name) for name in self.shards[key]) for key in keys}
        shards = {shard for some in by_key.values() for shard in some}
        return FoundShards(by_key, described={shard: self.columns(shard.name) for shard in shards})

    def columns(self, name: str) -> tuple[SourceColumn, ...]:
        kinds = {"id": "int(11)", "operation_type": "int(11)", "create_time": "datetime"}
        kinds |= self.others.get(name, {})
        return tuple(SourceColumn(column, kind, True, "", None) for column, kind in kinds.items())

    def live(self, made: Load, *_: Any) -> LoadReport:
        self.read.append(made.keys)
        return LoadReport(made.spec.table, made.version, tuple(published(made, key) for key in made.keys))


def published(made: Load, key: str) -> PartitionReport:
    return PartitionReport(
        key, Verdict.PUBLISHED, made.version, "file:///w", 3, 3, 3, 3, 1, 30, (), made.version
    )


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    """In place of a source, and of all that comes after the refusal."""
    found = Source()
    monkeypatch.setattr(SourceTable, "find_shards", lambda table, keys: found.find(table, keys))
    monkeypatch.setattr(life, "_live_locked", found.live)
    monkeypatch.setattr(Protection, "take", lambda _: None)
    return found


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    config = Config(tmp_path)
    config.replace(FLOW, "expect: history", "expect: [t_0, t_1]")
    environ = {"DATAPLAT_HOME": str(tmp_path / "home"), "DATAPLAT_CONFIG": str(config.dir)}
    with Platform.load(read_settings(environ), environ) as opened:
        yield opened


@pytest.fixture
def spec(platform: Platform) -> TableSpec:
    return platform.catalog.table("ods.ods_t_package_flow_log")


def run(platform: Platform, spec: TableSpec) -> LoadReport:
    (report,) = load.load_partitions(platform, spec, DAYS, RUN)
    return report


def test_a_missing_shard_rejects_the_partition_and_names_the_shard(
    platform: Platform, spec: TableSpec, source: Source
) -> None:
    source.shards = {DAYS[0]: ["t_0"], DAYS[1]: ["t_0"]}
    report = run(platform, spec)
    assert [(item.partition, item.verdict) for item in report.partitions] == [
        (day, Verdict.REJECTED) for day in DAYS
    ]
    assert (
        str(rejection_error(spec, report.rejected))
        == """\
ods.ods_t_package_flow_log[2026-03-01]: check failed: no_shard_is_missing
  no_shard_is_missing   missing 1 of 2 (the names in expect): hydra_production_flow.t_1 \
(config/ods/ods_t_package_flow_log.yaml:6 from.shards)
  also                  2026-03-02
  effect                nothing was published: the partition was never published and stays absent, \
downstream is held
  next                  dataplat shards ods.ods_t_package_flow_log --at 2026-03-01   or   \
dataplat load ods.ods_t_package_flow_log --date 2026-03-01"""
    )
    assert source.read == []


def test_a_rejection_without_a_read_is_in_the_ledger_like_any_other(
    platform: Platform, spec: TableSpec, source: Source
) -> None:
    source.shards = {DAYS[0]: ["t_0"], DAYS[1]: ["t_0", "t_1"]}
    report = run(platform, spec)
    assert [(item.partition, item.verdict) for item in report.partitions] == [
        (DAYS[0], Verdict.REJECTED),
        (DAYS[1], Verdict.PUBLISHED),
    ]
    assert source.read == [DAYS[1:]]
    (row,) = platform.ledger.history(spec.table, DAYS[0])
    assert (row.state, row.location, row.run_id) == (VersionState.REJECTED, "", "run-7")
    assert row.reason == f"{SHARDS}: missing 1 of 2 (the names in expect): {DATABASE}.t_1"
    (check,) = platform.ledger.checks(spec.table, DAYS[0])
    assert (check.check, check.passed, check.blocking) == (SHARDS, False, True)
    assert check.numbers == {"found": 1, "expected": 2, "missing": 1}
    assert platform.ledger.statuses(spec.table, [DAYS[0]])[DAYS[0]].rejected is not None


def test_history_is_what_the_last_partition_was_made_of(
    platform: Platform, spec: TableSpec, source: Source
) -> None:
    spec = with_history(spec)
    remember(platform, spec, "2026-02-28", ["t_0_2026_02", "t_1_2026_02"])
    source.shards = {DAYS[0]: ["t_0_2026_03"], DAYS[1]: ["t_0_2026_03", "t_1_2026_03", "t_2_2026_03"]}
    first, second = run(platform, spec).partitions
    assert [outcome.message for outcome in first.outcomes] == [
        f"missing 1 of 2 (history: 2026-02-28): {DATABASE}.t_1_2026_03"
    ]
    assert second.verdict is Verdict.PUBLISHED


def test_what_an_earlier_load_left_unfinished_is_settled_by_a_refused_one_too(
    platform: Platform, spec: TableSpec, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    metastore, ledger, version = FakeMetastore(), platform.ledger, "20260301T020000-aaaaaa"
    monkeypatch.setattr(platform, "partitions", lambda _: metastore)
    with ledger.lock_partitions(spec.table, DAYS, LockOwner.current()):
        ledger.begin(
            TableVersion(table=spec.table, partition=day, version=version, location=f"file:///v/{day}")
            for day in DAYS
        )
        for state in (VersionState.STAGED, VersionState.PUBLISHING):
            ledger.advance(spec.table, version, DAYS, state)
    metastore.points_to[("ds", DAYS[0]),] = f"file:///v/{DAYS[0]}"  # and there the machine died
    source.shards = {day: ["t_0"] for day in DAYS}
    first, second = run(platform, spec).partitions
    assert (first.visible_version, second.visible_version) == (version, "")
    assert {
        row.partition: str(row.state) for row in ledger.history(spec.table) if row.version == version
    } == {
        DAYS[0]: "published",
        DAYS[1]: "abandoned",
    }


def test_where_nothing_is_known_and_nothing_is_there_the_load_itself_says_so(
    platform: Platform, spec: TableSpec, source: Source
) -> None:
    source.shards = {day: [] for day in DAYS}
    assert run(platform, with_history(spec)).rejected == []
    assert source.read == [DAYS]  # and the survey, which comes next, finds nothing to describe


@pytest.mark.parametrize("drift", ["align", "refuse"])
def test_shards_that_differ_are_refused_only_where_the_table_says_so(
    platform: Platform, spec: TableSpec, source: Source, drift: str
) -> None:
    source.shards = {day: ["t_0", "t_1"] for day in DAYS}
    source.others = {"t_1": {"id": "bigint(20)"}}
    report = run(platform, changed(spec, drift=drift))
    if drift == "align":
        assert source.read == [DAYS]
        return
    assert [item.verdict for item in report.partitions] == [Verdict.REJECTED] * 2
    (outcome,) = report.partitions[0].outcomes
    assert (outcome.check, outcome.message) == (ALIKE, "id is int(11) in t_0, bigint(20) in t_1")
    assert source.read == []


def changed(spec: TableSpec, **keys: str) -> TableSpec:
    shards = spec.read_from.shards
    assert shards is not None
    read_from = spec.read_from.model_copy(update={"shards": shards.model_copy(update=keys)})
    return spec.declared_in(spec.declared, read_from=read_from)


def with_history(spec: TableSpec) -> TableSpec:
    return changed(spec, expect="history")


def remember(platform: Platform, spec: TableSpec, key: str, shards: list[str]) -> None:
    ledger, version = platform.ledger, "20260301T020000-aaaaaa"
    with ledger.lock_partitions(spec.table, [key], LockOwner.current()) as locks:
        ledger.begin([TableVersion(table=spec.table, partition=key, version=version)])
        for state in (VersionState.STAGED, VersionState.PUBLISHING):
            ledger.advance(spec.table, version, [key], state)
        ledger.publish(spec.table, version, [key], locks)
    ledger.record_hops(
        HopCount(
            table=spec.table,
            partition=key,
            version=version,
            hop=Hop.SOURCE_BEFORE,
            shard=f"{DATABASE}.{shard}",
            rows=0,
        )
        for shard in shards
    )
