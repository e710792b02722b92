"""``python -m dataplat_tests.bench [NAME …] [--write]``: measure, print, and keep the results."""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from dataplat_tests.bench import (
    automation,
    count,
    count_more,
    definitions,
    load,
    memory,
    publish,
    shards,
    sparse,
)
from dataplat_tests.bench.measure import machine

BENCHMARKS: dict[str, Callable[[], str]] = {
    "load": load.load_wide,
    "small": load.small_partition,
    "range": load.thirty_days,
    "shards": shards.thousands_of_shards,
    "memory": memory.flat_memory,
    "sparse": sparse.sparse_ids,
    "sparse-memory": sparse.sparse_memory,
    "definitions": definitions.thousand_tables,
    "models": definitions.thousand_models,
    "automation": automation.thousand_conditions,
    "publish": publish.thousand_partitions,
    "count-parquet": count.parquet_files,
    "count-text": count.text_bytes,
    "count-hdfs": count_more.hdfs_files,
    "count-memory": count_more.flat_memory,
}
_PAGE = Path("docs/benchmarks.md")


def main() -> int:
    """Run the named benchmarks, all when none is named."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--write", action="store_true", help=f"write the results to {_PAGE}")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    sections = []
    for name in chosen.names or BENCHMARKS:
        print(f"\n== {name}: {BENCHMARKS[name].__doc__}")
        sections.append(BENCHMARKS[name]())
        print(sections[-1])
    if chosen.write:
        _PAGE.write_text(_render(sections))
    return 0


def _render(sections: list[str]) -> str:
    head = [
        "# Benchmarks",
        "",
        "Ratios measured side by side in one run, rounds alternating; `make bench` runs them all. Seconds",
        "are of one machine on one day, ratios are what to compare.",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {machine()}; MariaDB, Spark and everything else on it.",
        "",
    ]
    return "\n".join(head) + "\n" + "\n".join(sections)


if __name__ == "__main__":
    sys.exit(main())
