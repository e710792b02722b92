"""From what Spark says to what a person can act on.

Spark wraps the cause: a gRPC status around an analysis error around a JDBC exception around the
server's own text. The first line that names the cause is kept, the Java stack is not.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # ships no types
from pyspark.errors import AnalysisException, PySparkException
from pyspark.errors.exceptions.connect import SparkConnectGrpcException

from dataplat.engine.catalog_lock import catalog_in_use
from dataplat.engine.interrupt import interrupts_kept_out
from dataplat.errors import (
    DataplatError,
    EngineError,
    EngineLostError,
    QueryRefusedError,
    QueryTooLongError,
    SourceUnavailableError,
    StorageError,
)

_PYTHON_HERE = ".".join(map(str, sys.version_info[:2]))
_FROM_PYTHON = "Python worker"
_UNCHANGED = "nothing was published: what was visible before is still visible"

_LOST = re.compile(
    r"UNAVAILABLE|failed to connect|Connection refused|Connection reset|Socket closed"
    r"|Stream ?removed|RST_STREAM"
    r"|SESSION_CHANGED|SESSION_CLOSED|SESSION_NOT_FOUND|OPERATION_NOT_FOUND|Retries exceeded|RETRIES_EXCEEDED"
    r"|SparkContext was shut ?down|stopped SparkContext|keepalive"
    r"|SparkContext\.dagScheduler\(\)\" is null",
    re.IGNORECASE,
)
_NO_SPACE = re.compile(
    r"No space left on device|DSQuotaExceeded|NSQuotaExceeded|could only be (?:replicated|written)"
)
_DENIED = re.compile(r"AccessControlException|Permission denied")
_MEMORY = re.compile(r"OutOfMemoryError|GC overhead|Java heap space")
_SOURCE_GONE = re.compile(
    r"Communications link failure|Connection is closed|Connection reset|Socket error|unexpected end of stream"
    r"|Could not connect to|SQLNonTransientConnectionException|SQLTransientConnectionException"
    r"|Connection was killed|Lock wait timeout|Deadlock found|Query execution was interrupted",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"max_statement_time exceeded|maximum statement execution time exceeded", re.IGNORECASE
)
_JDBC = re.compile(r"java\.sql\.SQL\w*Exception|org\.mariadb\.jdbc|com\.mysql\.cj")
_REFUSED_TOKEN = re.compile(r"StatusCode\.UNAUTHENTICATED|Invalid authentication token", re.IGNORECASE)
_UDF = re.compile(r"dataplat-udf\|(?P<name>\w+)\|(?P<place>[^|]*)\|(?P<reason>.*?)\|$", re.MULTILINE)
_PYTHON = re.compile(r"\[PYTHON_VERSION_MISMATCH\].*|^(?:ModuleNotFoundError|ImportError): .*", re.MULTILINE)
_TAIL = re.compile(r"\.?( Please, refer to '.*)? SQLSTATE: \w+.*$")
_POSITION = re.compile(r"SQLSTATE: \w+[;\s(]+line (\d+),? pos (\d+)")
_DERBY_LOCKED = re.compile(r"Another instance of Derby may have already booted|XSDB6")

_NO_DRIVER = re.compile(r"^(?:java\.lang\.\w+Exception: )?(?:org\.mariadb|com\.mysql)\.[\w.]*Driver$")

# Over Spark Connect the reason stays in the server's log: the metastore is down, or Derby is locked.
_NO_CATALOG = re.compile(r"Unable to instantiate \S*HiveMetaStoreClient")


@contextmanager
def engine_errors(subject: str) -> Iterator[None]:
    """Turn Spark's exceptions into ours; ``subject`` opens the message. Interrupts are kept out meanwhile."""
    try:
        with interrupts_kept_out():
            yield
    except DataplatError:
        raise
    except (PySparkException, Py4JError, grpc.RpcError, ConnectionError) as error:
        raise translate(error, subject) from error


@contextmanager
def query_errors(subject: str) -> Iterator[None]:
    """Do what ``engine_errors`` does, and say where in the SQL something is wrong, as far as Spark tells.

    Raises:
        QueryRefusedError: Spark's analysis refuses the SQL.
    """
    try:
        with engine_errors(subject):
            yield
    except EngineError as error:
        cause = error.__cause__
        if type(error) is not EngineError or not isinstance(cause, AnalysisException):
            raise
        refused = QueryRefusedError(subject, error.problem, facts=error.facts, effect=error.effect)
        if (place := _POSITION.search(str(cause))) is not None:
            refused.line, refused.column = int(place[1]), int(place[2])
        refused.reason = _TAIL.sub("", root_cause(str(cause)))
        raise refused from cause


