"""Many loads at once on one shared engine: each partition has one maker, and every day is exact."""

from collections.abc import Iterator

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.engine.local_server import server_status
from dataplat.errors import LoadInProgressError
from dataplat.ledger import VersionState
from dataplat.orchestration.instance import open_instance
from dataplat.orchestration.launch import run_table
from dataplat.orchestration.observer import Observer
from dataplat_tests.integration.load_worker import MOVED, MOVING, Job, LoadProcess
from dataplat_tests.integration.warehouse import Warehouse
from dataplat_tests.services.metastore import HiveMetastore

pytestmark = pytest.mark.integration

DAYS = tuple(f"2026-01-{day:02d}" for day in range(1, 9))


@pytest.fixture(scope="module", params=["embedded", "metastore"])
def warehouse(
    request: pytest.FixtureRequest, mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("concurrency")
    metastore: HiveMetastore | None = None
    if request.param == "metastore":
        metastore = request.getfixturevalue("metastore")
    uri = f"file://{root}/warehouse"
    opened = Warehouse(root, mariadb, uri=uri, metastore=metastore, database="at_once")
    yield opened
    opened.close()


def rows_of(day: int) -> range:
    return range(100 * day, 100 * day + 10 + day)


def test_eight_first_loads_of_different_days_are_all_exact(warehouse: Warehouse) -> None:
    """Nobody has made the database, the table or the engine yet: they race for all three."""
    warehouse.orders(
        "eight", [(n, f"{day} 12:00:00") for index, day in enumerate(DAYS) for n in rows_of(index)]
    )
    spec = warehouse.declare("eight", checks="[{unique: [id]}]")

    loads = [LoadProcess(Job(warehouse.environ, spec.table, [day])) for day in DAYS]

    assert [load.result() for load in loads] == [{day: "published"} for day in DAYS]
    read = warehouse.reader.partitions(spec.table)
    assert {name: content.values("id") for name, content in read.items()} == {
        f"ds={day}": list(rows_of(index)) for index, day in enumerate(DAYS)
    }


def test_eight_loads_that_see_a_new_column_all_find_it(warehouse: Warehouse) -> None:
    source = warehouse.orders("wider", [(n, f"{day} 12:00:00") for n, day in enumerate(DAYS)])
    spec = warehouse.declare("wider")
    warehouse.load(spec, *DAYS)
    warehouse.sql(f"ALTER TABLE {source} ADD COLUMN note VARCHAR(9) DEFAULT 'new'")

    loads = [LoadProcess(Job(warehouse.environ, spec.table, [day])) for day in DAYS]

    assert [load.result() for load in loads] == [{day: "published"} for day in DAYS]
    read = warehouse.reader.partitions(spec.table)
    assert [content.values("note") for content in read.values()] == [["new"]] * 8


def test_the_second_load_of_a_partition_fails_and_names_the_first(warehouse: Warehouse) -> None:
    warehouse.orders("contended", [(1, DAYS[0])])
    spec = warehouse.declare("contended")
    first = LoadProcess(Job(warehouse.environ, spec.table, DAYS[:2], hold_at="publish"))
    first.reaches("publish")

    with pytest.raises(LoadInProgressError, match=r"another load holds the partition") as caught:
        warehouse.load(spec, DAYS[1], DAYS[2])

    assert "run worker" in str(caught.value)
    assert "load_worker" in str(caught.value)
    assert warehouse.platform.ledger.history(spec.table, DAYS[2]) == ()
    first.go_on()
    assert first.result() == {DAYS[0]: "published", DAYS[1]: "published"}
    assert warehouse.load_one(spec, DAYS[1]).visible_version


def test_a_load_that_waits_comes_after_the_first_and_nothing_is_mixed(warehouse: Warehouse) -> None:
    source = warehouse.orders("awaited", [(n, DAYS[0]) for n in range(10)])
    spec = warehouse.declare("awaited")
    first = LoadProcess(Job(warehouse.environ, spec.table, DAYS[:1], hold_at="publish"))
    first.reaches("publish")
    warehouse.sql(f"UPDATE {source} SET amount = 5")
    second = LoadProcess(Job(warehouse.environ, spec.table, DAYS[:1], wait_seconds=60))

    first.go_on()

    assert first.result() == second.result() == {DAYS[0]: "published"}
    assert set(warehouse.reader.read(spec.table, f"ds={DAYS[0]}").values("amount")) == {5}
    states = [row.state for row in warehouse.platform.ledger.history(spec.table)]
    assert states == [VersionState.PUBLISHED, VersionState.SUPERSEDED]


@pytest.mark.parametrize("point", ["check", "publish", MOVING, MOVED])
def test_a_load_whose_lock_was_taken_over_changes_nothing_more(warehouse: Warehouse, point: str) -> None:
    """It was stopped for so long that its lease ran out; when it wakes, somebody else has published."""
    name = f"stalled_{point}"
    warehouse.orders(name, [(1, DAYS[0])])
    spec = warehouse.declare(name)
    stalled = LoadProcess(Job(warehouse.environ, spec.table, DAYS[:1], hold_at=point))
    stalled.reaches(point)
    warehouse.expire_locks(spec.table)
    published = warehouse.load_one(spec, DAYS[0])

    stalled.go_on()

    assert stalled.result()["error"] == "LostLockError"
    assert warehouse.platform.ledger.visible(spec.table)[DAYS[0]].version == published.version
    assert published.version in warehouse.reader.locations(spec.table)[f"ds={DAYS[0]}"]


def test_two_platforms_and_a_dagster_run_share_one_engine(warehouse: Warehouse) -> None:
    for name in ("shared_a", "shared_b", "shared_c"):
        warehouse.orders(name, [(1, DAYS[0]), (2, DAYS[0])])
        warehouse.declare(name)
    tables = warehouse.platform.catalog.tables
    loads = [
        LoadProcess(Job(warehouse.environ, f"at_once.{name}", DAYS[:1])) for name in ("shared_a", "shared_b")
    ]
    server = server_status(warehouse.platform.engine().home).pid
    with open_instance(warehouse.root / "dagster", warehouse.platform.catalog) as instance:
        results = run_table(warehouse.platform, instance, tables["at_once.shared_c"], DAYS[:1], Observer())

    assert [load.result() for load in loads] == [{DAYS[0]: "published"}] * 2
    assert [(result.succeeded, result.message) for result in results] == [(True, "")]
    assert server_status(warehouse.platform.engine().home).pid == server
    for name in ("shared_a", "shared_b", "shared_c"):
        assert warehouse.reader.read(f"at_once.{name}", f"ds={DAYS[0]}").values("id") == [1, 2]


def test_another_process_may_replace_the_engine_under_an_open_session(warehouse: Warehouse) -> None:
    """The session of this process belongs to the old server; the next load must not use it."""
    warehouse.orders("replaced", [(1, DAYS[0])])
    spec = warehouse.declare("replaced")
    warehouse.load_one(spec, DAYS[0])
    with warehouse.new_platform() as other:
        other.engine().stop()
        other.engine().session()

    assert warehouse.load_one(spec, DAYS[0]).rows == 1
