"""Counting files on a real HDFS, and files that Hive's own writers wrote; Spark counts the same tables."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataplat.plan.file_counts import FileFormat, FileProblem
from dataplat.storage import row_counter
from dataplat.storage.row_counter import count_path
from dataplat_tests.contract.engine.jobs import Job
from dataplat_tests.services.hadoop_xml import write_hadoop_xml
from dataplat_tests.services.hdfs import Hdfs
from dataplat_tests.services.process import LOOPBACK, free_port

pytestmark = pytest.mark.integration

NAMES = ("a b", "ü中", "100%25", "at=05%3A00", "what?", "#1", "plain")
ROWS = 17


@pytest.fixture(scope="module")
def table(hdfs: Hdfs) -> Iterator[str]:
    """A folder on HDFS with one parquet file below each of the names; returns its path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HADOOP_USER_NAME", hdfs.user)
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table({"id": range(ROWS)}), sink)
        for name in (*NAMES, "_hidden"):
            write(hdfs, f"/warehouse/counted/{name}/part-0", bytes(sink.getvalue()))
        yield "/warehouse/counted"


def write(hdfs: Hdfs, path: str, content: bytes) -> None:
    fs = fsspec.filesystem("hdfs", host=LOOPBACK, port=hdfs.port)
    client = fs.client
    client.mkdirs(path.rpartition("/")[0], 0o755, True)
    with client.create(path) as stream:
        stream.write(content)


def test_files_on_hdfs_are_counted_whatever_their_names(hdfs: Hdfs, table: str) -> None:
    found = count_path(f"{hdfs.url}{table}", "parquet")
    assert (found.status, found.rows, found.files) == ("success", ROWS * len(NAMES), len(NAMES))
    assert count_path(f"{hdfs.url}{table}/what?/part-0", "parquet").rows == ROWS


def test_the_same_files_are_counted_by_webhdfs(hdfs: Hdfs, table: str) -> None:
    found = count_path(f"webhdfs://{hdfs.user}@{LOOPBACK}:{hdfs.http_port}{table}/plain", "parquet")
    assert (found.problems, found.rows) == ((), ROWS)


def test_a_nameservice_of_a_configuration_folder_is_found_behind_its_dead_namenode_a36(
    hdfs: Hdfs, table: str, tmp_path: Path
) -> None:
    write_hadoop_xml(tmp_path / "core-site.xml", {"fs.defaultFS": "hdfs://NS1"})
    failover = "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider"
    write_hadoop_xml(
        tmp_path / "hdfs-site.xml",
        {
            "dfs.nameservices": "NS1",
            "dfs.ha.namenodes.NS1": "nn1,nn2",
            "dfs.namenode.rpc-address.NS1.nn1": f"{LOOPBACK}:{free_port()}",
            "dfs.namenode.rpc-address.NS1.nn2": f"{LOOPBACK}:{hdfs.port}",
            "dfs.client.failover.proxy.provider.NS1": failover,
        },
    )
    for uri in (f"hdfs://NS1{table}", f"hdfs://{table}"):
        found = count_path(uri, "parquet", hadoop_conf=tmp_path)
        assert (found.problems, found.rows) == ((), ROWS * len(NAMES))


def test_a_refusal_and_a_missing_path_are_said_each_in_its_words(hdfs: Hdfs, table: str) -> None:
    closed = f"{hdfs.url}/warehouse/closed"
    write(hdfs, "/warehouse/closed/inner/part-0", b"x\n")
    fs = fsspec.filesystem("hdfs", host=LOOPBACK, port=hdfs.port)
    fs.client.set_permission("/warehouse/closed/inner", 0o700)
    script = (
        "import json, sys; from dataplat.storage.row_counter import count_path\n"
        "print(json.dumps(count_path(sys.argv[1], 'textfile').document()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, closed],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HADOOP_USER_NAME": "somebody"},
    )
    document = json.loads(done.stdout)
    assert (document["status"], document["row_count"]) == ("failed", -1)
    assert document["errors"] == [{"file": closed, "error": "permission denied"}]
    gone = count_path(f"{hdfs.url}/warehouse/gone", "parquet")
    assert gone.problems == (FileProblem(f"{hdfs.url}/warehouse/gone", "there is no such path"),)


