"""What a Spark process is started with, and what each session sets. Pure.

``conf`` of an engine wins over our defaults. It does not win where a value would be read or filed wrongly:
the zones of JVM and session, and the type of partition values. JVM options and class path are added to.

Two groups, because a Spark Connect server takes static settings only when it starts:

* ``server_conf``: the catalog, memory, class path and time zone of the JVM;
* ``session_conf``: what our reads and writes rely on, set for every session again, because somebody
  else may have started the server.

The JVM runs in UTC whatever the business zone is: a ``DATETIME`` is read as wall clock through
``java.sql.Timestamp``, and in UTC no wall clock falls into a daylight-saving gap. ``plan.reads`` turns it
into an instant. The business zone is Spark's *session* zone.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dataplat.specs import EngineSpec


@dataclass(frozen=True)
class EngineHome:
    """Where an engine keeps what it owns, and what it shares with the platform.

    Attributes:
        directory: Folder of this engine: discovery file, logs. Created on first use, mode 0700.
        catalog: Folder of the embedded Hive catalog, used when no metastore is configured.
        warehouse: URI of the warehouse.
        jars: Folder with the JDBC driver.
        zone: The business time zone.
    """

    directory: Path
    catalog: Path
    warehouse: str
    jars: Path
    zone: str

    @property
    def scratch(self) -> Path:
        """Folder for the JVM's temporary files; what a killed one leaves stays out of the machine's own."""
        return self.directory / "tmp"


def server_conf(spec: EngineSpec, home: EngineHome) -> dict[str, str]:
    """Return the settings that a Spark process can only take when it starts."""
    conf = {
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": home.warehouse,
        "spark.driver.memory": spec.driver_memory,
        "spark.driver.extraClassPath": f"{home.jars}/*",
        "spark.driver.extraJavaOptions": (
            f"-Duser.timezone=UTC -Dderby.stream.error.file={home.directory}/derby.log"
            f" -Djava.io.tmpdir={home.scratch}"
        ),
        "spark.ui.enabled": "false",
        "spark.hadoop.hive.exec.dynamic.partition.mode": "nonstrict",
        # Staged files become visible through the metastore, so the slow second rename buys nothing.
        "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
        # A column is tried with a dictionary until it is this large, and then written again without. With
        # Parquet's 1 MiB half of a write into thirty days was that trial; 128 KiB hold 16,000 numbers.
        "spark.hadoop.parquet.dictionary.page.size": str(128 * 1024),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    if spec.hive_metastore_uris:
        conf["spark.hadoop.hive.metastore.uris"] = spec.hive_metastore_uris
    else:
        conf["spark.hadoop.javax.jdo.option.ConnectionURL"] = (
            f"jdbc:derby:;databaseName={home.catalog};create=true"
        )
    if spec.mode == "classic" and not spec.master.startswith("local"):
        for key in ("spark.driver.bindAddress", "spark.driver.host"):
            del conf[key]
        conf["spark.executor.extraJavaOptions"] = "-Duser.timezone=UTC"
    if spec.jars:
        conf["spark.jars"] = spec.jars
    return {**conf, **spec.conf, **_with_users(conf, spec.conf)}


def _with_users(conf: Mapping[str, str], users: Mapping[str, str]) -> dict[str, str]:
    """Join what both sides may say; of two equal JVM options the last counts, so ours come last."""
    joined = {}
    for key in ("spark.driver.extraJavaOptions", "spark.executor.extraJavaOptions"):
        if key in conf and key in users:
            joined[key] = f"{users[key]} {conf[key]}"
    for key, separator in (("spark.driver.extraClassPath", ":"), ("spark.jars", ",")):
        if key in conf and key in users:
            joined[key] = f"{conf[key]}{separator}{users[key]}"
    return joined


def worker_python(spec: EngineSpec, environ: Mapping[str, str]) -> str | None:
    """Return the Python that runs UDFs; none where it is the cluster's to say.

    Spark would take the first ``python3`` of PATH, which knows nothing of the packages beside this one.
    """
    named = spec.conf.get("spark.pyspark.python") or environ.get("PYSPARK_PYTHON")
    on_this_machine = spec.mode == "local" or spec.master.startswith("local")
    return named or (sys.executable if on_this_machine else None)


def session_conf(spec: EngineSpec, home: EngineHome) -> Mapping[str, str]:
    """Return the SQL settings that every session of ours sets."""
    defaults = {
        "spark.sql.sources.partitionOverwriteMode": "dynamic",
        # A range of days is written without sorting it first.
        "spark.sql.maxConcurrentOutputFileWriters": "64",
        "spark.sql.shuffle.partitions": "8",
    }
    required = {
        "spark.sql.session.timeZone": home.zone,
        # Footers then carry the smallest and largest timestamp, which the audit reads.
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        # A partition value is text: ds=20260109 is no number.
        "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    }
    users = {key: value for key, value in spec.conf.items() if key.startswith("spark.sql.")}
    return {**defaults, **users, **required}
