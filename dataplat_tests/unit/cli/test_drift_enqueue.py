"""``dataplat drift --enqueue``: what changed is in Dagster's queue, once. A real instance, no daemon."""

import time
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.execution.backfill import PartitionBackfill
from dagster._daemon.types import DaemonHeartbeat

from dataplat_tests.services.sqlite_source import StandInSource
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.cli.test_drift import MONEY_TABLE, ROWS, add, publish, source

__all__ = ["source"]
ASSET = dg.AssetKey(["ods", "ods", "ods_t_money_record"])
NO_DAEMON = (
    "\nno daemon of Dagster has been at work in the last minutes: what is queued waits for one\n"
    f"load it here instead: dataplat drift {MONEY_TABLE} --load\n"
)


@pytest.fixture
def instance(dataplat: CommandLine, source: StandInSource) -> Iterator[dg.DagsterInstance]:
    """The instance of a home in which two days of eight have changed."""
    publish(dataplat, MONEY_TABLE, ROWS)
    add(source, "2026-03-14 23:59:59", "2026-03-18 00:00:00")
    assert dataplat("pause", MONEY_TABLE, "--reason", "make the home").code == 0
    with dg.DagsterInstance.from_config(str(dataplat.home / "dagster")) as opened:
        yield opened


def partitions(backfill: PartitionBackfill) -> dict[dg.AssetKey, set[str]]:
    progress = backfill.asset_backfill_data
    assert progress is not None
    subsets = progress.target_subset.partitions_subsets_by_asset_key
    return {key: set(subset.get_partition_keys()) for key, subset in subsets.items()}


def test_the_backfill_holds_exactly_what_changed(dataplat: CommandLine, instance: dg.DagsterInstance) -> None:
    ran = dataplat("drift", MONEY_TABLE, "--enqueue")
    (backfill,) = instance.get_backfills()
    assert (ran.code, ran.err) == (0, NO_DAEMON)
    assert ran.out.endswith(
        f"8 partitions of 1 table counted: 2 changed\nqueued: 2 partitions, backfill {backfill.backfill_id}\n"
    )
    assert partitions(backfill) == {ASSET: {"2026-03-14", "2026-03-18"}}
    assert backfill.title == "drift of 2026-03-20 09:00"
    assert backfill.tags == {"dataplat/launched_by": "drift", "dataplat/actor": "ann"}


def test_what_is_queued_is_not_queued_again_and_what_changed_since_is(
    dataplat: CommandLine, instance: dg.DagsterInstance, source: StandInSource
) -> None:
    dataplat("drift", MONEY_TABLE, "--enqueue")
    ran = dataplat("drift", MONEY_TABLE, "--enqueue")
    assert (ran.code, len(instance.get_backfills())) == (0, 1)
    assert ran.out.splitlines()[-1] == f"under way already: {MONEY_TABLE} 2026-03-14, 2026-03-18"
    add(source, "2026-03-16 00:00:00")
    document = dataplat("drift", MONEY_TABLE, "--enqueue", "--json").document
    assert document["enqueued"]["queued"] == {MONEY_TABLE: ["2026-03-16"]}
    assert document["enqueued"]["under_way"] == {MONEY_TABLE: ["2026-03-14", "2026-03-18"]}
    assert len(instance.get_backfills()) == 2


@pytest.mark.parametrize(
    ("tags", "left"),
    [
        ({"dagster/partition": "2026-03-14"}, {"2026-03-18"}),
        (
            {
                "dagster/asset_partition_range_start": "2026-03-15",
                "dagster/asset_partition_range_end": "2026-03-19",
            },
            {"2026-03-14"},
        ),
    ],
)
@pytest.mark.parametrize("ended", [False, True])
def test_what_a_run_was_asked_for_is_not_queued_while_it_has_not_ended(
    dataplat: CommandLine, instance: dg.DagsterInstance, tags: dict[str, str], left: set[str], ended: bool
) -> None:
    run = dg.DagsterRun(
        job_name="__ASSET_JOB",
        status=dg.DagsterRunStatus.SUCCESS if ended else dg.DagsterRunStatus.STARTED,
        asset_selection={ASSET},
        tags=tags,
    )
    instance.add_run(run)
    dataplat("drift", MONEY_TABLE, "--enqueue")
    (backfill,) = instance.get_backfills()
    assert partitions(backfill)[ASSET] == ({"2026-03-14", "2026-03-18"} if ended else left)


def test_with_a_daemon_nothing_is_said_of_one(dataplat: CommandLine, instance: dg.DagsterInstance) -> None:
    instance.add_daemon_heartbeat(DaemonHeartbeat(time.time(), "BACKFILL", "some id", []))
    ran = dataplat("drift", MONEY_TABLE, "--enqueue")
    assert (ran.code, ran.err) == (0, "")


def test_a_daemon_that_stopped_minutes_ago_is_none(
    dataplat: CommandLine, instance: dg.DagsterInstance
) -> None:
    instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - 300, "BACKFILL", "some id", []))
    assert dataplat("drift", MONEY_TABLE, "--enqueue").err == NO_DAEMON
