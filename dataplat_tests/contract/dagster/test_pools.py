"""A pool bounds how many loads read from one source at once, whoever started them."""

import os
import subprocess
import sys
from operator import not_
from pathlib import Path
from typing import Any

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from dataplat.orchestration.instance import open_instance, pool_name
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


def test_runs_at_once_of_one_source_take_turns(stage: Stage) -> None:
    """Two processes, as two commands are; two runs in threads of one process lock up in Dagster's logging."""
    first = _start(stage, DAYS[0])
    assert first.stdout.readline() == "inside\n"
    second = _start(stage, DAYS[1])
    waiting = Retrying(stop=stop_after_delay(60), wait=wait_fixed(0.1), retry=retry_if_result(not_))
    waiting(lambda: _pool(stage).pending_step_count == 1)
    assert _pool(stage).active_slot_count == 1
    assert first.communicate("leave\n", timeout=60) == ("True\n", "")
    assert second.stdout.readline() == "inside\n"
    assert second.communicate("leave\n", timeout=60) == ("True\n", "")
    assert _pool(stage).active_slot_count == 0


def _start(stage: Stage, day: str) -> Any:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "dataplat_tests.contract.dagster.pool_worker", day],
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
