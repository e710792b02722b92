"""``engines: {heavy: …}``: a second engine of another mode, beside the first, on one metastore."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from dataplat_tests.contract.engine.jobs import Client, Job
from dataplat_tests.services.metastore import HiveMetastore


@pytest.fixture(scope="module")
def engine_metastore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HiveMetastore]:
    server = HiveMetastore(tmp_path_factory.mktemp("metastore"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


def test_what_one_engine_publishes_the_other_reads(
    engine_metastore: HiveMetastore, new_job: Callable[..., Job], new_client: Callable[..., Client]
) -> None:
    job = new_job(metastore=engine_metastore.uri)
    local, heavy = new_client(job), new_client(replace(job, name="heavy", mode="classic"))
    heavy.send("use")
    local.ask("make_table")
    assert heavy.receive()["ok"]["answer"] == 42
    rows = [["2026-01-05", number] for number in range(3)]
    assert local.ask("read_table") == heavy.ask("read_table") == rows
    heavy.ask("stop")
    local.ask("stop")


def test_a_metastore_that_is_down_is_told(
    new_job: Callable[..., Job], new_client: Callable[..., Client]
) -> None:
    client = new_client(new_job(mode="classic", metastore="thrift://127.0.0.1:1"))
    assert client.refuse("ask_catalog") == (
        "EngineLostError",
        """\
ods.orders: the engine cannot open its Hive catalog
  found    java.lang.RuntimeException: Unable to instantiate \
org.apache.hadoop.hive.ql.metadata.SessionHiveMetaStoreClient
  effect   nothing was published: what was visible before is still visible
  next     dataplat check --connect   or   dataplat engine stop""",
    )
