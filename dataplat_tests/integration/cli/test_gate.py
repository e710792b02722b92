"""The gate on real components: re-checks, holds, waivers and models, by the commands that people type."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
import pytest

from dataplat.ledger import LockOwner
from dataplat.orchestration.instance import open_instance
from dataplat_tests.integration.cli.command_line import DAY, NEXT
from dataplat_tests.integration.warehouse import Warehouse
from dataplat_tests.unit.cli.harness import CommandLine, Ran

pytestmark = pytest.mark.integration


def declare_model(warehouse: Warehouse, name: str, upstream: str, text: str = "") -> str:
    folder = warehouse.root / "config" / "dw"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(f"table: dw.{name}\nstart: 2026-01-01\nkey: [id]\n{text}")
    sql = f"SELECT id, amount FROM {upstream} WHERE ds = '{{{{ ds }}}}'\n"
    (folder / f"{name}.sql").write_text(sql)
    return f"dw.{name}"


def visible(warehouse: Warehouse, table: str) -> list[int]:
    return warehouse.reader.read(table, f"ds={DAY}").values("id")


def rows(day: str, count: int, first: int = 0) -> list[tuple[int, str]]:
    return [(first + number, f"{day} 12:00:00") for number in range(count)]


def said(ran: Ran) -> str:
    """The message of a command, after its progress."""
    return ran.err.partition("\n\n")[2] or ran.err


def test_what_fails_when_it_is_checked_again_is_held_until_it_passes(
    warehouse: Warehouse, dataplat: CommandLine
) -> None:
    warehouse.orders("again", [*rows(DAY, 3), *rows(NEXT, 5, 10)])
    warehouse.declare("again")
    model = declare_model(warehouse, "again_day", "ods.again")
    assert dataplat("load", "ods.again", "--date", f"{DAY}~{NEXT}").code == 0
    ran = dataplat("recheck", "ods.again", "--date", f"{DAY}~{NEXT}")
    assert (ran.code, ran.err, ran.out) == (
        0,
        "",
        """\
table       partition    files hold   checks   failed   standing
────────────────────────────────────────────────────────────────
ods.again   2026-01-01            3        1        0   passed
ods.again   2026-01-02            5        1        0   passed
""",
    )

    warehouse.declare("again", "\nchecks: [{min_rows: 4}]\n")
    ran = dataplat("recheck", "ods.again", "--date", f"{DAY}~{NEXT}")
    assert (ran.code, ran.err) == (
        1,
        """
ods.again[2026-01-01]: checked again, and failed: min_rows
  min_rows   expected at least 4 rows, found 3 (config/ods/again.yaml:9 checks[0].min_rows)
  effect     held: version VERSION stays visible, and nothing is built on it
  next       dataplat ledger ods.again 2026-01-01   or   dataplat load ods.again --date 2026-01-01   or   \
dataplat release ods.again 2026-01-01 --reason …
""",
    )
    ran = dataplat("load", model, "--date", f"{DAY},{NEXT}")
    assert "held: held by check min_rows: expected at least 4 rows, found 3\n" in said(ran)
    assert dataplat("load", model, "--date", NEXT).code == 0

    warehouse.add_orders("shop.again", rows(DAY, 2, 20))
    assert dataplat("load", "ods.again", "--date", DAY).code == 0
    assert dataplat("ledger", "ods.again", DAY, "--json").document["holds"] == []
    assert dataplat("load", model, "--date", DAY).code == 0
    assert dataplat("recheck", model, "--date", f"{DAY}~{NEXT}").code == 0
    told = evaluations(warehouse, ["ods", "ods", "again"], "not_held")
    assert [passed for key, passed in told if key == DAY][:2] == [True, False]


def evaluations(warehouse: Warehouse, path: list[str], check: str) -> list[tuple[str | None, bool]]:
    platform = warehouse.platform
    with open_instance(platform.settings.dagster_home, platform.catalog) as instance:
        key = dg.AssetCheckKey(dg.AssetKey(path), check)
        records = instance.event_log_storage.get_asset_check_execution_history(key, limit=20)
    return [(record.partition, record.status.value == "SUCCEEDED") for record in records]


def test_a_damaged_file_is_found_and_a_load_repairs_it(warehouse: Warehouse, dataplat: CommandLine) -> None:
    warehouse.orders("damaged", rows(DAY, 3))
    warehouse.declare("damaged", "\nchecks: [{unique: [id]}]\n")
    assert dataplat("load", "ods.damaged", "--date", DAY).code == 0
    shown = warehouse.platform.ledger.visible("ods.damaged", [DAY])[DAY].location
    [file] = Path(urlsplit(shown).path).glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-10])

    ran = dataplat("recheck", "ods.damaged", "--date", DAY, "--json")
    assert (ran.code, ran.document["partitions"][0]["standing"]) == (1, "held")
    (check,) = ran.document["partitions"][0]["checks"]
    assert (check["check"], check["passed"], check["numbers"]["broken"]) == ("files_are_complete", False, 1)

    assert dataplat("load", "ods.damaged", "--date", DAY).code == 0
    assert dataplat("recheck", "ods.damaged", "--date", DAY).code == 0


def test_what_is_not_published_or_is_being_loaded_cannot_be_checked(
    warehouse: Warehouse, dataplat: CommandLine
) -> None:
    warehouse.orders("absent", rows(DAY, 3))
    spec = warehouse.declare("absent")
    ran = dataplat("recheck", "ods.absent", "--date", f"{DAY}~{NEXT}")
    assert (ran.code, ran.err) == (
        1,
        """
