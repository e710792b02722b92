"""Backfills on real components: applied, interrupted, killed, resumed. Read back without Spark."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from dataplat.orchestration.daemon_backfill import missing_daemons
from dataplat.orchestration.instance import open_instance
from dataplat_tests.integration.warehouse import Warehouse
from dataplat_tests.services.process import DIES_WITH_US, ServerProcess
from dataplat_tests.unit.cli.harness import CommandLine

pytestmark = pytest.mark.integration

DAYS = tuple(f"2026-01-0{day}" for day in range(1, 6))
BAD = DAYS[2]


@pytest.fixture(autouse=True)
def _workers_find_java(dataplat: CommandLine) -> None:
    """Workers are processes with the environment of the command."""
    dataplat.environ |= {name: os.environ[name] for name in ("PATH", "JAVA_HOME") if name in os.environ}


def declare_model(warehouse: Warehouse, name: str, upstream: str, where: str = "ds = '{{ ds }}'") -> str:
    folder = warehouse.root / "config" / "dw"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(f"table: dw.{name}\nstart: 2026-01-01\nretries: 0\n")
    (folder / f"{name}.sql").write_text(f"SELECT count(*) AS n FROM {upstream} WHERE {where}\n")
    return f"dw.{name}"


def orders(warehouse: Warehouse, name: str, *days: str) -> str:
    warehouse.orders(name, [(number, f"{day} 12:00:00") for number, day in enumerate(days)])
    return warehouse.declare(name, "checks:\n  - not_null: [name]\n", retries="0").table


def plan(dataplat: CommandLine, file: Path, select: str, first: str = DAYS[0], last: str = DAYS[-1]) -> Any:
    ran = dataplat(
        *("backfill", "plan", "--select", select, "--from", first, "--to", last, "-o", str(file), "--json")
    )
    assert (ran.code, ran.err) == (0, "")
    masks, dataplat.masks = dataplat.masks, {}
    found = json.loads(file.read_text(encoding="utf-8"))
    dataplat.masks = masks
    return found


def visible(warehouse: Warehouse, table: str) -> dict[str, str]:
    """The version that answers, by partition."""
    with warehouse.new_platform() as platform:
        return {key: version.version for key, version in platform.ledger.visible(table).items()}


def endings(document: Any) -> dict[str, list[str]]:
    """Partitions by how they ended: ``ods.x 2026-01-01``."""
    found: dict[str, list[str]] = {}
    for one in document["partitions"]:
        found.setdefault(one["ending"], []).append(f"{one['table']} {one['partition']}")
    return {ending: sorted(some) for ending, some in found.items()}


def named(table: str, *days: str) -> list[str]:
    return [f"{table} {day}" for day in days]


def test_a_bad_day_holds_what_is_made_of_it_and_resume_makes_what_is_missing(
    warehouse: Warehouse, dataplat: CommandLine, tmp_path: Path
) -> None:
    table = orders(warehouse, "bad_day", *DAYS)
    model = declare_model(warehouse, "bad_day_count", table)
    week = declare_model(warehouse, "bad_day_two", model, "ds BETWEEN date_sub('{{ ds }}', 1) AND '{{ ds }}'")
    warehouse.sql(f"UPDATE shop.bad_day SET name = NULL WHERE date(at) = '{BAD}'")
    file = tmp_path / "plan.json"
    written = plan(dataplat, file, f"{table}+1,{week}")
    assert len(written["runs"]) == 1 + 2 + 2

    ran = dataplat("backfill", "apply", str(file), "--yes", "--json")
    held = [*named(model, BAD), *named(week, BAD, DAYS[3])]
    assert (ran.code, endings(ran.document)) == (
        1,
        {
            "published": sorted(
                [
                    *named(table, *(day for day in DAYS if day != BAD)),
                    *named(model, *(day for day in DAYS if day != BAD)),
                    *named(week, DAYS[0], DAYS[1], DAYS[4]),
                ]
            ),
            "failed": named(table, BAD),
            "held": held,
        },
    ), ran.err
    (failed,) = (one for one in ran.document["partitions"] if one["ending"] == "failed")
    assert failed["message"].startswith(f"{table}[{BAD}]: ")
    assert "not_null" in failed["message"]
    reasons = {
        f"{one['table']} {one['partition']}": one["message"]
        for one in ran.document["partitions"]
        if one["ending"] == "held"
    }
    assert reasons[held[0]] == f"{table}[{BAD}]: failed: not made again by this backfill"
    before = {name: visible(warehouse, name) for name in (table, model, week)}
    tags_are_those_of(warehouse, written["id"])

    warehouse.sql(f"UPDATE shop.bad_day SET name = 'x' WHERE date(at) = '{BAD}'")
    ran = dataplat("backfill", "resume", str(file), "--yes", "--json")
    assert (ran.code, endings(ran.document)) == (0, {"published": sorted([*named(table, BAD), *held])}), (
        ran.err
    )
    after = {name: visible(warehouse, name) for name in (table, model, week)}
    for name, versions in before.items():
        assert {key: after[name][key] for key in versions} == versions, "what was done is not made again"
    for day in DAYS:
        assert warehouse.reader.read(model, f"ds={day}").values("n") == [1]
    ran = dataplat("backfill", "resume", str(file))
    assert (ran.code, ran.out, ran.err) == (0, "nothing is missing: all 15 partitions were published\n", "")


def tags_are_those_of(warehouse: Warehouse, plan_id: str) -> None:
    """Every run of the plan carries its name, so that the UI shows them together."""
    home = warehouse.root / "home" / "dagster"
    with open_instance(home, warehouse.platform.catalog) as instance:
        tagged = [run for run in instance.get_runs() if run.tags.get("dataplat/backfill") == plan_id]
    tables = sorted(run.tags["dataplat/table"] for run in tagged)
    assert tables == ["dw.bad_day_count"] * 3 + ["dw.bad_day_two"] * 2 + ["ods.bad_day"]


def test_a_plan_is_refused_when_what_it_was_made_with_has_changed(
    warehouse: Warehouse, dataplat: CommandLine, tmp_path: Path
) -> None:
    table = orders(warehouse, "changed", DAYS[0])
    file = tmp_path / "plan.json"
    plan(dataplat, file, table, last=DAYS[0])
    warehouse.declare("changed", "checks:\n  - min_rows: 1\n", retries="0")
    for command in ("apply", "resume"):
        ran = dataplat("backfill", command, str(file), "--yes")
        assert (ran.code, ran.out) == (1, "")
        assert visible(warehouse, table) == {}
    ran = dataplat("backfill", "apply", str(file), "--yes", "--accept-changes", "--json")
    assert (ran.code, endings(ran.document)) == (0, {"published": named(table, DAYS[0])}), ran.err


@contextmanager
def applying(dataplat: CommandLine, file: Path) -> "Iterator[subprocess.Popen[str]]":
    """``backfill apply`` as a process of its own; its stderr says what has ended."""
    environ = {
        **os.environ,
        **dataplat.environ,
        "DATAPLAT_CONFIG": str(dataplat.config),
        "DATAPLAT_HOME": str(dataplat.home),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "dataplat.cli.main", "backfill", "apply", str(file), "--yes"],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_who_is_killed_or_interrupted_leaves_what_is_done_and_resume_makes_the_rest(
    warehouse: Warehouse, dataplat: CommandLine, tmp_path: Path, end: signal.Signals
) -> None:
    first, second = orders(warehouse, f"a_{end.name}", *DAYS), orders(warehouse, f"b_{end.name}", *DAYS)
    model = declare_model(warehouse, f"c_{end.name}", second)
    file = tmp_path / "plan.json"
    plan(dataplat, file, f"{first}+,{second}+")
    with (
        warehouse.mariadb.connect(database="shop") as connection,
        connection.cursor() as cursor,
        applying(dataplat, file) as process,
    ):
        cursor.execute(f"LOCK TABLES b_{end.name} WRITE")  # who reads it waits until we are gone
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        ended = next((line for line in lines if "published" in line), "")
        assert ended == f"{first}[{DAYS[0]}~{DAYS[-1]}] 5 published  (5 of 15)\n"
        workers = psutil.Process(process.pid).children()
        process.send_signal(end)
        said = process.stderr.read()
        code = process.wait()
        psutil.wait_procs(workers, timeout=60)
        assert [worker.pid for worker in workers if worker.is_running()] == []
    if end is signal.SIGINT:
        assert code == 130
        assert said.splitlines()[-1] == (
            "interrupted: 5 of 15 partitions had ended and stay as they are; what was under way was not "
            "published; go on with: dataplat backfill resume"
        )
    versions = visible(warehouse, first)
    assert (list(versions), visible(warehouse, second), visible(warehouse, model)) == (list(DAYS), {}, {})

    ran = dataplat("backfill", "resume", str(file), "--yes", "--json")
    assert (ran.code, endings(ran.document)) == (
        0,
        {"published": sorted([*named(second, *DAYS), *named(model, *DAYS)])},
    ), ran.err
    assert visible(warehouse, first) == versions


@contextmanager
def daemon(warehouse: Warehouse, dataplat: CommandLine, log: Path) -> Iterator[None]:
    """Dagster's daemon over the home, alive."""
    home = warehouse.root / "home" / "dagster"
    environ = {
        **os.environ,
        **dataplat.environ,
        "DATAPLAT_CONFIG": str(dataplat.config),
        "DATAPLAT_HOME": str(dataplat.home),
        "DAGSTER_HOME": str(home),
    }
    program = str(Path(sys.executable).parent / "dagster-daemon")
    with open_instance(home, warehouse.platform.catalog) as instance:
        server = ServerProcess(
            "dagster-daemon",
            [*DIES_WITH_US, program, "run", "-m", "dataplat.definitions"],
            log=log,
            environ=environ,
            answers=lambda: not missing_daemons(instance),
        )
        server.start(deadline_seconds=120)
        try:
            yield
        finally:
            server.stop(deadline_seconds=60)


