"""Every way to give bad input ends in one message, compared by its whole text, a non-zero exit, and the
version that was visible before still answering.
"""

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.ledger import LockOwner
from dataplat.specs import TableSpec
from dataplat_tests.conftest import Golden
from dataplat_tests.integration.cli.command_line import DAY, NEXT, command_line, refused, shown
from dataplat_tests.integration.warehouse import Warehouse
from dataplat_tests.services.hdfs import Hdfs
from dataplat_tests.services.process import free_port
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.cli.test_main import GOLDEN

pytestmark = pytest.mark.integration


def test_a_column_that_is_gone_at_the_source(
    warehouse: Warehouse, dataplat: CommandLine, golden: Golden, loaded: TableSpec
) -> None:
    warehouse.declare(loaded.name, columns="[id, name, amount, at]", retries="{count: 0}")
    warehouse.sql(f"ALTER TABLE shop.{loaded.name} DROP COLUMN amount")
    refused(dataplat, golden, loaded, "column_gone")


def test_a_column_that_is_gone_under_a_star(
    warehouse: Warehouse, dataplat: CommandLine, golden: Golden, loaded: TableSpec
) -> None:
    warehouse.sql(f"ALTER TABLE shop.{loaded.name} DROP COLUMN amount")
    refused(dataplat, golden, loaded, "column_gone_under_star")


def test_sql_in_columns_that_cannot_be_read(
    warehouse: Warehouse, dataplat: CommandLine, golden: Golden, loaded: TableSpec
) -> None:
    warehouse.declare(loaded.name, columns='[id, "upper(name AS n", amount, at]')
    refused(dataplat, golden, loaded, "columns_unreadable")


def test_sql_in_columns_that_the_server_refuses(
    warehouse: Warehouse, dataplat: CommandLine, golden: Golden, loaded: TableSpec
) -> None:
    warehouse.declare(loaded.name, columns='[id, "no_such_function(name) AS name", amount, at]')
    refused(dataplat, golden, loaded, "columns_refused")


@pytest.mark.parametrize(
    ("case", "old", "new"),
    [("unknown_key", "load: ", "lode: "), ("unknown_source", "source: shop", "source: shap")],
)
def test_a_file_with_a_mistake_in_it(
    warehouse: Warehouse,
    dataplat: CommandLine,
    golden: Golden,
    loaded: TableSpec,
    case: str,
    old: str,
    new: str,
) -> None:
    before = shown(dataplat, loaded)
    file = warehouse.root / "config" / "ods" / f"{loaded.name}.yaml"
    right = file.read_text()
    file.write_text(right.replace(old, new))
    ran = dataplat("load", loaded.table, "--date", DAY)
    golden(GOLDEN / "bad_input" / f"{case}.txt", f"exit {ran.code}\n{ran.err}")
    file.write_text(right)
    assert shown(dataplat, loaded) == before


def test_a_wrong_password(
    warehouse: Warehouse, dataplat: CommandLine, golden: Golden, loaded: TableSpec
) -> None:
    warehouse.write_source("other", password="${WRONG_PASSWORD}")
    warehouse.declare(loaded.name, source="other", retries="{count: 0}")
    dataplat.environ["WRONG_PASSWORD"] = "no-such-secret"
    ran = refused(dataplat, golden, loaded, "wrong_password")
    assert "no-such-secret" not in ran.out + ran.err


def test_a_secret_that_is_nowhere(
    warehouse: Warehouse, dataplat: CommandLine, golden: Golden, loaded: TableSpec
) -> None:
    warehouse.write_source("other", password="${NOT_SET_PASSWORD}")
    warehouse.declare(loaded.name, source="other")
    refused(dataplat, golden, loaded, "missing_secret")


def test_a_server_that_is_down_is_tried_again_and_then_told(
    warehouse: Warehouse, dataplat: CommandLine, golden: Golden, loaded: TableSpec
) -> None:
    warehouse.write_source("other", port=str(free_port()))
    warehouse.declare(loaded.name, source="other", retries="{count: 1, delay: 0s}")
    ran = refused(dataplat, golden, loaded, "server_down")
    assert ran.err.count("source other: the server cannot be reached; trying again in 0 s\n") == 1


def test_a_range_that_ends_before_it_starts_and_a_day_that_is_not_over(
    dataplat: CommandLine, golden: Golden, loaded: TableSpec
) -> None:
    refused(dataplat, golden, loaded, "range_reversed", "--date", f"{NEXT}~{DAY}")
    refused(dataplat, golden, loaded, "not_yet", "--date", "2026-03-20")


def test_a_partition_that_was_never_loaded_has_no_path(
    dataplat: CommandLine, golden: Golden, loaded: TableSpec
) -> None:
    ran = dataplat("path", loaded.table, NEXT)
    golden(GOLDEN / "bad_input" / "path_absent.txt", f"exit {ran.code}\n{ran.out}{ran.err}")


def test_a_table_that_was_never_loaded_has_no_path(
    dataplat: CommandLine, golden: Golden, table: TableSpec
) -> None:
    ran = dataplat("path", table.table, DAY)
    golden(GOLDEN / "bad_input" / "path_no_table.txt", f"exit {ran.code}\n{ran.out}{ran.err}")


def test_a_partition_that_somebody_else_loads(
    warehouse: Warehouse, dataplat: CommandLine, golden: Golden, loaded: TableSpec
) -> None:
    dataplat.masks[r"pid \d+ on \S+, since .*"] = "HOLDER"
    owner = LockOwner.current(command="dataplat load, in another terminal")
    with warehouse.platform.ledger.lock_partitions(loaded.table, [DAY], owner):
        refused(dataplat, golden, loaded, "in_progress", "--wait", "0.2")


def test_no_space_in_the_warehouse(
    mariadb: PrivateMariaDB,
    hdfs: Hdfs,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    golden: Golden,
) -> None:
    monkeypatch.setenv("HADOOP_USER_NAME", "hdfs")
    root = tmp_path_factory.mktemp("cli_full")
    full = Warehouse(root, mariadb, uri=f"{hdfs.url}/warehouse/cli_full", hdfs=hdfs, database="full")
    dataplat = command_line(full, capsys)
    try:
        full.orders("no_space", [(1, f"{DAY} 12:00:00")])
        table = full.declare("no_space", retries="{count: 0}")
        assert dataplat("load", table.table, "--date", DAY).code == 0
        hdfs.limit_space("/warehouse/cli_full", megabytes=1)
        refused(dataplat, golden, table, "no_space")
    finally:
        full.close()
