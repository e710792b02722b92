"""What a load makes of a source that changed since somebody agreed to it, through a whole load."""

from collections.abc import Iterator

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.errors import SchemaConflictError
from dataplat.specs import TableSpec
from dataplat.specs.schema_lock import LOCK_FILE, render_schema_lock
from dataplat_tests.integration.warehouse import Warehouse, verdicts

pytestmark = pytest.mark.integration

DAYS = ("2026-01-01", "2026-01-02")
AGREED = {"id": "bigint(20)", "name": "varchar(50)", "amount": "decimal(12,2)", "at": "datetime(6)"}


@pytest.fixture(scope="module")
def warehouse(mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("drift")
    opened = Warehouse(root, mariadb, uri=f"file://{root}/home/warehouse")
    yield opened
    opened.close()


def locked(warehouse: Warehouse, name: str, **changes: str) -> TableSpec:
    """A table of one loaded day, whose source somebody has agreed to."""
    warehouse.orders(name, [(1, DAYS[0]), (2, DAYS[1])])
    spec = warehouse.declare(name, **changes)
    lock = render_schema_lock({spec.table: AGREED})
    (warehouse.root / "config" / LOCK_FILE).write_text(lock, encoding="utf-8")
    assert verdicts(warehouse.load(spec, DAYS[0])) == {DAYS[0]: "published"}
    return spec


def test_a_new_column_is_loaded_by_itself_and_null_in_the_day_before(warehouse: Warehouse) -> None:
    spec = locked(warehouse, "evolves")
    warehouse.sql("ALTER TABLE shop.evolves ADD note VARCHAR(9) DEFAULT 'n'")
    assert verdicts(warehouse.load(spec, DAYS[1])) == {DAYS[1]: "published"}
    rows = (
        warehouse.platform.engine().session().sql(f"SELECT id, note FROM {spec.table} ORDER BY id").collect()
    )
    assert [tuple(row) for row in rows] == [(1, None), (2, "n")]


def test_the_same_column_is_refused_where_the_table_takes_nothing(warehouse: Warehouse) -> None:
    spec = locked(warehouse, "refuses", schema="refuse")
    warehouse.sql("ALTER TABLE shop.refuses ADD note VARCHAR(9)")
    with pytest.raises(SchemaConflictError) as caught:
        warehouse.load(spec, DAYS[1])
    assert ("column 'note'", "absent as agreed, varchar(9) now: safe, new") in caught.value.facts
    assert list(warehouse.reader.locations(spec.table)) == [f"ds={DAYS[0]}"]


def test_a_column_that_is_gone_is_refused_until_somebody_agrees(warehouse: Warehouse) -> None:
    spec = locked(warehouse, "loses", columns="[id, name, at]")
    warehouse.sql("ALTER TABLE shop.loses DROP amount")
    assert verdicts(warehouse.load(spec, DAYS[1])) == {DAYS[1]: "published"}  # it is not read
    warehouse.sql("ALTER TABLE shop.loses DROP name")
    with pytest.raises(Exception, match="name") as caught:
        warehouse.load(spec, DAYS[1])
    assert "nothing was read" in str(caught.value)
