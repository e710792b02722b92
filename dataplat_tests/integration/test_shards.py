"""The census against a real MariaDB: which shards are there, in one database or in several. No engine."""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pymysql.constants import FIELD_TYPE

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.ledger import Hop, HopCount, Ledger, LockOwner, TableVersion, VersionState
from dataplat.lifecycle.source_table import SourceTable
from dataplat.plan.reads import plan_reads
from dataplat.plan.widening import null_of
from dataplat.sources.mysql import connect_source
from dataplat.specs import SecretResolver, load_catalog
from dataplat_tests.unit.cli.harness import CommandLine

pytestmark = pytest.mark.integration

TABLE, DAY, NEXT = "ods.flow", "2026-01-31", "2026-02-01"
DATABASES = ("census_a", "census_b")
SHARDS = [(d, f"t_{part}_{month}") for d in DATABASES for part in (0, 1) for month in ("2026_01", "2026_02")]
DISCOVER = (
    "SELECT table_name FROM information_schema.tables"
    " WHERE table_schema = 'census_a' AND table_name LIKE 't_%_$[yyyy_MM]'"
)
FILES = {
    "platform.yaml": """
        timezone: Asia/Shanghai
        home: ${DATAPLAT_HOME}
        warehouse: file://${DATAPLAT_HOME}/warehouse
        ledger: sqlite:///${DATAPLAT_HOME}/ledger.db
        """,
    "sources/hydra.yaml": """
        kind: mysql
        host: 127.0.0.1
        port: PORT
        user: etl
        password: ${HYDRA_PASSWORD}
        """,
    "ods/flow.yaml": """
        table: ods.flow
        source: hydra
        from:
          FROM
        load: incremental
        window: {column: at, grain: day, start: 2026-01-01}
        columns: [id, at]
        """,
}


@pytest.fixture(scope="module")
def source(mariadb: PrivateMariaDB) -> Iterator[PrivateMariaDB]:
    with mariadb.connect(autocommit=True) as connection, connection.cursor() as cursor:
        for database in DATABASES:
            cursor.execute(f"CREATE DATABASE {database}")
        for database, name in SHARDS:
            cursor.execute(f"CREATE TABLE {database}.{name} (id INT PRIMARY KEY, at DATETIME, KEY (at))")
        cursor.execute("CREATE TABLE census_a.u_1 (id INT PRIMARY KEY, at DATETIME, fee DECIMAL(8,2))")
        cursor.execute(
            "CREATE TABLE census_a.u_2 (at DATETIME, id BIGINT PRIMARY KEY, fee DECIMAL(10,4), note CHAR(5))"
        )
        cursor.execute(f"INSERT INTO census_a.u_1 VALUES (1, '{DAY}', 1.25)")
        cursor.execute(f"INSERT INTO census_a.u_2 VALUES ('{DAY}', 5000000000, 1.2345, 'ab')")
        cursor.execute(f"INSERT INTO census_a.t_0_2026_01 VALUES (1, '{DAY}'), (2, '{DAY}'), (3, '{NEXT}')")
        yield mariadb
        for database in DATABASES:
            cursor.execute(f"DROP DATABASE {database}")


@pytest.fixture
def dataplat(source: PrivateMariaDB, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    for name, text in FILES.items():
        lines = [line.removeprefix("        ") for line in text.strip("\n").split("\n")]
        file = tmp_path / "config" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines).replace("PORT", str(source.instance.port)), encoding="utf-8")
    environ = {"HYDRA_PASSWORD": source.instance.etl_password}
    return CommandLine(tmp_path / "config", tmp_path / "home", capsys, environ)


def shards(dataplat: CommandLine, read_from: str) -> None:
    file = dataplat.config / "ods" / "flow.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("FROM", read_from.replace("\n", "\n  ")), encoding="utf-8")


def test_a_missing_shard_is_named_and_the_exit_code_is_two(dataplat: CommandLine) -> None:
    names = "['t_{0..2}_$[yyyy_MM]']"
    shards(dataplat, f'database: census_a\nshards: {{discover: ["{DISCOVER}"], expect: {names}}}')
    ran = dataplat("shards", TABLE, "--at", DAY)
    assert (ran.code, ran.err) == (2, "")
    assert (
        ran.out
        == """\
ods.flow[2026-01-31]: 2 found, 3 expected (the names in expect), 1 missing

  shard                  state     rows
───────────────────────────────────────
  census_a.t_0_2026_01   found        2
  census_a.t_1_2026_01   empty        0
  census_a.t_2_2026_01   missing
"""
    )


def test_shards_of_several_databases_are_told_apart(dataplat: CommandLine) -> None:
    shards(
        dataplat, "databases: [census_a, census_b]\nshards: {pattern: 't\\_%', identity: shard, expect: 9}"
    )
    ran = dataplat("shards", TABLE, "--at", NEXT, "--json")
    assert ran.code == 2
    assert [(one["shard"], one["rows"]) for one in ran.document["found"]] == [
        (f"{database}.{name}", int((database, name) == SHARDS[0])) for database, name in sorted(SHARDS)
    ]
    assert (ran.document["lacking"], ran.document["missing"]) == (1, [])
    explained = dataplat("explain", TABLE, "--date", DAY)
    assert explained.code == 0, explained.err
    assert re.findall(r"'(census_\w+\.\w+)' AS `shard`", explained.out) == [
        f"{database}.{name}" for database, name in sorted(SHARDS)
    ]


