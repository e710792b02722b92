"""``dataplat demo`` as a newcomer sees it: what it says, what it leaves, and that it can be run again."""

import json
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest

from dataplat_tests.e2e.conftest import DemoRun
from dataplat_tests.e2e.shell import COLUMNS, ROOT, Shell

pytestmark = pytest.mark.e2e

DAYS = [f"2026-01-{day:02}" for day in range(1, 15)]
TABLES = sorted(path.stem for path in (ROOT / "config" / "ods").glob("*.yaml"))
DAMAGED = "ods.ods_t_money_record[2026-01-09]"
ROW = re.compile(r"^(\S+) +([\d,]+) +([\d,]+) +([\d,]+) +(published|rejected) +([\d.]+)$")


def rows_by_table(text: str) -> dict[str, dict[str, tuple[int, int, int]]]:
    """Return source, written and file rows of each table and day as they were printed, until the damage."""
    found: dict[str, dict[str, tuple[int, int, int]]] = {}
    table = ""
    for line in text.split("3. The promise")[0].splitlines():
        if title := re.match(r"^ods\.(\w+)  \d+ (days|hours), ", line):
            table = title[1]
        elif row := ROW.match(line.rstrip()):
            source, written, files = (int(number.replace(",", "")) for number in row.groups()[1:4])
            assert row[5] == "published", line
            found.setdefault(table, {})[row[1]] = (source, written, files)
    return found


def test_it_ends_well_and_says_so_on_stdout_alone(demo_run: DemoRun) -> None:
    assert demo_run.done.code == 0, demo_run.done.said
    assert demo_run.done.err == ""
    assert "Done in" in demo_run.done.out


def test_every_table_shows_every_day_with_equal_counts(demo_run: DemoRun) -> None:
    tables = rows_by_table(demo_run.done.out)
    assert sorted(tables) == TABLES
    for days in tables.values():
        assert list(days) == [*DAYS, "together"]
        for source, written, files in days.values():
            assert source == written == files > 0
        assert days["together"][0] == sum(days[day][0] for day in DAYS)


def test_the_last_line_of_the_loads_adds_all_of_them_up(demo_run: DemoRun) -> None:
    rows = sum(days["together"][0] for days in rows_by_table(demo_run.done.out).values())
    summary = re.search(r"(\d+) partitions of (\d+) tables in \d+ s: ([\d,]+) rows at", demo_run.done.out)
    assert summary is not None
    assert summary.groups() == (str((len(TABLES) - 1) * 14 + 14 * 24), str(len(TABLES)), f"{rows:,}")


def test_a_damaged_day_is_not_shown_then_repaired(demo_run: DemoRun) -> None:
    act = demo_run.done.out.split("3. The promise")[1]
    seen = re.search(rf"Readers of {re.escape(DAMAGED)} see ([\d,]+) rows", act)
    assert seen is not None
    in_order = [
        f"{DAMAGED}: check failed: row_count_matches_source",
        f"source    {seen[1]} rows",
        "missing   213, allowed 0",
        "effect    nothing was published: version ",
        " stays visible, downstream is held",
        f"Readers of {DAMAGED} still see {seen[1]} rows",
        "ods.ods_t_money_record  1 day, incremental, one read",
        "What the ledger knows of",
    ]
    assert [text for text in in_order if text not in act] == []
    assert sorted(in_order, key=act.index) == in_order
    states = re.findall(r"^\d{8}T\d{6}-[0-9a-f]{6} +(\w+) +([\d,]+)", act, re.MULTILINE)
    rejected = f"{int(seen[1].replace(',', '')) - 213:,}"
    assert states == [("published", seen[1]), ("rejected", rejected), ("superseded", seen[1])]


def test_no_line_is_wider_than_the_terminal_but_those_of_a_message(demo_run: DemoRun) -> None:
    message = re.compile(r"^  (effect|next) |^Done in ")
    wide = [line for line in demo_run.done.out.splitlines() if len(line.rstrip()) > COLUMNS]
    assert [line for line in wide if not message.match(line)] == []


def test_it_shows_neither_warnings_nor_tracebacks_nor_passwords(demo_run: DemoRun) -> None:
    said = demo_run.done.said
    assert re.findall(r"\w*Warning|Traceback|\bWARN\w*|\bERROR\b", said) == []
    record = json.loads((demo_run.shell.home / "mariadb" / "instance.json").read_text())
    assert [name for name in ("root_password", "etl_password") if record[name] in said] == []


def test_nothing_runs_afterwards_and_nothing_lies_outside_its_home(demo_run: DemoRun) -> None:
    assert demo_run.left_running == []
    assert demo_run.strays == []


def test_nothing_listened_beyond_loopback(demo_run: DemoRun) -> None:
    assert demo_run.done.listened_on
    assert {address for address in demo_run.done.listened_on if not _is_loopback(address)} == set()


def test_the_files_hold_what_was_printed(demo_run: DemoRun) -> None:
    printed = rows_by_table(demo_run.done.out)["ods_t_money_record"]
    for day in ("2026-01-01", "2026-01-09"):
        printed_path = demo_run.shell.run(f"dataplat path ods.ods_t_money_record {day}").out.strip()
        files = list(Path(urlsplit(printed_path).path).glob("*.parquet"))
        assert sum(pq.read_metadata(file).num_rows for file in files) == printed[day][2]


def test_it_can_be_run_again_on_the_same_home(demo_home: Shell, tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config)
    for path in (config / "ods").glob("*.yaml"):  # one table is enough to see it
        if path.stem != "ods_t_money_record":
            path.unlink()
    again = demo_home.run(f"dataplat demo --keep --config {config}")
    assert again.code == 0, again.said
    assert list(rows_by_table(again.out)["ods_t_money_record"]) == [*DAYS, "together"]
    listed = json.loads(demo_home.run("dataplat versions ods.ods_t_money_record 2026-01-09 --json").out)
    states = [version["state"] for version in listed["versions"]]
    assert states == ["published", "rejected", "superseded", "superseded", "rejected", "superseded"]


def _is_loopback(address: str) -> bool:
    return address.removeprefix("::ffff:").startswith("127.") or address == "::1"
