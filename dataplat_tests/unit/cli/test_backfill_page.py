"""``docs/backfills.md`` says what the commands really do."""

import re
import shlex
from pathlib import Path

import pytest

from dataplat.plan.splits import MAX_PARTITIONS_A_READ
from dataplat.plan.widths import MAX_PARTITIONS_A_WRITE
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.specs.folder import Config

PAGE = (Path(__file__).parents[3] / "docs" / "backfills.md").read_text(encoding="utf-8")
SHIPPED = Path(__file__).parents[3] / "config"


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [shlex.split(line, comments=True)[1:] for block in blocks for line in block.splitlines()]


def test_the_plan_of_the_page_is_one_of_the_shipped_configuration(
    dataplat: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dataplat.config = SHIPPED
    ran = dataplat(*commands()[0])
    assert (ran.code, ran.err) == (0, "")
    assert Path("plan.json").is_file()


def test_every_selection_of_the_page_is_understood(dataplat: CommandLine, config: Config) -> None:
    config.replace("ods/ods_t_money_record.yaml", "ods.ods_t_money_record", "ods.x")
    config.write("dw/y.yaml", "table: dw.y\n")
    config.write("dw/y.sql", "SELECT account_id FROM ods.x WHERE ds = '{{ ds }}'\n")
    selections = re.findall(r"^\| `([^`]+)` \|", PAGE.partition("## What the plan says")[0], re.MULTILINE)
    assert len(selections) == 7
    for selection in selections[1:]:
        ran = dataplat("backfill", "plan", "--select", selection, "--from", "2026-03-01")
        assert (ran.code, ran.err) == (0, ""), selection


def test_the_widths_of_runs_are_those_of_the_page() -> None:
    assert f"one read ({MAX_PARTITIONS_A_READ}) or one write of a model ({MAX_PARTITIONS_A_WRITE})" in PAGE


def test_every_command_of_the_page_is_one(dataplat: CommandLine) -> None:
    shown = {arguments[1] for arguments in commands()}
    assert shown == {"plan", "apply", "resume", "status"}
    options = {
        name: set(re.findall(r"--[a-z-]+", dataplat("backfill", name, "--help").out)) for name in shown
    }
    for arguments in commands():
        assert {one for one in arguments if one.startswith("--")} <= options[arguments[1]]
