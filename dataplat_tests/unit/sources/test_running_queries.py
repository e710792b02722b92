"""Ending queries, and the process that does it for a dead one. The server here is a fake."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pymysql
import pytest

from dataplat.sources import watchdog, watching
from dataplat.sources.query_tag import query_tag, tag_pattern
from dataplat.sources.running_queries import Account, end_queries

ACCOUNT = Account("db.example", 3306, "etl", "canary-7f3a")
TOKENS = ["3f9c", "a001"]


class Server:
    """A process list: each look takes the next list of threads; an error is what a login meets."""

    def __init__(self, *looks: "list[int] | Exception") -> None:
        self._looks = list(looks)
        self.killed: list[int] = []
        self.asked: list[Any] = []

    def connect(self, _: Account) -> "Server":
        if self._looks and isinstance(self._looks[0], Exception):
            raise self._looks.pop(0)  # type: ignore[misc]  # checked in the line above
        return self

    def cursor(self) -> "Server":
        return self

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def execute(self, sql: str, values: Any = None) -> None:
        if sql.startswith("KILL "):
            self.killed.append(int(sql.removeprefix("KILL ")))
        else:
            self.asked.append(values)

    def fetchall(self) -> list[tuple[int]]:
        found = self._looks.pop(0) if self._looks else []
        assert not isinstance(found, Exception)
        return [(number,) for number in found]


@pytest.fixture
def end(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """End the queries of a fake server, in no time."""
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr("time.monotonic", lambda: clock[0])

    def ended(server: Server, **how: float) -> int:
        monkeypatch.setattr(Account, "connect", lambda account: server.connect(account))
        return end_queries(ACCOUNT, TOKENS, sleep=sleep, **how)

    return ended


def test_queries_are_killed_until_the_server_shows_none(end: Callable[..., int]) -> None:
    server = Server([7, 8], [8], [])
    assert end(server) == 2
    assert server.killed == [7, 8, 8]
    assert server.asked[0] == ["/* dataplat 3f9c %", "/* dataplat a001 %"]


def test_an_engine_that_begins_again_is_ended_again_while_quiet_is_asked_for(end: Callable[..., int]) -> None:
    server = Server([7], [], [], [9], [], [])
    assert end(server, quiet_seconds=3) == 2


def test_a_server_that_is_down_runs_nothing_and_is_not_waited_for(end: Callable[..., int]) -> None:
    server = Server(pymysql.err.OperationalError(2003, "refused"), [7])
    assert end(server) == 0
    assert server.killed == []


@pytest.mark.parametrize(("code", "quiet"), [(1040, 0.0), (2003, 5.0)])
def test_a_server_that_is_full_or_may_come_back_is_asked_again(
    end: Callable[..., int], code: int, quiet: float
) -> None:
    server = Server(pymysql.err.OperationalError(code, "no"), [7], [])
    assert end(server, quiet_seconds=quiet) == 1


def test_the_end_is_bounded(end: Callable[..., int]) -> None:
    server = Server(*([7] for _ in range(10_000)))
    assert end(server, patience_seconds=10) == 1
    assert len(server.killed) < 200


def test_no_password_is_shown_and_no_token_is_a_pattern() -> None:
    assert "canary" not in repr(ACCOUNT)
    with pytest.raises(ValueError, match="hexadecimal"):
        tag_pattern("%")


def test_nothing_in_a_purpose_can_end_the_comment() -> None:
    tag = query_tag("3f9c", "x */ DROP TABLE y; /*", run_id="'", host="h", pid=1)
    assert tag == "/* dataplat 3f9c x_DROP_TABLE_y_ run=_ h pid=1 */"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    os.close(ends[0])


def test_the_watchdog_knows_what_was_under_way_when_the_pipe_ended(pipe: tuple[int, int]) -> None:
    stream, into = pipe
    orders = [{"token": token, "account": {"host": "h"}} for token in ("a1", "b2")]
    orders.append({"token": "a1", "account": None})
    text = "".join(json.dumps(order) + "\n" for order in orders)
    os.write(into, text.encode())
    os.close(into)
    assert watchdog.read_orders(stream, os.getppid()) == {"b2": orders[1]}


def test_the_watchdog_does_not_outlive_a_parent_whose_pipe_somebody_else_holds(pipe: tuple[int, int]) -> None:
    stream, into = pipe
    assert watchdog.read_orders(stream, os.getppid() + 1) == {}
    os.close(into)


def test_one_watchdog_serves_a_process_shows_no_password_and_ends_with_it() -> None:
    code = (
        "from dataplat.sources.watching import watch, forget, _running\n"
        "from dataplat.sources.running_queries import Account\n"
        "account = Account('127.0.0.1', 1, 'etl', 'canary-7f3a')\n"
        "watch(account, 'a1'); watch(account, 'b2'); forget('a1'); forget('b2')\n"
        "print(_running().pid, flush=True); input()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    assert child.ppid() == parent.pid
    assert "canary" not in " ".join(child.cmdline())
    assert str(Path(watchdog.__file__)) in child.cmdline()
    assert os.getsid(child.pid) == child.pid
    parent.communicate("\n", timeout=30)
    psutil.wait_procs([child], timeout=30)
    assert not child.is_running()


def test_a_watchdog_that_was_killed_is_replaced_and_told_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_watched", {})
    watching.watch(ACCOUNT, "a1")
    killed = watching._running()
    killed.kill()
    killed.wait()
    watching.watch(ACCOUNT, "b2")
    assert watching._running().pid != killed.pid
    assert sorted(watching._watched) == ["a1", "b2"]
    watching.forget("a1")
    watching.forget("b2")
