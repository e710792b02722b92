"""The local mode: one server for all processes of a home, and none of them is lost when it dies."""

import json
import os
import re
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import psutil
import pytest

from dataplat.engine.session import SparkEngine
from dataplat_tests.contract.engine.jobs import Client, Job


@pytest.fixture(scope="module")
def job(new_job: Callable[..., Job]) -> Job:
    return new_job()


@pytest.fixture(scope="module")
def engine(job: Job) -> SparkEngine:
    return job.engine()


@pytest.fixture(scope="module")
def first_uses(job: Job, new_client: Callable[..., Client]) -> tuple[Sequence[Client], Sequence[dict]]:
    """Four processes that all need the engine at the same moment, and nothing is running yet."""
    clients = [new_client(job) for _ in range(4)]
    for client in clients:
        client.send("use")
    return clients, [client.receive()["ok"] for client in clients]


def _servers(job: Job, name: str = "default") -> list[int]:
    directory = f"{job.home}/engine/{name}/"
    # Attributes are asked of all processes at once: one that ends meanwhile, or waits to be reaped, has none.
    processes = psutil.process_iter(["name", "cmdline"])
    return [
        process.pid
        for process in processes
        if process.info["name"] == "java" and directory in " ".join(process.info["cmdline"] or ())
    ]


def _kill(pid: int) -> None:
    process = psutil.Process(pid)
    process.kill()
    process.wait(30)


def test_four_processes_at_once_start_exactly_one_server(job: Job, first_uses, engine: SparkEngine) -> None:
    _, answers = first_uses
    assert [answer["answer"] for answer in answers] == [42] * 4
    assert {answer["pid"] for answer in answers} == set(_servers(job)) == {engine.status().pid}


def test_each_of_them_has_a_session_of_its_own(first_uses) -> None:
    _, answers = first_uses
    assert len({answer["session"] for answer in answers}) == 4


def test_two_homes_that_start_at_once_have_a_server_each(new_job, new_client) -> None:
    jobs = [new_job(), new_job()]
    clients = [new_client(job) for job in jobs]
    for client in clients:
        client.send("use")
    answers = [client.receive() for client in clients]
    assert [answer.get("text") for answer in answers] == [None, None]
    assert [[answer["ok"]["pid"]] for answer in answers] == [_servers(job) for job in jobs]
    for client, job in zip(clients, jobs, strict=True):
        client.close()
        job.engine().stop()


def test_a_later_process_does_not_pay_for_the_start(job: Job, first_uses, new_client) -> None:
    answer = new_client(job).ask("use")
    assert answer["pid"] == first_uses[1][0]["pid"]
    assert answer["seconds"] < 3


def test_the_status_says_where_it_is_and_what_it_takes(first_uses, engine: SparkEngine) -> None:
    status = engine.status()
    assert status.running
    assert status.url == first_uses[1][0]["url"]
    assert status.memory_bytes is not None
    assert 50e6 < status.memory_bytes < 2e9


def test_others_on_the_machine_cannot_read_the_token(engine: SparkEngine, first_uses) -> None:
    discovery = engine.home.directory / "connect.json"
    assert discovery.stat().st_mode & 0o777 == 0o600
    assert engine.home.directory.stat().st_mode & 0o777 == 0o700


def test_without_the_token_the_server_answers_nobody(job: Job, first_uses, new_client) -> None:
    guessing = new_client(
        replace(job, mode="connect", remote=first_uses[1][0]["url"]),
        {"SPARK_CONNECT_AUTHENTICATE_TOKEN": "guessed"},
    )
    assert guessing.refuse("use") == (
        "EngineError",
        """\
engine default: the Spark server refused the token
  expected   the server's token in SPARK_CONNECT_AUTHENTICATE_TOKEN
  effect     nothing was published: what was visible before is still visible
  next       export SPARK_CONNECT_AUTHENTICATE_TOKEN=…   or   dataplat check --connect""",
    )


def test_a_server_that_nobody_runs_is_named_within_seconds(job: Job, new_client) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        remote = f"sc://127.0.0.1:{nobody.getsockname()[1]}"
        kind, text = new_client(replace(job, mode="connect", remote=remote)).refuse("use")
    address = remote.removeprefix("sc://")
    assert kind == "EngineLostError"
    assert (
        text
        == f"""\
engine default: the Spark server cannot be reached
  server   {remote}
  found    failed to connect to all addresses; last error: UNKNOWN: ipv4:{address}: Failed to connect to \
remote host: Connection refused
  effect   nothing was read or written
  next     start the server   or   dataplat check --connect"""
    )


