"""The promise on real components: what a reader gets after loads that succeed, fail, and disagree.

Every test runs on three pairs of file system and catalog. What is asserted comes from a reader that
shares nothing with the writer, and the source is asked again by another query than the load's.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.errors import SchemaConflictError, SourceError, SourceUnavailableError
from dataplat.ledger import VersionState
from dataplat.lifecycle.report import Progress, Step
from dataplat_tests.integration.warehouse import DATABASE, Warehouse, outcomes, verdicts

pytestmark = pytest.mark.integration

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")


@pytest.fixture(scope="module", params=["file+embedded", "file+metastore", "hdfs+metastore"])
def warehouse(
    request: pytest.FixtureRequest, mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    storage, catalog = request.param.split("+")
    root = tmp_path_factory.mktemp(f"{storage}-{catalog}")
    hdfs = request.getfixturevalue("hdfs") if storage == "hdfs" else None
    metastore = request.getfixturevalue("metastore") if catalog == "metastore" else None
    uri = f"{hdfs.url}/warehouse/protocol" if hdfs else f"file://{root}/warehouse"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HADOOP_USER_NAME", "hdfs")
        opened = Warehouse(root, mariadb, uri=uri, metastore=metastore, hdfs=hdfs, database=f"ods_{storage}")
        yield opened
        opened.close()


def visible_versions(warehouse: Warehouse, table: str) -> dict[str, str]:
    return {key: row.version for key, row in warehouse.platform.ledger.visible(table).items()}


def test_a_day_is_exactly_what_the_source_holds(warehouse: Warehouse) -> None:
    warehouse.orders("exact", [(1, "2026-01-01"), (2, "2026-01-01 23:59:59.999999"), (3, "2026-01-02")])
    spec = warehouse.declare("exact")

    report = warehouse.load_one(spec, "2026-01-01")

    content = warehouse.reader.read(spec.table, "ds=2026-01-01")
    assert content.values("id", "name", "amount") == [
        (1, "名1", Decimal("1.25")),
        (2, "名2", Decimal("2.25")),
    ]
    assert content.values("at")[1] == datetime(2026, 1, 1, 15, 59, 59, 999999, UTC)
    assert list(warehouse.reader.locations(spec.table)) == ["ds=2026-01-01"]
    assert (report.source_before, report.source_after, report.written, report.rows) == (2, 2, 2, 2)
    assert outcomes(report) == {
        "row_count_matches_source": True,
        "files_are_complete": True,
        "rows_in_their_partition": True,
    }


def test_a_range_is_one_read_and_one_version(warehouse: Warehouse) -> None:
    warehouse.orders("ranged", [(n, f"{DAYS[n % 3]} 12:00:00") for n in range(30)])
    spec = warehouse.declare("ranged")

    (report,) = warehouse.load(spec, *DAYS)

    assert set(visible_versions(warehouse, spec.table).values()) == {report.version}
    read = warehouse.reader.partitions(spec.table)
    assert {name: sorted(content.values("id")) for name, content in read.items()} == {
        f"ds={day}": list(range(index, 30, 3)) for index, day in enumerate(DAYS)
    }


def test_a_reload_supersedes_and_touches_no_other_day(warehouse: Warehouse) -> None:
    table = warehouse.orders("again", [(1, DAYS[0]), (2, DAYS[1])])
    spec = warehouse.declare("again")
    warehouse.load(spec, *DAYS[:2])
    before = dict(warehouse.reader.locations(spec.table))
    warehouse.sql(f"UPDATE {table} SET amount = 9 WHERE id = 1", f"DELETE FROM {table} WHERE id = 2")

    report = warehouse.load_one(spec, DAYS[0])

    after = warehouse.reader.locations(spec.table)
    assert warehouse.reader.read(spec.table, "ds=2026-01-01").values("amount") == [Decimal(9)]
    assert after["ds=2026-01-02"] == before["ds=2026-01-02"]
    states = [row.state for row in warehouse.platform.ledger.history(spec.table, DAYS[0])]
    assert states == [VersionState.PUBLISHED, VersionState.SUPERSEDED]
    assert warehouse.reader.content(before["ds=2026-01-01"]).values("amount") == [Decimal("1.25")]
    assert report.visible_version in after["ds=2026-01-01"]


def test_a_day_without_source_rows_empties_its_partition(warehouse: Warehouse) -> None:
    table = warehouse.orders("emptied", [(1, DAYS[0]), (2, DAYS[1])])
    spec = warehouse.declare("emptied", checks="[{not_null: [id]}, {unique: [id]}]")
    warehouse.load(spec, *DAYS[:2])
    warehouse.sql(f"DELETE FROM {table} WHERE id = 1")

    (report,) = warehouse.load(spec, *DAYS[:2])

    assert verdicts([report]) == {DAYS[0]: "published", DAYS[1]: "published"}
    read = warehouse.reader.partitions(spec.table)
    assert [len(read[f"ds={day}"].rows) for day in DAYS[:2]] == [0, 1]
    warehouse.sql(f"DELETE FROM {table}")
    assert warehouse.load_one(spec, DAYS[1]).rows == 0
    assert warehouse.reader.read(spec.table, "ds=2026-01-02").rows == ()


def test_spark_reads_an_emptied_day_as_empty(warehouse: Warehouse) -> None:
    table = warehouse.orders("spark_empty", [(1, DAYS[0])])
    spec = warehouse.declare("spark_empty")
    warehouse.load_one(spec, DAYS[0])
    warehouse.sql(f"DELETE FROM {table}")
    warehouse.load_one(spec, DAYS[0])

    count = f"SELECT count(*) FROM {spec.table} WHERE ds = '2026-01-01'"

    assert warehouse.platform.engine().session().sql(count).collect()[0][0] == 0


def test_a_failed_read_leaves_the_old_version(warehouse: Warehouse) -> None:
    table = warehouse.orders("fails", [(1, DAYS[0])])
    spec = warehouse.declare("fails")
    warehouse.load_one(spec, DAYS[0])
    before = dict(warehouse.reader.locations(spec.table))

    def lose_a_column(progress: Progress) -> None:
        if progress.step is Step.STAGE:
            warehouse.sql(f"ALTER TABLE {table} DROP COLUMN amount")

    with pytest.raises(Exception, match="amount") as caught:
        warehouse.load_one(spec, DAYS[0], lose_a_column)

    assert "still visible" in str(caught.value)
    assert warehouse.reader.locations(spec.table) == before
    assert warehouse.reader.read(spec.table, "ds=2026-01-01").values("id") == [1]
    states = [row.state for row in warehouse.platform.ledger.history(spec.table)]
    assert states == [VersionState.ABANDONED, VersionState.PUBLISHED]


def test_a_connection_cut_in_the_middle_of_the_read_publishes_nothing(warehouse: Warehouse) -> None:
    """Only the reader's connections are cut: the counter's come and go before and after."""
    rows = 15_000
    table = warehouse.orders("cut", [(1, DAYS[0])])
    spec = warehouse.declare("cut", columns='[id, "sha2(repeat(name, 300000), 512) AS slow", at]')
    warehouse.sql(
        f"INSERT INTO {table} SELECT seq + 1, 'x', seq, '{DAYS[0]}' FROM shop.seq_1_to_{rows}",
    )

    with ThreadPoolExecutor(max_workers=1) as pool:

        def cut(progress: Progress) -> None:
            if progress.step is Step.STAGE:
                pool.submit(kill_reader_of, warehouse, table)

        with pytest.raises(SourceUnavailableError, match="the source went away during the read"):
            warehouse.load_one(spec, DAYS[0], cut)
    assert dict(warehouse.reader.locations(spec.table)) == {}


def kill_reader_of(warehouse: Warehouse, table: str) -> None:
    name = table.split(".")[1]
    running = (
        "SELECT id FROM information_schema.processlist WHERE user = 'etl' AND time_ms > 300"
        f" AND info LIKE '%dataplat_read%' AND info LIKE '%`{name}`%'"
    )
    for _ in range(6000):
        if found := warehouse.sql(running):
            warehouse.sql(f"KILL {found[0][0]}")
            return
    raise AssertionError("the read was never seen at the source")


def test_a_rejected_day_keeps_its_old_version_and_the_others_are_published(warehouse: Warehouse) -> None:
    table = warehouse.orders("rejected", [(n, f"{DAYS[n % 3]} 08:00:00") for n in range(9)])
    spec = warehouse.declare("rejected", checks="[{not_null: [name]}]")
    (first,) = warehouse.load(spec, *DAYS)
    warehouse.sql(f"UPDATE {table} SET name = NULL WHERE id = 1", f"UPDATE {table} SET amount = 7")

    (second,) = warehouse.load(spec, *DAYS)

    assert verdicts([second]) == {DAYS[0]: "published", DAYS[1]: "rejected", DAYS[2]: "published"}
    (rejected,) = second.rejected
    (failure,) = rejected.failures
    assert (failure.check, failure.message) == ("not_null_name", "name is NULL in 1 row (id=1)")
    assert rejected.visible_version == first.version
    read = warehouse.reader.partitions(spec.table)
    amounts = {name: set(content.values("amount")) for name, content in read.items()}
    assert amounts["ds=2026-01-01"] == amounts["ds=2026-01-03"] == {Decimal(7)}
    assert Decimal(7) not in amounts["ds=2026-01-02"]
    assert len(warehouse.reader.content(rejected.location).rows) == 3  # kept for inspection


def test_a_new_column_at_the_source_is_added_and_older_days_read_null(warehouse: Warehouse) -> None:
    table = warehouse.orders("widened", [(1, DAYS[0]), (2, DAYS[1])])
    spec = warehouse.declare("widened")
    warehouse.load(spec, *DAYS[:2])
    warehouse.sql(f"ALTER TABLE {table} ADD COLUMN note VARCHAR(20) DEFAULT 'new' COMMENT 'why'")

    warehouse.load_one(spec, DAYS[1])

    spark = warehouse.platform.engine().session()
    rows = spark.sql(f"SELECT id, note, ds FROM {spec.table} ORDER BY id").collect()
    assert [tuple(row) for row in rows] == [(1, None, DAYS[0]), (2, "new", DAYS[1])]


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"format": "orc"}, "parquet in Hive, orc as planned"),
        ({"partition": "{column: data_date}"}, "ds in Hive, data_date as planned"),
    ],
    ids=["format", "partition column"],
)
def test_a_table_that_would_be_laid_out_anew_is_refused(
    warehouse: Warehouse, changes: dict[str, str], fact: str
) -> None:
    """Published files would be in a format, or under a name, that readers of the table do not expect."""
    name = f"laid_out_{next(iter(changes))}"
    warehouse.orders(name, [(1, DAYS[0])])
    spec = warehouse.declare(name)
    warehouse.load_one(spec, DAYS[0])
    before = dict(warehouse.reader.locations(spec.table))
    changed = warehouse.declare(name, **changes)

    with pytest.raises(SchemaConflictError) as caught:
        warehouse.load_one(changed, DAYS[0])

    assert fact in str(caught.value)
    assert warehouse.reader.locations(spec.table) == before


def test_hours_and_months_are_partitions_of_their_own(warehouse: Warehouse) -> None:
    rows = [(1, "2026-01-09 05:00:00"), (2, "2026-01-09 05:59:59"), (3, "2026-01-09 06:00:00")]
    warehouse.orders("hourly", rows)
    warehouse.orders("monthly", [*rows, (4, "2026-02-01 00:00:00")])
    hourly = warehouse.declare("hourly", window="{column: at, grain: hour, start: 2026-01-01}")
    monthly = warehouse.declare("monthly", window="{column: at, grain: month, start: 2026-01-01}")

    warehouse.load(hourly, "2026-01-09-05:00", "2026-01-09-06:00")
    warehouse.load(monthly, "2026-01", "2026-02")

    hours = warehouse.reader.partitions(hourly.table)
    assert {name: content.values("id") for name, content in hours.items()} == {
        "ds=2026-01-09/hr=05": [1, 2],
        "ds=2026-01-09/hr=06": [3],
    }
    months = warehouse.reader.partitions(monthly.table)
    assert {name: content.values("id") for name, content in months.items()} == {
        "ds=2026-01": [1, 2, 3],
        "ds=2026-02": [4],
    }


def test_a_snapshot_holds_the_whole_table_in_every_day(warehouse: Warehouse) -> None:
    warehouse.orders("snapped", [(1, DAYS[0]), (2, "2020-05-05")])
    spec = warehouse.declare("snapped", load="snapshot", window="{grain: day, start: 2026-01-01}")

    (report,) = warehouse.load(spec, *DAYS)

    assert [(one.source_before, one.written, one.rows) for one in report.partitions] == [(2, 2, 2)] * 3
    assert len(report.sql) == 1  # read once, written into every day
    read = warehouse.reader.partitions(spec.table)
    assert {name: content.values("id") for name, content in read.items()} == {
        f"ds={day}": [1, 2] for day in DAYS
    }


def test_rows_of_shards_say_where_they_come_from(warehouse: Warehouse) -> None:
    for shard in range(3):
        number = shard * 10
        warehouse.orders(f"flow_{shard}", [(number, DAYS[0]), (number + 1, DAYS[1])])
    spec = warehouse.declare(
        "flow",
        from_=f"{{database: {DATABASE}, shards: {{pattern: 'flow\\_%', identity: shard_name}}}}",
    )

    (report,) = warehouse.load(spec, *DAYS[:2])

    read = warehouse.reader.partitions(spec.table)
    assert sorted(read["ds=2026-01-02"].values("id", "shard_name")) == [
        (1, "flow_0"),
        (11, "flow_1"),
        (21, "flow_2"),
    ]
    assert [item.rows for item in report.partitions] == [3, 3]


def test_the_partition_column_and_its_format_are_the_tables_own(warehouse: Warehouse) -> None:
    warehouse.orders("formatted", [(1, DAYS[0]), (2, DAYS[1])])
    spec = warehouse.declare("formatted", partition="{column: data_date, format: yyyyMMdd}")

    warehouse.load(spec, *DAYS[:2])

    read = warehouse.reader.partitions(spec.table)
    assert {name: content.values("id") for name, content in read.items()} == {
        "data_date=20260101": [1],
        "data_date=20260102": [2],
    }


def test_orc_is_written_counted_and_published_like_parquet(warehouse: Warehouse) -> None:
    warehouse.orders("orced", [(n, f"{DAYS[n % 2]} 03:04:05.678901") for n in range(10)])
    spec = warehouse.declare("orced", format="orc", checks="[{unique: [id]}]")

    (report,) = warehouse.load(spec, *DAYS[:2])

    assert verdicts([report]) == {DAYS[0]: "published", DAYS[1]: "published"}
    read = warehouse.reader.partitions(spec.table)
    assert sorted(read["ds=2026-01-02"].values("id")) == [1, 3, 5, 7, 9]
    spark = warehouse.platform.engine().session()
    rows = spark.sql(f"SELECT id FROM {spec.table} WHERE ds = '2026-01-02' ORDER BY id").collect()
    assert [row[0] for row in rows] == [1, 3, 5, 7, 9]


def test_a_source_in_another_zone_is_cut_at_the_business_day(warehouse: Warehouse) -> None:
    """Midnight in Shanghai is 16:00 of the day before in UTC, and the moment stays the same moment."""
    warehouse.write_source("abroad", timezone="UTC")
    warehouse.orders(
        "abroad_orders",
        [
            (1, "2025-12-31 15:59:59"),
            (2, "2025-12-31 16:00:00"),
            (3, "2026-01-01 15:59:59"),
            (4, "2026-01-01 16:00:00"),
        ],
    )
    spec = warehouse.declare("abroad_orders", source="abroad")

    warehouse.load(spec, *DAYS[:2])

    read = warehouse.reader.partitions(spec.table)
    assert read["ds=2026-01-01"].values("id") == [2, 3]
    assert read["ds=2026-01-02"].values("id") == [4]
    assert read["ds=2026-01-01"].values("at")[0] == datetime(2025, 12, 31, 16, 0, tzinfo=UTC)


def test_date_expressions_in_where_mean_the_partition(warehouse: Warehouse) -> None:
    warehouse.orders("conditioned", [(1, f"{DAYS[0]} 10:00"), (2, DAYS[1]), (3, f"{DAYS[1]} 11:00")])
    spec = warehouse.declare("conditioned", where="\"at > '$[yyyy-MM-dd] 09:00:00'\"")

    reports = warehouse.load(spec, *DAYS[:2])

    assert len(reports) == 2  # a date means something else in each, so each is read alone
    read = warehouse.reader.partitions(spec.table)
    assert [read[f"ds={day}"].values("id") for day in DAYS[:2]] == [[1], [3]]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("DATE", [date(2026, 1, 1)] * 2),
        (
            "DATETIME(6)",
            [datetime(2025, 12, 31, 16, tzinfo=UTC), datetime(2026, 1, 1, 15, 59, 59, tzinfo=UTC)],
        ),
        ("TIMESTAMP", [datetime(2025, 12, 31, 16, tzinfo=UTC), datetime(2026, 1, 1, 15, 59, 59, tzinfo=UTC)]),
    ],
)
def test_the_window_column_may_be_any_kind_of_time(
    warehouse: Warehouse, kind: str, expected: list[Any]
) -> None:
    name = "by_" + re.sub(r"\W", "", kind).lower()
    table = warehouse.orders(name, columns=f"id BIGINT PRIMARY KEY, at {kind} NOT NULL, KEY (at)")
    for number, at in enumerate(["2025-12-31 23:59:59", DAYS[0], f"{DAYS[0]} 23:59:59", DAYS[1]]):
        warehouse.sql(f"INSERT INTO {table} VALUES ({number}, '{at}')")
    spec = warehouse.declare(name)

    (report,) = warehouse.load(spec, *DAYS[:2])

    assert verdicts([report]) == {DAYS[0]: "published", DAYS[1]: "published"}
    content = warehouse.reader.read(spec.table, "ds=2026-01-01")
    assert sorted(zip(content.values("id"), content.values("at"), strict=True)) == [
        (1, expected[0]),
        (2, expected[1]),
    ]
    assert warehouse.reader.read(spec.table, "ds=2026-01-02").values("id") == [3]


def test_a_source_that_is_down_leaves_everything_visible(warehouse: Warehouse) -> None:
    warehouse.orders("down", [(1, DAYS[0])])
    spec = warehouse.declare("down")
    warehouse.load_one(spec, DAYS[0])
    warehouse.write_source("nowhere", port="1")
    spec = warehouse.declare("down", source="nowhere")

    with pytest.raises(SourceError):
        warehouse.load_one(spec, DAYS[0])

    assert warehouse.reader.read(spec.table, "ds=2026-01-01").values("id") == [1]
