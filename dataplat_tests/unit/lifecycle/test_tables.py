"""The table in Hive before a load: made, widened, written in its own types, or refused."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from dataplat.engine.hive import HiveTable
from dataplat.errors import SchemaConflictError
from dataplat.lifecycle.platform import Platform
from dataplat.lifecycle.tables import ensure_table, require_same_layout
from dataplat.plan.ddl import HiveColumn
from dataplat.specs import TableSpec, load_catalog

SHIPPED = Path(__file__).parents[3] / "config"
COLUMNS = (HiveColumn("id", "bigint"),)


@pytest.fixture
def spec() -> TableSpec:
    environ = {"MARKET_PASSWORD": "x", "LOGISTICS_PASSWORD": "x"}
    return load_catalog(SHIPPED, environ).table("ods.ods_t_money_record")


def test_the_planned_layout_is_accepted(spec: TableSpec) -> None:
    require_same_layout(spec, HiveTable(COLUMNS, ("ds",), "parquet"), ["ds"])


def test_another_layout_is_refused_with_every_difference(spec: TableSpec) -> None:
    with pytest.raises(SchemaConflictError) as caught:
        require_same_layout(spec, HiveTable(COLUMNS, ("data_date",), "orc"), ["ds", "hr"])

    assert str(caught.value) == (
        "ods.ods_t_money_record: the table in Hive is laid out in another way\n"
        "  partitioned by   data_date in Hive, ds, hr as planned\n"
        "  format           orc in Hive, parquet as planned\n"
        f"  declared         {spec.declared.at()}\n"
        "  effect           nothing was read, and what is visible stays visible\n"
        "  next             restore the table's file"
        "   or   give the table another name, load it, and drop the old one"
    )


class Hive:
    """One table, and what was done to it."""

    def __init__(self, *columns: HiveColumn) -> None:
        self.table = HiveTable(columns, ("ds",), "parquet") if columns else None
        self.done: list[tuple[str, ...]] = []

    def describe(self, _: str) -> HiveTable | None:
        return self.table

    def create(self, _: str, columns: Sequence[HiveColumn], *__: object) -> None:
        self.done.append(("create", *(column.name for column in columns)))

    def add_columns(self, _: str, columns: Sequence[HiveColumn]) -> None:
        self.done.append(("add", *(column.name for column in columns)))


def ensured(hive: Hive, spec: TableSpec, *columns: HiveColumn) -> tuple[HiveColumn, ...]:
    return ensure_table(cast(Platform, SimpleNamespace(hive=lambda _: hive)), spec, columns, ["ds"])


def test_a_table_that_is_not_there_is_made_as_planned(spec: TableSpec) -> None:
    hive = Hive()
    assert ensured(hive, spec, *COLUMNS) == COLUMNS
    assert hive.done == [("create", "id")]


def test_a_new_column_is_added_and_a_narrower_one_is_written_in_the_type_of_the_table(
    spec: TableSpec,
) -> None:
    hive = Hive(*COLUMNS)
    note = HiveColumn("note", "string")
    assert ensured(hive, spec, HiveColumn("id", "int"), note) == (*COLUMNS, note)
    assert hive.done == [("add", "note")]


def test_a_wider_column_is_refused_and_nothing_is_altered(spec: TableSpec) -> None:
    hive = Hive(HiveColumn("id", "int"))
    with pytest.raises(SchemaConflictError) as caught:
        ensured(hive, spec, *COLUMNS, HiveColumn("note", "string"))
    assert ("column 'id'", "int in Hive, bigint as planned") in caught.value.facts
    assert hive.done == []


def test_shards_of_a_partition_may_lack_a_column_that_the_table_has(spec: TableSpec) -> None:
    environ = {"MARKET_PASSWORD": "x", "LOGISTICS_PASSWORD": "x"}
    sharded = load_catalog(SHIPPED, environ).table("ods.ods_t_package_flow_log")
    note = HiveColumn("note", "string")
    assert ensured(Hive(*COLUMNS, note), sharded, *COLUMNS) == COLUMNS
    with pytest.raises(SchemaConflictError):
        ensured(Hive(*COLUMNS, note), spec, *COLUMNS)
