"""``docs/late-rows.md`` shows what the command prints."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from dataplat.specs.drift import DriftSpec
from dataplat_tests.services.sqlite_source import StandInSource
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.cli.test_drift import MONEY_TABLE, ROWS, add, publish, source

__all__ = ["source"]
PAGE = (Path(__file__).parents[3] / "docs" / "late-rows.md").read_text(encoding="utf-8")
ASK, ENQUEUE = re.findall(r"^```sh\n(.*?)\n```$", PAGE, re.MULTILINE)


@pytest.fixture(autouse=True)
def _days_that_changed(dataplat: CommandLine, source: StandInSource) -> None:
    publish(dataplat, MONEY_TABLE, ROWS)
    add(source, "2026-03-14 23:59:59", "2026-03-15 00:00:00", "2026-03-15 12:00:00")
    source.run("DELETE FROM market.t_money_record WHERE update_time LIKE '2026-03-18%'")


def test_the_command_prints_what_the_page_shows(dataplat: CommandLine) -> None:
    ran = dataplat(*shlex.split(ASK)[1:])
    (shown,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert (ran.code, ran.out) == (1, shown)


def test_the_settings_of_the_page_are_those_of_a_platform() -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert DriftSpec.model_validate(yaml.safe_load(text)["drift"]) == DriftSpec()


def test_the_page_queues_what_changed(dataplat: CommandLine) -> None:
    ran = dataplat(*shlex.split(ENQUEUE)[1:], "--json")
    assert ran.document["enqueued"]["queued"] == {MONEY_TABLE: ["2026-03-14", "2026-03-15", "2026-03-18"]}
