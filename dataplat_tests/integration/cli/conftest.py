"""One warehouse for the tests of the command line, and a table for each of them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from dataplat.cli.session import Session
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.specs import TableSpec
from dataplat_tests.integration.cli.command_line import DAY, NEXT, command_line
from dataplat_tests.integration.warehouse import Warehouse
from dataplat_tests.unit.cli.harness import CommandLine


@pytest.fixture(scope="package")
def warehouse(mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("cli")
    opened = Warehouse(root, mariadb, uri=f"file://{root}/home/warehouse")
    yield opened
    opened.close()


@pytest.fixture
def dataplat(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[CommandLine]:
    """Runs commands at 2026-03-20; what a test declares is gone after it."""
    monkeypatch.setattr(Session, "now", lambda _: datetime(2026, 3, 20, 1, 0, tzinfo=UTC))
    yield command_line(warehouse, capsys)
    for file in (warehouse.root / "config").glob("*/*.*"):
        if file.stem != "shop":
            file.unlink()


@pytest.fixture
def table(request: pytest.FixtureRequest, warehouse: Warehouse, dataplat: CommandLine) -> TableSpec:
    """A table of two days with three rows each, never loaded."""
    name = request.node.name.split("[")[0].removeprefix("test_")[:40]
    warehouse.orders(name, [(n, f"{DAY if n < 3 else NEXT} 12:00:0{n}") for n in range(6)])
    return warehouse.declare(name, retries="{count: 0}")


@pytest.fixture
def loaded(dataplat: CommandLine, table: TableSpec) -> TableSpec:
    """The same table, its first day loaded."""
    assert dataplat("load", table.table, "--date", DAY).code == 0
    return table