def test_a_released_session_leaves_neither_a_connection_nor_a_session_behind(
    job: Job, first_uses, new_client
) -> None:
    client = new_client(job)
    seen = {client.ask("use")["session"]}
    port = int(first_uses[1][0]["url"].rpartition(":")[2])
    for _ in range(5):
        client.ask("release")
        _until(lambda: _connections(client, port) == 0)
        seen.add(client.ask("use")["session"])
    assert len(seen) == 6
    assert _connections(client, port) == 1


def _until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """gRPC closes its connections on a thread of its own, so ``release`` may answer before it is done."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def _connections(client: Client, port: int) -> int:
    connections = psutil.Process(client.process.pid).net_connections(kind="tcp")
    return sum(
        1
        for entry in connections
        if entry.raddr and entry.raddr.port == port and entry.status == psutil.CONN_ESTABLISHED
    )


def test_mode_connect_uses_a_server_that_somebody_runs(job: Job, first_uses, engine, new_client) -> None:
    token = _token(engine)
    client = new_client(
        replace(job, mode="connect", remote=first_uses[1][0]["url"]),
        {"SPARK_CONNECT_AUTHENTICATE_TOKEN": token},
    )
    assert client.ask("use")["answer"] == 42


def _token(engine: SparkEngine) -> str:
    return str(json.loads((engine.home.directory / "connect.json").read_text())["token"])


def test_work_in_a_killed_server_ends_in_a_clear_error_and_the_next_use_starts_a_new_one(
    job: Job, first_uses
) -> None:
    clients, answers = first_uses
    clients[0].send("count_slowly")
    with pytest.raises(psutil.TimeoutExpired):
        psutil.Process(clients[0].process.pid).wait(1.5)  # it works, it does not end
    _kill(answers[0]["pid"])
    kind, text = _error(clients[0].receive())
    assert kind == "EngineLostError"
    assert (
        re.sub(r"(?m)^  found    .*", "  found    …", text)
        == """\
ods.orders[2026-01-05]: the engine went away during the work
  found    …
  effect   nothing was published: what was visible before is still visible
  next     run the same command again: it starts a new engine"""
    )
    again = clients[0].ask("use")
    assert again["pid"] != answers[0]["pid"]
    assert again["session"] != answers[0]["session"]


def _error(answer: dict[str, str]) -> tuple[str, str]:
    return answer["error"], answer["text"]


def test_a_session_held_across_the_kill_is_replaced_though_another_process_restarted_the_server(
    job: Job, first_uses, engine: SparkEngine
) -> None:
    clients, answers = first_uses
    assert engine.status().pid != answers[0]["pid"]
    again = clients[1].ask("use")
    assert again["answer"] == 42
    assert again["session"] != answers[1]["session"]
    assert len(_servers(job)) == 1


def test_a_second_engine_that_wants_the_embedded_catalog_is_told_who_has_it(
    job: Job, engine: SparkEngine, new_client
) -> None:
    assert new_client(job).ask("ask_catalog") == {"columns": None}
    for mode in ("local", "classic"):
        assert new_client(replace(job, name="heavy", mode=mode)).refuse("use") == (
            "EngineError",
            f"""\
engine heavy: the embedded catalog is in use by another Spark process
  expected   one Spark process for each home while no metastore is configured
  found      engine default, process {engine.status().pid}
  effect     nothing was published: what was visible before is still visible
  next       dataplat engine stop   or   set hive.metastore.uris in platform.yaml""",
        )
    assert _servers(job, "heavy") == []


def test_a_discovery_file_that_names_another_process_is_not_believed(job: Job, engine, new_client) -> None:
    client = new_client(job)
    assert client.ask("stop") is True
    assert _servers(job, "default") == []
    assert not engine.status().running
    assert client.ask("stop") is False
    discovery = engine.home.directory / "connect.json"
    stale = {"host": "localhost", "port": 1, "pid": os.getpid(), "token": "old", "spark_version": "4.3.0"}
    for text in ("", "[]", "{}", "no json", json.dumps(stale)):
        discovery.write_text(text)
        assert not engine.status().running, text
    again = client.ask("use")
    assert again["answer"] == 42
    assert [again["pid"]] == _servers(job, "default")
    assert client.ask("stop") is True
    assert psutil.pid_exists(os.getpid())
