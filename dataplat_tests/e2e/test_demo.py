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
LOADED = re.compile(r"^(ods\.\S+) +(\d+) (?:days|hours) +([\d,]+) +([\d,]+) +[\d.]+$", re.MULTILINE)
MADE = re.compile(
    r"^((?:dim|dw|ads)\.\S+) +(\d+) (?:days?|hours) +(\S+) +(\S+) +([\d,]+) +[\d.]+$", re.MULTILINE
)
DAY_ROW = re.compile(r"^(\S+) +([\d,]+) +([\d,]+) +([\d,]+) +(published|rejected) +([\d.]+)$")
VERSION = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")
MODELS = [
    path.stem
    for folder in ("dim", "dw", "ads")
    for path in (ROOT / "config" / folder).glob("*.sql")
    if "\ngrain: month" not in path.with_suffix(".yaml").read_text()  # no month of the demo is over
]


def loads_of(text: str) -> dict[str, tuple[int, int, int]]:
    """Return partitions, source rows and rows in files of each loaded table, as they were printed."""
    return {
        table.removeprefix("ods."): (int(partitions), _number(source), _number(files))
        for table, partitions, source, files in LOADED.findall(text.split("3. The promise")[0])
    }


def days_of(text: str) -> dict[str, dict[str, tuple[int, int, int]]]:
    """Return source, written and file rows of each table and day, as they were printed until the damage."""
    found: dict[str, dict[str, tuple[int, int, int]]] = {}
    table = ""
    for line in text.split("3. The promise")[0].splitlines():
        if title := re.match(r"^ods\.(\w+)  \d+ (days|hours), ", line):
            table = title[1]
        elif row := DAY_ROW.match(line.rstrip()):
            source, written, files = map(_number, row.groups()[1:4])
            assert row[5] == "published", line
            found.setdefault(table, {})[row[1]] = (source, written, files)
    return found


def test_it_ends_well_and_says_so_on_stdout_alone(demo_run: DemoRun) -> None:
    assert demo_run.done.code == 0, demo_run.done.said
    assert demo_run.done.err == ""
    assert "Done in" in demo_run.done.out


def test_every_table_shows_equal_counts_at_the_source_and_in_the_files(demo_run: DemoRun) -> None:
    loads = loads_of(demo_run.done.out)
    assert sorted(loads) == TABLES
    for table, (partitions, source, files) in loads.items():
        assert partitions == (14 * 24 if table == "ods_t_page_view" else 14)
        assert source == files > 0


def test_every_table_shows_every_day_and_the_days_add_up(demo_run: DemoRun) -> None:
    tables, loads = days_of(demo_run.done.out), loads_of(demo_run.done.out)
    assert sorted(tables) == TABLES
    for table, days in tables.items():
        assert list(days) == [*DAYS, "together"]
        for source, written, files in days.values():
            assert source == written == files > 0
        assert days["together"][0] == sum(days[day][0] for day in DAYS) == loads[table][1]


def test_the_last_line_of_the_loads_adds_all_of_them_up(demo_run: DemoRun) -> None:
    rows = sum(source for _, source, _ in loads_of(demo_run.done.out).values())
    summary = re.search(r"(\d+) partitions of (\d+) tables in \d+ s: ([\d,]+) rows at", demo_run.done.out)
    assert summary is not None
    assert summary.groups() == (str((len(TABLES) - 1) * 14 + 14 * 24), str(len(TABLES)), f"{rows:,}")


def test_a_damaged_day_is_not_shown_then_repaired(demo_run: DemoRun) -> None:
    act = demo_run.done.out.split("3. The promise")[1].split("4. The warehouse")[0]
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
    rejected = f"{_number(seen[1]) - 213:,}"
    assert states == [("published", seen[1]), ("rejected", rejected), ("superseded", seen[1])]


