"""What is wrong with a configuration, in the one form in which people see it.

A problem is a place and a sentence: ``config/ods/x.yaml:14   columns[3].type: 'varchr' is unknown;
did you mean 'varchar'?``. Everything in ``specs`` collects problems instead of raising, so that one run
of ``dataplat check`` shows all of them; ``spec_error`` is the only place that turns them into an error.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dataplat.errors import SpecError

_PLAIN_KEY = re.compile(r"[\w.$-]{1,120}")

Loc = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that a person has to change, and the line to change it in.

    ``text`` never holds a value that was given for a secret. ``excerpt`` is lines of the file with a caret
    under the place, where a line alone does not show it.
    """

    file: str
    line: int
    path: str
    text: str
    excerpt: str = ""

    @property
    def at(self) -> str:
        """The place as editors and terminals open it: ``config/ods/x.yaml:14``."""
        return f"{self.file}:{self.line}"

    @property
    def message(self) -> str:
        """The sentence, the path of the value in front if it is about one; invisible characters escaped.

        An excerpt follows on lines of its own.
        """
        text = f"{self.path}: {self.text}" if self.path else self.text
        return "\n".join(map(_visible, [text, *self.excerpt.splitlines()]))


def _visible(line: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)


def spec_error(folder: str, problems: Iterable[Problem]) -> SpecError:
    """Return the error that lists every problem once, by file and line.

    ``error.facts`` holds (place, sentence) pairs for printers that are not a terminal.
    """
    rows = sorted(set(problems))
    files = len({problem.file for problem in rows})
    return SpecError(
        folder,
        f"{counted(len(rows), 'problem')} in {counted(files, 'file')}",
        facts=[(problem.at, problem.message) for problem in rows],
        effect="nothing was run",
        next_steps=["dataplat check"],
    )


def path_text(loc: Sequence[str | int]) -> str:
    """Write a location as people do; a key that is no plain word is quoted, on one line.

    >>> path_text(("columns", 3, "type"))
    'columns[3].type'
    """
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        key = part if _PLAIN_KEY.fullmatch(part) else repr(part[:60])
        text += f".{key}" if text else key
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest known word, or nothing if none is near.

    >>> did_you_mean("varchr", ["varchar", "int"])
    "; did you mean 'varchar'?"
    >>> did_you_mean("qqq", ["varchar", "int"])
    ''
    """
    candidates = sorted(known)
    folded = {candidate.lower(): candidate for candidate in reversed(candidates)}
    near = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return f"; did you mean '{folded[near[0]]}'?" if near else ""


def counted(number: int, noun: str) -> str:
    """Return ``1 problem`` or ``3 problems``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
