"""Many events in SQLite: the run's log and the index are spared the disk, nothing else is."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from dataplat.orchestration.sqlite_log import many_events

FULL, NORMAL = 2, 1


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def _synchronous(path: Path) -> int:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as connection:
        return int(connection.execute(text("PRAGMA synchronous")).scalar_one())


def _logs(instance: dg.DagsterInstance, run_id: str) -> list[Path]:
    storage = instance.event_log_storage
    return [Path(storage.path_for_shard(shard)) for shard in (run_id, "index")]  # type: ignore[attr-defined]


def _an_event(instance: dg.DagsterInstance) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization("ods"))


def test_the_logs_do_not_wait_for_the_disk_inside_the_block_and_do_again_after_it(
    instance: dg.DagsterInstance,
) -> None:
    _an_event(instance)
    logs = _logs(instance, "a-run")
    with many_events(instance, "a-run"):
        assert [_synchronous(log) for log in logs] == [NORMAL, NORMAL]
    assert [_synchronous(log) for log in logs] == [FULL, FULL]


def test_the_ledger_waits_for_the_disk_all_the_time(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    with many_events(instance, "a-run"):
        assert _synchronous(tmp_path / "ledger.db") == FULL


def test_the_write_ahead_log_lives_from_event_to_event_and_ends_with_the_block(
    instance: dg.DagsterInstance,
) -> None:
    _an_event(instance)
    index = _logs(instance, "a-run")[1]
    ahead = index.with_name(index.name + "-wal")
    with many_events(instance, "a-run"):
        _an_event(instance)
        assert ahead.stat().st_size > 0
    assert not ahead.exists()
    with sqlite3.connect(index) as log:
        assert log.execute("SELECT count(*) FROM event_logs").fetchone() == (2,)


def test_an_instance_without_files_is_left_alone() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        with many_events(instance, "a-run"):
            _an_event(instance)
        assert instance.get_latest_materialization_event(dg.AssetKey("ods")) is not None
