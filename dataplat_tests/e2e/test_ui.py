"""What people look at: the asset graph, the partition bar, the checks; and what they start from there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat_tests.e2e.shell import ROOT, Done, Shell
from dataplat_tests.e2e.web import CHROMIUM, Web, open_web, plain

pytestmark = pytest.mark.e2e

IMAGES = ROOT / "docs" / "images"
LARGEST_IMAGE_BYTES = 200_000
SHRUNKEN_DAY = "2026-01-14"
SCHEDULED = "2026-02"  # partitions from here on are those of today's schedules, which run while we look


@pytest.fixture(scope="module")
def shrunken(demo_home: Shell) -> Done:
    """A load from the command line that is rejected: a fifth of the accounts is gone at the source."""
    database = PrivateMariaDB(demo_home.home)
    with database.connect(autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE market.gone AS SELECT * FROM market.t_account ORDER BY id LIMIT 2400")
        cursor.execute("DELETE FROM market.t_account WHERE id IN (SELECT id FROM market.gone)")
    done = demo_home.run(f"dataplat load ods.ods_t_account --date {SHRUNKEN_DAY}")
    with database.connect(autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO market.t_account SELECT * FROM market.gone")
        cursor.execute("DROP TABLE market.gone")
    return done


@pytest.fixture(scope="module")
def web(demo_home: Shell, shrunken: Done, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The UI over the demo's home, after one more load that failed."""
    assert shrunken.code == 1, shrunken.said
    with open_web(demo_home, tmp_path_factory.mktemp("web") / "ui.log") as server:
        yield server


@pytest.fixture(scope="module")
def assets(web: Web) -> dict[str, Any]:
    """Every asset as the graph shows it, by table."""
    nodes = web.ask(
        """{assetNodes {
            assetKey {path} groupName kinds isPartitioned
            owners {... on TeamAssetOwner {team}}
            assetPartitionStatuses {... on TimePartitionStatuses {ranges {status startKey endKey}}}
            metadataEntries {label ... on CodeReferencesMetadataEntry {
                codeReferences {... on LocalFileCodeReference {filePath lineNumber}}}}
        }}"""
    )["assetNodes"]
    return {node["assetKey"]["path"][-1]: node for node in nodes}


def test_the_graph_shows_every_table_in_its_group_with_kinds_and_owner(assets: dict[str, Any]) -> None:
    shown = {
        name: (node["groupName"], [owner["team"] for owner in node["owners"]])
        for name, node in assets.items()
        if node["assetKey"]["path"][:2] == ["ods", "ods"]
    }
    market = ("market", ["warehouse"])
    assert shown == {
        "ods_t_account": market,
        "ods_t_money_record": market,
        "ods_t_order": market,
        "ods_t_order_item": market,
        "ods_t_package_flow_log": ("logistics", ["logistics"]),
        "ods_t_page_view": market,
        "ods_t_product": market,
        "ods_t_region": market,
    }
    kinds = {(node["assetKey"]["path"][0], tuple(sorted(node["kinds"]))) for node in assets.values()}
    assert kinds == {("ods", ("hive", "mysql", "spark")), ("external", ("external",))} | {
        (layer, ("hive", "spark", "sql")) for layer in ("dim", "dw", "ads")
    }


def test_every_asset_points_to_the_line_of_its_yaml(assets: dict[str, Any]) -> None:
    for node in assets.values():
        if node["kinds"] == ["external"]:
            continue
        (reference,) = next(
            entry["codeReferences"]
            for entry in node["metadataEntries"]
            if entry["label"] == "dagster/code_references"
        )
        line = Path(reference["filePath"]).read_text().splitlines()[reference["lineNumber"] - 1]
        assert line == f"table: {'.'.join(node['assetKey']['path'][1:])}"


