"""What dataplat takes from inside pyspark, held still, so that an upgrade is noticed here and not at night.

``engine/local_server`` uses a module that calls itself experimental, ``engine/session`` a private setter.
"""

import inspect
import json
import os
from pathlib import Path

import pyspark
import pytest
from pyspark.errors import PySparkRuntimeError
from pyspark.sql.connect import local_server
from pyspark.sql.connect.client import SparkConnectClient
from pyspark.sql.connect.client.retries import DefaultPolicy
from pyspark.sql.connect.session import SparkSession


def test_pyspark_is_the_one_that_these_tests_were_written_for() -> None:
    assert pyspark.__version__ == "4.3.0"


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (local_server.reuse_or_start_local_connect_server, ["master", "opts"]),
        (local_server.stop_local_connect_server, []),
        (SparkSession._set_default_and_active_session, ["session"]),
        (SparkConnectClient.set_retry_policies, ["self", "policies"]),
    ],
)
def test_the_function_is_called_as_before(function: object, parameters: list[str]) -> None:
    assert list(inspect.signature(function).parameters) == parameters  # type: ignore[arg-type]


def test_a_retry_policy_takes_our_limits() -> None:
    policy = DefaultPolicy(max_retries=4, max_backoff=2000)
    assert (policy.max_retries, policy.max_backoff) == (4, 2000)


RECORD = {"host": "localhost", "port": 15002, "pid": 1, "token": "t", "spark_version": "4.3.0"}


def test_the_discovery_file_lies_where_the_variable_says_and_holds_these_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_LOCAL_CONNECT_DISCOVERY", str(tmp_path / "connect.json"))
    with local_server.Discovery() as discovery:
        discovery.save(RECORD)
        assert discovery.load() == RECORD
    assert json.loads((tmp_path / "connect.json").read_text()) == RECORD
    assert (tmp_path / "connect.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("field", sorted(RECORD))
def test_a_discovery_file_without_one_of_them_is_no_server(
    field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pyspark itself raises KeyError for a missing text: dataplat must never write such a file."""
    monkeypatch.setenv("SPARK_LOCAL_CONNECT_DISCOVERY", str(tmp_path / "connect.json"))
    (tmp_path / "connect.json").write_text(json.dumps({k: v for k, v in RECORD.items() if k != field}))
    with local_server.Discovery() as discovery:
        if field in ("port", "pid"):
            assert discovery.load() is None
        else:
            with pytest.raises(KeyError):
                discovery.load()


def test_the_server_is_started_on_loopback_by_the_script_and_with_our_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for Spark's script records what it is called with, and refuses."""
    script = tmp_path / "spark" / "sbin" / "start-connect-server.sh"
    script.parent.mkdir(parents=True)
    script.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\nenv > {tmp_path}/environment\nexit 3\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("SPARK_HOME", str(tmp_path / "spark"))
    monkeypatch.setenv("SPARK_LOCAL_CONNECT_DISCOVERY", str(tmp_path / "engine" / "connect.json"))
    monkeypatch.delenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", raising=False)
    with pytest.raises(PySparkRuntimeError, match="LOCAL_CONNECT_SERVER_START_FAILED"):
        local_server.reuse_or_start_local_connect_server("local[2]", {"spark.ui.enabled": "false"})
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments[:4] == ["--master", "local[2]", "--conf", "spark.connect.grpc.binding.address=127.0.0.1"]
    assert arguments[6] == "--properties-file"
    environment = dict(
        line.split("=", 1) for line in (tmp_path / "environment").read_text().splitlines() if "=" in line
    )
    assert environment["SPARK_PID_DIR"] == str(tmp_path / "engine")
    assert environment["SPARK_LOG_DIR"] == str(tmp_path / "engine" / "logs")
    assert environment["SPARK_CONNECT_AUTHENTICATE_TOKEN"] not in " ".join(arguments)
    assert os.environ.get("SPARK_CONNECT_AUTHENTICATE_TOKEN") is None
