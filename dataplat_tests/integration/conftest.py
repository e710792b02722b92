"""Real servers, one of each for the whole test run, started when the first test asks for one.

They are shared: a test makes databases, folders and tables of its own name, and stops a server only if it
starts it again before it ends.
"""

from collections.abc import Iterator

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat_tests.services.clickhouse import ClickHouse
from dataplat_tests.services.hdfs import JARS, Hdfs
from dataplat_tests.services.metastore import HiveMetastore
from dataplat_tests.services.process import DIES_WITH_US


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateMariaDB]:
    """A MariaDB on loopback: ``mariadb.instance`` says where, ``mariadb.connect()`` logs in as root."""
    server = PrivateMariaDB(tmp_path_factory.mktemp("mariadb"), launcher=DIES_WITH_US)
    with server:
        yield server


@pytest.fixture(scope="session")
def hdfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hdfs]:
    """A NameNode and a DataNode: ``hdfs.url``, ``hdfs.conf_dir``; everybody may write below /warehouse."""
    if not any(JARS.glob("hadoop-hdfs-*.jar")):
        pytest.skip("jars/hadoop holds no HDFS: run make setup where Maven has a registry")
    file_system = Hdfs(tmp_path_factory.mktemp("hdfs"))
    try:
        file_system.start()
        yield file_system
    finally:
        file_system.stop()


@pytest.fixture(scope="session")
def metastore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HiveMetastore]:
    """A Hive metastore: ``metastore.uri``, ``metastore.warehouse``, ``metastore.client()``."""
    server = HiveMetastore(tmp_path_factory.mktemp("metastore"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    """A ClickHouse on loopback whose HTTP front is ours: ``clickhouse.run(sql)``, ``clickhouse.port``."""
    server = ClickHouse(tmp_path_factory.mktemp("clickhouse"))
    try:
        server.start()
        yield server
    finally:
        server.stop()
