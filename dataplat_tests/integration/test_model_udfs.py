"""A model that calls UDFs, through its life: made, remembered with their versions, and stopped by one."""

from collections.abc import Iterator

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.errors import EngineError
from dataplat.lifecycle.model import make_partitions
from dataplat.lifecycle.report import PartitionReport
from dataplat.lifecycle.stations import RunInfo
from dataplat_tests.integration.warehouse import Warehouse

pytestmark = pytest.mark.integration

DAY, NEXT = "2026-01-01", "2026-01-02"
UDFS = """\
from dataplat.udfs import udf


@udf(returns="string")
def strict(words):
    if "?" in words.to_pylist():
        raise ValueError("'?' is no word")
    return words
"""
MODEL = """\
table: dw.seen
checks:
  - sql:
      name: place_is_known
      query: SELECT place FROM {{ staged }} WHERE parse_ip('192.0.2.1') <> place
"""
SQL = """\
SELECT id, strict(name) AS name, parse_ip('192.0.2.1') AS place
FROM ods.words WHERE ds = '{{ ds }}'
"""


@pytest.fixture(scope="module")
def warehouse(mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("udfs")
    opened = Warehouse(root, mariadb, uri=f"file://{root}/warehouse")
    (root / "acme_life.py").write_text(UDFS, encoding="utf-8")
    (root / "config" / "dw").mkdir()
    (root / "config" / "dw" / "seen.yaml").write_text(MODEL, encoding="utf-8")
    (root / "config" / "dw" / "seen.sql").write_text(SQL, encoding="utf-8")
    platform = root / "config" / "platform.yaml"
    platform.write_text(platform.read_text(encoding="utf-8") + "udfs: [acme_life]\n", encoding="utf-8")
    table = opened.orders("words", [(1, f"{DAY} 08:00"), (2, f"{DAY} 09:00"), (3, f"{NEXT} 09:00")])
    opened.sql(f"UPDATE {table} SET name = '?' WHERE id = 3")
    opened.load(opened.declare("words"), DAY, NEXT)
    yield opened
    opened.close()


def make(warehouse: Warehouse, key: str) -> tuple[PartitionReport, str]:
    """Make a partition in a platform of its own; return its report and the hash that the ledger remembers."""
    with warehouse.new_platform() as platform:
        spec = platform.catalog.model("dw.seen")
        (report,) = make_partitions(platform, spec, [key], RunInfo("run", "tests", "pytest"))
        (row,) = platform.ledger.visible("dw.seen", [key]).values()
        assert row.config_sha == platform.sha(spec) != platform.catalog.sha(spec)
        return report.partitions[0], row.config_sha or ""


def test_a_model_is_made_with_its_udfs_and_a_check_may_call_one(warehouse: Warehouse) -> None:
    made, _ = make(warehouse, DAY)
    assert (made.verdict, made.failures) == ("published", ())
    rows = warehouse.platform.engine().session().sql("SELECT * FROM dw.seen ORDER BY id").collect()
    assert [tuple(row) for row in rows] == [(1, "名1", "北京", DAY), (2, "名2", "北京", DAY)]


def test_a_udf_that_raises_names_itself_the_model_and_the_partition_and_publishes_nothing(
    warehouse: Warehouse,
) -> None:
    before, _ = make(warehouse, DAY)
    with pytest.raises(EngineError) as caught:
        make(warehouse, NEXT)
    assert str(caught.value) == (
        "dw.seen[2026-01-02]: UDF strict failed\n"
        "  found      ValueError: '?' is no word\n"
        "  declared   acme_life:7\n"
        "  effect     nothing was published: what was visible before is still visible\n"
        "  next       dataplat test dw.seen"
    )
    visible = warehouse.platform.ledger.visible("dw.seen", [DAY, NEXT])
    assert {key: row.version for key, row in visible.items()} == {DAY: before.version}
