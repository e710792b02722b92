"""``dataplat drift`` over a stand-in source and a real ledger. It is 2026-03-20 09:00."""

from collections.abc import Mapping

import pytest

from dataplat.ledger import Hop, HopCount, Ledger, TableVersion, VersionCounts, VersionState
from dataplat.lifecycle.drift import BothSides
from dataplat.orchestration.launch import RunResult
from dataplat.specs import TableSpec
from dataplat_tests.services.sqlite_source import StandInSource
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.ledger.builders import someone
from dataplat_tests.unit.specs.folder import FLOW, MONEY, Config

MONEY_TABLE, FLOW_TABLE = "ods.ods_t_money_record", "ods.ods_t_package_flow_log"
ROWS = {f"2026-03-{day}": 3 for day in range(12, 20)}
SHARDS = ("t_package_flow_log_0_2026_03", "t_package_flow_log_1_2026_03")


def publish(dataplat: CommandLine, table: str, rows: Mapping[str, int], *hops: HopCount) -> None:
    """Publish one version of partitions with as many rows each, as a load records it."""
    with Ledger.open(f"sqlite:///{dataplat.home}/ledger.db") as ledger:
        ledger.begin([TableVersion(table=table, partition=key, version="v1") for key in rows])
        counts = {key: VersionCounts(rows=number, files=1, bytes=9) for key, number in rows.items()}
        ledger.advance(table, "v1", rows, VersionState.STAGED, counts=counts)
        ledger.record_hops(hops)
        with ledger.lock_partitions(table, list(rows), someone(), wait_seconds=0) as locks:
            ledger.advance(table, "v1", rows, VersionState.PUBLISHING)
            ledger.publish(table, "v1", rows, locks)


def shard_hops(key: str, shard: str, before: int, after: int) -> list[HopCount]:
    return [
        HopCount(
            table=FLOW_TABLE,
            partition=key,
            version="v1",
            hop=hop,
            shard=f"hydra_production_flow.{shard}",
            rows=rows,
        )
        for hop, rows in ((Hop.SOURCE_BEFORE, before), (Hop.SOURCE_AFTER, after))
    ]


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> StandInSource:
    """Three rows of each of the last eight days in one table; two empty shards of March in the other."""
    found = StandInSource()
    found.make("market", "t_money_record", column="update_time")
    found.make("hydra_production_flow", *SHARDS, column="create_time")
    add(found, *(f"{key} 1{number}:00:00" for key in ROWS for number in range(3)))
    found.install(monkeypatch)
    return found


def add(source: StandInSource, *times: str) -> None:
    source.many("INSERT INTO market.t_money_record VALUES (1, ?, '')", [[time] for time in times])


def test_nothing_changed_is_one_line_and_one_statement(dataplat: CommandLine, source: StandInSource) -> None:
    publish(dataplat, MONEY_TABLE, ROWS)
    ran = dataplat("drift", MONEY_TABLE)
    assert (ran.code, ran.out, ran.err) == (0, "8 partitions of 1 table counted: 0 changed\n", "")
    assert len(source.sent) == 1


def test_what_changed_is_shown_with_then_now_and_the_difference(
    dataplat: CommandLine, source: StandInSource
) -> None:
    publish(dataplat, MONEY_TABLE, ROWS)
    add(source, "2026-03-14 23:59:59", "2026-03-15 00:00:00", "2026-03-15 12:00:00")
    source.run("DELETE FROM market.t_money_record WHERE update_time LIKE '2026-03-18%'")
    ran = dataplat("drift", MONEY_TABLE)
    assert ran.code == 1
    assert ran.out == (
        "table                    partition    then   now   difference   verdict\n"
        "───────────────────────────────────────────────────────────────────────\n"
        "ods.ods_t_money_record   2026-03-14      3     4   +1           changed\n"
        "ods.ods_t_money_record   2026-03-15      3     5   +2           changed\n"
        "ods.ods_t_money_record   2026-03-18      3     0   -3           changed\n"
        "\n"
        "8 partitions of 1 table counted: 3 changed\n"
    )
    assert ran.err == f"\nload them again: dataplat drift {MONEY_TABLE} --enqueue   or   --load\n"


