"""``hold``, ``release`` and ``waive``: what they record, and what they say. It is 2026-03-20 09:00."""

import dagster as dg
import pytest

from dataplat.ledger import Ledger
from dataplat.orchestration.instance import open_instance
from dataplat.settings import read_settings
from dataplat.specs import load_catalog
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.cli.warehouse import DAY, add_models
from dataplat_tests.unit.specs.folder import Config

MONEY, KEY = "ods.ods_t_money_record", "2026-03-01"


@pytest.fixture(autouse=True)
def _models(config: Config) -> None:
    add_models(config)


def test_a_hold_is_recorded_and_can_be_undone(dataplat: CommandLine) -> None:
    ran = dataplat("hold", MONEY, "20260301", "--reason", " half of it came late ")
    assert (ran.code, ran.err, ran.out) == (
        0,
        "",
        (
            "ods.ods_t_money_record[2026-03-01] is held: half of it came late\n"
            "nothing is built on it until it is released; what is visible stays visible\n"
            "undo with: dataplat release ods.ods_t_money_record 2026-03-01 --reason …\n"
        ),
    )
    ran = dataplat("release", MONEY, "20260301", "--reason", "it is there")
    assert (ran.code, ran.err, ran.out) == (
        0,
        "",
        (
            "ods.ods_t_money_record[2026-03-01] is released: it is there\n"
            "  was held since 2026-03-20 09:00:00 by ann: half of it came late\n"
        ),
    )
    with Ledger.open(f"sqlite:///{dataplat.home}/ledger.db") as ledger:
        (hold,) = ledger.holds(MONEY, [KEY], released=True)
    assert (hold.actor, hold.released_by, hold.release_reason) == ("ann", "ann", "it is there")


def test_the_ui_shows_who_held_and_who_released(dataplat: CommandLine, config: Config) -> None:
    dataplat("hold", MONEY, "20260301", "--reason", "late")
    dataplat("release", MONEY, "20260301", "--reason", "it is there", environ={"DATAPLAT_ACTOR": "bob"})
    environ = {"DATAPLAT_CONFIG": str(config.dir), "DATAPLAT_HOME": str(dataplat.home)}
    settings = read_settings(environ)
    with open_instance(settings.dagster_home, load_catalog(settings.config_dir, environ)) as instance:
        key = dg.AssetCheckKey(dg.AssetKey(["ods", "ods", "ods_t_money_record"]), "not_held")
        told = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
        runs = [(run.job_name, run.tags["dataplat/actor"]) for run in instance.get_runs()]
    assert [(record.partition, record.status.value) for record in told] == [
        (KEY, "SUCCEEDED"),
        (KEY, "FAILED"),
    ]
    assert runs == [("release", "bob"), ("hold", "ann")]


def test_releasing_what_nobody_holds_is_refused(dataplat: CommandLine) -> None:
    ran = dataplat("release", MONEY, "20260301", "--reason", "x")
    assert (ran.code, ran.out, ran.err) == (
        2,
        "",
        (
            "ods.ods_t_money_record[2026-03-01]: nobody holds this partition\n"
            "  effect   nothing was changed\n"
            "  next     dataplat ledger ods.ods_t_money_record 2026-03-01\n"
        ),
    )


@pytest.mark.parametrize(
    ("until", "shown"),
    [
        ("2h", "2026-03-20 11:00:00"),
        ("1d", "2026-03-21 09:00:00"),
        ("2026-03-20 18:30", "2026-03-20 18:30:00"),
        ("2026-03-20T12:00:00+00:00", "2026-03-20 20:00:00"),
        ("2026-03-20", "2026-03-21 00:00:00"),
        ("20260320", "2026-03-21 00:00:00"),
    ],
)
def test_a_waiver_ends_when_it_says(dataplat: CommandLine, until: str, shown: str) -> None:
    ran = dataplat("waive", DAY, "20260301", "--reason", "known gap", "--until", until)
    assert (ran.code, ran.err, ran.out) == (
        0,
        "",
        (
            f"dw.dw_money_day[2026-03-01] may pass its gate once until {shown}: known gap\n"
            "use it with: dataplat load dw.dw_money_day --date 2026-03-01\n"
        ),
    )


