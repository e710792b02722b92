"""What a person types, what may differ in the answer from run to run, and how a refusal is compared."""

import pytest

from dataplat.specs import TableSpec
from dataplat_tests.conftest import Golden
from dataplat_tests.integration.warehouse import Warehouse
from dataplat_tests.unit.cli.harness import CommandLine, Ran
from dataplat_tests.unit.cli.test_main import GOLDEN

DAY, NEXT = "2026-01-01", "2026-01-02"
MASKS = {
    r"\d{8}T\d{6}-[0-9a-f]{6}": "VERSION",
    r"127\.0\.0\.1:\d+": "HOST:PORT",
    r"localhost:\d+": "HOST:PORT",
    r"[0-9.]+-MariaDB[^,]*": "SERVER",
    r"\(port \d+\)": "(PORT)",
    r"[0-9.]+ [KMGT]iB": "SIZE",
    r"\d+ tables in": "N tables in",
    r"revision \d{4}": "revision NUMBER",
    r"(?m) +\d+\.\d$": " SECONDS",
}


def command_line(warehouse: Warehouse, capture: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(
        warehouse.root / "config", warehouse.root / "home", capture, dict(warehouse.environ), dict(MASKS)
    )


def shown(dataplat: CommandLine, table: TableSpec, key: str = DAY) -> str:
    """The location that the metastore shows, unmasked."""
    masks, dataplat.masks = dataplat.masks, {}
    ran = dataplat("path", table.table, key)
    dataplat.masks = masks
    return ran.out.strip()


def refused(dataplat: CommandLine, golden: Golden, table: TableSpec, case: str, *arguments: str) -> Ran:
    """Run a load that must fail; compare its message with the golden one, and what is visible with before."""
    before = shown(dataplat, table)
    ran = dataplat("load", table.table, "--date", DAY, *arguments)
    message = ran.err.partition("\n\n")[2] or ran.err  # after the progress
    golden(GOLDEN / "bad_input" / f"{case}.txt", f"exit {ran.code}\n{message}")
    assert shown(dataplat, table) == before
    assert before
    return ran
