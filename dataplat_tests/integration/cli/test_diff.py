"""``dataplat diff`` as a person types it, between a real MariaDB and a real engine."""

from dataplat.specs import TableSpec
from dataplat_tests.integration.cli.command_line import DAY
from dataplat_tests.integration.warehouse import Warehouse
from dataplat_tests.unit.cli.harness import CommandLine


def test_rows_compared(dataplat: CommandLine, warehouse: Warehouse, loaded: TableSpec) -> None:
    name = f"{loaded.table}[{DAY}]"
    equal = dataplat("diff", loaded.table, DAY)
    assert (equal.code, equal.out) == (
        0,
        f"{name}: equal; 0 of 6 rows moved\n  3 rows at the source, 3 in Hive\n",
    )
    assert equal.err == f"{name}  comparing checksums\n"

    source = f"shop.{loaded.table.split('.')[1]}"
    warehouse.sql(
        f"UPDATE {source} SET name = '名1 ', at = '{DAY} 04:00:01' WHERE id = 1",
        f"DELETE FROM {source} WHERE id = 2",
    )
    warehouse.add_orders(source, [(9, f"{DAY} 23:59:59")])
    ran = dataplat("diff", loaded.table, DAY.replace("-", ""))
    lines = [line.split("  ") for line in ran.out.splitlines()]
    assert [[cell.strip() for cell in line if cell.strip()] for line in lines] == [
        ["row", "key", "column", "source", "Hive"],
        ["─" * len(ran.out.splitlines()[1])],
        ["changed", "id 1", "name", '"名1 "', '"名1"'],
        ["at", f"{DAY} 04:00:01", f"{DAY} 12:00:01"],
        ["extra", "id 2"],
        ["lost", "id 9"],
        [],
        [f"{name}: lost 1, extra 1, changed 1; 6 of 6 rows moved"],
        ["3 rows at the source, 3 in Hive"],
    ]
    assert ran.code == 1

    never = dataplat("diff", loaded.table, "2026-01-07")
    assert (never.code, never.err.splitlines()[0]) == (
        1,
        f"{loaded.table}[2026-01-07]: the partition is not published",
    )