def test_what_was_never_loaded_is_missing_and_no_change(dataplat: CommandLine, source: StandInSource) -> None:
    publish(dataplat, MONEY_TABLE, {key: rows for key, rows in ROWS.items() if key != "2026-03-13"})
    with Ledger.open(f"sqlite:///{dataplat.home}/ledger.db") as ledger:
        ledger.begin([TableVersion(table=MONEY_TABLE, partition="2026-03-13", version="v0")])
        ledger.advance(MONEY_TABLE, "v0", ["2026-03-13"], VersionState.STAGED)
        ledger.advance(MONEY_TABLE, "v0", ["2026-03-13"], VersionState.REJECTED, reason="unique_id")
    ran = dataplat("drift", MONEY_TABLE, "--days", "7")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[2].split() == [
        *(MONEY_TABLE, "2026-03-13", "3", "missing:", "rejected:", "unique_id")
    ]
    assert ran.out.splitlines()[-1] == "7 partitions of 1 table counted: 0 changed, 1 missing"


def test_quarantined_and_filtered_rows_were_taken_too(dataplat: CommandLine, source: StandInSource) -> None:
    hops = [
        HopCount(table=MONEY_TABLE, partition="2026-03-19", version="v1", hop=hop, rows=1)
        for hop in (Hop.QUARANTINED, Hop.FILTERED)
    ]
    publish(dataplat, MONEY_TABLE, ROWS | {"2026-03-19": 1}, *hops)
    assert dataplat("drift", MONEY_TABLE).code == 0


def test_one_shard_of_a_table_that_changed_is_named(dataplat: CommandLine, source: StandInSource) -> None:
    key = "2026-03-19"
    hops = [*shard_hops(key, SHARDS[0], 1, 1), *shard_hops(key, SHARDS[1], 0, 0)]
    publish(dataplat, FLOW_TABLE, {key: 1}, *hops)
    source.run(f"INSERT INTO hydra_production_flow.{SHARDS[1]} VALUES (1, '{key} 10:00:00', '')")
    ran = dataplat("drift", FLOW_TABLE, "--days", "1")
    assert ran.code == 1
    assert ran.out.splitlines()[-3:] == [
        f"{FLOW_TABLE}[{key}] hydra_production_flow.{SHARDS[0]}: 1 → 0",
        f"{FLOW_TABLE}[{key}] hydra_production_flow.{SHARDS[1]}: 0 → 1",
        "1 partition of 1 table counted: 1 changed",
    ]


def test_a_source_that_fails_is_told_and_stops_no_other_table(
    dataplat: CommandLine, source: StandInSource
) -> None:
    publish(dataplat, MONEY_TABLE, ROWS)
    source.down.add("logistics")
    ran = dataplat("drift")
    assert (ran.code, ran.out) == (1, "8 partitions of 1 table counted: 0 changed\n")
    assert ran.err == "\nsource logistics: the server cannot be reached\n  effect   nothing was read\n"
    document = dataplat("drift", "--json").document
    assert document["ok"] is False
    assert [table["error"] and table["error"]["problem"] for table in document["tables"]] == [
        None,
        "the server cannot be reached",
    ]


def test_a_snapshot_does_not_drift(dataplat: CommandLine, config: Config, source: StandInSource) -> None:
    config.replace(MONEY, "load: incremental", "load: snapshot")
    ran = dataplat("drift", MONEY_TABLE)
    assert (ran.code, ran.out, source.sent) == (0, "0 partitions of 0 tables counted: 0 changed\n", [])
    assert ran.err == (
        f"not counted: {MONEY_TABLE}: a snapshot is of the moment when it was read, so another count is"
        " no drift\n"
    )


def test_a_condition_that_follows_the_date_is_counted_as_each_day_was_read(
    dataplat: CommandLine, config: Config, source: StandInSource
) -> None:
    config.add(MONEY, "where: \"update_time < '$[yyyy-MM-dd] 12:00:00'\"\n")
    publish(dataplat, MONEY_TABLE, dict.fromkeys(ROWS, 2))
    assert dataplat("drift", MONEY_TABLE).code == 0
    (statement,) = source.sent
    assert statement.count("UNION ALL") == 7
    assert "(update_time < '2026-03-12 12:00:00')" in statement


