"""Every mistake that one file can hold, and the whole text of what is said about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dataplat_tests.unit.specs.folder import Config


@dataclass(frozen=True)
class Mistake:
    file: str
    old: str
    new: str
    problem: str


def read_mistakes() -> Iterator[Mistake]:
    text = (Path(__file__).parent / "mistakes.txt").read_text(encoding="utf-8")
    for block in text.split("\n\n")[1:]:
        file, *lines = block.strip("\n").split("\n")
        parts = {sign: [line[2:] for line in lines if line[0] == sign] for sign in "-+="}
        yield Mistake(file, *("\n".join(parts[sign]) for sign in "-+="))


@pytest.mark.parametrize(
    "mistake", [*read_mistakes()], ids=lambda mistake: mistake.new or f"no {mistake.old}"
)
def test_a_mistake_is_one_problem_at_its_line(config: Config, mistake: Mistake) -> None:
    config.replace(mistake.file, mistake.old, mistake.new)

    assert config.problems() == [f"config/{mistake.file}:{mistake.problem}"]
