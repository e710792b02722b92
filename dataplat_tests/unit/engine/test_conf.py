"""What an engine is started with: the whole list, and what a user's own settings can and cannot change."""

import sys
from pathlib import Path
from typing import Any

import pytest

from dataplat.engine.conf import EngineHome, server_conf, session_conf, worker_python
from dataplat.specs import EngineSpec

HOME = EngineHome(
    Path("/home/engine/default"), Path("/home/metastore_db"), "file:///wh", Path("/jars"), "Asia/Shanghai"
)
JVM = (
    "-Duser.timezone=UTC -Dderby.stream.error.file=/home/engine/default/derby.log"
    " -Djava.io.tmpdir=/home/engine/default/tmp"
)


def _spec(**changes: object) -> EngineSpec:
    return EngineSpec.model_validate(changes)


def test_the_default_engine_is_started_with_these_settings() -> None:
    assert server_conf(_spec(), HOME) == {
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": "file:///wh",
        "spark.driver.memory": "2g",
        "spark.driver.extraClassPath": "/jars/*",
        "spark.driver.extraJavaOptions": JVM,
        "spark.ui.enabled": "false",
        "spark.hadoop.hive.exec.dynamic.partition.mode": "nonstrict",
        "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
        "spark.hadoop.parquet.dictionary.page.size": "131072",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.hadoop.javax.jdo.option.ConnectionURL": (
            "jdbc:derby:;databaseName=/home/metastore_db;create=true"
        ),
    }


def test_every_session_sets_these() -> None:
    assert session_conf(_spec(), HOME) == {
        "spark.sql.sources.partitionOverwriteMode": "dynamic",
        "spark.sql.maxConcurrentOutputFileWriters": "64",
        "spark.sql.shuffle.partitions": "8",
        "spark.sql.session.timeZone": "Asia/Shanghai",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    }


def test_a_metastore_takes_the_place_of_the_embedded_catalog() -> None:
    conf = server_conf(_spec(**{"hive.metastore.uris": "thrift://hms:9083"}), HOME)
    assert conf["spark.hadoop.hive.metastore.uris"] == "thrift://hms:9083"
    assert "spark.hadoop.javax.jdo.option.ConnectionURL" not in conf


def test_a_driver_on_a_cluster_can_be_reached_by_its_executors() -> None:
    conf = server_conf(_spec(mode="classic", master="yarn"), HOME)
    assert not {"spark.driver.bindAddress", "spark.driver.host"} & conf.keys()
    assert conf["spark.executor.extraJavaOptions"] == "-Duser.timezone=UTC"


@pytest.mark.parametrize("mode", ["local", "classic"])
def test_an_engine_on_this_machine_stays_on_loopback(mode: str) -> None:
    assert server_conf(_spec(mode=mode), HOME)["spark.driver.bindAddress"] == "127.0.0.1"


def test_a_users_setting_wins_over_a_default() -> None:
    spec = _spec(conf={"spark.sql.shuffle.partitions": "200", "spark.ui.enabled": "true", "spark.x": "y"})
    assert server_conf(spec, HOME)["spark.ui.enabled"] == "true"
    assert session_conf(spec, HOME)["spark.sql.shuffle.partitions"] == "200"
    assert "spark.x" not in session_conf(spec, HOME)


def test_no_setting_moves_a_time_or_makes_a_number_of_a_partition() -> None:
    wanted = {
        "spark.sql.session.timeZone": "America/New_York",
        "spark.sql.parquet.outputTimestampType": "INT96",
        "spark.sql.sources.partitionColumnTypeInference.enabled": "true",
    }
    conf = session_conf(_spec(conf=wanted), HOME)
    assert {key: conf[key] for key in wanted} == {key: session_conf(_spec(), HOME)[key] for key in wanted}


def test_jvm_options_of_the_user_come_before_ours_so_that_the_jvm_stays_in_utc() -> None:
    options = {
        "spark.driver.extraJavaOptions": "-XX:+UseZGC -Duser.timezone=Asia/Shanghai",
        "spark.executor.extraJavaOptions": "-Xss4m",
    }
    conf = server_conf(_spec(mode="classic", master="yarn", conf=options), HOME)
    assert conf["spark.driver.extraJavaOptions"] == f"-XX:+UseZGC -Duser.timezone=Asia/Shanghai {JVM}"
    assert conf["spark.executor.extraJavaOptions"] == "-Xss4m -Duser.timezone=UTC"


def test_jars_of_the_user_do_not_push_out_the_driver() -> None:
    conf = server_conf(_spec(jars="/a.jar", conf={"spark.driver.extraClassPath": "/more/*"}), HOME)
    assert (conf["spark.driver.extraClassPath"], conf["spark.jars"]) == ("/jars/*:/more/*", "/a.jar")


@pytest.mark.parametrize(
    ("keys", "environ", "python"),
    [
        ({}, {}, sys.executable),
        ({"mode": "classic"}, {}, sys.executable),
        ({"mode": "classic", "master": "yarn"}, {}, None),
        ({"mode": "classic", "master": "yarn"}, {"PYSPARK_PYTHON": "/opt/py"}, "/opt/py"),
        ({}, {"PYSPARK_PYTHON": "/opt/py"}, "/opt/py"),
        ({"conf": {"spark.pyspark.python": "/own/py"}}, {"PYSPARK_PYTHON": "/opt/py"}, "/own/py"),
    ],
)
def test_udfs_run_in_this_python_unless_another_is_named_or_the_cluster_has_its_own(
    keys: dict[str, Any], environ: dict[str, str], python: str | None
) -> None:
    assert worker_python(EngineSpec.model_validate(keys), environ) == python