@pytest.mark.parametrize(
    ("until", "code", "message"),
    [
        (
            "soon",
            2,
            (
                "dw.dw_money_day[2026-03-01]: 'soon' is no time that can be read\n"
                "  expected   2h, 1d, 2026-01-09 or '2026-01-09 18:00'\n"
                "  effect     the gate stays closed\n"
            ),
        ),
        (
            "2026-03-19",
            1,
            (
                "dw.dw_money_day[2026-03-01]: a waiver must end in the future\n"
                "  until    2026-03-19 16:00:00 UTC\n"
                "  now      2026-03-20 01:00:00 UTC\n"
                "  effect   the gate stays closed\n"
                "  next     dataplat waive dw.dw_money_day 2026-03-01 --reason … --until …\n"
            ),
        ),
    ],
)
def test_a_time_that_is_none_or_over_leaves_the_gate_closed(
    dataplat: CommandLine, until: str, code: int, message: str
) -> None:
    ran = dataplat("waive", DAY, "20260301", "--reason", "x", "--until", until)
    assert (ran.code, ran.out, ran.err) == (code, "", message)


NO_TIMES = ("", "2", "-1d", "2026-02-30", "18:00")
BEYOND_THE_CALENDAR = ("999999w", "9999-12-31", "9999-12-31T23:00:00+00:00", "0001-01-01 00:00")


@pytest.mark.parametrize("until", [*NO_TIMES, *BEYOND_THE_CALENDAR])
def test_what_is_no_time_is_never_a_bug(dataplat: CommandLine, until: str) -> None:
    ran = dataplat("waive", DAY, "20260301", "--reason", "x", "--until", until)
    assert (ran.code, ran.out, ran.err.splitlines()[0]) == (
        2,
        "",
        f"dw.dw_money_day[2026-03-01]: '{until}' is no time that can be read",
    )


def test_a_table_that_is_loaded_has_no_gate_to_waive(dataplat: CommandLine) -> None:
    ran = dataplat("waive", MONEY, "20260301", "--reason", "x", "--until", "2h")
    assert (ran.code, ran.out, ran.err) == (
        2,
        "",
        (
            "ods.ods_t_money_record: this is not a model\n"
            "  found      a table that is loaded from market\n"
            "  declared   config/ods/ods_t_money_record.yaml:2 table\n"
            "  effect     nothing was run\n"
        ),
    )
    assert not dataplat.home.exists()


@pytest.mark.parametrize("command", ["hold", "release", "waive"])
def test_a_reason_must_say_something(dataplat: CommandLine, command: str) -> None:
    more = ["--until", "2h"] if command == "waive" else []
    ran = dataplat(command, DAY, "20260301", "--reason", " ", *more)
    assert (ran.code, ran.out, ran.err) == (
        2,
        "",
        (
            f"dataplat {command}: invalid value for '--reason': it is empty,"
            " and who comes next has to read why\n"
            f"  next   dataplat {command} --help\n"
        ),
    )


def test_the_ledger_tells_holds_and_waivers_of_what_was_never_made(dataplat: CommandLine) -> None:
    dataplat("hold", DAY, "20260301", "--reason", "looks odd")
    dataplat("waive", DAY, "20260301", "--reason", "known gap", "--until", "2h")
    assert dataplat("ledger", DAY, "20260301").out == (
        "dw.dw_money_day[2026-03-01] was never loaded:"
        " dataplat load dw.dw_money_day --date 2026-03-01\n"
        "\nheld since 2026-03-20 09:00:00 by ann: looks odd\n"
        "\nwaived once until 2026-03-20 11:00:00 by ann: known gap\n"
    )


def test_json_is_what_was_recorded(dataplat: CommandLine) -> None:
    held = dataplat("hold", MONEY, "20260301", "--reason", "late", "--json").document["hold"]
    assert (held["table"], held["partition"], held["actor"], held["reason"]) == (MONEY, KEY, "ann", "late")
    (ended,) = dataplat("release", MONEY, KEY, "--reason", "ok", "--json").document["released"]
    assert (ended["id"], ended["release_reason"]) == (held["id"], "ok")
    given = dataplat("waive", DAY, KEY, "--reason", "gap", "--until", "2h", "--json").document["waiver"]
    assert (given["table"], given["until"], given["used_at"]) == (DAY, "2026-03-20T03:00:00+00:00", None)
