"""What the gate asks for: only partitions that can ever be published, or somebody waits for ever."""

from typing import Any

from dataplat.plan.models.reading import build_graph
from dataplat.plan.needed import needed_partitions
from dataplat.specs import Catalog, TableSpec
from dataplat_tests.unit.plan.models.builders import catalog, declared, model

WEEK = model("SELECT id FROM ods.x WHERE ds BETWEEN date_sub('{{ ds }}', 6) AND '{{ ds }}'", "dw.week")
OWN = model("SELECT 1 AS a FROM dw.own WHERE ds = '{{ prev_ds }}'", "dw.own", start="2026-01-05")


def upstream(**window: Any) -> TableSpec:
    keys = {"table": "ods.x", "source": "s", "from": {"database": "d", "table": "t"}, "load": "snapshot"}
    keys |= {"columns": ["id"], "window": window}
    return TableSpec.model_validate(keys).declared_in(declared("ods.x"))


def needed(found: Catalog, table: str, key: str) -> dict[str, tuple[str, ...]]:
    return needed_partitions(found, build_graph(found), found.models[table], key)


def test_days_before_the_first_of_an_upstream_are_not_waited_for() -> None:
    found = catalog(WEEK, upstream(start="2026-01-05"))
    assert needed(found, "dw.week", "2026-01-06") == {"ods.x": ("2026-01-05", "2026-01-06")}
    assert len(needed(found, "dw.week", "2026-01-20")["ods.x"]) == 7


def test_the_first_partition_of_a_model_does_not_wait_for_the_one_before_it() -> None:
    found = catalog(OWN)
    assert needed(found, "dw.own", "2026-01-05") == {"dw.own": ()}
    assert needed(found, "dw.own", "2026-01-06") == {"dw.own": ("2026-01-05",)}


def test_a_model_that_depends_on_its_past_waits_for_the_one_before_and_its_first_for_nothing() -> None:
    found = catalog(model("SELECT 1 AS a", "dw.own", start="2026-01-05", depends_on_past=True))
    assert needed(found, "dw.own", "2026-01-05") == {"dw.own": ()}
    assert needed(found, "dw.own", "2026-01-06") == {"dw.own": ("2026-01-05",)}


def test_a_month_that_begins_before_the_first_day_is_one() -> None:
    month = model("SELECT id FROM ods.x WHERE ds = '{{ month }}'", "dw.m", grain="month")
    found = catalog(month, upstream(grain="month", start="2026-01-15"))
    assert needed(found, "dw.m", "2026-01") == {"ods.x": ("2026-01",)}


def test_an_hour_that_the_clock_skips_is_not_waited_for() -> None:
    day = model("SELECT id FROM ods.x WHERE ds = '{{ ds }}'", "dw.day")
    found = catalog(day, upstream(grain="hour", start="2026-01-01"))
    in_berlin = found.platform.model_copy(update={"timezone": "Europe/Berlin"})
    berlin = Catalog(found.config_dir, in_berlin, {}, found.tables, found.models)
    assert len(needed(found, "dw.day", "2026-03-29")["ods.x"]) == 24
    hours = needed(berlin, "dw.day", "2026-03-29")["ods.x"]
    assert (len(hours), "2026-03-29-02:00" in hours) == (23, False)
