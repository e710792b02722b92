"""``ledger`` and ``versions`` on a ledger that the test has written."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from dataplat.ledger import CheckResult, Hop, HopCount, Ledger, LockOwner, TableVersion, VersionCounts
from dataplat.ledger import VersionState as S
from dataplat_tests.conftest import Golden
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.cli.test_main import GOLDEN
from dataplat_tests.unit.ledger.builders import FrozenClock

TABLE, DAY = "ods.ods_t_money_record", "2026-03-01"
FIRST, SECOND, THIRD = "20260302T020000-aaaaaa", "20260302T030000-bbbbbb", "20260302T040000-cccccc"


@pytest.fixture
def ledger(dataplat: CommandLine) -> Iterator[Ledger]:
    """Three attempts at one day: published, rejected, published again."""
    clock = FrozenClock()
    with Ledger.open(f"sqlite:///{dataplat.home}/ledger.db", clock=clock) as opened:
        for version, rows, good in ((FIRST, 1200, True), (SECOND, 990, False), (THIRD, 1204, True)):
            attempt(opened, version, rows, good=good)
            clock.move(hours=1)
        yield opened


def attempt(ledger: Ledger, version: str, rows: int, *, good: bool) -> None:
    owner = LockOwner.current(command="dataplat load")
    location = f"file:///warehouse/_versions/{version}/ds={DAY}"
    with ledger.lock_partitions(TABLE, [DAY], owner) as locks:
        ledger.begin(
            [TableVersion(table=TABLE, partition=DAY, version=version, actor="ann", location=location)]
        )
        counts = {DAY: VersionCounts(rows=rows, files=2, bytes=rows * 30)}
        ledger.advance(TABLE, version, [DAY], S.STAGED, counts=counts)
        hops = {Hop.SOURCE_BEFORE: rows if good else 1204, Hop.WRITTEN: rows, Hop.FILES: rows}
        ledger.record_hops(
            HopCount(table=TABLE, partition=DAY, version=version, hop=hop, rows=count)
            for hop, count in hops.items()
        )
        message = "" if good else "source 1,204 rows, files 990 rows"
        check = CheckResult(
            table=TABLE,
            partition=DAY,
            version=version,
            check="row_count_matches_source",
            passed=good,
            numbers={"source_before": hops[Hop.SOURCE_BEFORE], "rows": rows},
            message=message,
        )
        ledger.record_checks([check])
        if not good:
            ledger.advance(TABLE, version, [DAY], S.REJECTED, reason="row_count_matches_source")
            return
        ledger.advance(TABLE, version, [DAY], S.PUBLISHING)
        ledger.publish(TABLE, version, [DAY], locks)


@pytest.mark.usefixtures("ledger")
def test_the_history_of_a_table_begins_with_the_last_attempt(dataplat: CommandLine, golden: Golden) -> None:
    golden(GOLDEN / "ledger_table.txt", dataplat("ledger", TABLE).out)


@pytest.mark.usefixtures("ledger")
def test_a_partition_shows_the_numbers_of_every_hop_and_check(dataplat: CommandLine, golden: Golden) -> None:
    golden(GOLDEN / "ledger_partition.txt", dataplat("ledger", TABLE, "20260301").out)


def test_what_each_shard_held_stands_below_the_hops(dataplat: CommandLine, ledger: Ledger) -> None:
    hops = {"d.t_1": (700, 700), "d.t_2": (504, 505)}
    ledger.record_hops(
        HopCount(table=TABLE, partition=DAY, version=THIRD, hop=hop, shard=shard, rows=count)
        for shard, counts in hops.items()
        for hop, count in zip((Hop.SOURCE_BEFORE, Hop.SOURCE_AFTER), counts, strict=True)
    )
    lines = dataplat("ledger", TABLE, DAY).out.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("  shard"))
    assert [line.split() for line in lines[place : place + 4]] == [
        ["shard", "source_before", "source_after"],
        ["─" * len(lines[place])],
        ["d.t_1", "700", "700"],
        ["d.t_2", "504", "505"],
    ]
    assert all("d.t_" not in line for line in lines[:place])


def test_a_balance_counts_the_files_that_readers_see_now(dataplat: CommandLine, tmp_path: Path) -> None:
    version, day = "20260401T020000-dddddd", "2026-03-31"
    folder = tmp_path / f"ds={day}"
    folder.mkdir()
    parquet.write_table(pa.table({"id": [1, 2, 3]}), folder / "part-0.parquet")
    with Ledger.open(f"sqlite:///{dataplat.home}/ledger.db") as opened:
        owner = LockOwner.current(command="dataplat load")
        with opened.lock_partitions(TABLE, [day], owner) as locks:
            where = f"file://{folder}"
            opened.begin([TableVersion(table=TABLE, partition=day, version=version, location=where)])
            counted = {Hop.SOURCE_BEFORE: 4, Hop.READ: 4, Hop.WRITTEN: 3, Hop.QUARANTINED: 1, Hop.FILES: 3}
            opened.record_hops(
                HopCount(table=TABLE, partition=day, version=version, hop=hop, rows=rows)
                for hop, rows in counted.items()
            )
            opened.advance(TABLE, version, [day], S.STAGED)
            opened.advance(TABLE, version, [day], S.PUBLISHING)
            opened.publish(TABLE, version, [day], locks)
    found = json.loads(dataplat("ledger", TABLE, day, "--json").out)
    assert found["balance"][version] == {
        "holds": True,
        "equations": [
            {"equation": "source 4 before, 4 after = read 4", "difference": 0},
            {"equation": "read 4 = written 3 + quarantined 1", "difference": 0},
            {"equation": "written 3 = files 3", "difference": 0},
            {"equation": "files 3 = visible 3", "difference": 0},
        ],
        "problem": "",
    }
    (folder / "part-0.parquet").write_bytes(b"PAR1 cut off")
    ran = dataplat("ledger", TABLE, day).out
    assert "  ! files 3 = visible 0\n    3 missing: the first hop that does not balance\n" in ran
    assert "  the files that readers see could not be counted: part-0.parquet: " in ran


def test_a_hold_and_a_load_under_way_are_told(dataplat: CommandLine, ledger: Ledger) -> None:
    ledger.hold(TABLE, DAY, "half of it came late", "bob")
    dataplat.masks[r"by pid \d+ on \S+:"] = "by PID:"
    with ledger.lock_partitions(TABLE, [DAY], LockOwner.current(command="dataplat load x")):
        lines = dataplat("ledger", TABLE, DAY).out.splitlines()
    assert [line for line in lines if line.startswith(("held", "locked"))] == [
        "held since 2026-03-02 13:01:09 by bob: half of it came late",
        "locked since 2026-03-02 13:01:09 by PID: dataplat load x",
    ]


@pytest.mark.usefixtures("ledger")
def test_versions_say_where_each_lies(dataplat: CommandLine, golden: Golden) -> None:
    golden(GOLDEN / "versions.txt", dataplat("versions", TABLE, DAY).out)


@pytest.mark.usefixtures("ledger")
def test_json_has_the_same_numbers(dataplat: CommandLine) -> None:
    document = dataplat("ledger", TABLE, DAY, "--json").document
    assert [(row["version"], row["state"], row["rows"]) for row in document["versions"]] == [
        (THIRD, "published", 1204),
        (SECOND, "rejected", 990),
        (FIRST, "superseded", 1200),
    ]
    assert len(document["hops"]) == 9
    assert [check["passed"] for check in document["checks"]] == [True, False, True]
    assert [row["version"] for row in dataplat("versions", TABLE, "--json").document["versions"]] == [
        THIRD,
        SECOND,
        FIRST,
    ]


@pytest.mark.usefixtures("ledger")
def test_the_limit_keeps_the_newest(dataplat: CommandLine) -> None:
    document = dataplat("versions", TABLE, "--limit", "1", "--json").document
    assert [row["version"] for row in document["versions"]] == [THIRD]


@pytest.mark.parametrize("command", ["ledger", "versions"])
def test_a_table_that_was_never_loaded_says_how_to(dataplat: CommandLine, command: str) -> None:
    assert dataplat(command, TABLE).out == f"{TABLE} was never loaded: dataplat load {TABLE}\n"
    assert dataplat(command, TABLE, "20260301").out == (
        f"{TABLE}[2026-03-01] was never loaded: dataplat load {TABLE} --date 2026-03-01\n"
    )


def test_a_partition_that_is_none_is_refused(dataplat: CommandLine) -> None:
    ran = dataplat("ledger", TABLE, "202603")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines()[0] == f"{TABLE}: '202603' is no partition that can be read"