ods.absent[2026-01-01]: there is nothing to check: the partition is not published
  also     2026-01-02
  effect   nothing was changed
  next     dataplat ledger ods.absent 2026-01-01   or   dataplat load ods.absent --date 2026-01-01
""",
    )
    with warehouse.platform.ledger.lock_partitions(spec.table, [DAY], LockOwner.current()):
        ran = dataplat("recheck", "ods.absent", "--date", DAY)
    assert (ran.code, ran.err.splitlines()[1]) == (
        1,
        "ods.absent[2026-01-01]: another load holds the partition",
    )


def test_a_check_that_names_a_downstream_holds_back_that_one_alone(
    warehouse: Warehouse, dataplat: CommandLine
) -> None:
    warehouse.orders("named", rows(DAY, 3))
    named = declare_model(warehouse, "named_waits", "ods.named")
    other = declare_model(warehouse, "named_other", "ods.named")
    warehouse.declare("named", f"\nchecks: [{{min_rows: {{rows: 4, blocks: [{named}]}}}}]\n")

    ran = dataplat("load", "ods.named", "--date", DAY)
    assert (ran.code, ran.err.splitlines()[-1]) == (
        0,
        (
            "warning: ods.named[2026-01-01]: min_rows: expected at least 4 rows, found 3;"
            " held back: dw.named_waits"
        ),
    )
    ran = dataplat("load", f"{named},{other}", "--date", DAY)
    assert ran.code == 1
    assert said(ran).startswith(
        """\
dw.named_waits[2026-01-01]: the gate is closed by 1 upstream partition
  expected                every upstream published
  ods.named[2026-01-01]   blocked: check min_rows: expected at least 4 rows, found 3
"""
    )
    assert dataplat("path", other, DAY).code == 0
    assert dataplat("path", named, DAY).code == 1

    warehouse.add_orders("shop.named", rows(DAY, 2, 20))
    assert dataplat("load", "ods.named", "--date", DAY).code == 0
    assert dataplat("load", named, "--date", DAY).code == 0


def launch(warehouse: Warehouse, table: str, key: str) -> tuple[int, str]:
    """``dg launch`` of one partition, as a person who knows Dagster types it."""
    asset = "/".join(["dw", *table.split(".")])
    done = subprocess.run(
        [
            Path(sys.executable).parent / "dg",
            *("launch", "--assets", f'key:"{asset}"', "--partition", key),
        ],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **warehouse.environ, "DAGSTER_HOME": str(warehouse.root / "home" / "dagster")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_failed_day_closes_the_gate_of_dg_launch_and_a_waiver_opens_it_once(
    warehouse: Warehouse, dataplat: CommandLine
) -> None:
    warehouse.orders("launched", [*rows(DAY, 3), *rows(NEXT, 5, 10)])
    warehouse.declare("launched", "\nchecks: [{min_rows: 4}]\n")
    model = declare_model(warehouse, "launched_day", "ods.launched")
    assert dataplat("load", "ods.launched", "--date", f"{DAY}~{NEXT}").code == 1

    code, printed = launch(warehouse, model, DAY)
    assert code != 0
    assert "dw.launched_day[2026-01-01]: the gate is closed by 1 upstream partition" in printed
    assert "rejected: min_rows: expected at least 4 rows, found 3" in printed
    assert launch(warehouse, model, NEXT)[0] == 0

    assert dataplat("waive", model, DAY, "--reason", "a holiday", "--until", "2027-01-01").code == 0
    assert launch(warehouse, model, DAY)[0] == 0
    (waiver,) = warehouse.platform.ledger.waivers(model, [DAY], open_only=False)
    assert (waiver.reason, waiver.actor) == ("a holiday", "tests")
    assert waiver.used_at is not None
    assert waiver.used_by.startswith("tests ")
    assert dataplat("load", model, "--date", DAY).code == 1


def test_a_model_has_versions_that_can_be_found_rolled_back_and_collected(
    warehouse: Warehouse, dataplat: CommandLine
) -> None:
    warehouse.orders("kept", rows(DAY, 3))
    warehouse.declare("kept")
    model = declare_model(warehouse, "kept_day", "ods.kept", "retention: {versions: 1, grace: 0s}\n")
    for count in (3, 4, 5):
        assert dataplat("load", "ods.kept,dw.kept_day", "--date", DAY).code == 0
        assert len(visible(warehouse, model)) == count
        warehouse.add_orders("shop.kept", rows(DAY, 1, 20 + count))
    states = [row["state"] for row in dataplat("versions", model, DAY, "--json").document["versions"]]
    assert states == ["published", "superseded", "superseded"]

    assert dataplat("rollback", model, DAY, "--yes").code == 0
    assert len(visible(warehouse, model)) == 4
    assert evaluations(warehouse, ["dw", *model.split(".")], "files_are_complete")[0] == (DAY, True)
    assert dataplat("recheck", model, "--date", DAY).code == 0
    assert dataplat("collect", model).code == 0
    assert len(visible(warehouse, model)) == 4
    explained = dataplat("explain", model, "--date", DAY)
    assert (explained.code, "ods.kept" in explained.out) == (0, True)
    assert dataplat("ledger", model, DAY).code == 0
