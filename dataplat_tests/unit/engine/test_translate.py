"""Troubles that are told from Spark's text alone."""

import sys

import pytest
from pyspark.errors import PySparkException
from pyspark.errors.exceptions.connect import SparkConnectGrpcException

from dataplat.engine.translate import translate
from dataplat.errors import EngineLostError

CONNECT = """<_InactiveRpcError of RPC that terminated with:
	status = StatusCode.INTERNAL
	details = "org.mariadb.jdbc.Driver"
>"""
CLASSIC = """An error occurred while calling o1.load.
: java.lang.ClassNotFoundException: org.mariadb.jdbc.Driver
	at java.base/java.net.URLClassLoader.findClass(URLClassLoader.java:445)"""


@pytest.mark.parametrize("text", [CONNECT, CLASSIC], ids=["connect", "classic"])
def test_an_engine_without_the_driver_says_where_one_is_expected(text: str) -> None:
    assert str(translate(PySparkException(text), "ods.t[2026-01-09]")) == (
        "ods.t[2026-01-09]: the engine has no JDBC driver for the source\n"
        "  expected   its jar in jars/lib beside the configuration folder, or in DATAPLAT_JARS\n"
        "  found      no class org.mariadb.jdbc.Driver\n"
        "  effect     nothing was published: what was visible before is still visible\n"
        "  next       make setup   or   export DATAPLAT_JARS=…, then dataplat engine stop"
    )


MISMATCH = (
    "[PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.13 than that in driver: 3.11,"
    " PySpark cannot run with different minor versions."
)
NO_ARROW = "ModuleNotFoundError: No module named 'pyarrow'"


@pytest.mark.parametrize(("before", "found"), [("x.PySparkRuntimeError: ", MISMATCH), ("", NO_ARROW)])
def test_an_engine_whose_python_is_another_says_what_is_expected(found: str, before: str) -> None:
    text = (
        f"An exception was thrown from the Python worker: Traceback (most recent call last):\n{before}{found}"
    )
    here = ".".join(map(str, sys.version_info[:2]))
    assert str(translate(PySparkException(text), "dw.x[2026-01-09]")) == (
        "dw.x[2026-01-09]: the engine's Python cannot run the UDFs\n"
        f"  expected   Python {here} with pyarrow and what the UDFs import\n"
        f"  found      {found}\n"
        "  effect     nothing was published: what was visible before is still visible\n"
        "  next       name another one in platform.yaml: engine: {conf: {spark.pyspark.python: …}}"
    )


@pytest.mark.parametrize(
    "cut",
    [
        SparkConnectGrpcException("Stream removed (RST_STREAM (Received RST_STREAM with error code 8))"),
        PySparkException(
            'Cannot invoke "org.apache.spark.scheduler.DAGScheduler.cleanupQueryJobs(long)" because '
            'the return value of "org.apache.spark.SparkContext.dagScheduler()" is null'
        ),
    ],
    ids=["connect", "classic"],
)
def test_an_engine_that_ended_in_the_middle_is_lost(cut: Exception) -> None:
    """Seen when a JVM ends itself for want of memory before its last word arrives."""
    error = translate(cut, "ods.orders[2026-01-05]")
    assert isinstance(error, EngineLostError)
    assert error.retryable
