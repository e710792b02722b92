"""A run in a process of its own: says when it waits and when it loads, and leaves when it is told."""

import os
import socket
import sys
from collections.abc import Iterator, Sequence

from dataplat.lifecycle.report import LoadReport
from dataplat.orchestration.launch import quiet_dagster, run_table
from dataplat.orchestration.observer import Observer
from dataplat_tests.contract.dagster.conftest import open_stage, report_of


def load(keys: Sequence[str]) -> Iterator[LoadReport]:
    print("inside", flush=True)
    sys.stdin.readline()
    yield report_of(dict.fromkeys(keys, True))


if __name__ == "__main__":
    quiet_dagster()
    if len(sys.argv) > 2:
        socket.gethostname = lambda: sys.argv[2]
    with open_stage(os.environ) as stage:
        stage.script = load
        observer = Observer(waiting=lambda text: print(text, flush=True))
        try:
            [result] = run_table(stage.platform, stage.instance, stage.spec, [sys.argv[1]], observer)
            print(result.succeeded)
        except KeyboardInterrupt:
            print("interrupted")
