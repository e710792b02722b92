"""What the ledger tells the checks of a table."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dataplat.ledger import CheckResult, Ledger, LockOwner, TableVersion, VersionCounts
from dataplat.ledger import VersionState as S
from dataplat.lifecycle.records import LedgerRecords
from dataplat.specs import Catalog
from dataplat_tests.unit.specs.folder import FLOW, MONEY, Config

MONEY_TABLE, FLOW_TABLE = "ods.ods_t_money_record", "ods.ods_t_package_flow_log"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as opened:
        yield opened


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    config = Config(tmp_path)
    config.add(
        "platform.yaml", "\nexternal: [crm.whole, {table: crm.daily, grain: day, partition: {column: d}}]\n"
    )
    config.replace(FLOW, "grain: day", "grain: hour")
    config.add(MONEY, "\nsensitive: [reason]\n")
    return config.load()


def publish(ledger: Ledger, table: str, rows: dict[str, int], version: str = "v1") -> None:
    keys = list(rows)
    ledger.begin(TableVersion(table=table, partition=key, version=version) for key in keys)
    counts = {key: VersionCounts(rows=number) for key, number in rows.items()}
    ledger.advance(table, version, keys, S.STAGED, counts=counts)
    ledger.advance(table, version, keys, S.PUBLISHING)
    with ledger.lock_partitions(table, keys, LockOwner.current(), wait_seconds=0) as locks:
        ledger.publish(table, version, keys, locks)


def records(catalog: Catalog, ledger: Ledger, table: str = MONEY_TABLE) -> LedgerRecords:
    return LedgerRecords(catalog, ledger, catalog.table(table))


def test_the_past_is_what_was_published_before_newest_first(catalog: Catalog, ledger: Ledger) -> None:
    publish(ledger, MONEY_TABLE, {"2026-01-04": 4, "2026-01-02": 2, "2026-01-03": 3, "2026-01-05": 5})

    past = records(catalog, ledger).past("2026-01-05", 2, same_weekday=False)

    assert [(one.key, one.rows) for one in past] == [("2026-01-04", 4), ("2026-01-03", 3)]


def test_weeks_that_were_never_published_are_left_out(catalog: Catalog, ledger: Ledger) -> None:
    publish(ledger, MONEY_TABLE, {"2026-01-22": 22, "2026-01-15": 15, "2026-01-28": 28, "2026-01-01": 1})

    past = records(catalog, ledger).past("2026-01-29", 3, same_weekday=True)

    assert [(one.key, one.rows) for one in past] == [("2026-01-22", 22), ("2026-01-15", 15)]


def test_the_same_hour_of_the_week_is_compared_for_an_hourly_table(catalog: Catalog, ledger: Ledger) -> None:
    publish(ledger, FLOW_TABLE, {"2026-01-22-05:00": 5, "2026-01-22-04:00": 4})

    past = records(catalog, ledger, FLOW_TABLE).past("2026-01-29-05:00", 1, same_weekday=True)

    assert [one.key for one in past] == ["2026-01-22-05:00"]


def test_what_a_check_counted_is_that_of_the_published_version(catalog: Catalog, ledger: Ledger) -> None:
    publish(ledger, MONEY_TABLE, {"2026-01-04": 4})
    for version, rate in (("v1", 0.9), ("v0", 0.1)):
        result = CheckResult(
            table=MONEY_TABLE,
            partition="2026-01-04",
            version=version,
            check="r",
            passed=True,
            numbers={"rate": rate},
        )
        ledger.record_checks([result])

    (past,) = records(catalog, ledger).past("2026-01-05", 7, same_weekday=False)

    assert past.numbers("r") == {"rate": 0.9}
    assert past.numbers("unheard of") == {}


def test_another_table_is_seen_at_the_same_time(catalog: Catalog, ledger: Ledger) -> None:
    hours = {f"2026-01-04-{hour:02}:00": hour for hour in range(23)}
    publish(ledger, FLOW_TABLE, hours | {"2026-01-03-23:00": 99})

    there = records(catalog, ledger).published(FLOW_TABLE, "2026-01-04")

    assert (there.rows, there.absent) == (sum(range(23)), ("2026-01-04-23:00",))
    assert there.sql.startswith(
        "(SELECT * FROM `ods`.`ods_t_package_flow_log` WHERE (`ds` = '2026-01-04' AND `hr` = '00') OR ("
    )


def test_the_day_of_an_hour_is_named_by_its_own_columns(catalog: Catalog, ledger: Ledger) -> None:
    publish(ledger, MONEY_TABLE, {"2026-01-04": 4})

    there = records(catalog, ledger, FLOW_TABLE).published("ODS.ods_t_money_record", "2026-01-04-07:00")

    assert there.sql == "(SELECT * FROM `ods`.`ods_t_money_record` WHERE (`ds` = '2026-01-04'))"
    assert (there.rows, there.absent, there.sensitive) == (4, (), ("reason",))


@pytest.mark.parametrize(
    ("table", "sql"),
    [
        ("crm.whole", "`crm`.`whole`"),
        ("crm.daily", "(SELECT * FROM `crm`.`daily` WHERE (`d` = '2026-01-04'))"),
        ("nobody.knows", "`nobody`.`knows`"),
    ],
)
def test_what_somebody_else_makes_is_read_uncounted(
    catalog: Catalog, ledger: Ledger, table: str, sql: str
) -> None:
    there = records(catalog, ledger).published(table, "2026-01-04")

    assert (there.sql, there.rows, there.absent) == (sql, None, ())
