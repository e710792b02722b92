"""A table that Hive lays out in another way than planned is refused before anything is read."""

from pathlib import Path

import pytest

from dataplat.engine.hive import HiveTable
from dataplat.errors import SchemaConflictError
from dataplat.lifecycle.tables import require_same_layout
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
