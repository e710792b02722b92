"""Dagster's event log with kept connections: as Dagster's own, but for how it connects."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from dataplat.orchestration.instance import prepare_dagster_home
from dataplat.orchestration.sqlite_log import KeptSqliteEventLog

KEY = dg.AssetKey("ods")
NORMAL = 1


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    prepare_dagster_home(tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def _log(instance: dg.DagsterInstance) -> KeptSqliteEventLog:
    log = instance.event_log_storage
    assert isinstance(log, KeptSqliteEventLog)
    return log


def _report(instance: dg.DagsterInstance, partition: str = "2026-01-01") -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization("ods", partition=partition))


def _handle(log: KeptSqliteEventLog, shard: str) -> Any:
    with log.run_connection(shard) as connection:
        return connection.connection.dbapi_connection


def test_a_connection_lives_from_event_to_event(instance: dg.DagsterInstance) -> None:
    log = _log(instance)
    first = _handle(log, "index")
    _report(instance)
    assert _handle(log, "index") is first


def test_a_commit_does_not_wait_for_the_disk(instance: dg.DagsterInstance) -> None:
    with _log(instance).index_connection() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == NORMAL
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"


def test_another_process_sees_an_event_as_soon_as_it_was_told(instance: dg.DagsterInstance) -> None:
    _report(instance)
    with sqlite3.connect(_log(instance).path_for_shard("index")) as other:
        assert other.execute("SELECT count(*) FROM event_logs").fetchone() == (1,)


def test_an_event_that_was_not_stored_leaves_nothing_behind(instance: dg.DagsterInstance) -> None:
    log = _log(instance)
    with log.index_connection() as connection:
        connection.execute(text("CREATE TABLE half (id INTEGER NOT NULL)"))
    with pytest.raises(IntegrityError), log.index_connection() as connection:
        connection.execute(text("INSERT INTO half VALUES (1), (NULL)"))
    with sqlite3.connect(log.path_for_shard("index")) as other:
        assert other.execute("SELECT count(*) FROM half").fetchone() == (0,)
    _report(instance)  # the connection still serves


def test_runs_of_long_ago_are_closed_and_open_again_when_they_are_asked_for(
    instance: dg.DagsterInstance,
) -> None:
    log = _log(instance)
    first = _handle(log, "run-0")
    for number in range(1, 6):
        _handle(log, f"run-{number}")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        first.execute("SELECT 1")
    assert _handle(log, "run-0").execute("SELECT count(*) FROM event_logs").fetchone() == (0,)


def test_many_threads_may_tell_at_once(instance: dg.DagsterInstance) -> None:
    days = [f"2026-01-{day:02}" for day in range(1, 31)]
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda day: _report(instance, day), days))
    assert instance.get_materialized_partitions(KEY) == set(days)


def test_what_is_wiped_is_gone_and_can_be_told_anew(instance: dg.DagsterInstance) -> None:
    _report(instance)
    instance.event_log_storage.wipe()
    assert instance.get_latest_materialization_event(KEY) is None
    _report(instance)
    assert instance.get_latest_materialization_event(KEY) is not None


def test_the_files_are_closed_with_the_instance(tmp_path: Path) -> None:
    prepare_dagster_home(tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        _report(instance)
        index = Path(_log(instance).path_for_shard("index"))
    assert not index.with_name(index.name + "-wal").exists()


def test_the_files_are_where_dagster_itself_would_look(tmp_path: Path) -> None:
    """Whoever takes our entry out of dagster.yaml keeps the history."""
    prepare_dagster_home(tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        _report(instance)
    path = tmp_path / "dagster.yaml"
    config = yaml.safe_load(path.read_text())
    del config["event_log_storage"]
    path.write_text(yaml.safe_dump(config))
    with dg.DagsterInstance.from_config(str(tmp_path)) as plain:
        assert not isinstance(plain.event_log_storage, KeptSqliteEventLog)
        assert plain.get_latest_materialization_event(KEY) is not None
