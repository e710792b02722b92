"""The command line on real components: what a person types, sees, and finds in the warehouse afterwards.

Every way to give bad input ends in one message, compared by its whole text, a non-zero exit, and the
version that was visible before still answering.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from dataplat.cli.session import Session
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.ledger import LockOwner, VersionState
from dataplat.orchestration.instance import open_instance
from dataplat.specs import TableSpec
from dataplat_tests.conftest import Golden
from dataplat_tests.integration.warehouse import Warehouse
from dataplat_tests.services.hdfs import Hdfs
from dataplat_tests.services.process import free_port
from dataplat_tests.unit.cli.harness import CommandLine, Ran
from dataplat_tests.unit.cli.test_main import GOLDEN

pytestmark = pytest.mark.integration

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


@pytest.fixture(scope="module")
def warehouse(mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("cli")
    opened = Warehouse(root, mariadb, uri=f"file://{root}/home/warehouse")
    yield opened
    opened.close()


def command_line(warehouse: Warehouse, capture: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(
        warehouse.root / "config", warehouse.root / "home", capture, dict(warehouse.environ), dict(MASKS)
    )


@pytest.fixture
def dataplat(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[CommandLine]:
    """Runs commands at 2026-03-20; what a test declares is gone after it."""
    monkeypatch.setattr(Session, "now", lambda _: datetime(2026, 3, 20, 1, 0, tzinfo=UTC))
    yield command_line(warehouse, capsys)
    for file in (warehouse.root / "config").glob("*/*.yaml"):
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


# What goes well


def test_from_load_to_rollback_to_collect(
    warehouse: Warehouse, dataplat: CommandLine, table: TableSpec, golden: Golden
) -> None:
    first = dataplat("load", table.table, "--date", "20260101~2026-01-02")
    assert first.code == 0
    golden(GOLDEN / "load.txt", first.out)
    golden(GOLDEN / "load_progress.txt", first.err)
    one = shown(dataplat, table)
    assert warehouse.reader.read(table.table, f"ds={DAY}").values("id") == [0, 1, 2]

    warehouse.sql(f"DELETE FROM shop.{table.name} WHERE id = 0")
    again = dataplat("load", table.table, "--date", DAY, "--json").document
    assert [(item["verdict"], item["rows"]) for item in again["partitions"]] == [("published", 2)]
    two = shown(dataplat, table)
    assert one != two

    back = dataplat("rollback", table.table, DAY, "--yes")
    assert (back.code, back.err) == (0, "")
    golden(GOLDEN / "rollback.txt", back.out)
    assert shown(dataplat, table) == one
    assert warehouse.reader.read(table.table, f"ds={DAY}").values("id") == [0, 1, 2]

    states = [row["state"] for row in dataplat("versions", table.table, DAY, "--json").document["versions"]]
    assert states == ["superseded", "published"]
    assert dataplat("collect", table.table).out == "there is nothing to collect\n"


def test_a_collection_takes_old_versions_and_leaves_what_is_visible(
    warehouse: Warehouse, dataplat: CommandLine, loaded: TableSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "now", lambda _: datetime.now(UTC))
    for _ in range(2):
        dataplat("load", loaded.table, "--date", DAY)
    spec = warehouse.declare(loaded.name, retention="{versions: 1, grace: 0d}")
    planned = dataplat("collect", spec.table, "--dry-run", "--json").document
    assert [item["kept"] for item in planned["versions"]] == [None, None]
    old = warehouse.platform.ledger.in_state(spec.table, {VersionState.SUPERSEDED})
    places = [Path(row.location.removeprefix("file://")) for row in old]
    assert all(place.exists() for place in places)
    done = dataplat("collect", spec.table)
    assert (done.code, done.out.splitlines()[-1]) == (0, "2 versions of partitions, SIZE freed")
    assert not any(place.exists() for place in places)
    assert len(warehouse.reader.read(spec.table, f"ds={DAY}").values("id")) == 3


def test_what_a_command_does_is_in_the_dagster_that_the_ui_shows(
    warehouse: Warehouse, dataplat: CommandLine, loaded: TableSpec
) -> None:
    dataplat("load", loaded.table, "--date", DAY)
    dataplat("rollback", loaded.table, DAY, "--yes")
    key = dg.AssetKey(loaded.asset_path)
    with open_instance(warehouse.root / "home" / "dagster", warehouse.platform.catalog) as instance:
        wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[DAY])
        events = [
            record.asset_materialization for record in instance.fetch_materializations(wanted, 9).records
        ]
        tags = [run.tags["dataplat/table"] for run in instance.get_runs() if run.asset_selection == {key}]
    assert [event is not None and "rolled_back_from" in event.metadata for event in events] == [
        True,
        False,
        False,
    ]
    assert set(tags) <= {loaded.table}


def test_one_table_that_fails_does_not_stop_the_others(
    warehouse: Warehouse, dataplat: CommandLine, table: TableSpec, golden: Golden
) -> None:
    """B33: all are run in their order, failures are counted and listed."""
    broken = warehouse.declare("a_broken_one", retries="{count: 0}")
    ran = dataplat("load", f"{broken.table},{table.table}", "--date", DAY)
    assert ran.code == 1
    golden(GOLDEN / "load_one_failed.txt", ran.out)
    assert "shop.a_broken_one: the table does not exist" in ran.err
    assert ran.err.endswith("\n1 of 2 partitions were published\n")


def test_a_rejected_partition_is_told_in_full_and_the_old_one_answers(
    warehouse: Warehouse, dataplat: CommandLine, loaded: TableSpec, golden: Golden
) -> None:
    warehouse.declare(loaded.name, checks="[min_rows: 10]")
    refused(dataplat, golden, loaded, "check_failed")


def test_everything_answers(dataplat: CommandLine, table: TableSpec, golden: Golden) -> None:
    assert dataplat("engine", "start").code == 0
    dataplat.masks[r"\d+ databases"] = "N databases"
    dataplat.masks[r"\d+ runs"] = "N runs"
    ran = dataplat("check", "--connect")
    assert ran.code == 0
    golden(GOLDEN / "connect_good.txt", ran.out)


def test_every_part_that_does_not_answer_is_told_and_none_stops_the_others(
    warehouse: Warehouse, dataplat: CommandLine, table: TableSpec, golden: Golden
) -> None:
    warehouse.write_source("down", port="1")
    warehouse.write_source("locked_out", password="${WRONG_PASSWORD}")
    warehouse.write_source("unset", password="${NOT_SET_PASSWORD}")
    warehouse.declare("no_such_table")
    warehouse.declare(table.name, columns="[id, amout, at]")
    dataplat.masks[r"\d+ databases"] = "N databases"
    dataplat.masks[r"\d+ runs"] = "N runs"
    elsewhere = warehouse.root / "elsewhere"
    elsewhere.write_text("a file where the warehouse should be")
    platform = warehouse.root / "config" / "platform.yaml"
    right = platform.read_text()
    platform.write_text(right.replace(warehouse.uri, f"file://{elsewhere}/warehouse"))
    dataplat.masks[str(warehouse.root)] = "ROOT"
    try:
        ran = dataplat("check", "--connect", environ={"WRONG_PASSWORD": "no-such-secret"})
    finally:
        platform.write_text(right)
    assert ran.code == 1
    golden(GOLDEN / "connect_bad.txt", ran.out)
    assert "no-such-secret" not in ran.out + ran.err


def test_explain_shows_what_would_be_sent_and_sends_nothing(
    warehouse: Warehouse, dataplat: CommandLine, golden: Golden
) -> None:
    few = [(n, f"{DAY} 12:00:{n:02}") for n in range(20)]
    warehouse.orders("explained", [*few, *((n, "2025-12-01") for n in range(100, 3000))])
    warehouse.sql("ANALYZE TABLE shop.explained")
    spec = warehouse.declare("explained", where="\"name <> '$[yyyyMMdd]'\"")
    dataplat.masks[r"rows, estimated   +size\n─+\n.*"] = "ESTIMATES"
    ran = dataplat("explain", spec.table, "--date", f"{DAY}~{NEXT}")
    assert ran.code == 0
    golden(GOLDEN / "explain.txt", ran.out)
    assert warehouse.platform.ledger.history(spec.table) == ()


def test_explain_points_at_a_full_scan(warehouse: Warehouse, dataplat: CommandLine) -> None:
    columns = "id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(50), amount DECIMAL(12,2), at DATETIME NOT NULL"
    warehouse.orders("scanned", [(n, "2026-01-01") for n in range(100)], columns=columns)
    spec = warehouse.declare("scanned")
    lines = dataplat("explain", spec.table, "--date", DAY).out.splitlines()
    assert lines[-2:] == [
        "  FULL SCAN of scanned, about 100 rows, however few of them lie in the window",
        "  next: an index on at at the source",
    ]


def test_an_engine_is_started_looked_at_and_stopped(dataplat: CommandLine) -> None:
    assert dataplat("engine", "start").code == 0
    (running,) = dataplat("engine", "status", "--json").document["engines"]
    assert (running["running"], running["mode"]) == (True, "local")
    assert dataplat("engine", "stop").out == "engine default: stopped\n"
    assert dataplat("engine", "stop").out == "engine default: was not running\n"
    assert dataplat("engine", "status", "--json").document["engines"][0]["running"] is False


def test_an_engine_that_is_not_declared_is_one_message(dataplat: CommandLine) -> None:
    ran = dataplat("engine", "start", "--name", "heavy")
    assert (ran.code, ran.err) == (
        2,
        ("engine heavy: is not declared\n  expected   default\n  effect     nothing was started\n"),
    )


# Bad input


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


@pytest.mark.parametrize("step", ["plan", "stage", "publish"])
def test_an_interrupt_ends_a_load_at_once_and_leaves_nothing_half_way(
    warehouse: Warehouse, dataplat: CommandLine, loaded: TableSpec, step: str
) -> None:
    """Dagster would respect the retry policy of thirty seconds, and load again."""
    warehouse.declare(loaded.name, retries="{count: 2, delay: 300s}")
    before = shown(dataplat, loaded)
    command = [sys.executable, "-m", "dataplat.cli.main", "load", loaded.table, "--date", DAY]
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *command],
        env={**warehouse.environ, "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    seen = next(line for line in process.stderr if f"  {step}" in line)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, ""), seen + err
    assert err.splitlines()[-1].startswith(f"interrupted: {loaded.table}[{DAY}] was ")
    if step != "publish":
        assert shown(dataplat, loaded) == before
    assert dataplat("load", loaded.table, "--date", DAY).code == 0
    states = {row.state for row in warehouse.platform.ledger.history(loaded.table)}
    assert states <= {"published", "superseded", "abandoned"}
