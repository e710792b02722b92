"""A real HDFS for the tests: one NameNode and one DataNode of Hadoop, on loopback.

Each daemon is its own process, so a test can stop, kill and start one of them; it comes back on the same
ports with the same blocks. Ready means more than an open port: the NameNode has left safe mode and
knows a live DataNode, as its own JMX page says. ``conf_dir`` is a HADOOP_CONF_DIR for any client.

The jars come from ``jars/pom.xml`` (profile hdfs), or where Maven cannot be had from an old pyspark (Hadoop
2.7.3, ``scripts/hadoop_without_maven.py``). This is a fixture: one replica, no permissions beyond
HDFS's own, no Kerberos, no high availability.
"""

import json
import os
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

from dataplat_tests.services.hadoop_xml import write_hadoop_xml
from dataplat_tests.services.process import LOOPBACK, ServerProcess, free_port

JARS = Path(__file__).resolve().parents[2] / "jars" / "hadoop"
SUPERUSER = "hdfs"  # both daemons must run as one user, or the NameNode refuses the DataNode
NAMENODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"
DATANODE = "org.apache.hadoop.hdfs.server.datanode.DataNode"
SMALL_JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true")
OPENED_PACKAGES = ("java.lang", "java.util", "java.nio", "sun.nio.ch", "java.io", "java.net")
NAMENODE_STATE = "Hadoop:service=NameNode,name=NameNodeInfo"
DATANODE_STATE = "Hadoop:service=DataNode,name=DataNodeInfo"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy knows no loopback
EMPTY_WEB_APP = '<web-app version="2.4" xmlns="http://java.sun.com/xml/ns/j2ee"/>'  # the jars hold no pages
LOG4J = """\
log4j.rootLogger=INFO,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n
"""


