"""Tables, progress and interrupts as they are printed."""

import io
import re
from pathlib import Path

import pytest

from dataplat.cli.output import Output
from dataplat.cli.progress import LoadProgress
from dataplat.cli.session import Session
from dataplat.lifecycle.report import Progress, Step

DAYS = ("2026-03-01", "2026-03-02")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def session(tmp_path: Path) -> Session:
    opened = Session({"DATAPLAT_HOME": str(tmp_path)})
    opened.output = Output(out=io.StringIO(), err=io.StringIO())
    return opened


def test_away_from_a_terminal_a_row_is_one_line_however_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = io.StringIO()
    Output(out=out).table(["name", "rows"], [["x" * 300, 1], ["y", "1,204"]])
    assert [len(line.rstrip()) for line in out.getvalue().splitlines()] == [308, 308, 308, 308]


def test_on_a_terminal_long_cells_are_folded_to_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"COLUMNS": "40", "NO_COLOR": "1", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    out = Terminal()
    Output(out=out).table(["name", "rows"], [["x" * 300, 1]])
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert max(map(len, plain.splitlines())) <= 40


def test_text_in_brackets_is_text_and_not_markup() -> None:
    out = io.StringIO()
    Output(out=out).table(["name"], [["[red]ods.x[2026-03-01]"]])
    assert out.getvalue().splitlines()[-1] == "[red]ods.x[2026-03-01]"


def test_each_step_is_a_line_where_nobody_watches(session: Session) -> None:
    with LoadProgress(session, 2) as progress:
        for step, detail in ((Step.PLAN, ""), (Step.STAGE, "1,204 rows"), (Step.DONE, "")):
            progress.step(Progress(step, "ods.x", DAYS, detail=detail))
    assert session.output.err.getvalue() == (  # type: ignore[attr-defined]  # a StringIO here
        "ods.x[2026-03-01~2026-03-02]  plan\nods.x[2026-03-01~2026-03-02]  stage  1,204 rows\n"
    )


def test_on_a_terminal_there_is_a_bar_and_it_is_gone_at_the_end(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    session.output = Output(err=Terminal())
    with LoadProgress(session, 2) as progress:
        progress.step(Progress(Step.STAGE, "ods.x", DAYS))
        progress.note("ods.y: trying again in 30 s")
    assert "trying again" in session.output.err.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("step", "left"),
    [
        (Step.PLAN, "was not published by this load, what was visible before is still visible"),
        (Step.CHECK, "was not published by this load, what was visible before is still visible"),
        (
            Step.PUBLISH,
            (
                "was being published: each partition shows its old or its new version entirely, "
                "and the next load of it settles which"
            ),
        ),
    ],
)
def test_what_an_interrupt_leaves_depends_on_the_step(session: Session, step: Step, left: str) -> None:
    with LoadProgress(session, 1) as progress:
        progress.step(Progress(step, "ods.x", DAYS[:1]))
    assert session.under_way == f"ods.x[2026-03-01] {left}"
