"""Memory: the peak of a load of 1 M rows against one of 6 M, engine and command together."""

import threading
from collections.abc import Callable

import psutil

from dataplat.demo.wide import fill_wide
from dataplat.lifecycle.load import load_partitions
from dataplat.lifecycle.stations import RunInfo
from dataplat_tests.bench.setting import Setting, setting


def flat_memory() -> str:
    """Peak memory of 1 M against 6 M rows."""
    lines = ["### Peak memory of a load", "", "Goal: it does not grow with the table", ""]
    lines += ["| rows | engine, MiB | command, MiB |", "|---:|---:|---:|"]
    for rows in (1_000_000, 6_000_000):
        # Each size has an engine of its own: a JVM keeps what an earlier load made it take.
        with setting(["wide"], memory="1g") as place:
            fill_wide(place.database.connect, "bench.wide", rows)
            engine, command = measure_peaks(place, lambda place=place: _load(place))
            lines.append(f"| {rows:,} | {engine / 2**20:,.0f} | {command / 2**20:,.0f} |")
            print(lines[-1])
    return "\n".join([*lines, "", "The engine's heap is capped at 1 GiB.", ""])


def _load(place: Setting) -> None:
    spec = place.platform.catalog.table("ods.wide")
    reports = list(load_partitions(place.platform, spec, ["2026-01-01"], RunInfo("bench", "bench")))
    if any(report.rejected for report in reports):
        raise RuntimeError("the load was rejected")


def measure_peaks(place: Setting, work: Callable[[], None]) -> tuple[int, int]:
    """Return the largest resident size of the engine and of this process while the work runs."""
    place.platform.engine().session()
    status = place.platform.engine().status()
    engine, command = psutil.Process(status.pid), psutil.Process()
    peaks, done = [0, 0], threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            for index, process in enumerate((engine, command)):
                peaks[index] = max(peaks[index], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return peaks[0], peaks[1]
