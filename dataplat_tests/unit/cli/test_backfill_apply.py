"""``dataplat backfill apply`` and ``resume``: what they refuse, what they say, which partitions they make.

The workers are fakes that write into the ledger what a load would. It is 2026-03-20 09:00.
"""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from dataplat_tests.conftest import Golden
from dataplat_tests.unit.cli import backfill_fake_worker
from dataplat_tests.unit.cli.harness import CommandLine, Ran
from dataplat_tests.unit.cli.test_main import GOLDEN
from dataplat_tests.unit.cli.warehouse import DIM, add_models
from dataplat_tests.unit.specs.folder import MONEY, PLATFORM, Config

TABLE = "ods.ods_t_money_record"
DAYS = tuple(f"2026-03-0{day}" for day in range(1, 6))


@pytest.fixture(autouse=True)
def _models(config: Config, dataplat: CommandLine) -> None:
    add_models(config)
    dataplat.masks[r"\d{8}T\d{6}-[0-9a-f]{6}"] = "PLAN"


@pytest.fixture
def file(dataplat: CommandLine, tmp_path: Path) -> Path:
    """The plan of five days of a table and of the dimension that is made of it."""
    return planned(dataplat, tmp_path / "plan.json")


def planned(dataplat: CommandLine, file: Path, select: str = f"{TABLE},{DIM}") -> Path:
    asked = ("backfill", "plan", "--select", select, "--from", DAYS[0], "--to", DAYS[-1], "-o", str(file))
    assert dataplat(*asked).code == 0
    dataplat.masks[str(file.parent)] = "FOLDER"
    return file


