"""Every command that the pages show is typed, in the order of the page, and does what the page says."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dataplat_tests.e2e.shell import ROOT, Done, Shell

pytestmark = pytest.mark.e2e

ADDING = (ROOT / "docs" / "adding-a-table.md").read_text(encoding="utf-8")
TABLE = "ods.ods_t_coupon_claim"
BLOCK = re.compile(r"(?:^<!-- said of: (.*) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Walk:
    """A page that was followed from its first block to its last.

    Attributes:
        shell: Where.
        done: Every command, in order.
        mistakes: What the page claims to be said of its mistakes, and what was said.
        left_running: Processes after the last command.
    """

    shell: Shell
    done: list[Done]
    mistakes: list[tuple[str, Done]]
    left_running: list[str]

    def of(self, command: str) -> Done:
        """Return what a command of the page said."""
        return next(done for done in self.done if done.command == command)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """``docs/adding-a-table.md``, followed in a copy of the configuration and an empty home."""
    folder = tmp_path_factory.mktemp("adding")
    config = folder / "here" / "config"
    shutil.copytree(ROOT / "config", config)
    shell = Shell(folder, config)
    walked = Walk(shell, [], [], [])
    try:
        for said_of, language, text in BLOCK.findall(ADDING):
            if language == "yaml":
                _file_of(config, text).write_text(text, encoding="utf-8")
            elif language == "text":
                walked.mistakes.append((text, _with_mistakes(shell, config, json.loads(said_of))))
            elif language == "sh":
                for command in text.splitlines():
                    walked.done.append(shell.run(command))
                    shell.paste_exports(walked.done[-1].out)
        walked.left_running.extend(" ".join(process.cmdline())[:200] for process in shell.processes())
        yield walked
    finally:
        shell.run("dataplat demo --stop")


def test_every_command_of_the_page_ends_well(walk: Walk) -> None:
    assert [(done.command, done.code, done.said) for done in walk.done if done.code != 0] == []
    assert len(walk.done) == ADDING.count("\ndataplat ")


def test_no_command_of_the_page_prints_a_warning_or_a_traceback(walk: Walk) -> None:
    said = "\n".join(done.said for done in walk.done)
    assert re.findall(r"\w*Warning\b|Traceback", said) == []


def test_the_mistakes_of_the_page_get_its_answer_and_fail(walk: Walk) -> None:
    ((claimed, done),) = walk.mistakes
    assert (done.code, done.out, done.err) == (1, "", claimed)


def test_explain_shows_the_half_open_window_and_the_types(walk: Walk) -> None:
    said = walk.of(f"dataplat explain {TABLE} --date 2026-01-09").out
    assert "`update_time` >= '2026-01-09 00:00:00'" in said
    assert "`update_time` < '2026-01-10 00:00:00'" in said
    assert re.search(r"face_value.*decimal\(8,2\)", said, re.IGNORECASE)


def test_the_page_ends_with_fourteen_days_and_one_that_was_loaded_twice(walk: Walk) -> None:
    shell = walk.shell
    days = json.loads(shell.run(f"dataplat ledger {TABLE} --json").out)["versions"]
    published = sorted({row["partition"] for row in days if row["state"] == "published"})
    assert published == [f"2026-01-{day:02}" for day in range(1, 15)]
    ninth = json.loads(shell.run(f"dataplat versions {TABLE} 2026-01-09 --json").out)["versions"]
    assert [row["state"] for row in ninth] == ["published", "superseded"]
    assert ninth[0]["rows"] == ninth[1]["rows"] > 0


def test_the_path_that_the_page_prints_is_the_published_one(walk: Walk) -> None:
    printed = walk.of(f"dataplat path {TABLE} 2026-01-09").out.strip()
    ninth = json.loads(walk.shell.run(f"dataplat versions {TABLE} 2026-01-09 --json").out)["versions"]
    assert urlsplit(printed).path == urlsplit(ninth[0]["location"]).path
    assert list(Path(urlsplit(printed).path).glob("*.parquet")) != []


def test_the_page_leaves_nothing_running(walk: Walk) -> None:
    assert walk.left_running == []


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_readmes_show_the_same_commands(page: str) -> None:
    commands = readme_commands(page)
    assert len(commands) >= 8
    assert commands == readme_commands("README.md")


def test_the_commands_of_the_readme_work_after_the_demo(demo_home: Shell) -> None:
    done = [demo_home.run(_as_a_person_answers(command)) for command in readme_commands("README.md")]
    failed = {item.command: item.said for item in done if item.code != 0}
    connect = failed.pop("dataplat check --connect")
    assert failed == {}
    assert re.findall(r"\w*Warning\b|Traceback", "".join(item.said for item in done)) == []
    # Yesterday's partition is tried, and the demo's log has no shards after January 2026.
    wrong = [line for line in connect.splitlines() if line.startswith("failed")]
    assert len(wrong) == 1
    assert "ods.ods_t_package_flow_log" in connect
    assert "no physical table was found" in connect


def test_the_commands_of_the_page_about_models_work_after_the_demo(demo_home: Shell) -> None:
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    commands = [
        line for _, language, text in BLOCK.findall(page) if language == "sh" for line in text.splitlines()
    ]
    done = {command: demo_home.run(command) for command in commands}
    assert len(done) == page.count("\ndataplat ")
    assert {command: one.said for command, one in done.items() if one.code != 0} == {}
    assert re.findall(r"\w*Warning\b|Traceback", "".join(one.said for one in done.values())) == []
    assert "-6..0 days" in done["dataplat lineage ads.ads_dau"].out
    assert "referential_account_id_dim_account" in done["dataplat ledger dw.dw_order_day 2026-01-13"].out


def readme_commands(page: str) -> list[str]:
    """Return the commands of the page's table, in its order, without those that only show a form."""
    text = (ROOT / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\|.*\|$", text, re.MULTILINE)
    commands = [command for row in rows for command in re.findall(r"`(dataplat [^`]+)`", row)]
    return [command for command in commands if "…" not in command and "dw.x" not in command]


def _as_a_person_answers(command: str) -> str:
    return f"{command} --yes" if command.startswith("dataplat rollback") else command


def _file_of(config: Path, text: str) -> Path:
    named = re.match(r"# config/(\S+\.yaml)\n", text)
    assert named is not None, "a YAML block opens with the name of its file"
    return config / named[1]


def _with_mistakes(shell: Shell, config: Path, mistakes: dict[str, str]) -> Done:
    path = config / "ods" / "ods_t_coupon_claim.yaml"
    right = wrong = path.read_text(encoding="utf-8")
    for old, new in mistakes.items():
        assert old in wrong
        wrong = wrong.replace(old, new)
    path.write_text(wrong, encoding="utf-8")
    try:
        return shell.run("dataplat check")
    finally:
        path.write_text(right, encoding="utf-8")
