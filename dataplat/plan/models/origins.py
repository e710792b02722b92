"""Where a character of rendered SQL stands in the file that it was rendered from.

A parser speaks of the text it was given, a person looks at the template. Between the two, Jinja and date
expressions have dropped, repeated and replaced things. The way back is found when a message needs it: the
template is rendered once more with marks around all that is copied as it is, and the marks are read off the
result. Where that renders anything else than before (a template may compare a text that now holds marks),
positions fall back to the same line.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jinja2

_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{_OPEN}([ce])([0-9]+){_CLOSE}")


@dataclass(frozen=True)
class Piece:
    """A stretch of rendered text: where it begins, and where that is in the template.

    ``copied`` text is the same in both; any other stands for one expression of the template.
    """

    start: int
    origin: int
    copied: bool


class Origins:
    """The way back from positions of a rendered text to positions of its template."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = sorted(pieces, key=lambda piece: piece.start)
        self._starts = [piece.start for piece in self._pieces]

    def origin(self, position: int) -> int:
        """Return where in the template the character at ``position`` comes from."""
        if not self._pieces:
            return 0
        piece = self._pieces[max(0, bisect_right(self._starts, position) - 1)]
        return piece.origin + (position - piece.start if piece.copied else 0)


def marked_template(environment: jinja2.Environment, template: str) -> str:
    """Return the template with a mark before and after everything that is copied as it is."""
    made: list[str] = []
    at = 0
    for _, kind, value in environment.lex(template):
        found = template.index(value, at)
        if kind == "data":
            end = found + len(value)
            value = f"{_OPEN}c{found}{_CLOSE}{value}{_OPEN}e{end}{_CLOSE}"
            at = end
        else:
            at = found + len(value)
        made.append(value)
    return "".join(made)


def read_marks(rendered: str) -> tuple[str, list[Piece]]:
    """Return a rendering without its marks, and what they said."""
    pieces = [Piece(0, 0, copied=False)]
    text: list[str] = []
    done = length = 0
    for mark in _MARK.finditer(rendered):
        text.append(rendered[done : mark.start()])
        length += mark.start() - done
        pieces.append(Piece(length, int(mark[2]), copied=mark[1] == "c"))
        done = mark.end()
    return "".join([*text, rendered[done:]]), pieces


def same_lines(rendered: str, template: str) -> list[Piece]:
    """Return pieces that lead from each line to the line of the same number."""
    starts = [0, *(match.end() for match in re.finditer("\n", template))]
    lines = [0, *(match.end() for match in re.finditer("\n", rendered))]
    return [Piece(start, starts[min(n, len(starts) - 1)], copied=False) for n, start in enumerate(lines)]


def replaced(pieces: Sequence[Piece], spans: Sequence[tuple[int, int, int]]) -> list[Piece]:
    """Return pieces after stretches of the text were replaced.

    Args:
        pieces: The way back from the text before.
        spans: Start and end of each stretch in that text, and the length of what came in its place.
    """
    return list(_replaced(Origins(pieces), list(pieces), spans))


def _replaced(way: Origins, pieces: list[Piece], spans: Sequence[tuple[int, int, int]]) -> Iterator[Piece]:
    shift = done = 0
    for start, end, length in spans:
        yield from _moved(pieces, done, start, shift)
        yield Piece(start + shift, way.origin(start), copied=False)
        shift += length - (end - start)
        done = end
        yield _continued(way, pieces, end, shift)
    yield from _moved(pieces, done, None, shift)


def _moved(pieces: list[Piece], start: int, end: int | None, shift: int) -> Iterator[Piece]:
    for piece in pieces:
        if piece.start >= start and (end is None or piece.start < end):
            yield Piece(piece.start + shift, piece.origin, piece.copied)


def _continued(way: Origins, pieces: list[Piece], end: int, shift: int) -> Piece:
    before = [piece for piece in pieces if piece.start <= end]
    copied = bool(before) and before[-1].copied
    return Piece(end + shift, way.origin(end), copied)
