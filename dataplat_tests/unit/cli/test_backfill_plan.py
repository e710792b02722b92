"""``dataplat backfill plan``: what it says of partitions, the past and the gates. It is 2026-03-20 09:00."""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dataplat.ledger import Ledger, TableVersion, VersionCounts, VersionState
from dataplat.specs import load_catalog
from dataplat_tests.conftest import Golden
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.cli.test_main import GOLDEN
from dataplat_tests.unit.cli.warehouse import DAY, DIM, WEEK, add_models
from dataplat_tests.unit.ledger.builders import FrozenClock, someone
from dataplat_tests.unit.specs.folder import MONEY, Config

TABLE = "ods.ods_t_money_record"
MADE_AT = datetime(2026, 3, 10, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _models(config: Config) -> None:
    add_models(config)


def publish(dataplat: CommandLine, table: str, *keys: str, rows: int = 100, config: str = "") -> None:
    """Record one write of partitions that took a minute."""
    clock = FrozenClock(MADE_AT)
    with Ledger.open(f"sqlite:///{dataplat.home}/ledger.db", clock=clock) as ledger:
        version = f"v{keys[0]}"
        ledger.begin(
            [TableVersion(table=table, partition=key, version=version, config_sha=config) for key in keys]
        )
        clock.now += timedelta(minutes=1)
        counts = {key: VersionCounts(rows=rows + number) for number, key in enumerate(keys)}
        ledger.advance(table, version, keys, VersionState.STAGED, counts=counts)
        with ledger.lock_partitions(table, keys, someone(), wait_seconds=0) as locks:
            ledger.advance(table, version, keys, VersionState.PUBLISHING)
            ledger.publish(table, version, keys, locks)


def masked(text: str) -> str:
    """A plan without the hashes of its tables, which change with every new key of the configuration."""
    text = re.sub(r'"config": "[0-9a-f]{12}"', '"config": "SHA"', text)
    return re.sub(r'"id": "20260320T090000-[0-9a-f]{6}"', '"id": "PLAN"', text)


def days(*numbers: int) -> list[str]:
    return [f"2026-03-{number:02}" for number in numbers]


def test_a_plan_says_what_is_made_how_long_it_takes_and_what_is_held(
    dataplat: CommandLine, golden: Golden
) -> None:
    publish(dataplat, TABLE, *days(1, 2, 3))
    publish(dataplat, DIM, *days(*range(1, 12)), rows=7)
    publish(dataplat, DAY, *days(*range(1, 6)))
    dataplat.masks[r"\d{8}T\d{6}-[0-9a-f]{6}"] = "PLAN"
    ran = dataplat("backfill", "plan", "--select", f"{TABLE}+", "--from", "20260304", "--to", "2026-03-05")
    assert (ran.code, ran.err) == (0, "")
    golden(GOLDEN / "backfill" / "plan.txt", ran.out)


def test_the_file_is_the_plan_and_is_the_same_for_the_same_question(
    dataplat: CommandLine, golden: Golden, tmp_path: Path
) -> None:
    file = tmp_path / "plans" / "plan.json"
    command = ("backfill", "plan", "--select", f"1+{DIM}", "--from", "20260304", "-o", str(file))
    ran = dataplat(*command)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == f"written to {file}; next: dataplat backfill apply {file}"
    written = file.read_text(encoding="utf-8")
    golden(GOLDEN / "backfill" / "plan.json", masked(written))
    document = dataplat(*command, "--json").document
    assert document == {"ok": True, "file": str(file), "plan": json.loads(written)}
    assert file.read_text(encoding="utf-8") == written


def test_nothing_is_made_by_planning(dataplat: CommandLine) -> None:
    assert dataplat("backfill", "plan", "--select", "*", "--from", "20260304").code == 0
    assert not (dataplat.home / "dagster").exists()
    assert not (dataplat.home / "warehouse").exists()


def test_what_was_published_before_is_told_apart_by_its_configuration(
    dataplat: CommandLine, config: Config
) -> None:
    sha = load_catalog(config.dir, {}).sha(load_catalog(config.dir, {}).table(TABLE))
    publish(dataplat, TABLE, *days(1, 2), config=sha)
    publish(dataplat, TABLE, *days(3), config="of last year")
    asked = ("backfill", "plan", "--select", TABLE, "--from", "20260301", "--to", "20260304", "--json")
    plan = dataplat(*asked).document["plan"]
    assert plan["tables"][TABLE] == {
        "grain": "day",
        "config": sha,
        "partitions": 4,
        "absent": 1,
        "outdated": 1,
        "unchanged": 2,
    }
    missing = dataplat(*asked, "--missing").document["plan"]
    assert [run["partitions"] for run in missing["runs"]] == [days(3, 4)]
    config.replace(MONEY, "load: incremental", "load: snapshot")
    assert dataplat(*asked, "--missing").document["plan"]["tables"][TABLE]["outdated"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--select", TABLE, "--from", "20260320"],
            (
                f"backfill: nothing is to be made of {TABLE} for 20260320\n"
                f"  {TABLE}   2026-03-20: not ended yet\n"
                "  effect                   nothing was planned\n"
            ),
        ),
        (
            ["--select", "ods.ods_t_mony_record+", "--from", "20260301"],
            (
                "ods.ods_t_mony_record: no such table; did you mean 'ods.ods_t_money_record'?\n"
                "  declared   5 tables in config/\n"
                "  effect     nothing was run\n"
                "  next       dataplat check\n"
            ),
        ),
        (
            ["--select", TABLE, "--from", "20260305", "--to", "20260301"],
            (
                "backfill: the range 20260305~20260301 ends before it starts\n"
                "  effect   nothing was planned\n"
                "  next     --from 20260301 --to 20260305\n"
            ),
        ),
        (
            ["--select", TABLE, "--from", "20260301", "-o", "/dev/null/plan.json"],
            (
                "/dev/null/plan.json: the plan cannot be written: File exists\n"
                "  effect   nothing was written\n"
            ),
        ),
    ],
)
def test_what_cannot_be_planned_is_refused(dataplat: CommandLine, arguments: list[str], message: str) -> None:
    ran = dataplat("backfill", "plan", *arguments)
    assert (ran.code, ran.out, ran.err) == (2, "", message)


