"""``dataplat diff``: what it prints, on its page and as JSON. What it finds is an integration test."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataplat.lifecycle.row_diff import RowDiff
from dataplat.plan.row_values import ColumnDifference, RowDifference
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.specs.folder import MONEY, Config

PAGE = (Path(__file__).parents[3] / "docs" / "row-diff.md").read_text(encoding="utf-8")
TABLE, KEY = "ods.ods_t_order", "2026-01-05"
DIFFERENCES = (
    RowDifference(
        "changed",
        (("id", "5"),),
        (ColumnDifference("fee", "12.3400", "12.3000"), ColumnDifference("note", "paid ", "paid")),
    ),
    RowDifference("lost", (("id", "8"),)),
    RowDifference("extra", (("id", "9"),)),
    RowDifference(
        "changed",
        (("id", "6"),),
        (
            ColumnDifference("note", None, ""),
            ColumnDifference("at", "2026-01-05 10:00:00", "2026-01-05 18:00:00"),
        ),
    ),
)
FOUND = RowDiff(
    *(TABLE, KEY, 1_756, 1_756, 1, 1, 2, 812),
    differences=DIFFERENCES,
    not_compared=("gone is only in Hive",),
    quoted=frozenset({"note"}),
)
EQUAL = RowDiff(TABLE, KEY, 1_756, 1_756, 0, 0, 0, 0, (), ())


@pytest.fixture
def dataplat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    config = Config(tmp_path)
    config.write(MONEY, config.read(MONEY).replace("ods.ods_t_money_record", TABLE))
    return CommandLine(config.dir, tmp_path / "home", capsys)


def answer(monkeypatch: pytest.MonkeyPatch, found: RowDiff) -> list[Any]:
    """Let the comparison find something, and return what it was asked."""
    asked: list[Any] = []

    def diff_partition(
        platform: object, spec: Any, key: str, *, limit: int, command: str, listen: Any
    ) -> RowDiff:
        assert command.startswith("dataplat diff ")
        asked.append((spec.table, key, limit))
        listen("comparing checksums", 0, 1)
        listen("comparing rows", 0, 12)
        listen("comparing rows", 1, 12)
        return found

    monkeypatch.setattr("dataplat.lifecycle.row_diff.diff_partition", diff_partition)
    return asked


def test_the_page_shows_what_the_command_prints(
    dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer(monkeypatch, FOUND)
    ran = dataplat("diff", TABLE, "20260105")
    (shown,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert (ran.code, ran.out) == (1, shown)
    assert asked == [(TABLE, KEY, 20)]
    assert ran.err == (f"{TABLE}[{KEY}]  comparing checksums\n{TABLE}[{KEY}]  comparing rows  12\n")


def test_every_command_of_the_page_is_one(dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines():
        asked = answer(monkeypatch, EQUAL)
        assert dataplat(*line.partition("#")[0].split()[1:]).code == 0
    assert asked == [(TABLE, KEY, 100)]


def test_equal_sides_end_with_0_and_one_line(dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, EQUAL)
    ran = dataplat("diff", TABLE, KEY)
    assert (ran.code, ran.out) == (
        0,
        f"{TABLE}[{KEY}]: equal; 0 of 3,512 rows moved\n  1,756 rows at the source, 1,756 in Hive\n",
    )


@pytest.mark.parametrize("kind", ["lost", "extra", "changed"])
def test_one_row_of_any_kind_ends_with_1(
    dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    answer(monkeypatch, replace(EQUAL, **{kind: 1}))
    ran = dataplat("diff", TABLE, KEY, "--limit", "0")
    assert (ran.code, f"{kind} 1" in ran.out) == (1, True)


def test_a_snapshot_says_what_it_is_compared_with(
    dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = dataplat.config / MONEY
    text = re.sub(r"load: incremental", "load: snapshot", file.read_text(encoding="utf-8"))
    file.write_text(re.sub(r"column: \w+, ", "", text), encoding="utf-8")
    answer(monkeypatch, EQUAL)
    assert dataplat("diff", TABLE, KEY).out.splitlines()[2:] == [
        "  the source is compared as it is now; it may have changed since the load"
    ]


def test_programs_read_the_same(dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, FOUND)
    ran = dataplat("diff", TABLE, KEY, "--json")
    document = ran.document
    assert ran.code == 1
    assert {name: value for name, value in document.items() if name != "rows"} == {
        "ok": False,
        "table": TABLE,
        "partition": KEY,
        "lost": 1,
        "extra": 1,
        "changed": 2,
        "source_rows": 1_756,
        "hive_rows": 1_756,
        "rows_moved": 812,
        "not_compared": ["gone is only in Hive"],
    }
    assert document["rows"][1:] == [
        {"kind": "lost", "key": {"id": "8"}, "columns": {}},
        {"kind": "extra", "key": {"id": "9"}, "columns": {}},
        {
            "kind": "changed",
            "key": {"id": "6"},
            "columns": {
                "note": {"source": None, "hive": ""},
                "at": {"source": "2026-01-05 10:00:00", "hive": "2026-01-05 18:00:00"},
            },
        },
    ]


def test_a_row_without_a_key_shows_the_side_that_has_it(
    dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = RowDifference(
        "extra", (), (ColumnDifference("note", None, "x"), ColumnDifference("fee", None, "1"))
    )
    answer(monkeypatch, RowDiff(TABLE, KEY, 0, 1, 0, 1, 0, 2, (row,), (), frozenset({"note"})))
    printed = [line.split() for line in dataplat("diff", TABLE, KEY).out.splitlines()]
    assert printed[2:4] == [["extra", "note", '"x"'], ["fee", "1"]]
    (document,) = dataplat("diff", TABLE, KEY, "--json").document["rows"]
    assert document["columns"] == {"note": {"hive": "x"}, "fee": {"hive": "1"}}


def test_a_table_that_is_made_by_sql_or_unknown_has_no_source(dataplat: CommandLine) -> None:
    assert dataplat("diff", "ods.nothing", KEY).code == 2
