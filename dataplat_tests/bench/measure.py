"""Timing: alternating rounds, medians, and what each side is compared with."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Side:
    """One thing that is measured: a name and what is done in each round."""

    name: str
    run: Callable[[], object]


@dataclass
class Comparison:
    """Seconds of each side, round by round, in the order measured."""

    title: str
    goal: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def median(self, name: str) -> float:
        return statistics.median(self.seconds[name])

    def ratio(self, name: str, against: str) -> float:
        """Median of the ratios of each round: a slow minute of the machine hits both sides."""
        pairs = zip(self.seconds[name], self.seconds[against], strict=True)
        return statistics.median(one / other for one, other in pairs)

    def render(self, subject: str) -> str:
        """Return a Markdown section: a row a side, with the ratio of ``subject`` to each other side."""
        lines = [f"### {self.title}", "", f"Goal: {self.goal}", ""]
        lines += ["| side | median s | fastest s | slowest s | dataplat is |", "|---|---:|---:|---:|---:|"]
        for name, values in self.seconds.items():
            ratio = "" if name == subject else f"{self.ratio(subject, name):.2f} ×"
            numbers = [statistics.median(values), min(values), max(values)]
            lines.append(" | ".join([f"| {name}", *[f"{value:.2f}" for value in numbers], f"{ratio} |"]))
        return "\n".join([*lines, "", *self.notes, ""])


def compare(
    title: str,
    goal: str,
    sides: Sequence[Side],
    *,
    rounds: int,
    warm_up: int = 1,
    say: Callable[[str], None] = print,
) -> Comparison:
    """Run every side in turn, round after round, so that drift of the machine cancels out."""
    result = Comparison(title, goal, {side.name: [] for side in sides})
    for number in range(warm_up + rounds):
        for side in sides:
            started = time.perf_counter()
            side.run()
            seconds = time.perf_counter() - started
            label = "warm-up" if number < warm_up else f"round {number - warm_up + 1}"
            say(f"  {label:>8}  {side.name:<42} {seconds:8.3f} s")
            if number >= warm_up:
                result.seconds[side.name].append(seconds)
    return result


def machine() -> str:
    """Return one line about where this was measured."""
    memory = psutil.virtual_memory().total / 2**30
    model = next(
        (line.split(":")[1].strip() for line in _cpu_lines() if line.startswith("model name")),
        platform.machine(),
    )
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    cores = f"{os.cpu_count()} cores ({model})"
    return f"{cores}, {memory:.0f} GiB, {system}, Python {platform.python_version()}"


def _cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