def test_the_partition_bar_shows_published_days_and_the_day_that_failed(assets: dict[str, Any]) -> None:
    def bar(name: str) -> list[tuple[str, str, str]]:
        ranges = assets[name]["assetPartitionStatuses"]["ranges"]
        shown = [(item["status"], item["startKey"], item["endKey"]) for item in ranges]
        return [item for item in shown if item[1] < SCHEDULED]

    assert bar("ods_t_order") == [("MATERIALIZED", "2026-01-01", "2026-01-14")]
    assert bar("ods_t_page_view") == [("MATERIALIZED", "2026-01-01-00:00", "2026-01-14-23:00")]
    assert bar("ods_t_account") == [
        ("MATERIALIZED", "2026-01-01", "2026-01-13"),
        ("FAILED", SHRUNKEN_DAY, SHRUNKEN_DAY),
    ]


def test_every_check_has_a_result_with_numbers_for_every_partition(web: Web) -> None:
    results = _executions(web, "ods_t_money_record", "row_count_matches_source")
    newest = {item["partition"]: item for item in reversed(results)}
    assert sorted(newest) == [f"2026-01-{day:02}" for day in range(1, 15)]
    for item in newest.values():
        numbers = {entry["label"]: entry["intValue"] for entry in item["evaluation"]["metadataEntries"]}
        assert numbers["source_before"] == numbers["source_after"] == numbers["rows"] > 0
        assert (item["status"], item["evaluation"]["success"]) == ("SUCCEEDED", True)


def test_the_damaged_day_keeps_its_failed_result_in_the_history(web: Web) -> None:
    results = _executions(web, "ods_t_money_record", "row_count_matches_source")
    failed = [item for item in results if item["partition"] == "2026-01-09" and item["status"] == "FAILED"]
    numbers = {entry["label"]: entry["intValue"] for entry in failed[0]["evaluation"]["metadataEntries"]}
    assert numbers["missing"] == 213
    assert failed[0]["evaluation"]["severity"] == "ERROR"


def test_the_check_that_held_back_a_shrunken_snapshot_says_so(web: Web) -> None:
    newest = _executions(web, "ods_t_account", "volume")[0]
    assert (newest["partition"], newest["status"]) == (SHRUNKEN_DAY, "FAILED")
    assert "9,600" in newest["evaluation"]["description"]


def test_a_materialization_tells_the_rows_of_its_partition(web: Web, demo_home: Shell) -> None:
    (node,) = web.ask(
        """{assetNodes(assetKeys: [{path: ["ods", "ods", "ods_t_order"]}]) {
            assetMaterializations(partitions: ["2026-01-09"], limit: 1) {
                partition metadataEntries {label ... on IntMetadataEntry {intValue}}}}}"""
    )["assetNodes"]
    (event,) = node["assetMaterializations"]
    entries = {entry["label"]: entry.get("intValue") for entry in event["metadataEntries"]}
    (visible, *_) = _versions(demo_home, "ods.ods_t_order", "2026-01-09")
    assert entries["dagster/partition_row_count"] == visible["rows"] == 990


def test_every_declared_schedule_runs_in_the_business_time_zone(web: Web) -> None:
    (repository,) = web.ask(
        """{repositoriesOrError {... on RepositoryConnection {nodes {
            schedules {cronSchedule executionTimezone scheduleState {status}}}}}}"""
    )["repositoriesOrError"]["nodes"]
    shown = [
        (item["cronSchedule"], item["executionTimezone"], item["scheduleState"]["status"])
        for item in repository["schedules"]
    ]
    lines = ["0 1 * * *", "0 2 * * *", "10 * * * *", "30 2 * * *"]
    assert sorted(shown) == [(line, "Asia/Shanghai", "RUNNING") for line in lines]