def test_what_is_all_there_is_nothing_to_make(dataplat: CommandLine, config: Config) -> None:
    sha = load_catalog(config.dir, {}).sha(load_catalog(config.dir, {}).table(TABLE))
    publish(dataplat, TABLE, *days(1), config=sha)
    ran = dataplat("backfill", "plan", "--select", TABLE, "--from", "20260301", "--missing")
    assert (ran.code, ran.err) == (
        2,
        (
            f"backfill: nothing is to be made of {TABLE} for 20260301\n"
            "  missing   nothing: all is published with the configuration of today\n"
            "  effect    nothing was planned\n"
        ),
    )


def test_a_person_s_hold_is_not_lifted_by_making_the_partition_again_and_a_waiver_passes(
    dataplat: CommandLine,
) -> None:
    publish(dataplat, TABLE, *days(4))
    publish(dataplat, DIM, *days(*range(1, 12)))
    publish(dataplat, DAY, "2026-02-26", "2026-02-27", "2026-02-28", *days(*range(1, 12)))
    assert dataplat("hold", TABLE, "20260304", "--reason", "half of it").code == 0
    asked = ("backfill", "plan", "--select", f"{TABLE}+", "--from", "20260304", "--json")
    plan = dataplat(*asked).document["plan"]
    held = {(one["table"], one["partition"]): one["reason"] for one in plan["held"]}
    assert held[DIM, "2026-03-04"] == f"{TABLE}[2026-03-04]: held: held by ann: half of it"
    assert held[WEEK, "2026-03-04"] == (
        f"{DIM}[2026-03-04]: failed: not made again by this backfill (and 1 more)"
    )
    assert held[WEEK, "2026-03-10"] == f"{DAY}[2026-03-04]: failed: not made again by this backfill"
    for model in (DIM, DAY):
        dataplat("waive", model, "20260304", "--reason", "good enough", "--until", "2099-01-01")
    assert dataplat(*asked).document["plan"]["held"] == []


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati"])
def test_a_plan_is_the_same_wherever_the_process_runs(
    dataplat: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    def plan() -> str:
        file = tmp_path / "plan.json"
        asked = ("backfill", "plan", "--select", f"{TABLE}+", "--from", "20260228", "--to", "20260319")
        assert dataplat(*asked, "-o", str(file)).code == 0
        return file.read_text(encoding="utf-8")

    here = plan()
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert plan() == here
    finally:
        monkeypatch.undo()
        time.tzset()