def test_history_follows_the_month_and_names_what_is_gone(dataplat: CommandLine) -> None:
    shards(dataplat, f'database: census_a\nshards: {{discover: ["{DISCOVER}"], expect: history}}')
    first = dataplat("shards", TABLE, "--at", DAY)
    assert first.code == 0
    assert first.out.startswith("ods.flow[2026-01-31]: 2 found, nothing says how many there should be\n")
    remember(dataplat, "t_0_2026_01", "t_1_2026_01", "t_2_2026_01")
    later = dataplat("shards", TABLE, "--at", NEXT, "--json")
    assert later.code == 2
    assert later.document["missing"] == ["census_a.t_2_2026_02"]
    assert later.document["expected_because"] == f"history: {DAY}"


def test_shards_that_differ_are_told_and_each_is_asked_for_what_it_has(dataplat: CommandLine) -> None:
    shards(dataplat, "database: census_a\nshards: {pattern: 'u\\_%', identity: shard}")
    file = dataplat.config / "ods" / "flow.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("[id, at]", "'*'"), encoding="utf-8")
    ran = dataplat("shards", TABLE, "--at", DAY)
    assert ran.code == 0
    assert re.findall(r"(?m)^  different: (.*)$", ran.out) == [
        "id is int(11) in u_1, bigint(20) in u_2",
        "fee is decimal(8,2) in u_1, decimal(10,4) in u_2",
        "note is not in u_1",
    ]
    explained = dataplat("explain", TABLE, "--date", DAY, "--json")
    assert explained.code == 0, explained.err
    found = explained.document
    assert [(one["target"], one["mysql_type"], one["hive"]) for one in found["columns"]] == [
        ("id", "int(11) / bigint(20)", "bigint"),
        ("at", "datetime", "timestamp"),
        ("fee", "decimal(8,2) / decimal(10,4)", "decimal(10,4)"),
        ("note", "char(5)", "string"),
    ]
    narrow, wide = (read["query"] for read in found["reads"])
    assert ("`census_a`.`u_1`" in narrow, "CAST(NULL AS CHAR(1)) AS `note`" in narrow) == (True, True)
    assert ("`census_a`.`u_2`" in wide, "CAST(`note` AS CHAR) AS `note`" in wide) == (True, True)


def test_what_is_sent_to_shards_that_differ_returns_every_row_once(dataplat: CommandLine) -> None:
    shards(dataplat, "database: census_a\nshards: {pattern: 'u\\_%', identity: shard}")
    file = dataplat.config / "ods" / "flow.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("[id, at]", "'*'"), encoding="utf-8")
    environ = {**dataplat.environ, "DATAPLAT_HOME": str(dataplat.home)}
    catalog = load_catalog(dataplat.config, environ)
    spec, secrets = catalog.table(TABLE), SecretResolver(dataplat.environ)
    table = SourceTable(spec, catalog.instances_of(spec), spec.partition, "Asia/Shanghai", secrets)
    survey = table.survey([DAY, NEXT])
    with connect_source(catalog.sources["hydra"], secrets) as connection:
        reads = plan_reads(survey.shape, survey.shards, [])
        rows = [row for read in reads for row in connection.records(read.query)]
    moment = datetime.fromisoformat(DAY)
    assert [{name: row[name] for name in row if name != "__dp_window"} for row in rows] == [
        {"id": 1, "at": moment, "fee": Decimal("1.25"), "note": None, "shard": "u_1"},
        {"id": 5_000_000_000, "at": moment, "fee": Decimal("1.2345"), "note": "ab", "shard": "u_2"},
    ]
    assert [column.hive_type for column in survey.hive_columns] == [
        *("bigint", "timestamp", "decimal(10,4)", "string", "string")
    ]
    assert [count.rows for count in table.count(survey)] == [1, 0, 1, 0]


def test_the_source_gives_every_null_the_type_that_is_asked_for(source: PrivateMariaDB) -> None:
    kinds = {
        "bigint": FIELD_TYPE.LONG,  # a whole number of some width
        "decimal(12,2)": FIELD_TYPE.NEWDECIMAL,
        "double": FIELD_TYPE.DOUBLE,
        "string": FIELD_TYPE.VAR_STRING,
        "binary": FIELD_TYPE.VAR_STRING,
        "date": FIELD_TYPE.DATE,
        "timestamp": FIELD_TYPE.DATETIME,
    }
    with source.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(map(null_of, kinds))}")
        assert cursor.fetchone() == (None,) * len(kinds)
        assert [column[1] for column in cursor.description] == list(kinds.values())


def test_a_table_without_shards_has_no_census(dataplat: CommandLine) -> None:
    shards(dataplat, "database: census_a\ntable: t_0_2026_01")
    ran = dataplat("shards", TABLE)
    assert ran.code == 2
    assert (
        ran.err
        == """\
ods.flow: this table has no shards
  found      one physical table: census_a.t_0_2026_01
  declared   config/ods/flow.yaml:3 from
  effect     nothing was asked
  next       dataplat explain ods.flow
"""
    )


def remember(dataplat: CommandLine, *names: str) -> None:
    """A partition that was made of these shards, as a load writes it down."""
    version = "20260201T020000-aaaaaa"
    with Ledger.open(f"sqlite:///{dataplat.home}/ledger.db") as ledger:
        with ledger.lock_partitions(TABLE, [DAY], LockOwner.current()) as locks:
            ledger.begin([TableVersion(table=TABLE, partition=DAY, version=version)])
            for state in (VersionState.STAGED, VersionState.PUBLISHING):
                ledger.advance(TABLE, version, [DAY], state)
            ledger.publish(TABLE, version, [DAY], locks)
        ledger.record_hops(
            HopCount(
                table=TABLE,
                partition=DAY,
                version=version,
                hop=Hop.SOURCE_BEFORE,
                shard=f"census_a.{name}",
                rows=1,
            )
            for name in names
        )
