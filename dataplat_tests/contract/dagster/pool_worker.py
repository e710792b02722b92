"""A run in a process of its own: says when its load is inside, and leaves when it is told."""

import os
import sys
from collections.abc import Iterator, Sequence

from dataplat.lifecycle.report import LoadReport
from dataplat.orchestration.launch import quiet_dagster
from dataplat_tests.contract.dagster.conftest import open_stage, report_of


def load(keys: Sequence[str]) -> Iterator[LoadReport]:
    print("inside", flush=True)
    sys.stdin.readline()
    yield report_of(dict.fromkeys(keys, True))


if __name__ == "__main__":
    quiet_dagster()
    with open_stage(os.environ) as stage:
        stage.script = load
        print(stage.run(sys.argv[1]).succeeded)