def translate(error: BaseException, subject: str) -> DataplatError:
    """Return the error to raise for a Spark failure; the cause decides whether a retry may help."""
    text = str(error)
    cause = root_cause(text)
    if (raised := _UDF.search(text)) is not None:
        return _udf_raised(subject, raised)
    if _FROM_PYTHON in text and (python := _PYTHON.search(text)) is not None:
        return _wrong_python(subject, python[0])
    if _DERBY_LOCKED.search(text):
        return catalog_in_use(subject)
    if _REFUSED_TOKEN.search(text):
        return _refused_token(subject)
    if _NO_CATALOG.search(text):
        return EngineLostError(
            subject,
            "the engine cannot open its Hive catalog",
            facts=[("found", cause)],
            effect=_UNCHANGED,
            next_steps=["dataplat check --connect", "dataplat engine stop"],
        )
    if _NO_DRIVER.match(cause):
        return _no_driver(subject, cause)
    if _TOO_LONG.search(text):
        return QueryTooLongError(
            subject,
            "the server ended the query, it took too long",
            facts=[("found", cause)],
            effect=_UNCHANGED,
            next_steps=["raise budget.max_execution_seconds"],
        )
    if _SOURCE_GONE.search(text) and _JDBC.search(text):
        return SourceUnavailableError(
            subject,
            "the source went away during the read",
            facts=[("found", cause)],
            effect=_UNCHANGED,
            next_steps=["run the same command again", "dataplat check --connect"],
        )
    if _NO_SPACE.search(text):
        return StorageError(
            subject,
            "no space left in the warehouse",
            facts=[("found", cause)],
            effect=_UNCHANGED,
            next_steps=["dataplat collect", "free space and load again"],
        )
    if _DENIED.search(text):
        return StorageError(
            subject, "the warehouse refused the write", facts=[("found", cause)], effect=_UNCHANGED
        )
    if _MEMORY.search(text):
        return EngineError(
            subject,
            "the engine ran out of memory",
            facts=[("found", cause)],
            effect=_UNCHANGED,
            next_steps=["raise driver_memory of the engine in platform.yaml", "dataplat engine stop"],
        )
    if _is_lost(error, text):
        return EngineLostError(
            subject,
            "the engine went away during the work",
            facts=[("found", cause)],
            effect=_UNCHANGED,
            next_steps=["run the same command again: it starts a new engine"],
        )
    return EngineError(subject, "Spark refused the work", facts=[("found", cause)], effect=_UNCHANGED)


def _udf_raised(subject: str, raised: re.Match[str]) -> EngineError:
    table = subject.partition("[")[0]
    return EngineError(
        subject,
        f"UDF {raised['name']} failed",
        facts=[("found", raised["reason"]), ("declared", raised["place"])],
        effect=_UNCHANGED,
        next_steps=[f"dataplat test {table}"],
    )


def _wrong_python(subject: str, found: str) -> EngineError:
    return EngineError(
        subject,
        "the engine's Python cannot run the UDFs",
        facts=[
            ("expected", f"Python {_PYTHON_HERE} with pyarrow and what the UDFs import"),
            ("found", found[:300]),
        ],
        effect=_UNCHANGED,
        next_steps=["name another one in platform.yaml: engine: {conf: {spark.pyspark.python: …}}"],
    )


def _no_driver(subject: str, cause: str) -> EngineError:
    return EngineError(
        subject,
        "the engine has no JDBC driver for the source",
        facts=[
            ("expected", "its jar in jars/lib beside the configuration folder, or in DATAPLAT_JARS"),
            ("found", f"no class {cause.rpartition(' ')[2]}"),
        ],
        effect=_UNCHANGED,
        next_steps=["make setup", "export DATAPLAT_JARS=…, then dataplat engine stop"],
    )


def _refused_token(subject: str) -> EngineError:
    return EngineError(
        subject,
        "the Spark server refused the token",
        facts=[("expected", "the server's token in SPARK_CONNECT_AUTHENTICATE_TOKEN")],
        effect=_UNCHANGED,
        next_steps=["export SPARK_CONNECT_AUTHENTICATE_TOKEN=…", "dataplat check --connect"],
    )


def _is_lost(error: BaseException, text: str) -> bool:
    if isinstance(error, (grpc.RpcError, ConnectionError)):
        return True
    connect_error = isinstance(error, SparkConnectGrpcException) or "rpc" in text.lower()
    return bool(_LOST.search(text)) and (connect_error or "SparkContext" in text)


def root_cause(text: str) -> str:
    r"""Return what names the cause, in at most 300 characters.

    The last ``Caused by`` of a Java stack, or gRPC's details, or the first line.

    >>> root_cause("[X] wrapped\n\tat a.b\nCaused by: java.sql.SQLException: no such column\n\tat c.d")
    'no such column'
    """
    text = re.sub(r"^An error occurred while calling \S+\.\n: ", "", text)
    details = re.search(r'^\s*details = "(.*)"\s*$', text, re.MULTILINE)
    if details and details[1]:
        text = details[1]
    lines = [
        line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("at ")
    ]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    found = causes[-1] if causes else (lines[0] if lines else "no message")
    found = re.sub(r"^\(?(?:[a-z][\w$]*\.)+[A-Z][\w$]*(?:: |\) )", "", found)
    return found if len(found) <= 300 else found[:297] + "..."
