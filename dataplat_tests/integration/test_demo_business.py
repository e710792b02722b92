"""The demo's business in a real MariaDB: what was drawn is what is stored, and mishaps leave no trace."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pytest

from dataplat.demo import bulk, business, mishaps
from dataplat.demo.business import BusinessSummary, fill
from dataplat.demo.every_type import COLUMNS, fill_every_type
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.demo.wide import fill_wide
from dataplat.errors import DemoError
from dataplat.lifecycle.report import Progress, Step

pytestmark = pytest.mark.integration

DAY = date(2026, 1, 5)
MONEY = "market.t_money_record"


@pytest.fixture(scope="module")
def summary(mariadb: PrivateMariaDB) -> Iterator[BusinessSummary]:
    yield fill(mariadb.connect, scale=0.2)
    with mariadb.connect() as connection, connection.cursor() as cursor:
        for database in (*business.DATABASES, mishaps.SHELF):
            cursor.execute(f"DROP DATABASE IF EXISTS {database}")


def test_every_row_drawn_is_stored(mariadb: PrivateMariaDB, summary: BusinessSummary) -> None:
    stored = {table: _one(mariadb, f"SELECT count(*) FROM {table}") for table in summary.tables}
    assert stored == dict(summary.tables)


def test_filling_again_leaves_the_same_bytes(mariadb: PrivateMariaDB, summary: BusinessSummary) -> None:
    tables = ", ".join(summary.tables)
    before = _rows(mariadb, f"CHECKSUM TABLE {tables} EXTENDED")
    assert fill(mariadb.connect, scale=0.2) == summary
    assert _rows(mariadb, f"CHECKSUM TABLE {tables} EXTENDED") == before


def test_progress_counts_to_its_total(mariadb: PrivateMariaDB, summary: BusinessSummary) -> None:
    seen: list[tuple[int, int]] = []
    fill(mariadb.connect, scale=0.2, progress=lambda table, done, total: seen.append((done, total)))
    assert seen == [(number, len(seen)) for number in range(1, len(seen) + 1)]


def test_the_awkward_values_arrive_as_they_are(mariadb: PrivateMariaDB, summary: BusinessSummary) -> None:
    expectations = {
        "SELECT count(*) FROM market.t_account WHERE closed_at = '0000-00-00 00:00:00'": True,
        "SELECT count(*) FROM market.t_account WHERE closed_at IS NULL": True,
        "SELECT count(*) FROM market.t_account WHERE birthday = '0000-00-00'": True,
        "SELECT count(*) FROM market.t_account WHERE nickname = '🐼'": True,
        "SELECT count(*) FROM market.t_account WHERE level > 127 OR balance < 0 OR credit < 0": True,
        f"SELECT count(*) FROM {MONEY} WHERE reason = '' AND reason IS NOT NULL": True,
        f"SELECT count(*) FROM {MONEY} WHERE reason = 'C:\\\\temp'": True,
        f"SELECT count(*) FROM {MONEY} WHERE NOT json_valid(detail)": False,
        "SELECT count(*) FROM market.t_order WHERE paid_at < create_time": False,
    }
    assert {sql: _one(mariadb, sql) > 0 for sql in expectations} == expectations


def test_a_window_on_update_time_reads_the_index(mariadb: PrivateMariaDB, summary: BusinessSummary) -> None:
    plan = _rows(mariadb, f"EXPLAIN SELECT count(*) FROM {MONEY} WHERE {_of(DAY)}")
    assert (plan[0][3], plan[0][5]) == ("range", "idx_update_time")


def test_the_shipped_discovery_finds_this_and_last_month_s_shards(
    mariadb: PrivateMariaDB, summary: BusinessSummary
) -> None:
    found = [
        _rows(
            mariadb,
            "SELECT table_name FROM information_schema.tables WHERE table_schema='hydra_production_flow' "
            f"AND table_name LIKE 't_package_flow_log_%_{month}' ORDER BY 1",
        )
        for month in ("2026_01", "2025_12")
    ]
    assert [name for rows in found for (name,) in rows] == [
        "t_package_flow_log_0_2026_01",
        "t_package_flow_log_1_2026_01",
        "t_package_flow_log_0_2025_12",
        "t_package_flow_log_1_2025_12",
    ]


def test_deleted_rows_come_back_the_same(mariadb: PrivateMariaDB, summary: BusinessSummary) -> None:
    before, rows = _checksum(mariadb), _count_of(mariadb, DAY)
    with mishaps.damage_day(mariadb.connect, DAY, 13) as mishap:
        assert (mishap.rows, _count_of(mariadb, DAY)) == (13, rows - 13)
        assert mishap.what == "the settlement job re-imports 2026-01-05: 13 rows are deleted and not yet back"
    mishap.undo()
    assert _checksum(mariadb) == before


def test_a_reimport_empties_the_read_and_neither_of_the_counts_around_it(
    mariadb: PrivateMariaDB, summary: BusinessSummary
) -> None:
    before, rows = _checksum(mariadb), _count_of(mariadb, DAY)
    seen = []
    with mishaps.reimport_during_read(mariadb.connect, DAY, 17) as listen:
        for step in Step:
            listen(Progress(step, "ods.ods_t_money_record", (str(DAY),)))
            seen.append(_count_of(mariadb, DAY) - rows)
    assert dict(zip(Step, seen, strict=True)) == dict.fromkeys(Step, 0) | {Step.STAGE: -17}
    assert _checksum(mariadb) == before


def test_a_load_that_dies_in_a_reimport_leaves_the_day_whole(
    mariadb: PrivateMariaDB, summary: BusinessSummary
) -> None:
    before = _checksum(mariadb)
    with mishaps.reimport_during_read(mariadb.connect, DAY, 17) as listen:
        listen(Progress(Step.STAGE, "ods.ods_t_money_record", (str(DAY),)))
        assert _checksum(mariadb) != before
    assert _checksum(mariadb) == before


def test_a_day_can_lose_all_of_its_rows(mariadb: PrivateMariaDB, summary: BusinessSummary) -> None:
    before, rows = _checksum(mariadb), _count_of(mariadb, DAY)
    with mishaps.delete_rows(mariadb.connect, DAY, 10**6) as mishap:
        assert (mishap.rows, _count_of(mariadb, DAY)) == (rows, 0)
    assert _checksum(mariadb) == before


def test_rows_imported_twice_go_away_again(mariadb: PrivateMariaDB, summary: BusinessSummary) -> None:
    before, rows = _checksum(mariadb), _count_of(mariadb, DAY)
    with mishaps.insert_rows(mariadb.connect, DAY, 20):
        assert _count_of(mariadb, DAY) == rows + 20
    assert _checksum(mariadb) == before


def test_a_correction_moves_rows_to_a_later_day_and_back(
    mariadb: PrivateMariaDB, summary: BusinessSummary
) -> None:
    before, rows, later = _checksum(mariadb), _count_of(mariadb, DAY), _count_of(mariadb, date(2026, 1, 7))
    with mishaps.update_rows(mariadb.connect, DAY, 20, later_days=2):
        assert _count_of(mariadb, DAY) == rows - 20
        assert _count_of(mariadb, date(2026, 1, 7)) == later + 20
    assert _checksum(mariadb) == before


def test_orders_of_a_migration_lead_to_nobody_and_are_as_many_as_before(
    mariadb: PrivateMariaDB, summary: BusinessSummary
) -> None:
    before = _checksum(mariadb, "market.t_order")
    day = "SELECT count(*) FROM market.t_order o WHERE date(o.update_time) = '2026-01-05'"
    rows = _one(mariadb, day)
    nowhere = f"{day} AND NOT EXISTS (SELECT 1 FROM market.t_account a WHERE a.id = o.account_id)"
    with mishaps.repoint_rows(mariadb.connect, DAY, 37) as mishap:
        assert (mishap.rows, _one(mariadb, day), _one(mariadb, nowhere)) == (37, rows, 37)
        assert _one(mariadb, f"{nowhere} AND o.create_time < '2026-01-05'") == 37, "placed before the day"
        assert mishap.what == (
            "an account migration gives 37 orders of 2026-01-05 accounts that do not exist"
        )
    assert _one(mariadb, nowhere) == 0
    assert _checksum(mariadb, "market.t_order") == before


def test_mishaps_of_a_killed_process_are_undone_newest_first(
    mariadb: PrivateMariaDB, summary: BusinessSummary
) -> None:
    before = _checksum(mariadb)
    mishaps.delete_rows(mariadb.connect, DAY, 5)
    mishaps.update_rows(mariadb.connect, DAY, 5)
    mishaps.delete_rows(mariadb.connect, date(2026, 1, 6), 10**6)
    assert (mishaps.undo_all(mariadb.connect), _checksum(mariadb)) == (3, before)
    assert mishaps.undo_all(mariadb.connect) == 0


def test_a_renamed_shard_gets_its_name_back(mariadb: PrivateMariaDB, summary: BusinessSummary) -> None:
    shard = "t_package_flow_log_0_2026_01"
    find = f"SELECT count(*) FROM information_schema.tables WHERE table_name = '{shard}'"
    with mishaps.rename_shard(mariadb.connect, shard) as mishap:
        assert _one(mariadb, find) == 0
        assert mishap.rows == summary.tables[f"hydra_production_flow.{shard}"]
    mishap.undo()
    assert _one(mariadb, find) == 1


def test_a_wide_table_is_sixteen_columns_spread_evenly_over_its_days(mariadb: PrivateMariaDB) -> None:
    assert fill_wide(mariadb.connect, "demo_wide.t_wide", 14_000, days=7) == 14_000
    per_day = _rows(
        mariadb, "SELECT day, count(*), min(day = date(update_time)) FROM demo_wide.t_wide GROUP BY 1"
    )
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 't_wide'"
    assert {(rows, same) for _, rows, same in per_day} == {(2_000, 1)}
    assert (len(per_day), _one(mariadb, columns)) == (7, 16)
    _rows(mariadb, "DROP DATABASE demo_wide")


def test_every_type_holds_nulls_and_its_edge_values(mariadb: PrivateMariaDB) -> None:
    assert fill_every_type(mariadb.connect, "demo_types.t_every_type") == 500
    for column in COLUMNS:
        facts = f"sum(`{column.name}` IS NULL), count(DISTINCT hex(`{column.name}`))"
        null, values = _rows(mariadb, f"SELECT {facts} FROM demo_types.t_every_type")[0]
        assert null > 10, column
        assert values >= min(2, len(column.edges)), column
    extremes = _rows(
        mariadb, "SELECT min(c_bigint), max(c_bigint_unsigned), min(c_time_6) FROM demo_types.t_every_type"
    )
    assert extremes[0][:2] == (-(2**63), 2**64 - 1)
    _rows(mariadb, "DROP DATABASE demo_types")


def test_a_value_that_does_not_fit_is_refused_and_not_cut_off(mariadb: PrivateMariaDB) -> None:
    _rows(mariadb, "CREATE OR REPLACE DATABASE demo_narrow")
    _rows(mariadb, "CREATE TABLE demo_narrow.t (n TINYINT)")
    with bulk.session(mariadb.connect) as connection, pytest.raises(DemoError, match="Out of range value"):
        bulk.load_batch(connection, bulk.Batch("demo_narrow.t", {"n": np.array([1, 300])}))
    assert _one(mariadb, "SELECT count(*) FROM demo_narrow.t") == 0
    _rows(mariadb, "DROP DATABASE demo_narrow")


def _rows(mariadb: PrivateMariaDB, sql: str) -> Any:
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def _one(mariadb: PrivateMariaDB, sql: str) -> int:
    return int(_rows(mariadb, sql)[0][0])


def _of(day: date) -> str:
    return f"update_time >= '{day}' AND update_time < '{day}' + INTERVAL 1 DAY"


def _count_of(mariadb: PrivateMariaDB, day: date) -> int:
    return _one(mariadb, f"SELECT count(*) FROM {MONEY} WHERE {_of(day)}")


def _checksum(mariadb: PrivateMariaDB, table: str = MONEY) -> int:
    return int(_rows(mariadb, f"CHECKSUM TABLE {table} EXTENDED")[0][1])
