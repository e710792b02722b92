"""A marked password goes through a whole load, and is looked for in everything that the load left behind."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.orchestration.instance import open_instance
from dataplat.orchestration.launch import run_table
from dataplat.orchestration.observer import Observer
from dataplat_tests.integration.warehouse import Warehouse
from dataplat_tests.services.process import DIES_WITH_US

CANARY = "canary-4b1d9f-do-not-print"
DAY = "2026-01-05"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("secrets")
    with PrivateMariaDB(tmp_path_factory.mktemp("mariadb"), launcher=DIES_WITH_US) as server:
        house = Warehouse(root, server, uri=f"file://{root}/warehouse")
        house.sql(f"CREATE USER canary IDENTIFIED BY '{CANARY}'", "GRANT SELECT ON *.* TO canary")
        house.environ["SHOP_PASSWORD"] = CANARY
        house.write_source("shop", user="canary")
        house.platform = house.new_platform()
        try:
            yield house
        finally:
            house.close()


@pytest.fixture(scope="module")
def left_behind(warehouse: Warehouse) -> list[Path]:
    """Every file below the home after a load that succeeds, one that the source refuses, and one that
    the engine fails.
    """
    warehouse.orders("good", [(1, f"{DAY} 10:00:00")])
    good = warehouse.declare("good")
    warehouse.orders("wrong", [(1, f"{DAY} 10:00:00")])
    wrong = warehouse.declare("wrong", columns='[id, at, "nothing(id) AS x"]')
    warehouse.orders("failing", [(1, f"{DAY} 10:00:00")])
    many = '[id, at, "(SELECT id FROM information_schema.columns c, shop.failing f) AS many"]'
    failing = warehouse.declare("failing", columns=many, retries="{count: 0}")
    platform = warehouse.platform
    instance = open_instance(platform.settings.dagster_home, platform.catalog)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(platform.settings.dagster_home))
        succeeded = [
            run_table(platform, instance, spec, [DAY], Observer())[0].succeeded
            for spec in (good, wrong, failing)
        ]
    instance.dispose()
    assert succeeded == [True, False, False]
    return [path for path in (warehouse.root / "home").rglob("*") if path.is_file()]


def test_the_load_left_events_a_ledger_and_the_engines_log(left_behind: list[Path]) -> None:
    names = {path.name for path in left_behind}
    assert {"index.db", "runs.db", "ledger.db"} <= names
    assert any(path.suffix == ".out" for path in left_behind)
    assert any(path.parent.name == "runs" and path.suffix == ".db" for path in left_behind)


def test_the_password_is_in_none_of_them(left_behind: list[Path]) -> None:
    found = [str(path) for path in left_behind if CANARY.encode() in path.read_bytes()]
    assert found == []


def test_the_search_would_find_it(left_behind: list[Path]) -> None:
    """The user's name is no secret, and is found where the driver's errors are kept."""
    assert any(b"ods.failing" in path.read_bytes() for path in left_behind)


def test_the_password_is_on_no_command_line_of_the_engine(
    warehouse: Warehouse, left_behind: list[Path]
) -> None:

    pid = warehouse.platform.engine().status().pid
    assert pid is not None
    assert CANARY not in " ".join(psutil.Process(pid).cmdline())
