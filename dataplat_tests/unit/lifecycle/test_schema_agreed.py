"""A load asks the schema lock before anything is read."""

from pathlib import Path
from typing import Any

import pytest

from dataplat.errors import SchemaConflictError
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.protection import Protection
from dataplat.lifecycle.source_origin import SourceOrigin
from dataplat.lifecycle.source_table import SourceTable, Survey
from dataplat.lifecycle.stations import Load, RunInfo
from dataplat.plan.ddl import HiveColumn
from dataplat.plan.layouts import Layout, SourceColumn
from dataplat.settings import read_settings
from dataplat.specs.schema_lock import LOCK_FILE, render_schema_lock
from dataplat_tests.unit.plan.shapes import ORDERS, shape
from dataplat_tests.unit.specs.folder import Config

TABLE, DAY = "ods.ods_t_money_record", "2026-03-01"
COLUMNS = (SourceColumn("id", "bigint(20)", False, "", None),)


def survey() -> Survey:
    return Survey((ORDERS,), shape(DAY), "at", layouts=(Layout((ORDERS,), COLUMNS),))


def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: dict[str, dict[str, str]]) -> Any:
    config = Config(tmp_path)
    config.write(LOCK_FILE, render_schema_lock(lock))
    environ = {"DATAPLAT_HOME": str(tmp_path / "home"), "DATAPLAT_CONFIG": str(config.dir)}
    monkeypatch.setattr(SourceTable, "survey", lambda *_: survey())
    monkeypatch.setattr(SourceTable, "count", lambda *_, **__: [])
    with Platform.load(read_settings(environ), environ) as platform:
        spec = platform.catalog.table(TABLE)
        load = Load(platform, spec, (DAY,), RunInfo("r", "a"), lambda _: None, "v", "file:///v")
        return SourceOrigin(platform, spec, Protection.none()).prepare(load)


def test_a_source_as_agreed_and_one_that_nobody_agreed_to_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, lock in enumerate(({TABLE: {"id": "bigint(20)"}}, {"ods.other": {"id": "int(11)"}}, {})):
        assert prepare(tmp_path / str(number), monkeypatch, lock).expected_rows == 0


def test_a_source_that_nobody_agreed_to_any_more_is_not_counted_and_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SchemaConflictError) as caught:
        prepare(tmp_path, monkeypatch, {TABLE: {"id": "int(11)"}})
    assert caught.value.facts[0] == (
        "column 'id'",
        "int(11) as agreed, bigint(20) now: lossy, int cannot hold every bigint",
    )


def test_the_types_of_the_table_are_those_that_are_written() -> None:
    stored = survey().stored_as([HiveColumn("id", "decimal(20,0)"), HiveColumn("at", "timestamp")])
    assert [column.hive for column in stored.shape.columns] == ["decimal(20,0)", "timestamp", "decimal(20,2)"]