@pytest.mark.parametrize("daemon", ["namenode", "datanode"])
def test_a_daemon_that_comes_back_is_waited_for_and_the_count_is_exact(
    hdfs: Hdfs, table: str, monkeypatch: pytest.MonkeyPatch, daemon: str
) -> None:
    server, asked = getattr(hdfs, daemon), threading.Event()
    step = "find_files" if daemon == "namenode" else "_file_rows"
    work = getattr(row_counter, step)

    def notice(*arguments: Any) -> Any:
        asked.set()
        return work(*arguments)

    monkeypatch.setattr(row_counter, step, notice)
    found: list[Any] = []
    server.stop()
    try:
        counting = threading.Thread(target=lambda: found.append(count_path(f"{hdfs.url}{table}", "parquet")))
        counting.start()
        assert asked.wait(120)
    finally:
        server.start()
    counting.join(240)
    assert [(one.problems, one.rows) for one in found] == [((), ROWS * len(NAMES))]


KINDS: dict[str, tuple[FileFormat, str, dict[str, str]]] = {
    "orc": ("orc", "ORC", {}),
    "parquet": ("parquet", "PARQUET", {}),
    "avro": ("avro", "AVRO", {}),
    "text": ("textfile", "TEXTFILE", {}),
    **{
        f"text_{name.lower()}": ("textfile", "TEXTFILE", {"codec": name})
        for name in ("Gzip", "BZip2", "Snappy", "Default")
    },
    "sequence": ("sequencefile", "SEQUENCEFILE", {}),
    "sequence_record": ("sequencefile", "SEQUENCEFILE", {"codec": "Default", "type": "RECORD"}),
    "sequence_block": ("sequencefile", "SEQUENCEFILE", {"codec": "Default", "type": "BLOCK"}),
}


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    engine = Job(str(tmp_path_factory.mktemp("hive"))).engine()
    try:
        yield engine.session()
    finally:
        engine.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_hives_writers_hold_what_spark_reads(spark: Any, kind: str) -> None:
    data_format, stored_as, compression = KINDS[kind]
    options = {
        "hive.exec.compress.output": str(bool(compression)).lower(),
        "spark.sql.hive.convertMetastoreOrc": "false",
        "spark.sql.hive.convertMetastoreParquet": "false",
        "spark.sql.hive.convertInsertingPartitionedTable": "false",
    }
    if compression:
        codec = f"org.apache.hadoop.io.compress.{compression['codec']}Codec"
        options["mapreduce.output.fileoutputformat.compress.codec"] = codec
        options["mapred.output.compression.codec"] = codec
        options["mapreduce.output.fileoutputformat.compress.type"] = compression.get("type", "RECORD")
        options["mapred.output.compression.type"] = compression.get("type", "RECORD")
    for name, value in options.items():
        spark.conf.set(name, value)
    spark.sql(f"CREATE TABLE counted_{kind} (id INT, name STRING, many ARRAY<STRING>) STORED AS {stored_as}")
    spark.sql(
        f"INSERT INTO counted_{kind} SELECT /*+ REPARTITION(3) */ id, repeat('x', id % 300), "
        "array('a', string(id)) FROM range(20011)"
    )
    location = spark.sql(f"DESCRIBE FORMATTED counted_{kind}").filter("col_name = 'Location'").first()[1]
    found = count_path(location, data_format)
    assert (found.problems, found.rows, found.files) == ((), 20011, 3)
    assert spark.sql(f"SELECT count(id) FROM counted_{kind}").first()[0] == 20011
    if "codec" in compression and stored_as == "TEXTFILE":
        suffix = {"Gzip": ".gz", "BZip2": ".bz2", "Snappy": ".snappy", "Default": ".deflate"}
        names = [path.name for path in Path(location.removeprefix("file:")).glob("part-*")]
        assert all(name.endswith(suffix[compression["codec"]]) for name in names)