@pytest.fixture
def fates(dataplat: CommandLine, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What happens to partitions: ``{"ods.x 2026-01-01": "rejected"}``; a test fills it in."""
    found: dict[str, str] = {}
    url = f"sqlite:///{dataplat.home}/ledger.db"

    def command(*_: str) -> tuple[str, ...]:
        return (sys.executable, str(backfill_fake_worker.__file__), url, json.dumps(found))

    monkeypatch.setattr("dataplat.cli.backfill_workers.worker_command", command)
    dataplat.environ["PYTHONPATH"] = str(Path(__file__).parents[3])
    return found


def endings(ran: Ran) -> dict[str, str]:
    return {f"{one['table']} {one['partition']}": one["ending"] for one in ran.document["partitions"]}


def places(table: str, *days: str) -> list[str]:
    return [f"{table} {day}" for day in days]


def test_a_dry_run_prints_the_runs_and_makes_nothing(
    dataplat: CommandLine, file: Path, golden: Golden
) -> None:
    ran = dataplat("backfill", "apply", str(file), "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    golden(GOLDEN / "backfill" / "dry_run.txt", ran.out)
    document = dataplat("backfill", "resume", str(file), "--dry-run", "--json").document
    assert [len(run["partitions"]) for run in document["runs"]] == [5, 4, 1]
    assert not (dataplat.home / "dagster").exists()


def test_all_of_a_plan_is_made_and_then_nothing_is_missing(
    dataplat: CommandLine, file: Path, golden: Golden, fates: dict[str, str]
) -> None:
    ran = dataplat("backfill", "apply", str(file), "--yes", "--parallel", "1")
    assert ran.code == 0
    golden(GOLDEN / "backfill" / "apply.txt", ran.err + ran.out)
    ran = dataplat("backfill", "resume", str(file))
    assert (ran.code, ran.out, ran.err) == (
        0,
        "nothing is missing: all 10 partitions were published\n",
        "",
    )
    assert list((dataplat.home / "logs").iterdir()) == [], "an empty log is no log"


def test_a_partition_that_fails_holds_what_is_made_of_it_and_nothing_else(
    dataplat: CommandLine, file: Path, golden: Golden, fates: dict[str, str]
) -> None:
    fates[f"{TABLE} {DAYS[2]}"] = "rejected"
    ran = dataplat("backfill", "apply", str(file), "--yes", "--parallel", "1")
    assert ran.code == 1
    golden(GOLDEN / "backfill" / "apply_one_failed.txt", ran.err + ran.out)
    fates.clear()
    resumed = dataplat("backfill", "resume", str(file), "--yes", "--json")
    assert resumed.code == 0
    assert endings(resumed) == dict.fromkeys([*places(TABLE, DAYS[2]), *places(DIM, DAYS[2])], "published")
    assert resumed.document["done_before"] == 8


def test_of_a_run_that_breaks_only_the_partition_fails_that_breaks_it(
    dataplat: CommandLine, file: Path, fates: dict[str, str]
) -> None:
    fates[f"{TABLE} {DAYS[3]}"] = "broken"
    ran = dataplat("backfill", "apply", str(file), "--yes", "--json")
    bad = {place: ending for place, ending in endings(ran).items() if ending != "published"}
    assert bad == {f"{TABLE} {DAYS[3]}": "failed", f"{DIM} {DAYS[3]}": "held"}
    assert f"{TABLE}[2026-03-01~2026-03-05] failed as a whole: again, in halves" in ran.err


def test_a_source_that_cannot_be_reached_is_not_asked_day_by_day(
    dataplat: CommandLine, file: Path, fates: dict[str, str]
) -> None:
    fates[f"{TABLE} {DAYS[3]}"] = "unreachable"
    ran = dataplat("backfill", "apply", str(file), "--yes", "--json")
    assert endings(ran) == dict.fromkeys(places(TABLE, *DAYS), "failed") | dict.fromkeys(
        places(DIM, *DAYS), "held"
    )
    assert "again, in halves" not in ran.err


def test_a_gate_that_closes_under_a_run_holds_its_own_partitions(
    dataplat: CommandLine, file: Path, fates: dict[str, str]
) -> None:
    fates[f"{DIM} {DAYS[1]}"] = "closed"
    ran = dataplat("backfill", "apply", str(file), "--yes", "--json")
    assert (ran.code, endings(ran)[f"{DIM} {DAYS[1]}"]) == (1, "held")
    assert sum(ending == "published" for ending in endings(ran).values()) == 9


def test_a_worker_that_dies_takes_its_run_with_it_and_another_goes_on(
    dataplat: CommandLine, file: Path, fates: dict[str, str]
) -> None:
    fates[f"{DIM} {DAYS[1]}"] = "dies"
    ran = dataplat("backfill", "apply", str(file), "--yes", "--json", "--parallel", "1")
    failed = [one for one in ran.document["partitions"] if one["ending"] == "failed"]
    assert [one["partition"] for one in failed] == list(DAYS[:4])
    log = dataplat.home / "logs" / "backfill-worker-1.log"
    assert {one["message"] for one in failed} == {
        f"its process ended without a word; what it printed is in {log}".replace(str(dataplat.home), "HOME")
    }
    assert log.read_text(encoding="utf-8") == "out of memory\n"
    assert endings(ran)[f"{DIM} {DAYS[4]}"] == "published"


def test_a_worker_that_gives_up_says_why_and_another_goes_on(
    dataplat: CommandLine, file: Path, fates: dict[str, str]
) -> None:
    fates[f"{DIM} {DAYS[1]}"] = "gives up"
    ran = dataplat("backfill", "apply", str(file), "--yes", "--json", "--parallel", "1")
    failed = [one for one in ran.document["partitions"] if one["ending"] == "failed"]
    assert {one["message"] for one in failed} == {"ledger: it cannot be opened"}
    assert [one["partition"] for one in failed] == list(DAYS[:4])
    assert endings(ran)[f"{DIM} {DAYS[4]}"] == "published"


def test_what_was_made_before_what_it_reads_is_missing(
    dataplat: CommandLine, tmp_path: Path, file: Path, fates: dict[str, str]
) -> None:
    assert dataplat("backfill", "apply", str(file), "--yes").code == 0
    again = planned(dataplat, tmp_path / "again.json", TABLE)
    assert dataplat("backfill", "apply", str(again), "--yes").code == 0
    ran = dataplat("backfill", "resume", str(file), "--dry-run", "--json")
    assert [run["table"] for run in ran.document["runs"]] == [DIM, DIM]


def test_it_is_asked_before_anything_is_made(dataplat: CommandLine, file: Path) -> None:
    for command in ("apply", "resume"):
        ran = dataplat("backfill", command, str(file))
        assert (ran.code, ran.out, ran.err) == (
            2,
            "",
            (
                "backfill PLAN: 10 partitions in 3 runs are to be made, and nobody is here to be asked\n"
                "  expected   --yes, or a terminal\n"
                "  effect     nothing was run\n"
                "  next       the same command with --dry-run   or   the same command with --yes\n"
            ),
        )


@pytest.mark.parametrize(("answer", "code"), [("n\n", 0), ("y\n", 0)])
def test_a_person_decides(
    dataplat: CommandLine,
    file: Path,
    fates: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    ran = dataplat("backfill", "apply", str(file))
    assert ran.code == code
    asked = f"backfill PLAN: {TABLE},{DIM}, 2026-03-01 to 2026-03-05\n  10 partitions in 3 runs\n"
    assert ran.err.startswith(f"{asked}make them? [y/N]:")
    assert (ran.out.strip() == "nothing was run") == (answer == "n\n")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def changed_tables(ran: Ran) -> list[str]:
    return [line.split()[0] for line in ran.err.splitlines() if "when planned" in line]


@pytest.mark.parametrize("command", ["apply", "resume"])
def test_a_plan_is_refused_when_the_configuration_of_a_table_has_changed(
    dataplat: CommandLine, config: Config, file: Path, command: str
) -> None:
    dataplat.masks[r"\b[0-9a-f]{12}\b"] = "SHA"
    config.replace(MONEY, "load: incremental", "load: snapshot")
    ran = dataplat("backfill", command, str(file), "--yes")
    assert (ran.code, ran.out, ran.err) == (
        1,
        "",
        (
            "backfill PLAN: the configuration of 1 table has changed since it was planned\n"
            f"  {TABLE}   SHA when planned, SHA now (config/ods/ods_t_money_record.yaml:2)\n"
            "  effect                   nothing was run\n"
            f"  next                     dataplat backfill plan --select '{TABLE},{DIM}' "
            "--from 2026-03-01 --to 2026-03-05 -o …   or   the same command with --accept-changes\n"
        ),
    )
    assert dataplat("backfill", command, str(file), "--accept-changes", "--dry-run").code == 0


def test_the_sql_of_a_model_is_its_configuration_too(
    dataplat: CommandLine, config: Config, file: Path
) -> None:
    config.replace("dim/dim_account.sql", "count(*)", "count(1)")
    ran = dataplat("backfill", "apply", str(file), "--dry-run")
    assert (ran.code, changed_tables(ran)) == (1, [DIM])


def test_what_changes_no_content_changes_no_plan(dataplat: CommandLine, config: Config, file: Path) -> None:
    config.replace(MONEY, "owner: team:warehouse", "owner: team:other")
    assert dataplat("backfill", "apply", str(file), "--dry-run").code == 0


def test_no_acceptance_fits_partitions_that_are_no_more(
    dataplat: CommandLine, config: Config, file: Path
) -> None:
    config.replace(PLATFORM, "timezone: Asia/Shanghai", "timezone: Europe/Berlin")
    config.replace(MONEY, "grain: day", "grain: month")
    for name in ("dim/dim_account", "dw/dw_money_day", "ads/ads_money_week"):
        (config.dir / f"{name}.yaml").unlink()
        (config.dir / f"{name}.sql").unlink()
    ran = dataplat("backfill", "apply", str(file), "--accept-changes", "--yes")
    assert (ran.code, ran.out, ran.err) == (
        1,
        "",
        (
            "backfill PLAN: the plan fits the configuration no more\n"
            "  timezone                 Asia/Shanghai when planned, Europe/Berlin now\n"
            f"  {TABLE}   day partitions when planned, month partitions now\n"
            f"  {DIM}          is no longer declared\n"
            "  effect                   nothing was run\n"
            f"  next                     dataplat backfill plan --select '{TABLE},{DIM}' "
            "--from 2026-03-01 --to 2026-03-05 -o …\n"
        ),
    )


def test_a_file_that_is_not_there_is_no_plan(dataplat: CommandLine) -> None:
    ran = dataplat("backfill", "apply", "nowhere.json", "--yes")
    assert (ran.code, ran.out, ran.err) == (
        2,
        "",
        (
            "nowhere.json: the plan cannot be read: No such file or directory\n"
            "  effect   nothing was run\n"
            "  next     dataplat backfill plan --select … --from … --to … -o nowhere.json\n"
        ),
    )


def test_an_interrupt_says_what_is_done_and_how_to_go_on(
    dataplat: CommandLine, file: Path, fates: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataplat.cli import backfill_run

    told = backfill_run._tell

    def then_ctrl_c(*arguments: Any) -> None:
        told(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(backfill_run, "_tell", then_ctrl_c)
    ran = dataplat("backfill", "apply", str(file), "--yes")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        130,
        (
            "interrupted: 5 of 10 partitions had ended and stay as they are; what was under way was not "
            "published; go on with: dataplat backfill resume"
        ),
    )
    monkeypatch.setattr(backfill_run, "_tell", told)
    resumed = dataplat("backfill", "resume", str(file), "--yes", "--json")
    assert endings(resumed) == dict.fromkeys(places(DIM, *DAYS), "published")


def test_status_says_what_resume_would_make(
    dataplat: CommandLine, file: Path, golden: Golden, fates: dict[str, str]
) -> None:
    fates[f"{TABLE} {DAYS[2]}"] = "rejected"
    dataplat("backfill", "apply", str(file), "--yes")
    ran = dataplat("backfill", "status", str(file))
    assert (ran.code, ran.err) == (1, "")
    golden(GOLDEN / "backfill" / "status.txt", ran.out)
    fates.clear()
    dataplat("backfill", "resume", str(file), "--yes")
    ran = dataplat("backfill", "status", str(file), "--json")
    assert (ran.code, ran.document["done"]) == (0, 10)
    assert ran.document["missing"] == {TABLE: [], DIM: []}


def test_a_model_that_waits_only_for_the_end_is_made_of_what_failed_too(
    dataplat: CommandLine, config: Config, tmp_path: Path, fates: dict[str, str]
) -> None:
    config.add("dim/dim_account.yaml", "trigger: all_done\n")
    file = planned(dataplat, tmp_path / "plan.json")
    fates[f"{TABLE} {DAYS[2]}"] = "rejected"
    ran = dataplat("backfill", "apply", str(file), "--yes", "--json")
    bad = {place: ending for place, ending in endings(ran).items() if ending != "published"}
    assert (ran.code, bad) == (1, {f"{TABLE} {DAYS[2]}": "failed"})


def test_an_older_version_of_what_failed_does_not_let_its_readers_pass(
    dataplat: CommandLine, file: Path, fates: dict[str, str]
) -> None:
    assert dataplat("backfill", "apply", str(file), "--yes").code == 0
    fates[f"{TABLE} {DAYS[2]}"] = "unreachable"
    ran = dataplat("backfill", "apply", str(file), "--yes", "--json")
    assert {ending for place, ending in endings(ran).items() if place.startswith(DIM)} == {"held"}
