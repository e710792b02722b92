"""A real MariaDB, asked everything dataplat asks a source, and every way in which it says no."""

import socket
from collections.abc import Iterator

import psutil
import pytest
from pymysql.constants import CLIENT

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.errors import SourceError, SourceUnavailableError
from dataplat.plan.columns import require_columns
from dataplat.plan.sql import PhysicalTable, quote_name
from dataplat.plan.types import map_type, zero_date_predicate
from dataplat.sources.mysql import (
    SourceColumn,
    SourceConnection,
    TableEstimate,
    connect_source,
    describe_entries,
    describe_shards,
    discover_tables,
    explain_query,
    match_tables,
    open_source,
    primary_key,
    run_counts,
    table_estimates,
)
from dataplat.specs import SecretResolver, SourceSpec
from dataplat_tests.unit.sources.builders import source

pytestmark = pytest.mark.integration

CANARY = "canary-7f3a"
SCHEMA = """
DROP DATABASE IF EXISTS mysql_source; CREATE DATABASE mysql_source; USE mysql_source;
SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+08:00';
CREATE TABLE kinds (
  id INT UNSIGNED PRIMARY KEY COMMENT 'it''s the key', a TINYINT(1), b BIT(8), c BIGINT UNSIGNED,
  d DECIMAL(65,30), f FLOAT, y YEAR, t TIME(6), dt DATETIME(6), ts TIMESTAMP NULL, da DATE, e ENUM('x','y'),
  u UUID, p POINT, v VARBINARY(10), l LONGTEXT CHARACTER SET latin1, must INT NOT NULL DEFAULT 0);
INSERT INTO kinds (id, a, b, c, d, f, y, t, dt, ts, da, e, p, v, l) VALUES
  (1, 7, 255, 18446744073709551615, '12345678901234567890123456789012345.123456789012345678901234567890',
   16777217, 2026, '-838:59:59', '2026-01-09 10:11:12.123456', '2026-01-09 10:11:12', '2026-01-09', 'x',
   POINT(1, 2), x'00ff', 'ü');
INSERT INTO kinds (id, dt, ts, da) VALUES
  (2, '0000-00-00', '0000-00-00', '2026-00-10'), (3, '2026-01-00', NULL, '0000-00-00');
CREATE TABLE flow_2026_01 (id INT PRIMARY KEY); CREATE TABLE flow_2026_02 (a INT, b INT, PRIMARY KEY (b, a));
CREATE TABLE flowers (id INT); CREATE VIEW flow_all AS SELECT * FROM flow_2026_01;
INSERT INTO flow_2026_01 SELECT seq FROM seq_1_to_500; ANALYZE TABLE flow_2026_01;
"""


@pytest.fixture(scope="module")
def market(mariadb: PrivateMariaDB) -> SourceSpec:
    connection = mariadb.connect(autocommit=True, client_flag=CLIENT.MULTI_STATEMENTS)
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        while cursor.nextset():
            pass
        for account in ("reader@'%'", "reader@localhost"):
            cursor.execute(f"CREATE OR REPLACE USER {account} IDENTIFIED BY '{CANARY}'")
            cursor.execute(f"GRANT ALL ON mysql_source.* TO {account}")
    connection.close()
    return source(host=mariadb.instance.host, port=mariadb.instance.port, user="reader")


def secrets(password: str = CANARY) -> SecretResolver:
    return SecretResolver({"MARKET_PASSWORD": password})


@pytest.fixture
def conn(market: SourceSpec) -> Iterator[SourceConnection]:
    with connect_source(market, secrets()) as connection:
        yield connection


def refused(conn: SourceConnection, sql: str, effect: type[SourceError] = SourceError) -> str:
    with pytest.raises(effect) as caught:
        conn.rows(sql)
    assert CANARY not in str(caught.value)
    place = f"{conn.source.host}:{conn.source.port}"
    return str(caught.value).replace(place, "HOST:PORT")


def described(conn: SourceConnection, name: str) -> tuple[SourceColumn, ...]:
    table = PhysicalTable("mysql_source", name)
    return describe_shards(conn, [table])[table]


def test_columns_come_with_their_declared_types_and_comments(conn: SourceConnection) -> None:
    columns = described(conn, "kinds")
    assert columns[0].name == "id"
    assert (columns[0].mysql_type, columns[0].comment) == ("int(10) unsigned", "it's the key")
    assert {column.name: column.nullable for column in columns}["must"] is False
    assert {column.name: column.charset for column in columns}["l"] == "latin1"
    assert all(map_type(column.mysql_type) for column in columns)


