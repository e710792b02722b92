"""Spark sessions in three modes behind one class.

``local``    one Spark Connect server per machine and home, started on demand, shared by everybody
``connect``  a server that somebody else runs
``classic``  a session of this process, on ``local[*]``, yarn or k8s

A process can hold either Connect sessions or one classic session, never both: pyspark refuses the
mix in ways that are hard to read, so it is refused here first.
"""

import logging
import os
import threading
import warnings
from collections.abc import Iterable
from contextlib import suppress
from typing import ClassVar

import grpc
from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # ships no types
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.connect.client.retries import DefaultPolicy
from pyspark.sql.connect.session import SparkSession as ConnectSession
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from dataplat.engine.catalog_lock import catalog_in_use, is_catalog_held, other_engines
from dataplat.engine.conf import EngineHome, server_conf, session_conf, worker_python
from dataplat.engine.interrupt import ends_when_interrupted, interrupts_kept_out
from dataplat.engine.local_server import (
    ServerStatus,
    ensure_server,
    make_engine_home,
    server_status,
    stop_server,
)
from dataplat.engine.translate import engine_errors
from dataplat.engine.udfs import register_udfs
from dataplat.errors import EngineError, EngineLostError
from dataplat.specs import EngineSpec
from dataplat.udfs import Udf

