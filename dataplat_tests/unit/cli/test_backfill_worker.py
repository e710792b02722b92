"""A real worker of a backfill, with Dagster and without Spark: its source is away, or never answers."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pytest

from dataplat.cli.backfill_workers import worker_command
from dataplat.ledger import Ledger
from dataplat.orchestration.instance import open_instance
from dataplat.settings import read_settings
from dataplat.specs import load_catalog
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.ledger.builders import someone
from dataplat_tests.unit.specs.folder import MARKET, MONEY, Config

TABLE, DAYS = "ods.ods_t_money_record", ["2026-03-01", "2026-03-02"]


@contextmanager
def worker(dataplat: CommandLine) -> "Iterator[subprocess.Popen[str]]":
    environ = {
        **os.environ,
        "DATAPLAT_CONFIG": str(dataplat.config),
        "DATAPLAT_HOME": str(dataplat.home),
        "MARKET_PASSWORD": "x",
    }
    process = subprocess.Popen(
        worker_command("plan-7", "dataplat backfill apply p.json"),
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def event(process: "subprocess.Popen[str]", wanted: str) -> dict[str, Any]:
    """Return the next event of a kind; the others are passed over."""
    assert process.stdout is not None
    for line in process.stdout:
        found: dict[str, Any] = json.loads(line)
        if found["event"] == wanted:
            return found
    raise AssertionError(f"the worker ended without {wanted!r}")


def order(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    print(json.dumps({"table": TABLE, "keys": DAYS}), file=process.stdin, flush=True)


def only_run(dataplat: CommandLine) -> dg.DagsterRun:
    environ = {"DATAPLAT_CONFIG": str(dataplat.config), "DATAPLAT_HOME": str(dataplat.home)}
    settings = read_settings(environ)
    with open_instance(settings.dagster_home, load_catalog(settings.config_dir, environ)) as instance:
        (run,) = instance.get_runs()
    return run


@pytest.fixture
def listener(config: Config) -> Iterator[socket.socket]:
    """Where the source should be: it takes connections, and says nothing."""
    config.add(MONEY, "retries: 0\n")
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
        text = config.read(MARKET)
        config.write(MARKET, text.replace("port: 3306", f"port: {port}"))
        yield found


def test_a_worker_says_how_its_run_ended_and_ends_when_there_is_no_more_to_do(
    dataplat: CommandLine, listener: socket.socket
) -> None:
    listener.close()
    with worker(dataplat) as process:
        event(process, "ready")
        order(process)
        ended = event(process, "ended")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0
    run = only_run(dataplat)
    assert (ended["error"], ended["retryable"]) == ("SourceUnavailableError", True)
    assert ended["runs"] == dict.fromkeys(DAYS, run.run_id)
    assert ended["messages"][DAYS[0]].startswith("source market: ")
    assert (run.status.value, run.tags["dataplat/backfill"], run.tags["dataplat/table"]) == (
        "FAILURE",
        "plan-7",
        TABLE,
    )


def test_a_worker_whose_command_is_gone_interrupts_its_run(
    dataplat: CommandLine, listener: socket.socket
) -> None:
    with worker(dataplat) as process:
        order(process)
        connection, _ = listener.accept()  # the run is under way, and waits for an answer
        with connection:
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(60) == 130
    assert only_run(dataplat).is_finished
    with (
        Ledger.open(f"sqlite:///{dataplat.home}/ledger.db") as ledger,
        ledger.lock_partitions(TABLE, DAYS, someone(), wait_seconds=0) as locks,
    ):
        locks.check()


def test_a_worker_is_started_with_the_python_of_the_command() -> None:
    assert worker_command("p", "c") == (sys.executable, "-m", "dataplat.cli.backfill_worker", "p", "c")
