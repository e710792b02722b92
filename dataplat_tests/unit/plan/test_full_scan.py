"""Large tables that would be read from end to end: what counts as such, and what is said."""

from pathlib import Path
from typing import Any

import pytest

from dataplat.plan.full_scan import find_scan, refuse_scan
from dataplat.specs import TableSpec
from dataplat.specs.documents import Declared
from dataplat_tests.unit.sources.builders import source

LINES = {("load",): 4, ("window", "column"): 5}


def spec(**changes: Any) -> TableSpec:
    keys = {
        "table": "ods.orders",
        "source": "market",
        "from": {"database": "shop", "table": "t_order"},
        "load": "incremental",
        "window": {"column": "at"},
        "columns": "*",
    }
    declared = Declared("config/ods/orders.yaml", Path("config/ods/orders.yaml"), lines=LINES)
    return TableSpec.model_validate(keys | changes).declared_in(declared)


def step(access: str, possible: str | None = None, rows: int | None = 60_000_000) -> dict[str, object]:
    return {"table": "t_order", "access": access, "possible": possible, "rows": rows}


@pytest.mark.parametrize(
    ("access", "possible", "windowed", "found"),
    [
        ("ALL", None, True, True),
        ("index", None, True, True),
        ("ALL", "at", True, False),  # the window holds so much that an index is no gain
        ("range", "at", True, False),
        ("ALL", None, False, True),
        ("ALL", "at", False, True),
        ("ref", "state", False, False),  # a condition that an index serves
    ],
)
def test_a_scan_is_what_no_index_could_have_spared(
    access: str, possible: str | None, windowed: bool, found: bool
) -> None:
    assert (find_scan([step(access, possible)], windowed=windowed) is not None) is found


def test_an_empty_table_has_no_rows_to_scan() -> None:
    assert find_scan([step("ALL", rows=None)], windowed=True) == ("t_order", 0)


def test_a_window_without_an_index_is_refused_with_all_there_is_to_know() -> None:
    market = source(budget={"full_scan_rows": 5_000_000})

    error = refuse_scan(spec(), "ods.orders[2026-01-05]", market, "shop.t_order", 60_000_000)

    assert str(error) == (
        "ods.orders[2026-01-05]: the whole of a large table would be read at the source\n"
        "  expected   an index on at, or at most 5,000,000 rows (config/sources/market.yaml:7"
        " budget.full_scan_rows)\n"
        "  found      shop.t_order, about 60,000,000 rows, because of window.column: at\n"
        "  declared   config/ods/orders.yaml:5 window.column\n"
        "  effect     nothing was counted or read; what was visible before is still visible\n"
        "  next       dataplat explain ods.orders   or   allow_full_scan: true in the table's file"
    )


def test_a_large_snapshot_is_refused_until_somebody_agrees() -> None:
    snapshot = spec(load="snapshot", window={})

    error = refuse_scan(snapshot, "ods.orders[2026-01-05]", source(), "shop.t_order", 60_000_000)

    assert str(error) == (
        "ods.orders[2026-01-05]: the whole of a large table would be read at the source\n"
        "  expected   at most 10,000,000 rows (config/sources/market.yaml:7 budget.full_scan_rows)\n"
        "  found      shop.t_order, about 60,000,000 rows, because of load: snapshot\n"
        "  declared   config/ods/orders.yaml:4 load\n"
        "  effect     nothing was counted or read; what was visible before is still visible\n"
        "  next       dataplat explain ods.orders   or   allow_full_scan: true in the table's file"
    )


def test_snapshot_is_a_key_of_snapshots_alone() -> None:
    assert spec(load="snapshot", window={}, snapshot="consistent").snapshot == "consistent"
    with pytest.raises(ValueError, match="`snapshot` says how a `load: snapshot` is read"):
        spec(snapshot="consistent")
