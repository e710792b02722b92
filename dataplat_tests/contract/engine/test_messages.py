"""What goes wrong in Spark, provoked for real in both modes, each as the whole text that people see."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import PySparkException

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.engine.session import SparkEngine
from dataplat.engine.translate import translate
from dataplat.errors import EngineError
from dataplat_tests.contract.engine.jobs import Job, finish, start_process

MODES = ("local", "classic")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """A file system of 600 kB for each mode."""
    folders = {mode: tmp_path_factory.mktemp(f"small_{mode}") for mode in MODES}
    mounted = []
    try:
        for folder in folders.values():
            command = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)]
            if subprocess.run(command, capture_output=True, check=False).returncode != 0:
                pytest.skip("a small file system can only be mounted by root")
            mounted.append(folder)
        yield folders
    finally:
        for folder in mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="module")
def messages(
    source_job: Job, new_job: Callable[..., Job], engine_mariadb: PrivateMariaDB, folders: dict[str, Path]
) -> dict[str, Any]:
    root = {"ROOT_PASSWORD": engine_mariadb.instance.root_password}
    processes = {
        mode: start_process(
            "messages", new_job(source_job, mode=mode).text(), str(folders[mode]), environ=root
        )
        for mode in MODES
    }
    return {mode: finish(process) for mode, process in processes.items()}


UNCHANGED = "nothing was published: what was visible before is still visible"
MESSAGES = {
    "write_twice": (
        "EngineError",
        """\
ods.orders[2026-01-05]: Spark refused the work
  found    [PATH_ALREADY_EXISTS] Path file:FOLDER/twice/ds=2026-01-05 already exists. Set mode as \
"overwrite" to overwrite the existing path. SQLSTATE: 42K04""",
    ),
    "ask_for_a_column_that_is_not_there": (
        "EngineError",
        """\
ods.orders[2026-01-05]: Spark refused the work
  found    (conn=N) Unknown column 'nothing' in 'SELECT'""",
    ),
    "cut_the_connection": (
        "SourceUnavailableError",
        """\
ods.orders[2026-01-05]: the source went away during the read
  found    unexpected end of stream, read 0 bytes from 4 (socket was closed by server)""",
    ),
    "fill_the_disk": (
        "StorageError",
        """\
ods.orders[2026-01-05]: no space left in the warehouse
  found    No space left on device""",
    ),
}
NEXT = {
    "cut_the_connection": "run the same command again   or   dataplat check --connect",
    "fill_the_disk": "dataplat collect   or   free space and load again",
}


@pytest.mark.parametrize("trouble", MESSAGES)
@pytest.mark.parametrize("mode", MODES)
def test_the_cause_is_told_and_what_it_means(
    messages: dict[str, Any], folders: dict[str, Path], mode: str, trouble: str
) -> None:
    kind, text = MESSAGES[trouble]
    expected = f"{text}\n  effect   {UNCHANGED}"
    if trouble in NEXT:
        expected += f"\n  next     {NEXT[trouble]}"
    found_kind, found, retryable = messages[mode][trouble]
    found = re.sub(r"conn=\d+", "conn=N", found).replace(str(folders[mode]), "FOLDER")
    assert (found_kind, found) == (kind, expected)
    assert retryable == str(kind == "SourceUnavailableError")


@pytest.mark.parametrize("mode", MODES)
def test_an_engine_that_runs_out_of_memory_says_so_or_is_lost_with_it(
    messages: dict[str, Any], mode: str
) -> None:
    """Spark ends a JVM that is out of memory; whether its last word arrives first is a race."""
    kind, found, _ = messages[mode]["fill_the_memory"]
    says_so = f"""\
ods.orders[2026-01-05]: the engine ran out of memory
  found    Java heap space
  effect   {UNCHANGED}
  next     raise driver_memory of the engine in platform.yaml   or   dataplat engine stop"""
    is_lost = f"""\
