"""The way in: help, usage errors, bugs, interrupts, and what is not imported."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dataplat.cli.session import Session
from dataplat.errors import LoadInProgressError
from dataplat_tests.conftest import Golden
from dataplat_tests.unit.cli.harness import CommandLine

GOLDEN = Path(__file__).parents[2] / "golden" / "cli"
COMMANDS = (
    *(
        "check",
        "test",
        "load",
        "expr",
        "explain",
        "shards",
        "diff",
        "render",
        "lineage",
        "ledger",
        "versions",
        "path",
    ),
    *("hold", "release", "waive", "recheck", "ready", "late", "drift", "pause", "resume"),
    *("rollback", "collect", "count"),
)
GROUPS = (
    "backfill",
    "backfill plan",
    "backfill apply",
    "backfill resume",
    "backfill status",
    "schema",
    "schema diff",
    "schema accept",
    "audit",
    "audit run",
    "audit report",
    "audit init",
    "import",
    "import audit-yaml",
)
SLOW = ("pyspark", "dagster", "pandas", "grpc")


@pytest.mark.parametrize(
    "command",
    ["", *COMMANDS, *GROUPS, "engine", "engine start", "engine stop", "engine status"],
)
def test_help_fits_eighty_columns(dataplat: CommandLine, golden: Golden, command: str) -> None:
    ran = dataplat(*command.split(), "--help")
    assert (ran.code, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 80
    golden(GOLDEN / "help" / f"{command.replace(' ', '_') or 'dataplat'}.txt", ran.out)


def test_no_line_of_the_command_list_is_cut_short(dataplat: CommandLine) -> None:
    assert dataplat("--help").out.count("...") == 1  # the usage line


def test_the_version_is_the_package_s(dataplat: CommandLine) -> None:
    assert dataplat("--version").out == "dataplat 0.1.0\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frob"], "dataplat: no such command 'frob'\n  next   dataplat --help\n"),
        (["load"], "dataplat load: missing argument 'SELECT'\n  next   dataplat load --help\n"),
        (
            ["load", "ods.*", "--dat", "1"],
            (
                "dataplat load: no such option: --dat (Possible options: --date, --wait)\n"
                "  next   dataplat load --help\n"
            ),
        ),
        (
            ["load", "ods.*", "--wait", "soon"],
            (
                "dataplat load: invalid value for '--wait': Input should be a valid number, "
                "unable to parse string as a number\n"
                "  next   dataplat load --help\n"
            ),
        ),
    ],
)
def test_a_command_line_that_cannot_be_read_is_one_message_and_exit_2(
    dataplat: CommandLine, arguments: list[str], message: str
) -> None:
    ran = dataplat(*arguments)
    assert (ran.code, ran.out, ran.err) == (2, "", message)


def test_with_json_an_error_is_a_document_on_stdout_and_a_message_on_stderr(dataplat: CommandLine) -> None:
    ran = dataplat("load", "ods.nope", "--json")
    assert ran.code == 2
    assert ran.err.startswith("ods.nope: no such table")
    assert ran.document == {
        "ok": False,
        "error": {
            "kind": "SelectionError",
            "subject": "ods.nope",
            "problem": "no such table",
            "facts": [{"label": "declared", "text": "2 tables in config/"}],
            "effect": "nothing was run",
            "next": ["dataplat check"],
        },
        "exit_code": 2,
    }


def test_json_is_understood_before_and_after_the_command(dataplat: CommandLine) -> None:
    before = dataplat("--json", "expr", "$[yyyy]", "--at", "2026-03-31")
    after = dataplat("expr", "$[yyyy]", "--at", "2026-03-31", "--json")
    assert before.document == after.document


def test_config_is_understood_before_and_after_the_command(dataplat: CommandLine, tmp_path: Path) -> None:
    for arguments in (["--config", "elsewhere", "check"], ["check", "--config", "elsewhere"]):
        ran = dataplat(*arguments)
        assert (ran.code, ran.err.splitlines()[0]) == (1, "elsewhere: 1 problem in 1 file")


def break_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def broken(_: Session) -> Any:
        raise error

    monkeypatch.setattr(Session, "catalog", property(broken))


def test_a_bug_is_one_line_and_a_file_with_its_traceback(
    dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_with(monkeypatch, KeyError("inner"))
    dataplat.masks[r"crash-[0-9T]+-[0-9]+"] = "crash-TIME"
    ran = dataplat("ledger", "ods.x")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == ("dataplat: this is a bug (KeyError); the traceback is in HOME/logs/crash-TIME.txt\n")
    (written,) = (dataplat.home / "logs").iterdir()
    assert written.read_text().startswith("dataplat ledger ods.x\n")
    assert "KeyError: 'inner'" in written.read_text()


def test_a_bug_is_reported_even_where_nothing_can_be_written(
    dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_with(monkeypatch, KeyError("inner"))
    dataplat.home.write_text("a file where a folder should be")
    ran = dataplat("ledger", "ods.x")
    assert ran.err == "dataplat: this is a bug (KeyError); its traceback could not be written\n"


def test_an_interrupt_is_one_line_and_exit_130(
    dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_with(monkeypatch, KeyboardInterrupt())
    ran = dataplat("ledger", "ods.x")
    assert (ran.code, ran.out, ran.err) == (
        130,
        "",
        "interrupted: nothing was under way, nothing was changed\n",
    )


def test_an_error_that_is_ours_is_its_own_text_and_exit_1(
    dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = LoadInProgressError("ods.x[2026-01-01]", "another load holds the partition")
    break_with(monkeypatch, error)
    ran = dataplat("ledger", "ods.x")
    assert (ran.code, ran.err) == (1, "ods.x[2026-01-01]: another load holds the partition\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["check"],
        ["backfill", "plan", "--select", "ods.ods_t_money_record+", "--from", "2026-03-01"],
        ["expr", "$[yyyy]", "--at", "2026-03"],
        ["ledger", "ods.ods_t_money_record"],
        ["versions", "ods.ods_t_money_record"],
        ["load", "*", "--date", "2026-03-01", "--dry-run"],
    ],
)
def test_commands_that_only_look_import_neither_spark_nor_dagster(
    dataplat: CommandLine, arguments: list[str]
) -> None:
    loaded = modules_after(dataplat, arguments)
    assert [name for name in SLOW if name in loaded] == []


def test_a_date_expression_needs_no_configuration_library(dataplat: CommandLine) -> None:
    loaded = modules_after(dataplat, ["expr", "$[yyyy]", "--at", "2026-03-01"])
    assert [name for name in ("yaml", "sqlalchemy", "rich", "sqlglot") if name in loaded] == []


def modules_after(dataplat: CommandLine, arguments: list[str]) -> set[str]:
    """The top-level modules of a fresh process that has run one command."""
    environ = {"DATAPLAT_CONFIG": str(dataplat.config), "DATAPLAT_HOME": str(dataplat.home)}
    script = (
        "import sys; from dataplat.cli.main import run\n"
        f"assert run({arguments!r}, {environ!r}) == 0\n"
        "print('|'.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split("|"))
