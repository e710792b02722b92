"""Which way partitions are moved: the metastore's own API where there is one, Spark SQL elsewhere."""

from dataplat.engine.hive import PartitionStore, SqlPartitionStore
from dataplat.engine.metastore import ThriftPartitionStore
from dataplat.engine.session import SparkEngine

_SASL = "spark.hadoop.hive.metastore.sasl.enabled"


def partition_store(engine: SparkEngine) -> PartitionStore:
    """Return the fastest store that reaches the engine's catalog.

    A metastore behind Kerberos is left to Spark, which carries the tickets.
    """
    uris = engine.spec.hive_metastore_uris
    if uris and engine.spec.conf.get(_SASL, "false") != "true":
        return ThriftPartitionStore(uris)
    return SqlPartitionStore(engine.session())
