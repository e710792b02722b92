"""A night in the browser: a backfill over three days, one of them bad; what is held back, why, its repair.

The bad day is right by every count: its orders name accounts that do not exist. The table of orders is
loaded, the model that joins accounts refuses the day, and what reads that model is not made for it.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dataplat.audit.outcome import FILES
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.demo.mishaps import insert_rows, repoint_rows
from dataplat.orchestration.factories.recheck import CHECK_AGAIN, RECHECK
from dataplat_tests.e2e.shell import ROOT, Shell
from dataplat_tests.e2e.web import CHROMIUM, Web, open_web

pytestmark = pytest.mark.e2e

IMAGES = ROOT / "docs" / "images"
LARGEST_IMAGE_BYTES = 250_000
ORDERS, JOINED, SOLD = (
    ("ods", "ods", "ods_t_order"),
    ("dw", "dw", "dw_order_day"),
    ("ads", "ads", "ads_sales_day"),
)
PLACES = ("dw", "dw", "dw_place_hour")
TABLES = {path: ".".join(path[1:]) for path in (ORDERS, JOINED, SOLD)}
BEFORE, BAD, AFTER = DAYS = ("2026-01-10", "2026-01-11", "2026-01-12")
CHECK = "referential_account_id_dim_account"
BAD_ROWS = 25


@dataclass
class Night:
    """What the backfill left.

    Attributes:
        web: The UI.
        shell: The same home from a terminal.
        backfill: Its status and its runs.
        versions: The newest version of each table and day, before it.
    """

    web: Web
    shell: Shell
    backfill: dict[str, Any]
    versions: dict[tuple[str, str], str]

    def newest(self, table: str, day: str) -> dict[str, Any]:
        return newest(self.shell, table, day)


def newest(shell: Shell, table: str, day: str) -> dict[str, Any]:
    """Return the newest version of a partition as the ledger has it."""
    found: list[dict[str, Any]] = json.loads(shell.run(f"dataplat versions {table} {day} --json").out)[
        "versions"
    ]
    return found[0]


def backfill(web: Web, paths: list[tuple[str, ...]], days: tuple[str, ...]) -> dict[str, Any]:
    """Launch a backfill as the UI's button does, and return it when it has ended."""
    launched = web.ask(
        """mutation ($assets: [AssetKeyInput!], $days: [String!]!) {launchPartitionBackfill(backfillParams: {
            assetSelection: $assets, partitionNames: $days}) {
            __typename ... on LaunchBackfillSuccess {backfillId} ... on PythonError {message}}}""",
        assets=[{"path": list(path)} for path in paths],
        days=list(days),
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched

    def ended() -> dict[str, Any] | None:
        return backfill_status(web, launched["backfillId"])

    return dict(web.until(ended, deadline_seconds=500, wanted="the backfill has ended"))


def backfill_status(web: Web, backfill_id: str) -> dict[str, Any] | None:
    """Return a backfill with its runs when it has ended."""
    found: dict[str, Any] = web.ask(
        """query ($id: String!) {partitionBackfillOrError(backfillId: $id) {
            ... on PartitionBackfill {status runs(limit: 20) {id status assetSelection {path}}}}}""",
        id=backfill_id,
    )["partitionBackfillOrError"]
    return found if found["status"] not in ("REQUESTED", "COMPLETING", "FAILING") else None


@pytest.fixture(scope="module")
def repairs() -> Iterator[ExitStack]:
    """What puts the source right again, at the end at the latest."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def night(demo_home: Shell, repairs: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """The UI after a backfill of orders and what is made of them, over three days of which one is bad."""
    versions = {(t, day): newest(demo_home, t, day)["version"] for t in TABLES.values() for day in DAYS}
    source = PrivateMariaDB(demo_home.home)
    repairs.enter_context(repoint_rows(source.connect, date.fromisoformat(BAD), BAD_ROWS))
    with open_web(demo_home, tmp_path_factory.mktemp("night") / "ui.log") as web:
        yield Night(web, demo_home, backfill(web, list(TABLES), DAYS), versions)


def test_the_backfill_ends_as_failed_and_the_good_days_are_there(night: Night) -> None:
    assert night.backfill["status"] == "COMPLETED_FAILED", night.web.log[-5000:]
    for table in TABLES.values():
        for day in (BEFORE, AFTER):
            found = night.newest(table, day)
            assert found["state"] == "published", (table, day)
            assert found["version"] != night.versions[table, day], (table, day)


def test_the_bad_day_is_loaded_then_rejected_and_never_built_on(night: Night) -> None:
    assert night.newest(TABLES[ORDERS], BAD)["state"] == "published"
    assert night.newest(TABLES[JOINED], BAD)["state"] == "rejected"
    assert night.newest(TABLES[SOLD], BAD)["version"] == night.versions[TABLES[SOLD], BAD]


def test_the_partition_bar_shows_the_day_that_is_blocked(night: Night) -> None:
    assert status(night, JOINED) == {BEFORE: "MATERIALIZED", BAD: "FAILED", AFTER: "MATERIALIZED"}


def test_the_failed_check_shows_its_numbers(night: Night) -> None:
    found = night.web.ask(
        """query ($path: [String!]!, $check: String!) {
            assetCheckExecutions(assetKey: {path: $path}, checkName: $check, limit: 50) {
                partition status evaluation {severity success description
                    metadataEntries {label ... on IntMetadataEntry {intValue}}}}}""",
        path=list(JOINED),
        check=CHECK,
    )["assetCheckExecutions"]
    last = {item["partition"]: item for item in reversed(found)}
    assert {day: last[day]["evaluation"]["success"] for day in DAYS} == {
        BEFORE: True,
        BAD: False,
        AFTER: True,
    }
    evaluation = last[BAD]["evaluation"]
    numbers = {entry["label"]: entry.get("intValue") for entry in evaluation["metadataEntries"]}
    assert evaluation["severity"] == "ERROR"
    assert BAD_ROWS in numbers.values(), numbers


def test_whoever_builds_on_the_bad_day_by_hand_is_told_the_numbers(night: Night) -> None:
    done = night.shell.run(f"dataplat load {TABLES[SOLD]} --date {BAD}")
    assert done.code == 1
    assert f"{TABLES[SOLD]}[{BAD}]: the gate is closed by 1 upstream partition" in done.err
    assert f"{TABLES[JOINED]}[{BAD}]" in done.err
    assert CHECK in done.err


@pytest.mark.parametrize(
    ("name", "path", "height"),
    [
        ("warehouse", "/asset-groups?expanded=global@global:dim,global@global:dw,global@global:ads", 1500),
        ("blocked-day", f"/assets/{'/'.join(JOINED)}?view=partitions&partition={BAD}", 780),
        ("failed-check", f"/assets/{'/'.join(JOINED)}?view=checks&checkDetail={CHECK}", 780),
    ],
)
def test_a_browser_shows_it(
    name: str, path: str, height: int, night: Night, tmp_path: Any, request: pytest.FixtureRequest
) -> None:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    image = night.web.photograph(path, tmp_path / f"{name}.png", height=height)
    assert image.startswith(b"\x89PNG")
    assert 40_000 < len(image) < LARGEST_IMAGE_BYTES  # an empty page has less to show
    if request.config.getoption("--update-golden"):
        (IMAGES / f"{name}.png").write_bytes(image)
    assert (IMAGES / f"{name}.png").is_file(), "pytest --update-golden keeps the pictures in docs/images"


def test_a_repaired_day_flows_through_to_the_end(night: Night, repairs: ExitStack) -> None:
    repairs.close()
    done = backfill(night.web, list(TABLES), (BAD,))
    assert done["status"] == "COMPLETED_SUCCESS", night.web.log[-5000:]
    for table in TABLES.values():
        assert night.newest(table, BAD)["state"] == "published"
    assert night.newest(TABLES[SOLD], BAD)["version"] != night.versions[TABLES[SOLD], BAD]
    assert status(night, JOINED) == dict.fromkeys(DAYS, "MATERIALIZED")


def test_a_backfill_of_hours_makes_those_hours_alone(night: Night) -> None:
    hours = ("2026-01-09-13:00", "2026-01-09-14:00")
    done = backfill(night.web, [PLACES], hours)
    assert done["status"] == "COMPLETED_SUCCESS", night.web.log[-5000:]
    (node,) = night.web.ask(
        """{assetNodes(assetKeys: [{path: ["dw", "dw", "dw_place_hour"]}]) {
            assetPartitionStatuses {... on TimePartitionStatuses {ranges {status startKey endKey}}}}}"""
    )["assetNodes"]
    assert {"status": "MATERIALIZED", "startKey": hours[0], "endKey": hours[1]} in node[
        "assetPartitionStatuses"
    ]["ranges"]


def test_the_job_recheck_is_launched_from_the_launchpad_and_holds_what_is_damaged(
    night: Night, repairs: ExitStack
) -> None:
    table, key = TABLES[SOLD], BEFORE
    folder = Path(urlsplit(night.shell.run(f"dataplat path {table} {key}").out.strip()).path)
    [data] = folder.glob("*.parquet")
    elsewhere = night.shell.folder / data.name
    repairs.callback(lambda: elsewhere.exists() and elsewhere.rename(data))

    assert recheck(night.web, table, key) == "SUCCESS", night.web.log[-5000:]
    data.rename(elsewhere)
    assert recheck(night.web, table, key) == "FAILURE"
    held, told = not_held(night.web, SOLD, key)
    assert (held, told.partition(": ")[0]) == (False, f"held by check {FILES}")
    elsewhere.rename(data)
    assert recheck(night.web, table, key) == "SUCCESS", night.web.log[-5000:]
    assert not_held(night.web, SOLD, key)[0] is True


def test_what_drift_queues_is_loaded_by_the_daemon_and_nothing_else_is(night: Night) -> None:
    money, late = "ods.ods_t_money_record", (BEFORE, AFTER)
    quiet = newest(night.shell, money, BAD)["version"]
    days = (datetime.now(UTC).date() - date.fromisoformat(BEFORE)).days + 2
    drift = f"dataplat drift {money} --days {days} --json"
    source = PrivateMariaDB(night.shell.home)
    with ExitStack() as extra:
        for day in late:
            extra.enter_context(insert_rows(source.connect, date.fromisoformat(day), 7))
        done = night.shell.run(f"{drift} --enqueue")
        queued = json.loads(done.out)["enqueued"]
        assert (done.code, queued["queued"], queued["daemon_is_alive"]) == (0, {money: list(late)}, True)
        ended = night.web.until(
            lambda: backfill_status(night.web, queued["backfill"]),
            deadline_seconds=300,
            wanted="what drift queued is loaded",
        )
        assert ended["status"] == "COMPLETED_SUCCESS", night.web.log[-5000:]
        assert changed(night.shell.run(drift).out) == []
    done = night.shell.run(f"{drift} --load")  # what came late is gone again
    assert (done.code, changed(done.out)) == (0, list(late))
    assert changed(night.shell.run(drift).out) == []
    assert newest(night.shell, money, BAD)["version"] == quiet


def changed(printed: str) -> list[str]:
    """Return the partitions that changed, as drift printed them of one table."""
    (table,) = json.loads(printed)["tables"]
    found: list[str] = table["changed"]
    return found


def test_the_launchpad_refuses_to_run_recheck_without_a_table(night: Night) -> None:
    launched = launch_recheck(night.web, {"dates": BEFORE})
    assert launched["__typename"] == "RunConfigValidationInvalid"
    assert 'Missing required config entry "table"' in launched["errors"][0]["message"]


def launch_recheck(web: Web, config: dict[str, str]) -> dict[str, Any]:
    """Press the launchpad's button, and return what it answers."""
    (repository,) = web.ask(
        "{repositoriesOrError {... on RepositoryConnection {nodes {name location {name}}}}}"
    )["repositoriesOrError"]["nodes"]
    launched: dict[str, Any] = web.ask(
        """mutation ($job: JobOrPipelineSelector!, $config: RunConfigData!) {
            launchRun(executionParams: {selector: $job, runConfigData: $config}) {
                __typename ... on LaunchRunSuccess {run {runId}} ... on PythonError {message}
                ... on RunConfigValidationInvalid {errors {message}}}}""",
        job={
            "repositoryName": repository["name"],
            "repositoryLocationName": repository["location"]["name"],
            "jobName": RECHECK,
        },
        config={"ops": {CHECK_AGAIN: {"config": config}}},
    )["launchRun"]
    return launched


def recheck(web: Web, table: str, dates: str) -> str:
    """Run the job and return how it ended."""
    launched = launch_recheck(web, {"table": table, "dates": dates})
    assert launched["__typename"] == "LaunchRunSuccess", launched

    def ended() -> str | None:
        run = web.ask(
            "query ($id: ID!) {runOrError(runId: $id) {... on Run {status}}}", id=launched["run"]["runId"]
        )["runOrError"]
        return run["status"] if run["status"] in ("SUCCESS", "FAILURE", "CANCELED") else None

    return str(web.until(ended, deadline_seconds=120, wanted="the re-check has ended"))


def not_held(web: Web, path: tuple[str, ...], day: str) -> tuple[bool, str]:
    """Return the newest answer of the check of that name, and how it is told."""
    found = web.ask(
        """query ($path: [String!]!) {assetCheckExecutions(assetKey: {path: $path}, checkName: "not_held",
            limit: 50) {partition evaluation {success description}}}""",
        path=list(path),
    )["assetCheckExecutions"]
    newest = next(item["evaluation"] for item in found if item["partition"] == day)
    return newest["success"], newest["description"] or ""


def status(night: Night, path: tuple[str, ...]) -> dict[str, str]:
    """Return what the partition bar of an asset shows for the three days."""
    (node,) = night.web.ask(
        """query ($path: [String!]!) {assetNodes(assetKeys: [{path: $path}]) {
            assetPartitionStatuses {... on TimePartitionStatuses {ranges {status startKey endKey}}}}}""",
        path=list(path),
    )["assetNodes"]
    ranges = node["assetPartitionStatuses"]["ranges"]
    return {
        day: item["status"] for day in DAYS for item in ranges if item["startKey"] <= day <= item["endKey"]
    }
