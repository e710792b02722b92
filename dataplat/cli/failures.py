"""How a command ends badly: one clear message, an exit code, and never a Python traceback on the screen."""

import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dataplat.cli.session import Session
from dataplat.errors import DataplatError, SelectionError

GOOD, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def exit_code(error: DataplatError) -> int:
    """Return 2 where what was typed names nothing that exists, 1 for everything else."""
    return USAGE if isinstance(error, SelectionError) else FAILED


def describe(error: DataplatError) -> dict[str, Any]:
    """Return an error as JSON shows it."""
    return {
        "kind": type(error).__name__,
        "subject": error.subject,
        "problem": error.problem,
        "facts": [{"label": label, "text": text} for label, text in error.facts],
        "effect": error.effect,
        "next": list(error.next_steps),
    }


def report(session: Session, error: DataplatError) -> int:
    """Print an error and return the exit code."""
    session.output.note(error.render())
    code = exit_code(error)
    session.output.document({"ok": False, "error": describe(error), "exit_code": code})
    return code


def report_usage(session: Session, where: str, problem: str) -> int:
    """Print what is wrong with the command line and return the exit code."""
    error = DataplatError(
        where, problem[:1].lower() + problem[1:].rstrip("."), next_steps=[f"{where} --help"]
    )
    session.output.note(error.render())
    document = {"ok": False, "error": describe(error) | {"kind": "UsageError"}, "exit_code": USAGE}
    session.output.document(document)
    return USAGE


def report_interrupt(session: Session) -> int:
    """Print what an interrupt left, in one line, and return the exit code."""
    text = f"interrupted: {session.under_way or 'nothing was under way, nothing was changed'}"
    session.output.note(text)
    session.output.document({"ok": False, "error": {"kind": "Interrupted", "problem": text}})
    return INTERRUPTED


def report_bug(session: Session, error: BaseException, arguments: Sequence[str]) -> int:
    """Write the traceback of a bug to a file, print one line that says where, and return the exit code."""
    written = _write_crash(session.settings.home / "logs", error, arguments)
    kept = f"the traceback is in {written}" if written else "its traceback could not be written"
    text = f"dataplat: this is a bug ({type(error).__name__}); {kept}"
    session.output.note(text)
    session.output.document({"ok": False, "error": {"kind": "Bug", "problem": text}, "exit_code": FAILED})
    return FAILED


def _write_crash(folder: Path, error: BaseException, arguments: Sequence[str]) -> Path | None:
    now = datetime.now(UTC)
    path = folder / f"crash-{now:%Y%m%dT%H%M%S}-{now.microsecond:06d}.txt"
    lines = [
        f"dataplat {' '.join(arguments)}\n",
        f"{now.isoformat()}\n\n",
        *traceback.format_exception(error),
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines), encoding="utf-8")
    except OSError:
        return None
    return path
