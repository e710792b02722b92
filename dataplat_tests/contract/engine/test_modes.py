"""One suite, two modes, each in a process of its own, side by side."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dataplat.demo.every_type import COLUMNS
from dataplat_tests.contract.engine.jobs import Job, finish, start_process
from dataplat_tests.contract.engine.suite import PROMISES

MODES = ("local", "classic")
Results = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def results(source_job: Job, new_job: Callable[..., Job], monkeypatch_module: pytest.MonkeyPatch) -> Results:
    # What a process that used Connect leaves to its children; a classic session must not mind.
    monkeypatch_module.setenv("SPARK_CONNECT_MODE_ENABLED", "1")
    static = {"spark.sql.streaming.ui.enabled": "false"}  # only a starting server takes it
    conf = {"spark.sql.shuffle.partitions": "3", **static}
    jobs = {mode: new_job(source_job, mode=mode, conf=conf) for mode in MODES}
    processes = {mode: start_process("worker", job.text()) for mode, job in jobs.items()}
    return {mode: finish(process) for mode, process in processes.items()}


@pytest.mark.parametrize("promise", [promise.__name__ for promise in PROMISES])
@pytest.mark.parametrize("mode", MODES)
def test_the_mode_keeps_the_promise(results: Results, mode: str, promise: str) -> None:
    failure = results[mode]["failures"].get(promise)
    assert failure is None, failure


def test_both_modes_read_the_same_values(results: Results) -> None:
    local, classic = (results[mode]["notes"] for mode in MODES)
    assert {name for name in local if local[name] != classic[name]} == set()
    assert local.keys() == {"id", *(column.name for column in COLUMNS)}
