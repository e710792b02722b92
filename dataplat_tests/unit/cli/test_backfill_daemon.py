"""``dataplat backfill apply --daemon``: what it hands over, what it hears, and what it refuses.

The daemon is played by the test: it records runs in the ledger, as the real one's runs do.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import dagster as dg
import pytest

from dataplat.ledger import Ledger
from dataplat.orchestration import daemon_backfill
from dataplat_tests.unit.cli.backfill_fake_worker import carry_out
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.cli.test_backfill_apply import DAYS, TABLE, endings, places, planned
from dataplat_tests.unit.cli.warehouse import DIM, add_models
from dataplat_tests.unit.specs.folder import Config

Turn = Callable[[dg.DagsterInstance, str], None]


@pytest.fixture
def file(config: Config, dataplat: CommandLine, tmp_path: Path) -> Path:
    add_models(config)
    dataplat.masks[r"\d{8}T\d{6}-[0-9a-f]{6}"] = "PLAN"
    return planned(dataplat, tmp_path / "plan.json")


def play(monkeypatch: pytest.MonkeyPatch, *turns: Turn) -> None:
    """Let the daemon live, and do something each time the command waits."""
    monkeypatch.setattr(daemon_backfill, "missing_daemons", lambda _: [])
    seen: list[tuple[dg.DagsterInstance, str]] = []
    submit = daemon_backfill.submit_backfill
    left = iter(turns)

    def submitted(*arguments: object, **named: object) -> daemon_backfill.DaemonBackfill:
        given = submit(*arguments, **named)
        seen.append((given._instance, given.backfill_id))
        return given

    monkeypatch.setattr(daemon_backfill, "submit_backfill", submitted)
    monkeypatch.setattr("dataplat.cli.backfill_daemon._wait", lambda: next(left)(*seen[0]))


def run(instance: dg.DagsterInstance, backfill: str, path: Sequence[str], status: dg.DagsterRunStatus) -> str:
    """Record a run of the backfill for all days of a table."""
    tags = {
        "dagster/backfill": backfill,
        "dagster/asset_partition_range_start": DAYS[0],
        "dagster/asset_partition_range_end": DAYS[-1],
    }

    made = dg.DagsterRun("made", tags=tags, status=status, asset_selection=frozenset({dg.AssetKey(path)}))
    instance.add_run(made)
    return made.run_id


def ends(instance: dg.DagsterInstance, backfill: str, status: daemon_backfill.BulkActionStatus) -> None:
    found = instance.get_backfill(backfill)
    assert found is not None
    instance.update_backfill(found.with_status(status))


def test_without_a_daemon_nothing_is_handed_over(dataplat: CommandLine, file: Path) -> None:
    ran = dataplat("backfill", "apply", str(file), "--yes", "--daemon")
    assert (ran.code, ran.out, ran.err) == (
        1,
        "",
        (
            "backfill PLAN: no daemon is running that could carry it out\n"
            "  expected   a dagster-daemon of this home\n"
            "  silent     BACKFILL, QUEUED_RUN_COORDINATOR\n"
            "  effect     nothing was run\n"
            "  next       the same command without --daemon   or   dataplat demo --ui\n"
        ),
    )


def test_the_daemon_gets_exactly_what_is_planned_and_what_it_published_is_published(
    dataplat: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    def works(instance: dg.DagsterInstance, backfill: str) -> None:
        found = instance.get_backfill(backfill)
        assert found is not None
        assert found.asset_backfill_data is not None
        subset = found.asset_backfill_data.target_subset
        for key in sorted(subset.asset_keys):
            asked[key.path[-1]] = sorted(subset.get_partitions_subset(key).get_partition_keys())
        asked["tags"] = dict(found.tags)
        fates = {f"{TABLE} {DAYS[2]}": "rejected"}
        with Ledger.open(f"sqlite:///{dataplat.home}/ledger.db") as ledger:
            for table in (TABLE, DIM):
                layer, name = table.split(".")
                made = run(instance, backfill, [layer, layer, name], dg.DagsterRunStatus.SUCCESS)
                days = [day for day in DAYS if table == TABLE or day != DAYS[2]]
                carry_out(ledger, table, days, fates, made)
        ends(instance, backfill, daemon_backfill.BulkActionStatus.COMPLETED_FAILED)

    play(monkeypatch, works)
    ran = dataplat("backfill", "apply", str(file), "--yes", "--daemon", "--json")
    plan_id = asked.pop("tags")
    assert asked == {TABLE.split(".")[1]: list(DAYS), DIM.split(".")[1]: list(DAYS)}
    assert plan_id["dataplat/actor"] == "ann"
    assert sorted(plan_id) == ["dataplat/actor", "dataplat/backfill"]  # type: ignore[call-overload]
    bad = {place: ending for place, ending in endings(ran).items() if ending != "published"}
    assert (ran.code, bad) == (1, {f"{TABLE} {DAYS[2]}": "failed", f"{DIM} {DAYS[2]}": "held"})
    messages = {one["partition"]: one["message"] for one in ran.document["partitions"] if one["message"]}
    assert set(messages.values()) <= {
        f"{TABLE}[{DAYS[2]}]: rejected: 3 rows too many",
        "the daemon, which makes nothing of what is not there",
    }
    assert "given to the daemon as backfill " in ran.err


def test_a_run_that_never_came_to_write_has_failed_too(
    dataplat: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(instance: dg.DagsterInstance, backfill: str) -> None:
        layer, name = TABLE.split(".")
        run(instance, backfill, [layer, layer, name], dg.DagsterRunStatus.FAILURE)
        ends(instance, backfill, daemon_backfill.BulkActionStatus.COMPLETED_FAILED)

    play(monkeypatch, fails)
    ran = dataplat("backfill", "apply", str(file), "--yes", "--daemon", "--json")
    expected = dict.fromkeys(places(TABLE, *DAYS), "failed") | dict.fromkeys(places(DIM, *DAYS), "held")
    assert (ran.code, endings(ran)) == (1, expected)
    (message,) = {one["message"][-40:] for one in ran.document["partitions"] if one["ending"] == "failed"}
    assert message.endswith("failed; its page in the UI says why")


def test_ctrl_c_tells_the_daemon_to_cancel(
    dataplat: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses = []

    def ctrl_c(*_: object) -> None:
        raise KeyboardInterrupt

    cancel = daemon_backfill.DaemonBackfill.cancel

    def canceled(given: daemon_backfill.DaemonBackfill) -> None:
        cancel(given)
        found = given._instance.get_backfill(given.backfill_id)
        statuses.append(found.status.value if found else "")
        dataplat.masks[given.backfill_id] = "ID"

    monkeypatch.setattr(daemon_backfill.DaemonBackfill, "cancel", canceled)
    play(monkeypatch, ctrl_c)
    ran = dataplat("backfill", "apply", str(file), "--yes", "--daemon")
    assert (ran.code, statuses) == (130, ["CANCELING"])
    assert ran.err.splitlines()[-1] == (
        "interrupted: the daemon cancels backfill ID; what was published stays; "
        "go on with: dataplat backfill resume"
    )
