"""What commands print: text for people, or one JSON document for programs. Never both on stdout.

Results go to stdout. Progress, warnings and errors go to stderr, also with ``--json``.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_UNBOUNDED = 100_000
_STYLES = {
    "published": "green",
    "ok": "green",
    "passed": "green",
    "rejected": "red",
    "failed": "red",
    "broken": "red",
    "abandoned": "yellow",
    "skipped": "yellow",
}


class Output:
    """Where one command prints. With ``as_json`` text for stdout is dropped and ``document`` is printed."""

    def __init__(self, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out, self._err = out, err

    @property
    def out(self) -> TextIO:
        """The standard output of this moment; tests replace it."""
        return self._out or sys.stdout

    @property
    def err(self) -> TextIO:
        """The standard error of this moment."""
        return self._err or sys.stderr

    def document(self, content: Mapping[str, Any]) -> None:
        """Print the result as JSON, if that was asked for. Call once, at the end."""
        if self.as_json:
            print(json.dumps(content, ensure_ascii=False, indent=2, default=_as_json), file=self.out)

    def line(self, text: str = "") -> None:
        """Print a line of the result for people."""
        if not self.as_json:
            print(text, file=self.out)

    def note(self, text: str) -> None:
        """Print a line beside the result: a warning, a step, an error."""
        print(text, file=self.err, flush=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print rows under headings; columns of numbers are flush right.

        On a terminal long cells are folded to its width; elsewhere every row is one line.
        """
        if self.as_json:
            return
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        cells = [[_shown(cell) for cell in row] for row in rows]
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
        for index, name in enumerate(columns):
            numbers = all(_is_number(row[index]) for row in cells)
            table.add_column(name, justify="right" if numbers and cells else "left", overflow="fold")
        for row in cells:
            table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
        console = self.console(self.out)
        with console.capture() as captured:
            console.print(table)
        for line in captured.get().splitlines():
            print(line.rstrip(), file=self.out)

    @staticmethod
    def console(stream: TextIO) -> "Console":
        """Return a Rich console on a stream: as wide as the terminal, or as wide as it takes."""
        from rich.console import Console

        return Console(
            file=stream, width=None if stream.isatty() else _UNBOUNDED, highlight=False, soft_wrap=False
        )


def count(number: int | None) -> str:
    """Return a number as tables show it: thousands apart, nothing for unknown.

    >>> count(1204331), count(None)
    ('1,204,331', '')
    """
    return "" if number is None else f"{number:,}"


def size(bytes_: int | None) -> str:
    """Return a size as people read it.

    >>> size(1536), size(20), size(None)
    ('1.5 KiB', '20 B', '')
    """
    if bytes_ is None:
        return ""
    amount = float(bytes_)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def moment(at: datetime | None, zone: str) -> str:
    """Return a time as tables show it, on the platform's clock."""
    from zoneinfo import ZoneInfo

    return "" if at is None else f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"


def _shown(cell: object) -> str:
    return "" if cell is None else str(cell)


def _is_number(text: str) -> bool:
    return not text or text.replace(",", "").replace(".", "").isdigit()


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