def test_the_daemon_carries_out_a_plan_through_its_queue(
    warehouse: Warehouse, dataplat: CommandLine, tmp_path: Path
) -> None:
    table = orders(warehouse, "by_daemon", *DAYS[:2])
    file = tmp_path / "plan.json"
    written = plan(dataplat, file, table, last=DAYS[1])
    with daemon(warehouse, dataplat, tmp_path / "daemon.log"):
        ran = dataplat("backfill", "apply", str(file), "--yes", "--daemon", "--json")
    said = ran.err + (tmp_path / "daemon.log").read_text(errors="replace")[-3000:]
    assert (ran.code, endings(ran.document)) == (0, {"published": named(table, *DAYS[:2])}), said
    home = warehouse.root / "home" / "dagster"
    with open_instance(home, warehouse.platform.catalog) as instance:
        (run,) = (one for one in instance.get_runs() if one.tags.get("dataplat/backfill") == written["id"])
        (backfill,) = instance.get_backfills()
    assert (backfill.backfill_id, backfill.status.value) == (
        run.tags["dagster/backfill"],
        "COMPLETED_SUCCESS",
    )
    assert {one["run_id"] for one in ran.document["partitions"]} == {run.run_id}
    for number, day in enumerate(DAYS[:2]):
        assert warehouse.reader.read(table, f"ds={day}").values("id") == [number]