def test_expressions_have_the_type_of_their_result(conn: SourceConnection) -> None:
    entries = {
        "ID": "int(10) unsigned",
        "CAST(dt AS CHAR) AS text": "varchar",
        "concat('t_', DATE_FORMAT(dt, '%Y_%m')) AS name": "varchar",
        "id + 1 AS next": "bigint unsigned",
        "d / 3 AS third": "decimal(65,34)",
        "1.5 AS fixed": "decimal(2,1)",
        "b + 0 AS bits": "int unsigned",
        "must = 1 AS flag": "int",
        "x'00ff' AS raw": "varbinary",
        "now(3) AS moment": "datetime",
        "if(1, p, NULL) AS place": "geometry",
        "null AS nothing": "varchar",
    }
    planned = require_columns(list(entries), subject="t", declared="f")
    assert describe_entries(conn, PhysicalTable("mysql_source", "kinds"), planned) == tuple(entries.values())
    assert all(map_type(declared) for declared in entries.values())


def test_the_source_itself_turns_every_value_into_what_hive_can_hold(conn: SourceConnection) -> None:
    columns = described(conn, "kinds")
    selected = []
    for column in columns:
        mapped = map_type(column.mysql_type)
        assert mapped is not None
        selected.append(mapped.expression(quote_name(column.name)))
    rows = conn.rows(f"SELECT {', '.join(selected)} FROM mysql_source.kinds ORDER BY id")
    by_name = [dict(zip([column.name for column in columns], row, strict=True)) for row in rows]
    first = by_name[0]
    assert first["d"] == "12345678901234567890123456789012345.123456789012345678901234567890"
    assert (first["b"], first["c"], first["y"]) == (255, 18446744073709551615, 2026)
    assert (first["f"], first["t"], first["l"]) == (16777216.0, "-838:59:59.000000", "ü")
    assert [row["dt"] is None for row in by_name] == [False, True, True]
    assert [row["da"] is None for row in by_name] == [False, True, True]


def test_zero_dates_are_found_by_their_predicate(conn: SourceConnection) -> None:
    for column, expected in (("dt", [2, 3]), ("da", [2, 3]), ("ts", [2])):
        sql = f"SELECT id FROM mysql_source.kinds WHERE {zero_date_predicate(quote_name(column))} ORDER BY id"
        assert [row[0] for row in conn.rows(sql)] == expected


def test_shards_are_found_by_queries_or_by_name_but_never_as_views(conn: SourceConnection) -> None:
    assert match_tables(conn, "mysql_source", "flow_2026_%") == ("flow_2026_01", "flow_2026_02")
    assert match_tables(conn, "mysql_source", "flow%") == ("flow_2026_01", "flow_2026_02", "flowers")
    listed = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'mysql_source'"
    newest_first = f"{listed} AND table_name LIKE 'flow_2026%' ORDER BY 1 DESC"
    found, qualified = discover_tables(conn, newest_first, "mysql_source")
    assert ([str(table) for table in found], qualified) == (
        ["mysql_source.flow_2026_02", "mysql_source.flow_2026_01"],
        False,
    )
    assert discover_tables(conn, "SELECT 'flowers', 1 UNION ALL SELECT 'flowers', 2", "d")[0] == (
        PhysicalTable("d", "flowers"),
    )


def test_a_discovery_query_may_say_which_database_a_table_is_in(conn: SourceConnection) -> None:
    listed = (
        "SELECT table_name, table_schema FROM information_schema.tables"
        " WHERE table_schema = 'mysql_source' AND table_name = 'flowers'"
    )
    assert discover_tables(conn, listed, "other") == ((PhysicalTable("mysql_source", "flowers"),), True)


def test_keys_sizes_plans_and_counts(conn: SourceConnection) -> None:
    assert primary_key(conn, "mysql_source", "flow_2026_02") == ("b", "a")
    assert primary_key(conn, "mysql_source", "flowers") == ()
    sizes = table_estimates(conn, "mysql_source", ["flow_2026_01"])
    assert sizes == {"flow_2026_01": TableEstimate(500, sizes["flow_2026_01"].bytes)}
    assert set(table_estimates(conn, "mysql_source")) == {"flow_2026_01", "flow_2026_02", "flowers", "kinds"}
    (plan,) = explain_query(conn, "SELECT * FROM mysql_source.flow_2026_01 WHERE id = 3")
    assert (plan["table"], plan["access"], plan["key"]) == ("flow_2026_01", "const", "PRIMARY")
    assert run_counts(conn, "SELECT 'a', count(*) FROM mysql_source.flow_2026_01 WHERE 'x%y' LIKE 'x%'") == [
        ("a", 500)
    ]


def test_a_session_reads_only_and_in_the_zone_of_the_source(conn: SourceConnection) -> None:
    assert conn.rows("SELECT @@time_zone, @@tx_read_only, @@net_write_timeout") == [("+08:00", 1, 600)]
    assert refused(conn, "DELETE FROM mysql_source.flowers") == (
        "source market: the statement would write, and sources are only read\n"
        "  server   HOST:PORT\n"
        "  found    Cannot execute statement in a READ ONLY transaction (1792)\n"
        "  effect   nothing was read\n"
        "  next     dataplat check"
    )