# The error that follows says the same, with what it means for the load.
warnings.filterwarnings("ignore", message=r"\[RETRIES_EXCEEDED\]", category=UserWarning)
# Disabled by default, and enabled again by any library that configures logging, as Alembic and Dagster do.
for _name in ("pyspark.sql.connect.logging", "SQLQueryContextLogger"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
_CATALOG_WAIT_SECONDS = 5


# pyspark leaves the first in the environment of every process that used Connect, and its children
# inherit it: a classic session would be refused there.
_CONNECT_VARIABLES = ("SPARK_CONNECT_MODE_ENABLED", "SPARK_REMOTE", "SPARK_LOCAL_REMOTE")


class SparkEngine:
    """A named engine: hands out a live session, and starts what is needed for it.

    Cheap to build: nothing is started before :meth:`session`. Safe to share between threads.
    """

    _mode_of_process: ClassVar[str | None] = None

    def __init__(self, name: str, spec: EngineSpec, home: EngineHome) -> None:
        self.name = name
        self.spec = spec
        self.home = home
        self._session: SparkSession | None = None
        self._server_pid: int | None = None
        self._lock = threading.Lock()

    def session(self) -> SparkSession:
        """Return a session that answers; the first call of a process pays for it.

        A session that its server no longer knows is replaced: the server has died, whoever started the
        next one, or the session was idle for so long that the server closed it.

        Raises:
            EngineError: The server did not start, another process holds the embedded catalog, or this
                process already uses the other kind.
            EngineLostError: The configured remote server cannot be reached.
        """
        with self._lock:
            if self._session is not None and self._is_dead():
                self._forget()
            if self._session is None:
                self._require_catalog()
                self._claim_process()
                self._session = self._opened()
            return self._session

    def session_with(self, udfs: Iterable[Udf], subject: str) -> SparkSession:
        """Return a session that answers and knows some UDFs; one that knows them already is as quick.

        Raises:
            EngineError: As ``session``; or a UDF cannot be sent to the engine.
        """
        session = self.session()
        register_udfs(session, udfs, subject)
        return session

    def probe(self) -> int:
        """Ask the engine something, and its catalog for its databases; return how many there are.

        Raises:
            EngineError: It does not start, or does not answer.
        """
        session = self.session()
        with engine_errors(f"engine {self.name}"):
            session.sql("SELECT 1").collect()
            return len(session.sql("SHOW DATABASES").collect())

    def status(self) -> ServerStatus:
        """Say whether the local server runs; for the other modes, whether this process has a session."""
        if self.spec.mode == "local":
            return server_status(self.home)
        return ServerStatus(running=self._session is not None, url=self.spec.remote or self.spec.master)

    def stop(self) -> bool:
        """Stop what this engine owns: the local server, or this process's classic session."""
        with self._lock:
            had_session = self._session is not None
            if self._session is not None and not self._is_dead():
                # A classic JVM may have died.
                with suppress(ConnectionError, Py4JError), interrupts_kept_out():
                    self._session.stop()
            if self.spec.mode == "classic":
                type(self)._mode_of_process = None
            self._forget()
            return stop_server(self.home) if self.spec.mode == "local" else had_session

    def release(self) -> None:
        """Let go of this process's session; a shared server keeps running for the others."""
        with self._lock:
            if self._session is not None and self.spec.mode != "classic" and not self._is_dead():
                with interrupts_kept_out():
                    self._session.stop()
            if self.spec.mode != "classic":
                self._forget()

    def _opened(self) -> SparkSession:
        try:
            return self._open()
        except EngineLostError as error:
            if self.spec.mode != "connect":
                raise
            raise EngineLostError(
                error.subject,
                "the Spark server cannot be reached",
                facts=[("server", str(self.spec.remote)), *error.facts],
                effect="nothing was read or written",
                next_steps=["start the server", "dataplat check --connect"],
            ) from error

    def _open(self) -> SparkSession:
        if self.spec.mode == "classic":
            with engine_errors(f"engine {self.name}"):
                return self._open_classic()
        url = self.spec.remote or ""
        if self.spec.mode == "local":
            url = self._ensured()
        with engine_errors(f"engine {self.name}"):
            return self._connected(url)

    def _ensured(self) -> str:
        python = worker_python(self.spec, os.environ) or ""
        url = ensure_server(self.home, self.spec.master, server_conf(self.spec, self.home), python)
        self._server_pid = server_status(self.home).pid
        return url

    def _connected(self, url: str) -> SparkSession:
        session = SparkSession.builder.remote(url).create()
        ends_when_interrupted(session)
        # The default waits ten minutes for a server that may be dead; ours is replaced instead.
        session.client.set_retry_policies([DefaultPolicy(max_retries=4, max_backoff=2000)])
        if self.spec.mode == "connect":
            self._require_utc(session)
        for key, value in session_conf(self.spec, self.home).items():
            self._set(session, key, value)
        return session

    def _set(self, session: SparkSession, key: str, value: str) -> None:
        try:
            session.conf.set(key, value)
        except AnalysisException as error:
            # A static setting was given to the local server when it started.
            if self.spec.mode == "connect" or error.getCondition() != "CANNOT_MODIFY_STATIC_CONFIG":
                raise

    def _require_utc(self, session: SparkSession) -> None:
        found = session.sql("SELECT reflect('java.time.ZoneId', 'systemDefault')").collect()[0][0]
        if found not in ("UTC", "Etc/UTC", "GMT", "Z"):
            raise EngineError(
                f"engine {self.name}",
                "the Spark server's JVM does not run in UTC: every time read from a source would be shifted",
                facts=[
                    ("expected", "-Duser.timezone=UTC"),
                    ("found", str(found)),
                    ("server", str(self.spec.remote)),
                ],
                effect="nothing was read or written",
                next_steps=["start the server with --driver-java-options -Duser.timezone=UTC"],
            )

    def _open_classic(self) -> SparkSession:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        for name in _CONNECT_VARIABLES:
            os.environ.pop(name, None)
        if python := worker_python(self.spec, os.environ):
            os.environ["PYSPARK_PYTHON"] = python
        make_engine_home(self.home)
        builder = SparkSession.builder.master(self.spec.master).appName("dataplat")
        for key, value in (
            server_conf(self.spec, self.home) | dict(session_conf(self.spec, self.home))
        ).items():
            builder = builder.config(key, value)
        session = builder.getOrCreate()
        ends_when_interrupted(session)
        return session

    def _is_dead(self) -> bool:
        if self.spec.mode == "classic" or self._session is None:
            return False
        # A server that somebody else started since then knows nothing of this session.
        if self.spec.mode == "local" and server_status(self.home).pid != self._server_pid:
            return True
        try:
            with interrupts_kept_out():
                return not self._session.version
        except (PySparkException, grpc.RpcError):
            return True

    def _forget(self) -> None:
        if self._session is not None and self.spec.mode != "classic":
            ConnectSession._set_default_and_active_session(None)  # type: ignore[arg-type]  # clears both
        self._session = None

    def _require_catalog(self) -> None:
        """Refuse early what Derby would refuse late: a second process on the embedded catalog.

        A killed process takes a moment to let go, and another command may be starting our own server.
        """
        patience = Retrying(
            stop=stop_after_delay(_CATALOG_WAIT_SECONDS),
            wait=wait_fixed(0.1),
            retry=retry_if_result(bool),
            retry_error_callback=lambda _: True,
        )
        if patience(self._meets_other_catalog):
            raise catalog_in_use(f"engine {self.name}", other_engines(self.home))

    def _meets_other_catalog(self) -> bool:
        starts = {
            "local": not server_status(self.home).running,
            "classic": self._mode_of_process != "classic",
            "connect": False,
        }
        embedded = not self.spec.hive_metastore_uris
        return embedded and starts[self.spec.mode] and is_catalog_held(self.home.catalog)

    def _claim_process(self) -> None:
        kind = "classic" if self.spec.mode == "classic" else "connect"
        if self._mode_of_process not in (None, kind):
            raise EngineError(
                f"engine {self.name}",
                "one process cannot hold a classic and a Connect session",
                facts=[
                    ("expected", f"{self._mode_of_process} (the mode this process already uses)"),
                    ("found", f"mode: {self.spec.mode}"),
                ],
                effect="nothing was read or written",
                next_steps=["run the tables of the two engines in separate commands"],
            )
        type(self)._mode_of_process = kind