def test_a_bad_upstream_day_stops_where_it_is_seen_and_flows_when_it_is_repaired(demo_run: DemoRun) -> None:
    act, repair = demo_run.done.out.split("4. The warehouse")[1].split("The other days are there.")
    made = {table: (int(days), bad, late) for table, days, bad, late, _ in MADE.findall(act)}
    assert sorted(name.split(".")[1] for name in made) == sorted(MODELS)
    stopped = {"dw.dw_order_day": (6, "1", "-"), "ads.ads_sales_day": (6, "-", "1")}
    assert {name: counts for name, counts in made.items() if counts[1:] != ("-", "-")} == stopped
    in_order = [
        "37 orders of 2026-01-13",
        "dw.dw_order_day[2026-01-13]: check failed: referential_account_id_dim_account",
        "account_id of 37 in ",
        "the partition was never published and stays absent, downstream is held",
        "ads.ads_sales_day[2026-01-13]: the gate is closed by 1 upstream partition",
        "dw.dw_order_day[2026-01-13]   rejected: referential_account_id_dim_account: account_id of 37 in ",
        "nothing was read; what was visible before is still visible",
    ]
    assert [text for text in in_order if text not in act] == []
    assert sorted(in_order, key=act.index) == in_order
    assert [row[:4] for row in MADE.findall(repair)] == [
        ("dw.dw_order_day", "1", "-", "-"),
        ("ads.ads_sales_day", "1", "-", "-"),
    ]


def test_what_was_built_says_so_in_the_ledger(demo_run: DemoRun) -> None:
    def versions(table: str, day: str) -> list[str]:
        listed = json.loads(demo_run.shell.run(f"dataplat versions {table} {day} --json").out)
        return [version["state"] for version in listed["versions"]]

    assert versions("dw.dw_order_day", "2026-01-13") == ["published", "rejected"]
    assert versions("ads.ads_sales_day", "2026-01-13") == ["published"]
    assert versions("ads.ads_sales_day", "2026-01-12") == ["published"]


def test_no_line_is_wider_than_the_terminal_but_those_of_a_message(demo_run: DemoRun) -> None:
    message = re.compile(r"^  (effect|next|referential\w+|dw\.\S+) |^Done in ")
    wide = [line for line in demo_run.done.out.splitlines() if len(line.rstrip()) > COLUMNS]
    assert [line for line in wide if not message.match(line)] == []


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_readmes_show_what_it_says(demo_run: DemoRun, page: str) -> None:
    said = re.sub(r" {2,}", "  ", VERSION.sub("VERSION", demo_run.done.out))
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    shown = [line for language, block in blocks if not language for line in block.splitlines()]
    lines = [re.sub(r" {2,}", "  ", VERSION.sub("VERSION", line)) for line in shown]
    assert len(lines) > 20
    patterns = {line: re.escape(line).replace("…", ".*") for line in lines}
    missing = [line for line, one in patterns.items() if not re.search(f"^{one}$", said, re.MULTILINE)]
    assert missing == []


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
    _, _, printed = loads_of(demo_run.done.out)["ods_t_money_record"]
    listed = json.loads(demo_run.shell.run("dataplat versions ods.ods_t_money_record --json").out)["versions"]
    folders = [Path(urlsplit(row["location"]).path) for row in listed if row["state"] == "published"]
    path = demo_run.shell.run("dataplat path ods.ods_t_money_record 2026-01-09").out.strip()
    assert len(folders) == len(DAYS)
    assert Path(urlsplit(path).path) in folders
    in_files = sum(pq.read_metadata(file).num_rows for one in folders for file in one.glob("*.parquet"))
    assert in_files == printed


def test_it_can_be_run_again_on_the_same_home(demo_home: Shell, tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config)
    for path in config.glob("*/*"):  # one table is enough to see it
        if path.parent.name in ("ods", "dim", "dw", "ads") and path.stem != "ods_t_money_record":
            path.unlink()
    again = demo_home.run(f"dataplat demo --keep --config {config}")
    assert again.code == 0, again.said
    assert loads_of(again.out)["ods_t_money_record"][0] == len(DAYS)
    listed = json.loads(demo_home.run("dataplat versions ods.ods_t_money_record 2026-01-09 --json").out)
    states = [version["state"] for version in listed["versions"]]
    assert states == ["published", "rejected", "superseded", "superseded", "rejected", "superseded"]


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _is_loopback(address: str) -> bool:
    return address.removeprefix("::ffff:").startswith("127.") or address == "::1"
