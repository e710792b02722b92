"""What a load asks of a large table: dates as ranges, no scan that nobody allowed, and consistent parts."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.errors import SourceError
from dataplat.lifecycle.explain import explain_table
from dataplat.plan.where_dates import rewrite_date_conditions
from dataplat.specs import SecretResolver
from dataplat_tests.integration.warehouse import ORDERS, Warehouse, verdicts

pytestmark = pytest.mark.integration

DAY = "2026-01-31"
CONDITIONS = [
    *(f"date(c) {sign} '{DAY}'" for sign in ("=", "<>", "!=", "<", "<=", ">", ">=")),
    f"'{DAY}' < DATE(c)",
    f"date(c) BETWEEN '2026-01-30' AND '{DAY}'",
    f"date(c) BETWEEN '{DAY}' AND '2026-01-30'",
    f"date(c) NOT BETWEEN '2024-02-29' AND '{DAY}'",
    f"date(c) IN ('2024-02-29', '{DAY}')",
    f"date(c) NOT IN ('2024-02-29', '{DAY}')",
    f"NOT date(c) = '{DAY}'",
    f"CAST(c AS DATE) = '{DAY}'",
    f"DATE_FORMAT(c, '%Y-%m-%d') = '{DAY}'",
    f"date(c) = '{DAY}' IS NULL OR date(c) = '{DAY}'",
    f"(date(c) = '{DAY}') IS NULL",
]


@pytest.mark.parametrize("kind", ["DATETIME(6)", "DATETIME", "TIMESTAMP(6) NULL", "DATE"])
def test_a_range_selects_the_rows_of_the_function_it_replaces(mariadb: PrivateMariaDB, kind: str) -> None:
    days = [date(2026, 1, 31) + timedelta(days=n) for n in (-400, -2, -1, 0, 1, 2)] + [date(2024, 2, 29)]
    clocks = ["00:00:00", "00:00:00.000001", "12:00:00", "23:59:59", "23:59:59.999999"]
    moments = [f"{day} {clock}" for day in days for clock in clocks] + [None, "0000-00-00 00:00:00"]
    with mariadb.connect(autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+08:00', sql_mode = ''")
        cursor.execute("CREATE DATABASE IF NOT EXISTS cuts")
        cursor.execute(f"CREATE OR REPLACE TABLE cuts.moments (id INT AUTO_INCREMENT PRIMARY KEY, c {kind})")
        cursor.executemany("INSERT INTO cuts.moments (c) VALUES (%s)", [(moment,) for moment in moments])
        for condition in CONDITIONS:
            rewritten = rewrite_date_conditions(condition, {"c": kind.lower()}, "Asia/Shanghai")
            assert rewritten.replaced, condition
            rows = []
            for sql in (condition, rewritten.sql):
                cursor.execute(f"SELECT id FROM cuts.moments WHERE {sql} ORDER BY id")
                rows.append(cursor.fetchall())
            assert rows[0] == rows[1], (condition, rewritten.sql)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, mariadb: PrivateMariaDB) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("large_tables")
    opened = Warehouse(root, mariadb, uri=f"file://{root}/home/warehouse")
    opened.write_source("small", budget="{connections: 2, full_scan_rows: 1000}")
    yield opened
    opened.close()


def orders(warehouse: Warehouse, name: str, *, index: bool = True, rows: int = 3_000) -> str:
    columns = ORDERS if index else ORDERS.replace(",\n  KEY (at)", "")
    table = warehouse.orders(name, columns=columns)
    warehouse.sql(
        "USE shop",
        f"INSERT INTO {name} SELECT seq * seq << 22, 'n', 1, '2026-01-05' + INTERVAL seq % 3000 SECOND"
        f" FROM seq_1_to_{rows}",
        f"ANALYZE TABLE {name}",
    )
    return table


def test_a_large_table_without_an_index_on_its_window_is_refused_before_it_is_counted(
    warehouse: Warehouse,
) -> None:
    orders(warehouse, "unindexed", index=False)
    spec = warehouse.declare("unindexed", source="small")

    with pytest.raises(SourceError, match="the whole of a large table would be read") as refused:
        warehouse.load(spec, "2026-01-05")

    found = dict(refused.value.facts)["found"]
    assert found.startswith("shop.unindexed, about ")
    assert found.endswith(" rows, because of window.column: at")
    assert warehouse.platform.ledger.history(spec.table) == ()
    explained = explain_table(
        warehouse.platform.catalog, spec, ["2026-01-05"], SecretResolver(warehouse.environ)
    )
    assert explained.refusal == "the whole of a large table would be read at the source"
    allowed = warehouse.declare("unindexed", source="small", allow_full_scan="true")
    assert verdicts(warehouse.load(allowed, "2026-01-05")) == {"2026-01-05": "published"}


def test_a_function_of_a_date_in_the_condition_does_not_make_a_snapshot_a_scan(warehouse: Warehouse) -> None:
    orders(warehouse, "dated")
    where = "\"date(at) = '2026-01-04'\""
    spec = warehouse.declare("dated", source="small", load="snapshot", window="", where=where)
    assert verdicts(warehouse.load(spec, "2026-01-05")) == {"2026-01-05": "published"}
    explained = explain_table(
        warehouse.platform.catalog, spec, ["2026-01-05"], SecretResolver(warehouse.environ)
    )
    assert (explained.rewritten, explained.refusal) == (("date(at) = '2026-01-04'",), "")

    whole = warehouse.declare("dated", source="small", load="snapshot", window="")
    with pytest.raises(SourceError, match="because of load: snapshot"):
        warehouse.load(whole, "2026-01-05")


def test_each_part_of_a_consistent_snapshot_is_read_in_a_transaction_of_its_own(warehouse: Warehouse) -> None:
    orders(warehouse, "consistent")
    spec = warehouse.declare(
        "consistent", load="snapshot", window="", snapshot="consistent", split="{parts: 3}"
    )
    warehouse.sql("SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = 1")
    try:
        report = warehouse.load_one(spec, "2026-01-05")
    finally:
        warehouse.sql("SET GLOBAL general_log = 0")

    assert (str(report.verdict), report.rows) == ("published", 3_000)
    said: dict[int, list[str]] = {}
    for thread, text in warehouse.sql(
        "SELECT thread_id, CONVERT(argument USING utf8mb4) FROM mysql.general_log"
        " WHERE command_type IN ('Query', 'Execute') ORDER BY event_time"
    ):
        said.setdefault(thread, []).append(text)
    readers = [
        texts
        for texts in said.values()
        if any("dataplat_read" in text and "1=0" not in text.replace(" ", "") for text in texts)
    ]
    parts = [next(text for text in texts if "dataplat_read" in text) for texts in readers]
    assert len({part.rsplit("WHERE", 1)[1] for part in parts}) == 3
    for texts, part in zip(readers, parts, strict=True):
        before = [text.upper() for text in texts[: texts.index(part)]]
        assert any("REPEATABLE READ" in text for text in before)
        assert any("START TRANSACTION WITH CONSISTENT SNAPSHOT" in text for text in before), before