ods.orders[2026-01-05]: the engine went away during the work
  found    …
  effect   {UNCHANGED}
  next     run the same command again: it starts a new engine"""
    without_cause = re.sub(r"(?m)^  found    .*", "  found    …", found)
    assert (kind, found) == ("EngineError", says_so) or (kind, without_cause) == ("EngineLostError", is_lost)


def test_a_server_that_does_not_start_shows_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "spark" / "sbin" / "start-connect-server.sh"
    script.parent.mkdir(parents=True)
    script.write_text('#!/bin/sh\necho first line\necho "the JVM is out of luck"\nexit 3\n')
    script.chmod(0o755)
    monkeypatch.setenv("SPARK_HOME", str(tmp_path / "spark"))
    monkeypatch.setattr(SparkEngine, "_mode_of_process", None)
    engine = Job(home=str(tmp_path)).engine()
    logs = engine.home.directory / "logs"
    logs.mkdir(parents=True)
    (logs / "spark.out").write_text("1\n2\n3\nlast words\n")
    with pytest.raises(EngineError) as refused:
        engine.session()
    assert (
        str(refused.value)
        == f"""\
engine: the local Spark server did not start
  found    [LOCAL_CONNECT_SERVER_START_FAILED] Failed to start a persistent local Spark Connect server: \
start-connect-server.sh exited with code 3: the JVM is out of luck.
  log      {logs}/spark.out
           2
           3
           last words
  effect   nothing was read or written
  next     dataplat engine stop   or   dataplat engine start"""
    )


HDFS = "org.apache.hadoop"
CLIENT = f"{HDFS}.hive.ql.metadata.SessionHiveMetaStoreClient"
TEXTS = {
    f"[X] x\nCaused by: {HDFS}.hdfs.protocol.DSQuotaExceededException: The DiskSpace quota of /warehouse "
    "is exceeded: quota = 1 B": (
        "StorageError",
        f"""\
ods.t: no space left in the warehouse
  found    The DiskSpace quota of /warehouse is exceeded: quota = 1 B
  effect   {UNCHANGED}
  next     dataplat collect   or   free space and load again""",
    ),
    f"[X] x\nCaused by: {HDFS}.security.AccessControlException: Permission denied: user=etl, access=WRITE, "
    'inode="/warehouse":hive:hive:drwxr-xr-x': (
        "StorageError",
        f"""\
ods.t: the warehouse refused the write
  found    Permission denied: user=etl, access=WRITE, inode="/warehouse":hive:hive:drwxr-xr-x
  effect   {UNCHANGED}""",
    ),
    f"{HDFS}.hive.ql.metadata.HiveException: java.lang.RuntimeException: Unable to instantiate {CLIENT}": (
        "EngineLostError",
        f"""\
ods.t: the engine cannot open its Hive catalog
  found    java.lang.RuntimeException: Unable to instantiate {CLIENT}
  effect   {UNCHANGED}
  next     dataplat check --connect   or   dataplat engine stop""",
    ),
    "ERROR XSDB6: Another instance of Derby may have already booted the database /x.": (
        "EngineError",
        f"""\
ods.t: the embedded catalog is in use by another Spark process
  expected   one Spark process for each home while no metastore is configured
  found      another process holds the catalog
  effect     {UNCHANGED}
  next       dataplat engine stop   or   set hive.metastore.uris in platform.yaml""",
    ),
    "[CAST_OVERFLOW] " + "x" * 400: (
        "EngineError",
        f"""\
ods.t: Spark refused the work
  found    [CAST_OVERFLOW] {"x" * 281}...
  effect   {UNCHANGED}""",
    ),
}


@pytest.mark.parametrize("text", TEXTS, ids=["quota", "denied", "metastore", "derby", "long"])
def test_a_cause_that_cannot_be_provoked_here_is_known_by_its_text(text: str) -> None:
    error = translate(PySparkException(text), "ods.t")
    assert (type(error).__name__, str(error)) == TEXTS[text]


def test_two_modes_in_one_process_are_refused_before_spark_refuses_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SparkEngine, "_mode_of_process", "connect")
    with pytest.raises(EngineError) as refused:
        Job(home=str(tmp_path), name="heavy", mode="classic").engine().session()
    assert (
        str(refused.value)
        == """\
engine heavy: one process cannot hold a classic and a Connect session
  expected   connect (the mode this process already uses)
  found      mode: classic
  effect     nothing was read or written
  next       run the tables of the two engines in separate commands"""
    )
