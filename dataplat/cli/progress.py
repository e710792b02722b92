"""Progress of loads on stderr: a bar on a terminal, a plain line per step elsewhere."""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from dataplat.cli.output import Output
from dataplat.cli.session import Session

if TYPE_CHECKING:
    from dataplat.lifecycle.report import LoadReport, Progress

_STILL = "what was visible before is still visible"
_LEAVES = {
    "publish": "was being published: each partition shows its old or its new version entirely, "
    "and the next load of it settles which",
    "done": f"had ended; {_STILL}, or what was just published",
}


def start_bar(output: Output, *, remaining: bool = False) -> Any:
    """Return a running bar on stderr, which vanishes when it is stopped; None where that is no terminal.

    With ``remaining`` it also estimates how long the rest takes.
    """
    stream = output.err
    if not stream.isatty():
        return None
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}", table_column=None),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        *([TextColumn("left"), TimeRemainingColumn()] if remaining else []),
        console=output.console(stream),
        transient=True,
    )
    bar.start()
    return bar


class Counter:
    """A bar over a number of things that end one after the other; elsewhere than on a terminal one line."""

    def __init__(self, output: Output, total: int, beginning: str) -> None:
        self._output = output
        self._total = total
        self._beginning = beginning
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "Counter":
        self._bar = start_bar(self._output)
        if self._bar is None:
            self._output.note(self._beginning)
        else:
            self._task = self._bar.add_task(self._beginning, total=self._total)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, text: str) -> None:
        """Hear that one more has ended."""
        if self._bar is not None:
            self._bar.update(self._task, description=text, advance=1)


class Pieces:
    """Shows work whose pieces come to light while it runs; elsewhere than on a terminal a line a kind."""

    def __init__(self, output: Output, name: str) -> None:
        self._output = output
        self._name = name
        self._said = ""
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "Pieces":
        self._bar = start_bar(self._output)
        if self._bar is not None:
            self._task = self._bar.add_task(self._name, total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, text: str, done: int, total: int) -> None:
        """Hear that another piece begins, after so many of so many."""
        if self._bar is not None:
            self._bar.update(self._task, description=f"{self._name}  {text}", completed=done, total=total)
        elif text != self._said:
            self._output.note(f"{self._name}  {text}" + (f"  {total:,}" if total > 1 else ""))
        self._said = text


class LoadProgress:
    """Shows the steps of several loads, and tells the session what an interrupt would leave.

    Args:
        session: Whose command it is.
        partitions: How many partitions are asked for, over all tables.
    """

    def __init__(self, session: Session, partitions: int) -> None:
        self._session = session
        self._partitions = partitions
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "LoadProgress":
        self._bar = start_bar(self._session.output)
        if self._bar is not None:
            self._task = self._bar.add_task("starting", total=self._partitions)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, progress: "Progress") -> None:
        """Hear that a step of a load begins."""
        name = subject(progress.table, progress.partitions)
        leaves = _LEAVES.get(progress.step, f"was not published by this load, {_STILL}")
        self._session.under_way = f"{name} {leaves}"
        if progress.step == "done":
            return
        text = f"{name}  {progress.step}" + (f"  {progress.detail}" if progress.detail else "")
        self._say(text, lasting=False)

    def read_ended(self, report: "LoadReport") -> None:
        """Hear that one read ended, with all its partitions."""
        if self._bar is not None:
            self._bar.advance(self._task, len(report.partitions))

    def note(self, text: str) -> None:
        """Say something that stays on the screen."""
        self._say(text, lasting=True)

    def _say(self, text: str, *, lasting: bool) -> None:
        if self._bar is None:
            self._session.output.note(text)
        elif lasting:
            self._bar.console.print(text)
        else:
            self._bar.update(self._task, description=text)


def subject(table: str, partitions: Sequence[str]) -> str:
    """Return how messages call some partitions of a table.

    >>> subject("ods.x", ["2026-01-01", "2026-01-02"])
    'ods.x[2026-01-01~2026-01-02]'
    """
    span = partitions[0] if len(partitions) == 1 else f"{partitions[0]}~{partitions[-1]}"
    return f"{table}[{span}]"