def test_a_backfill_from_the_ui_publishes_every_day_of_the_range(web: Web, demo_home: Shell) -> None:
    days = ["2026-01-03", "2026-01-04", "2026-01-05"]
    launched = web.ask(
        """mutation ($days: [String!]!) {launchPartitionBackfill(backfillParams: {
            assetSelection: [{path: ["ods", "ods", "ods_t_order"]}], partitionNames: $days}) {
            __typename ... on LaunchBackfillSuccess {backfillId} ... on PythonError {message}}}""",
        days=days,
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched

    def ended() -> dict[str, Any] | None:
        backfill: dict[str, Any] = web.ask(
            """query ($id: String!) {partitionBackfillOrError(backfillId: $id) {
                ... on PartitionBackfill {status runs(limit: 10) {id status}}}}""",
            id=launched["backfillId"],
        )["partitionBackfillOrError"]
        return backfill if backfill["status"] not in ("REQUESTED", "COMPLETING") else None

    backfill = web.until(ended, deadline_seconds=400, wanted="the backfill has ended")
    assert backfill["status"] == "COMPLETED_SUCCESS", web.log[-5000:]
    (run,) = backfill["runs"]
    for day in days:
        newest, older, *_ = _versions(demo_home, "ods.ods_t_order", day)
        assert (newest["state"], newest["run_id"]) == ("published", run["id"])
        assert (older["state"], older["rows"]) == ("superseded", newest["rows"])


def test_nothing_of_it_listens_beyond_loopback(web: Web, demo_home: Shell) -> None:
    listens = demo_home.listens_on()
    assert listens
    assert {address.removeprefix("::ffff:") for address in listens} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("name", "path", "height"),
    [
        ("asset-graph", "/asset-groups?expanded=global@global:market,global@global:logistics", 1600),
        ("partitions", "/assets/ods/ods/ods_t_money_record?view=partitions&partition=2026-01-09", 780),
        (
            "checks",
            "/assets/ods/ods/ods_t_money_record?view=checks&checkDetail=row_count_matches_source",
            780,
        ),
    ],
)
def test_a_browser_shows_it(
    name: str, path: str, height: int, web: Web, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    image = web.photograph(path, tmp_path / f"{name}.png", height=height)
    assert image.startswith(b"\x89PNG")
    assert 40_000 < len(image) < LARGEST_IMAGE_BYTES  # an empty page has less to show
    if request.config.getoption("--update-golden"):
        IMAGES.mkdir(exist_ok=True)
        (IMAGES / f"{name}.png").write_bytes(image)
    assert (IMAGES / f"{name}.png").is_file(), "pytest --update-golden keeps the pictures in docs/images"


def test_it_opens_without_a_word_about_dagsters_own_commands(web: Web) -> None:
    opening = plain(web.log).splitlines()[:3]
    assert opening[0] == f"Dagster opens on {web.url}; Ctrl-C stops it"
    assert "SupersessionWarning" not in web.log


def test_a_terminated_ui_takes_everything_with_it_that_it_started(web: Web, demo_home: Shell) -> None:
    before = {process.pid for process in demo_home.processes()}
    web.stop()
    left = [process for process in demo_home.processes() if "dagster" in " ".join(process.cmdline())]
    assert left == []
    assert before


def test_a_taken_port_is_said_before_anything_is_started(demo_home: Shell) -> None:
    database = PrivateMariaDB(demo_home.home).instance
    done = demo_home.run(f"dataplat demo --ui --port {database.port}")
    assert done.code == 1
    assert done.out == ""
    assert done.err == (
        f"127.0.0.1:{database.port}: the UI's port is in use\n"
        "  found    Address already in use\n"
        "  effect   nothing was started\n"
        f"  next     dataplat demo --ui --port {database.port + 1}\n"
    )


def _executions(web: Web, table: str, check: str) -> list[dict[str, Any]]:
    """Return the executions of a check over the demo's days, newest first."""
    executions: list[dict[str, Any]] = web.ask(
        """query ($path: [String!]!, $check: String!) {
            assetCheckExecutions(assetKey: {path: $path}, checkName: $check, limit: 100) {
                partition status evaluation {
                    severity success description
                    metadataEntries {label ... on IntMetadataEntry {intValue}}}}}""",
        path=["ods", "ods", table],
        check=check,
    )["assetCheckExecutions"]
    return [item for item in executions if item["partition"] < SCHEDULED]


def _versions(shell: Shell, table: str, day: str) -> list[dict[str, Any]]:
    versions: list[dict[str, Any]] = json.loads(shell.run(f"dataplat versions {table} {day} --json").out)[
        "versions"
    ]
    return versions
