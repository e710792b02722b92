"""`docs/sharded-tables.md`, `schema-lock.md` and `dirty-rows.md` say what is really there."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.quarantine import COLUMNS
from dataplat.lifecycle.schema_lock import SourceSchema
from dataplat.plan.census import Expectation, take_census
from dataplat.plan.ddl import HiveColumn
from dataplat.plan.layouts import Layout, SourceColumn
from dataplat.plan.sql import PhysicalTable
from dataplat.specs import FromSpec, TableSpec
from dataplat.specs.schema_lock import LOCK_FILE
from dataplat.specs.table import DirtyRowsSpec, ShardsSpec, TypePolicySpec
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.specs.folder import MONEY, Config

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("sharded-tables.md", "schema-lock.md", "dirty-rows.md")
SHARDS, LOCK, DIRTY = ((DOCS / name).read_text(encoding="utf-8") for name in PAGES)
TABLE = "ods.ods_t_package_flow_log"


def blocks(page: str, language: str) -> list[str]:
    return [str(text) for text in re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]


def block(page: str, language: str) -> str:
    (text,) = blocks(page, language)
    return text


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path)


@pytest.fixture
def dataplat(config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(config.dir, tmp_path / "home", capsys)


def test_every_key_of_the_page_about_shards_is_one() -> None:
    found, several = (yaml.safe_load(text) for text in blocks(SHARDS, "yaml"))
    FromSpec.model_validate(found["from"])
    assert several.keys() <= TableSpec.model_fields.keys()
    keys = set(re.findall(r"^\| `(\w+)` \| (?!nothing)", SHARDS, re.MULTILINE)) - {"history", "64"}
    assert keys == {*ShardsSpec.model_fields, "databases"}


def test_the_census_of_the_page_is_what_the_command_prints(
    dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = {
        PhysicalTable("hydra_production_flow", f"t_package_flow_log_{name}"): rows
        for name, rows in {"0_2026_01": 212, "0_2026_02": 801, "1_2026_01": 0, "1_2026_02": None}.items()
    }
    found = [shard for shard, rows in shards.items() if rows is not None]
    census = take_census("2026-02-01", found, Expectation(tuple(shards), because="history: 2026-01-31"))
    counted = replace(census, rows={shard: rows for shard, rows in shards.items() if rows is not None})
    monkeypatch.setattr("dataplat.lifecycle.census.count_shards", lambda *_: counted)
    ran = dataplat("shards", TABLE, "--at", "2026-02-01")
    assert (ran.code, ran.out) == (2, block(SHARDS, "text"))


def test_the_differences_of_the_page_are_what_the_command_prints(
    dataplat: CommandLine, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write(MONEY, config.read(MONEY).replace("ods.ods_t_money_record", "ods.ods_t_order"))
    for old, new in (("columns: [", "columns: '*' # ["), ("key: [", "# key: ["), ("sensitive: [", "# [")):
        if old in config.read(MONEY):
            config.replace(MONEY, old, new)
    config.write(LOCK_FILE, block(LOCK, "yaml"))
    monkeypatch.setattr("dataplat.lifecycle.schema_lock.look_at_source", lambda *_: changed_order())
    hive = (HiveColumn("id", "bigint"), HiveColumn("fee", "decimal(6,1)"), HiveColumn("at", "timestamp"))
    monkeypatch.setattr(Platform, "hive", lambda *_: SimpleNamespace(columns=lambda _: hive))
    ran = dataplat("schema", "diff", "ods.ods_t_order")
    assert (ran.code, ran.out) == (1, block(LOCK, "text"))


def changed_order() -> SourceSchema:
    kinds = {"id": "bigint(20)", "fee": "decimal(6,1)", "at": "datetime", "note": "varchar(9)"}
    stored = {"id": "bigint", "fee": "decimal(6,1)", "at": "timestamp", "note": "string"}
    columns = tuple(SourceColumn(name, kind, True, "", None) for name, kind in kinds.items())
    planned = tuple(HiveColumn(name, kind) for name, kind in stored.items())
    return SourceSchema((Layout((PhysicalTable("market", "t_order"),), columns),), planned)


def test_the_page_about_dirty_rows_declares_and_names_what_there_is() -> None:
    declared = yaml.safe_load(block(DIRTY, "yaml"))
    assert DirtyRowsSpec.model_validate(declared["dirty_rows"]).allowed(5_000) == 5
    assert TypePolicySpec.model_validate(declared["types"]).zero_dates == "refuse"
    named = re.findall(r"^\| `(\w+)` \| ", DIRTY, re.MULTILINE)
    assert [name for name in named if name != "ds"] == [column.name for column in COLUMNS]


def test_the_policies_of_the_page_are_those_of_a_table() -> None:
    policies = re.findall(r"^\| `(evolve|refuse)`", LOCK, re.MULTILINE)
    assert policies == ["evolve", "refuse"]
    assert TableSpec.model_fields["schema_policy"].default == policies[0]