def test_hours_are_counted_in_one_statement_too(
    dataplat: CommandLine, config: Config, source: StandInSource
) -> None:
    config.replace(MONEY, "grain: day", "grain: hour")
    ran = dataplat("drift", MONEY_TABLE, "--days", "2", "--json")
    (table,) = ran.document["tables"]
    assert (len(table["partitions"]), len(source.sent)) == (57, 1)
    assert {p["partition"]: p["now"] for p in table["partitions"] if p["now"]} == {
        f"2026-03-{day}-{hour}:00": 1 for day in (18, 19) for hour in (10, 11, 12)
    }


def test_both_ways_of_loading_are_refused(dataplat: CommandLine) -> None:
    ran = dataplat("drift", "--enqueue", "--load")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "dataplat drift: invalid value: either --enqueue or --load, not both\n"
        "  next   dataplat drift --help\n"
    )


def test_the_shards_of_a_flow_are_counted_together(
    dataplat: CommandLine, config: Config, source: StandInSource
) -> None:
    assert "discover" in config.read(FLOW)
    dataplat("drift", FLOW_TABLE)
    counting = [sql for sql in source.sent if "COUNT(*)" in sql]
    assert [sql.count("SELECT") for sql in counting] == [2]


def test_what_is_held_or_was_rejected_since_is_noted(dataplat: CommandLine, source: StandInSource) -> None:
    publish(dataplat, MONEY_TABLE, ROWS)
    add(source, "2026-03-17 10:00:00", "2026-03-18 10:00:00")
    with Ledger.open(f"sqlite:///{dataplat.home}/ledger.db") as ledger:
        ledger.hold(MONEY_TABLE, "2026-03-17", "looks odd", "ann")
        ledger.begin([TableVersion(table=MONEY_TABLE, partition="2026-03-18", version="v2")])
        ledger.advance(MONEY_TABLE, "v2", ["2026-03-18"], VersionState.STAGED)
        ledger.advance(MONEY_TABLE, "v2", ["2026-03-18"], VersionState.REJECTED, reason="unique_id")
    document = dataplat("drift", MONEY_TABLE, "--json").document
    notes = {one["partition"]: one["note"] for one in document["tables"][0]["partitions"] if one["note"]}
    assert notes == {"2026-03-17": "held", "2026-03-18": "a reload was rejected"}


@pytest.mark.parametrize(("message", "code"), [("", 0), (f"{MONEY_TABLE}[2026-03-18]: it broke", 1)])
def test_load_runs_exactly_what_changed_and_says_how_it_ended(
    dataplat: CommandLine, source: StandInSource, monkeypatch: pytest.MonkeyPatch, message: str, code: int
) -> None:
    publish(dataplat, MONEY_TABLE, ROWS)
    add(source, "2026-03-14 10:00:00", "2026-03-18 10:00:00")
    asked: list[tuple[str, tuple[str, ...]]] = []

    def run_table(
        _: object, __: object, spec: TableSpec, keys: tuple[str, ...], ___: object
    ) -> list[RunResult]:
        asked.append((spec.table, keys))
        return [RunResult("r1", keys, not message, message)]

    monkeypatch.setattr("dataplat.orchestration.launch.run_table", run_table)
    ran = dataplat("drift", MONEY_TABLE, "--load", "--json")
    assert asked == [(MONEY_TABLE, ("2026-03-14", "2026-03-18"))]
    assert (ran.code, ran.document["ok"], ran.document["loads"]["ok"]) == (code, not code, not code)
    assert [one["message"] for one in ran.document["loads"]["failures"]] == [message] * code


def test_values_that_differ_are_a_verdict_of_their_own(
    dataplat: CommandLine, source: StandInSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(dataplat, MONEY_TABLE, ROWS)
    add(source, "2026-03-14 10:00:00")

    def hash_both(_: TableSpec, keys: list[str]) -> BothSides:
        assert "2026-03-14" not in keys, "its number tells already"
        return dict.fromkeys(keys, "1"), dict.fromkeys(keys, "1") | {"2026-03-18": "2"}

    monkeypatch.setattr("dataplat.lifecycle.drift_values.hash_both_sides", lambda *_: hash_both)
    ran = dataplat("drift", MONEY_TABLE, "--checksum")
    assert [" ".join(line.split()[1:]) for line in ran.out.splitlines()[2:4]] == [
        "2026-03-14 3 4 +1 changed",
        "2026-03-18 3 3 +0 changed: other values",
    ]
