"""A real Hive metastore for the tests, run from the jars inside pyspark, its database an embedded Derby.

Hive 2.3's own main listens on every address, so 20 lines of Java put the same handler behind a socket on
loopback; they are compiled once per pyspark and kept under ``.pytest_cache``. It acts on HDFS as that
file system's super user, because a metastore makes the folders of databases and tables itself.
"""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyspark
from pymetastore.hive_metastore import ThriftHiveMetastore
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.Thrift import TException
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport

from dataplat_tests.services.hadoop_xml import write_hadoop_xml
from dataplat_tests.services.process import LOOPBACK, ServerProcess, accepts_connections, free_port

LAUNCHER = Path(__file__).with_name("LoopbackMetaStore.java")
CACHE = Path(__file__).resolve().parents[2] / ".pytest_cache" / "metastore"
SPARK_JARS = f"{Path(pyspark.__file__).parent}/jars/*"


class HiveMetastore:
    """One metastore under one folder; stopping, killing and starting it keeps its tables and its port.

    ``uri`` is what ``hive.metastore.uris`` wants. Databases that name no location go to ``warehouse``;
    a location on ``hdfs://`` works too.
    """

    def __init__(self, home: Path, *, warehouse: str | None = None) -> None:
        self.home = home
        self.port = free_port()
        self.uri = f"thrift://{LOOPBACK}:{self.port}"
        self.warehouse = warehouse or f"file://{home}/warehouse"
        self._server: ServerProcess | None = None

    def start(self) -> None:
        """Start it and return when it answers a question. Raises ServerDidNotStartError."""
        if self._server is None:
            self._server = self._new_server()
        self._server.start()

    def stop(self) -> None:
        """Stop it; its tables stay in the folder."""
        if self._server:
            self._server.stop()

    def kill(self) -> None:
        """End it as a crash would."""
        if self._server:
            self._server.kill()

    def running(self) -> bool:
        """Say whether the process is alive."""
        return self._server is not None and self._server.running()

    @property
    def pid(self) -> int:
        """The process id; it must be running."""
        assert self._server is not None, "the metastore was never started"
        return self._server.pid

    @contextmanager
    def client(self, *, timeout_seconds: float = 60) -> Iterator[Any]:
        """Give a Thrift client of the metastore, connected, for one block."""
        connection = TSocket(LOOPBACK, self.port)
        connection.setTimeout(timeout_seconds * 1000)
        transport = TBufferedTransport(connection)
        transport.open()
        try:
            yield ThriftHiveMetastore.Client(TBinaryProtocol(transport))
        finally:
            transport.close()

    def _new_server(self) -> ServerProcess:
        conf_dir = self.home / "conf"
        conf_dir.mkdir(parents=True)
        write_hadoop_xml(
            conf_dir / "hive-site.xml",
            {
                "javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={self.home}/db;create=true",
                "javax.jdo.option.ConnectionDriverName": "org.apache.derby.jdbc.EmbeddedDriver",
                "datanucleus.schema.autoCreateAll": "true",
                "datanucleus.connectionPoolingType": "HikariCP",  # BoneCP, the default, is not in the jars
                "hive.metastore.schema.verification": "false",
                "hive.metastore.warehouse.dir": self.warehouse,
                "hive.async.log.enabled": "false",  # the disruptor is not in the jars
            },
        )
        class_path = os.pathsep.join([str(conf_dir), str(_compiled_launcher()), SPARK_JARS])
        return ServerProcess(
            "Hive metastore",
            [
                *("java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
                *("-Djava.net.preferIPv4Stack=true", f"-Dderby.stream.error.file={self.home}/derby.log"),
                *("-cp", class_path, LAUNCHER.stem, LOOPBACK, str(self.port)),
            ],
            log=self.home / "metastore.log",
            environ={**os.environ, "HADOOP_USER_NAME": "hdfs"},
            answers=self._answers,
        )

    def _answers(self) -> bool:
        if not accepts_connections(self.port):
            return False  # Thrift would log every attempt
        try:
            with self.client(timeout_seconds=10) as client:
                client.get_all_databases()
        except (TException, OSError):
            return False
        return True


def _compiled_launcher() -> Path:
    fingerprint = hashlib.sha256(LAUNCHER.read_bytes() + pyspark.__version__.encode()).hexdigest()[:12]
    classes = CACHE / fingerprint
    if not classes.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as unfinished:
            target = Path(unfinished) / "classes"
            subprocess.run(["javac", "-cp", SPARK_JARS, "-d", str(target), str(LAUNCHER)], check=True)
            target.rename(classes)
    return classes