class Hdfs:
    """One file system under one folder; ``start()`` formats it the first time.

    ``url`` is ``hdfs://127.0.0.1:port``; ``conf_dir`` holds core-site.xml and hdfs-site.xml. Everybody may
    write below ``/warehouse`` and ``/tmp``; ``user`` is the super user.
    """

    user = SUPERUSER

    def __init__(self, home: Path, *, jars: Path = JARS) -> None:
        self.home = home
        self.conf_dir = home / "conf"
        self.port = free_port()
        self.http_port = free_port()
        self.datanode_http_port = free_port()
        self.url = f"hdfs://{LOOPBACK}:{self.port}"
        self._class_path = os.pathsep.join([str(self.conf_dir), str(home / "web"), f"{jars}/*"])
        self._environ = {**os.environ, "HADOOP_USER_NAME": SUPERUSER, "HADOOP_CONF_DIR": str(self.conf_dir)}
        self.namenode = self._daemon("namenode", NAMENODE, self._namenode_serves)
        self.datanode = self._daemon("datanode", DATANODE, self._datanode_serves)

    def start(self) -> None:
        """Start both daemons and return when a file can be written. Raises ServerDidNotStartError."""
        if not (self.home / "name").exists():
            self._write_conf()
            self._format()
        self.namenode.start()
        self.datanode.start()
        for folder in ("warehouse", "tmp"):
            self._webhdfs("PUT", f"/{folder}?op=MKDIRS")
            self._webhdfs("PUT", f"/{folder}?op=SETPERMISSION&permission=1777")

    def stop(self) -> None:
        """Stop both daemons; the blocks stay in the folder."""
        self.datanode.stop()
        self.namenode.stop()

    def limit_space(self, folder: str, megabytes: int) -> None:
        """Let nothing below a folder grow beyond a quota: HDFS's own way of having no space left."""
        self._webhdfs("PUT", f"{folder}?op=SETQUOTA&storagespacequota={megabytes << 20}")

    def _daemon(self, name: str, main: str, answers: Callable[[], bool]) -> ServerProcess:
        log = self.home / f"{name}.log"
        command = [*self._java(), main]
        return ServerProcess(f"HDFS {name}", command, log=log, environ=self._environ, answers=answers)

    def _java(self) -> list[str]:
        opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED_PACKAGES]
        return ["java", *SMALL_JVM, *opened, "-cp", self._class_path]

    def _format(self) -> None:
        command = [*self._java(), NAMENODE, "-format", "-nonInteractive"]
        result = subprocess.run(command, env=self._environ, capture_output=True, text=True, check=False)
        assert result.returncode == 0, (
            f"NameNode -format failed:\n{result.stdout[-2000:]}{result.stderr[-4000:]}"
        )

    def _write_conf(self) -> None:
        self.conf_dir.mkdir(parents=True)
        write_hadoop_xml(
            self.conf_dir / "core-site.xml",
            {"fs.defaultFS": self.url, "hadoop.tmp.dir": str(self.home / "tmp")},
        )
        write_hadoop_xml(
            self.conf_dir / "hdfs-site.xml",
            {
                "dfs.replication": "1",
                "dfs.namenode.name.dir": f"file://{self.home}/name",
                "dfs.namenode.rpc-address": f"{LOOPBACK}:{self.port}",
                "dfs.namenode.http-address": f"{LOOPBACK}:{self.http_port}",
                "dfs.namenode.safemode.extension": "0",
                "dfs.namenode.safemode.threshold-pct": "1.0",  # 0.999 of one block is none
                "dfs.namenode.safemode.min.datanodes": "1",
                "dfs.namenode.datanode.registration.ip-hostname-check": "false",
                "dfs.namenode.fs-limits.min-block-size": "1024",
                "dfs.datanode.data.dir": f"file://{self.home}/data",
                "dfs.datanode.hostname": LOOPBACK,
                "dfs.datanode.address": f"{LOOPBACK}:{free_port()}",
                "dfs.datanode.ipc.address": f"{LOOPBACK}:{free_port()}",
                "dfs.datanode.http.address": f"{LOOPBACK}:{self.datanode_http_port}",
                "dfs.webhdfs.enabled": "true",
                "dfs.heartbeat.interval": "1",  # a stopped DataNode is noticed within a test's patience
                "dfs.namenode.heartbeat.recheck-interval": "1000",
            },
        )
        (self.conf_dir / "log4j.properties").write_text(LOG4J)
        for web_app in ("hdfs", "datanode", "static"):
            folder = self.home / "web" / "webapps" / web_app / "WEB-INF"
            folder.mkdir(parents=True)
            (folder / "web.xml").write_text(EMPTY_WEB_APP)

    def _namenode_serves(self) -> bool:
        state = _jmx(self.http_port, NAMENODE_STATE, "Safemode", "LiveNodes")
        if state is None:
            return False
        safe_mode, live_nodes = state
        return not self.datanode.running() or (safe_mode == "" and json.loads(live_nodes) != {})

    def _datanode_serves(self) -> bool:
        state = _jmx(self.datanode_http_port, DATANODE_STATE, "BPServiceActorInfo")
        if state is None:  # Hadoop 2.7 names the NameNodes it has registered with, and no state
            state = _jmx(self.datanode_http_port, DATANODE_STATE, "NamenodeAddresses")
            serves = state is not None and all(json.loads(state[0]).values())
        else:
            serves = [actor["ActorState"] for actor in json.loads(state[0])] == ["RUNNING"]
        return serves and self._namenode_serves()

    def _webhdfs(self, method: str, path: str) -> None:
        _call(f"http://{LOOPBACK}:{self.http_port}/webhdfs/v1{path}&user.name={SUPERUSER}", method)


def _jmx(port: int, bean: str, *attributes: str) -> list[str] | None:
    """Return the attributes, or None while the daemon does not know them: it leaves those out."""
    try:
        beans = json.loads(_call(f"http://{LOOPBACK}:{port}/jmx?qry={bean}"))["beans"]
        return [str(beans[0][attribute]) for attribute in attributes]
    except (OSError, ValueError, LookupError):
        return None


def _call(url: str, method: str = "GET") -> bytes:
    request = urllib.request.Request(url, method=method)
    with DIRECT.open(request, timeout=10) as answer:
        return bytes(answer.read())