def test_every_refusal_of_a_statement_is_one_clear_message(conn: SourceConnection) -> None:
    assert refused(conn, "SELECT nope FROM mysql_source.kinds").split("\n")[2:5] == [
        "  found    Unknown column 'nope' in 'SELECT' (1054)",
        "  sql      SELECT nope FROM mysql_source.kinds",
        "                  ^",
    ]
    assert refused(conn, "SELECT 1\nFORM mysql_source.kinds").split("\n")[3:5] == [
        "  sql      FORM mysql_source.kinds",
        "                ^",
    ]
    assert "the table does not exist\n" in refused(conn, "SELECT 1 FROM mysql_source.nope")
    assert "the account may not do this\n" in refused(conn, "SELECT 1 FROM mysql.user")
    assert "the connection was lost\n" in refused(conn, "KILL CONNECTION_ID()", SourceUnavailableError)


def test_a_table_or_column_that_is_gone_is_named_with_what_is_there(conn: SourceConnection) -> None:
    place = f"{conn.source.host}:{conn.source.port}"
    with pytest.raises(SourceError) as caught:
        described(conn, "flower")
    assert str(caught.value) == (
        "mysql_source.flower: the table does not exist, or the account may not read it\n"
        f"  server   {place}\n"
        "  found    4 tables in mysql_source; did you mean 'flowers'?\n"
        "  effect   nothing was read\n"
        "  next     correct `from` in the table's file   or   grant SELECT to the account"
    )
    entries = require_columns(["a", "bb AS c"], subject="t", declared="f")
    with pytest.raises(SourceError) as caught:
        describe_entries(conn, PhysicalTable("mysql_source", "flow_2026_02"), entries)
    assert str(caught.value) == (
        "mysql_source.flow_2026_02: the column 'bb' does not exist at the source\n"
        f"  server     {place}\n"
        "  expected   columns[1]: `bb`\n"
        "  found      a, b; did you mean 'b'?\n"
        "  effect     nothing was read\n"
        "  next       correct `columns` in the table's file"
    )


def reach(spec: SourceSpec, password: str = CANARY) -> str:
    with pytest.raises(SourceError) as caught, connect_source(spec, secrets(password)) as connection:
        connection.rows("SELECT 1")
    assert password not in str(caught.value)
    return f"{type(caught.value).__name__} {caught.value.problem}"


def test_a_source_that_cannot_be_used_says_why(market: SourceSpec) -> None:
    assert reach(market, "canary-wrong") == "SourceError the server refused the login"
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        down = market.model_copy(update={"port": nobody_listens.getsockname()[1]})
        assert reach(down) == "SourceUnavailableError the server cannot be reached"
    unknown = market.model_copy(update={"timezone": "America/St_Johns"})
    assert reach(unknown) == "SourceError the server does not know the time zone"


def test_a_query_over_its_budget_is_ended_by_the_server(market: SourceSpec) -> None:
    limited = source(host=market.host, port=market.port, user="reader", budget={"max_execution_seconds": 1})
    with connect_source(limited, secrets()) as connection:
        endless = "SELECT count(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b"
        connection.rows("USE mysql_source")
        assert "took too long\n" in refused(connection, endless)


def connected(port: int) -> int:
    open_ones = psutil.Process().net_connections("tcp")
    return sum(1 for one in open_ones if one.raddr and one.raddr.port == port)


def test_nothing_stays_connected_whatever_happened(market: SourceSpec) -> None:
    """The system before never closed its connections."""
    before = connected(market.port)

    def use_two_and_fail() -> None:
        with open_source(market, secrets()) as opened, opened.connect() as one, opened.connect() as two:
            assert one.rows("SELECT 1") == two.rows("SELECT 1")
            assert connected(market.port) == before + 2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use_two_and_fail()
    assert connected(market.port) == before


def test_a_caller_beyond_the_budget_waits_and_is_then_told(
    market: SourceSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dataplat.sources.mysql_connection.WAIT_SECONDS", 0.1)
    one = source(host=market.host, port=market.port, user="reader", budget={"connections": 1})
    with (
        open_source(one, secrets()) as opened,
        opened.connect(),
        pytest.raises(SourceUnavailableError) as caught,
        opened.connect(),
    ):
        pass
    assert str(caught.value) == (
        "source market: all connections of the budget are in use\n"
        "  expected   one of 1 to become free\n"
        "  declared   config/sources/market.yaml:7 budget\n"
        "  effect     nothing was read\n"
        "  next       raise budget.connections"
    )


def test_a_connection_that_died_while_idle_is_replaced(market: SourceSpec) -> None:
    with open_source(market, secrets()) as opened:
        with opened.connect() as other, pytest.raises(SourceUnavailableError):
            other.rows("KILL CONNECTION_ID()")
        with opened.connect() as again:
            assert again.rows("SELECT 1") == [(1,)]
