"""A pool bounds how many loads read from one source at once, whoever started them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from dataplat.lifecycle.report import LoadReport
from dataplat.orchestration.instance import open_instance, pool_name
from dataplat.orchestration.places import cancel_own_runs, settle_dead_runs
from dataplat_tests.contract.dagster.conftest import Stage, report_of

DAYS = ("2026-01-05", "2026-01-06", "2026-01-07")


def test_the_pool_of_a_source_is_as_wide_as_its_budget(stage: Stage) -> None:
    limits = {item.name: item.limit for item in stage.instance.event_log_storage.get_pool_limits()}
    assert limits == {"source_shop": 1}
    assert {stage.asset.op.pool} == {pool_name("shop")}


def test_a_changed_budget_changes_the_pool(stage: Stage) -> None:
    source = stage.platform.catalog.sources["shop"]
    assert source.budget.loads_at_once == 1
    stage.instance.event_log_storage.set_concurrency_slots("source_shop", 5)
    again = open_instance(stage.platform.settings.dagster_home, stage.platform.catalog)
    assert [item.limit for item in again.event_log_storage.get_pool_limits()] == [1]
    again.dispose()


WAITING = "waiting: source_shop allows 1 load at once, and ods.orders is under way\n"


def test_runs_at_once_of_one_source_take_turns(stage: Stage) -> None:
    """Two processes, as two commands are; two runs in threads of one process lock up in Dagster's logging."""
    first = _start(stage, DAYS[0])
    assert first.stdout.readline() == "inside\n"
    second = _start(stage, DAYS[1])
    assert second.stdout.readline() == WAITING
    assert _pool(stage).active_slot_count == 1
    assert first.communicate("leave\n", timeout=60) == ("True\n", "")
    assert second.stdout.readline() == "inside\n"
    assert second.communicate("leave\n", timeout=60) == ("True\n", "")
    assert _pool(stage).active_slot_count == 0


def test_who_waits_for_a_place_can_be_interrupted(stage: Stage) -> None:
    """Dagster's own waiting takes the interrupt and goes on."""
    first = _start(stage, DAYS[0])
    assert first.stdout.readline() == "inside\n"
    second = _start(stage, DAYS[1])
    assert second.stdout.readline() == WAITING
    second.send_signal(signal.SIGINT)
    assert second.communicate(timeout=60) == ("interrupted\n", "")
    assert first.communicate("leave\n", timeout=60) == ("True\n", "")


def test_a_killed_run_keeps_neither_its_place_nor_its_state(stage: Stage) -> None:
    """No daemon is running that would look after it."""
    killed = _start(stage, DAYS[0])
    assert killed.stdout.readline() == "inside\n"
    killed.kill()
    killed.communicate()
    assert _pool(stage).active_slot_count == 1
    assert stage.run(DAYS[1]).succeeded
    assert _pool(stage).active_slot_count == 0
    first, second = sorted(stage.instance.get_runs(), key=lambda run: run.tags["dagster/partition"])
    assert (first.status, second.status) == (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS)


def test_an_interrupt_that_dagster_did_not_hear_cancels_the_run(stage: Stage) -> None:
    seen: list[tuple[Any, int]] = []

    def load(keys: Sequence[str]) -> Iterator[LoadReport]:
        cancel_own_runs(stage.instance)
        [run] = stage.instance.get_runs()
        seen.append((run.status, _pool(stage).active_slot_count))
        yield report_of(dict.fromkeys(keys, True))

    stage.script = load
    stage.run(DAYS[0])
    assert seen == [(dg.DagsterRunStatus.CANCELED, 0)]


def test_a_run_of_another_machine_is_not_judged(stage: Stage) -> None:
    killed = _start(stage, DAYS[0], "elsewhere")
    assert killed.stdout.readline() == "inside\n"
    killed.kill()
    killed.communicate()
    assert settle_dead_runs(stage.instance) == []
    assert _pool(stage).active_slot_count == 1


def _start(stage: Stage, day: str, *host: str) -> Any:
    worker = [sys.executable, "-W", "ignore", "-m", "dataplat_tests.contract.dagster.pool_worker", day, *host]
    return subprocess.Popen(
        ["env", "--default-signal=INT", *worker],
        env={**os.environ, **stage.environ},
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _pool(stage: Stage) -> Any:
    return stage.instance.event_log_storage.get_concurrency_info("source_shop")


def test_a_failed_run_gives_its_place_back(stage: Stage) -> None:
    stage.script = lambda keys: iter([report_of(dict.fromkeys(keys, False))])
    assert not stage.run(DAYS[0]).succeeded
    assert (_pool(stage).active_slot_count, _pool(stage).slot_count) == (0, 1)
    stage.script = None
    assert stage.run(DAYS[1]).succeeded
