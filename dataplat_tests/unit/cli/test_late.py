"""``dataplat late``: what is missing after its deadline. It is 2026-03-20 09:00."""

import re
from datetime import UTC, datetime

import pytest

from dataplat.ledger import Ledger, TableVersion, VersionState
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.ledger.builders import FrozenClock, someone
from dataplat_tests.unit.specs.folder import MONEY, Config

TABLE = "ods.ods_t_money_record"


def publish(dataplat: CommandLine, key: str, at: datetime) -> None:
    with Ledger.open(f"sqlite:///{dataplat.home}/ledger.db", clock=FrozenClock(at)) as ledger:
        ledger.begin([TableVersion(table=TABLE, partition=key, version=f"v{key}")])
        ledger.advance(TABLE, f"v{key}", [key], VersionState.STAGED)
        with ledger.lock_partitions(TABLE, [key], someone(), wait_seconds=0) as locks:
            ledger.advance(TABLE, f"v{key}", [key], VersionState.PUBLISHING)
            ledger.publish(TABLE, f"v{key}", [key], locks)


@pytest.fixture(autouse=True)
def _deadline(config: Config, dataplat: CommandLine) -> None:
    config.add("platform.yaml", "automation: {lookback: 2d}\n")
    config.add(MONEY, 'fresh: {by: "08:00"}\n')


def rows(text: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line) for line in text.splitlines()[2:]]


def test_what_is_missing_after_its_deadline_is_late(dataplat: CommandLine) -> None:
    for day in (15, 16, 17):
        publish(dataplat, f"2026-03-{day}", datetime(2026, 3, day, 19, 7, tzinfo=UTC))
    ran = dataplat("late", TABLE)
    assert (ran.code, ran.err) == (1, "")
    assert rows(ran.out) == [
        [TABLE, "2026-03-18", "late", "2026-03-19 08:00:00", "+03:07", "never loaded"],
        [TABLE, "2026-03-19", "late", "2026-03-20 08:00:00", "+03:07", "never loaded"],
    ]


def test_what_came_is_not_missing(dataplat: CommandLine) -> None:
    publish(dataplat, "2026-03-18", datetime(2026, 3, 18, 19, tzinfo=UTC))
    publish(dataplat, "2026-03-19", datetime(2026, 3, 20, 0, 30, tzinfo=UTC))
    ran = dataplat("late", TABLE, "--json")
    (row,) = ran.document["partitions"]
    assert (ran.code, row["partition"], row["verdict"]) == (0, "2026-03-19", "came late")


def test_a_table_without_a_deadline_is_never_late(dataplat: CommandLine, config: Config) -> None:
    config.replace(MONEY, 'fresh: {by: "08:00"}\n', "")
    ran = dataplat("late", TABLE)
    assert (ran.code, rows(ran.out)) == (0, [[TABLE, "2026-03-19", "due", "never loaded"]])


@pytest.mark.parametrize(
    ("fresh", "said"),
    [
        ("{by: 8am}", "fresh.by: expected a time of day such as 08:00, found '8am'"),
        ("{}", 'fresh: `fresh` says `by: "08:00"` or `within: 30m`: exactly one of them'),
        ("{within: 0s}", "fresh: `within` must be longer than nothing"),
    ],
)
def test_a_deadline_that_is_none_is_told(config: Config, fresh: str, said: str) -> None:
    config.replace(MONEY, '{by: "08:00"}', fresh)
    (problem,) = config.problems()
    assert problem.endswith(f"  {said}")
