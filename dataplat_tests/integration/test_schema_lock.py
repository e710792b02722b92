"""``dataplat schema`` against a real MariaDB whose columns change. No engine: Hive is a table in memory."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.lifecycle.platform import Platform
from dataplat.plan.ddl import HiveColumn
from dataplat_tests.unit.cli.harness import CommandLine

pytestmark = pytest.mark.integration

TABLE, DATABASE = "ods.paid", "schema_lock"
FILES = {
    "platform.yaml": """
        timezone: Asia/Shanghai
        home: ${DATAPLAT_HOME}
        warehouse: file://${DATAPLAT_HOME}/warehouse
        ledger: sqlite:///${DATAPLAT_HOME}/ledger.db
        """,
    "sources/shop.yaml": """
        kind: mysql
        host: 127.0.0.1
        port: PORT
        user: etl
        password: ${SHOP_PASSWORD}
        """,
    "ods/paid.yaml": """
        table: ods.paid
        source: shop
        from: {database: schema_lock, table: paid}
        load: incremental
        window: {column: at, grain: day, start: 2026-01-01}
        columns: "*"
        """,
}


@pytest.fixture
def source(mariadb: PrivateMariaDB) -> Iterator[PrivateMariaDB]:
    sql(mariadb, f"CREATE DATABASE {DATABASE}")
    sql(
        mariadb, f"CREATE TABLE {DATABASE}.paid (id INT PRIMARY KEY, fee DECIMAL(8,2), at DATETIME, KEY (at))"
    )
    yield mariadb
    sql(mariadb, f"DROP DATABASE {DATABASE}")


@pytest.fixture
def dataplat(source: PrivateMariaDB, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    for name, text in FILES.items():
        lines = [line.removeprefix("        ") for line in text.strip("\n").split("\n")]
        file = tmp_path / "config" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines).replace("PORT", str(source.instance.port)), encoding="utf-8")
    environ = {"SHOP_PASSWORD": source.instance.etl_password}
    return CommandLine(tmp_path / "config", tmp_path / "home", capsys, environ)


def sql(mariadb: PrivateMariaDB, statement: str) -> None:
    with mariadb.connect(autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_source_is_agreed_to_and_every_change_after_it_has_a_class(
    dataplat: CommandLine, source: PrivateMariaDB
) -> None:
    before = dataplat("schema", "diff", "--no-hive")
    assert (before.code, before.out) == (
        0,
        "nobody has agreed yet to: ods.paid\n1 tables compared, 0 differ, 0 would not be loaded\n",
    )

    accepted = dataplat("schema", "accept")
    assert (accepted.code, accepted.out) == (
        0,
        "locked for the first time: ods.paid\nconfig/schema.lock.yaml: 1 tables\n",
    )
    assert (dataplat.config / "schema.lock.yaml").read_text(encoding="utf-8").splitlines()[1:] == [
        "ods.paid:",
        '  id: "int(11)"',
        '  fee: "decimal(8,2)"',
        '  at: "datetime"',
    ]
    assert dataplat("check").code == 0

    sql(
        source,
        f"ALTER TABLE {DATABASE}.paid MODIFY id BIGINT, MODIFY fee DECIMAL(6,1), ADD note VARCHAR(9) FIRST",
    )
    changed = dataplat("schema", "diff", TABLE, "--no-hive")
    assert changed.code == 1
    assert [" ".join(line.split()) for line in changed.out.splitlines()[2:5]] == [
        f"{TABLE} id lock int(11) bigint(20) lossy int cannot hold every bigint",
        f"{TABLE} fee lock decimal(8,2) decimal(6,1) safe narrower",
        f"{TABLE} note lock absent varchar(9) safe new",
    ]
    assert dataplat("schema", "accept", TABLE, "--json").document["accepted"][0]["refused"] == ["id"]
    assert dataplat("schema", "diff", "--no-hive").code == 0


def test_a_column_of_a_list_that_is_gone_is_a_difference_and_an_error(
    dataplat: CommandLine, source: PrivateMariaDB
) -> None:
    file = dataplat.config / "ods" / "paid.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace('"*"', "[id, fee, at]"), encoding="utf-8")
    assert dataplat("schema", "accept").code == 0
    sql(source, f"ALTER TABLE {DATABASE}.paid DROP fee")
    ran = dataplat("schema", "diff", "--no-hive", "--json")
    assert ran.code == 1
    (difference,) = ran.document["tables"][0]["differences"]
    assert (difference["column"], difference["severity"], difference["reason"]) == ("fee", "breaking", "gone")
    (error,) = ran.document["errors"]
    assert error["problem"] == "the column 'fee' does not exist at the source"


def test_hive_is_compared_with_what_is_planned(
    dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hive = [HiveColumn("id", "int"), HiveColumn("fee", "decimal(6,2)")]
    monkeypatch.setattr(Platform, "hive", lambda *_: SimpleNamespace(columns=lambda _: tuple(hive)))
    ran = dataplat("schema", "diff", "--json")
    assert ran.code == 1
    (table,) = ran.document["tables"]
    assert [(one["column"], one["against"], one["severity"]) for one in table["differences"]] == [
        ("fee", "Hive", "lossy"),
        ("at", "Hive", "safe"),
    ]
    assert (table["locked"], table["refused"]) == (False, ["fee"])


def test_a_source_that_does_not_answer_stops_nothing_but_its_own_tables(
    dataplat: CommandLine, source: PrivateMariaDB
) -> None:
    down = (dataplat.config / "sources" / "shop.yaml").read_text(encoding="utf-8")
    down = down.replace(f"port: {source.instance.port}", "port: 1")
    (dataplat.config / "sources" / "down.yaml").write_text(down, encoding="utf-8")
    text = (dataplat.config / "ods" / "paid.yaml").read_text(encoding="utf-8")
    text = text.replace("ods.paid", "ods.lost").replace("source: shop", "source: down")
    (dataplat.config / "ods" / "lost.yaml").write_text(text, encoding="utf-8")
    ran = dataplat("schema", "diff", "--no-hive", "--json")
    assert ran.code == 1
    assert [table["table"] for table in ran.document["tables"]] == [TABLE]
    assert [error["kind"] for error in ran.document["errors"]] == ["SourceUnavailableError"]
    assert dataplat("schema", "accept").code == 1
    assert not (dataplat.config / "schema.lock.yaml").exists()
