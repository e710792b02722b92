"""The command line on real components: what a person types, sees, and finds in the warehouse afterwards."""

import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from dataplat.cli.session import Session
from dataplat.ledger import VersionState
from dataplat.orchestration.instance import open_instance
from dataplat.specs import TableSpec
from dataplat_tests.conftest import Golden
from dataplat_tests.integration.cli.command_line import DAY, NEXT, refused, shown
from dataplat_tests.integration.warehouse import Warehouse
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.cli.test_main import GOLDEN

pytestmark = pytest.mark.integration


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


def test_explain_shows_splits_with_their_rows_and_what_the_server_expects(
    warehouse: Warehouse, dataplat: CommandLine
) -> None:
    columns = "id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(50), amount DECIMAL(12,2), at DATETIME NOT NULL"
    warehouse.orders("split_in_three", columns=columns)
    warehouse.sql(
        "USE shop",
        "INSERT INTO split_in_three"
        " SELECT seq * seq << 22, REPEAT('x', 50), 1, '2026-01-01' FROM seq_1_to_9000",
        "ANALYZE TABLE split_in_three",
    )
    spec = warehouse.declare("split_in_three", load="snapshot", window="", split="{parts: 3}")

    splits = dataplat("explain", spec.table, "--date", DAY, "--json").document["splits"]
    shown = dataplat("explain", spec.table, "--date", DAY).out.splitlines()

    bounds = [split["predicate"].rsplit(" ", 1)[-1] for split in splits[:2]]
    assert [split["predicate"] for split in splits] == [
        f"`__dp_split` < {bounds[0]}",
        f"`__dp_split` >= {bounds[0]} AND `__dp_split` < {bounds[1]}",
        f"`__dp_split` >= {bounds[1]}",
    ]
    counted = [
        warehouse.sql(
            f"SELECT COUNT(*) FROM shop.split_in_three WHERE {split['predicate']}".replace("__dp_split", "id")
        )
        for split in splits
    ]
    assert all(2400 < rows < 3600 for ((rows,),) in counted), counted
    assert [(split["plan"]["access"], split["plan"]["key"]) for split in splits] == [("range", "PRIMARY")] * 3
    start = shown.index("splits (3)")
    heads = re.split(r"  +", shown[start + 1].strip())
    assert heads == ["split", "partitions", "rows, estimated", "access", "key", "server's rows"]
    remark = "  cut by id into ranges of about equal rows; a load cuts by what it has counted"
    assert shown[start + 9] == remark
    assert all(len(line) <= 80 for line in shown[start : start + 10]), shown


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
