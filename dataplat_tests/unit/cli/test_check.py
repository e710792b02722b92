"""``dataplat check`` without ``--connect``."""

from dataplat_tests.conftest import Golden
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.cli.test_main import GOLDEN
from dataplat_tests.unit.specs.folder import FLOW, MONEY, Config

COLUMNS = 'columns: [id, operation_type, "CAST(create_time AS CHAR) AS created_text"]'
SECRETS = {"MARKET_PASSWORD": "a", "LOGISTICS_PASSWORD": "b"}


def test_a_right_folder_is_summed_up(dataplat: CommandLine, golden: Golden) -> None:
    ran = dataplat("check", environ=SECRETS)
    assert (ran.code, ran.err) == (0, "")
    golden(GOLDEN / "check.txt", ran.out)


def test_a_secret_that_is_not_set_is_a_warning_and_no_failure(dataplat: CommandLine) -> None:
    ran = dataplat("check", environ={"MARKET_PASSWORD": "a"})
    assert (ran.code, ran.err) == (
        0,
        "warning: config/sources/logistics.yaml:6 password: ${LOGISTICS_PASSWORD} is not set here\n",
    )


def test_every_problem_of_every_file_is_told_at_once(
    dataplat: CommandLine, config: Config, golden: Golden
) -> None:
    config.replace(MONEY, "load: incremental", "lode: incremental")
    config.replace(FLOW, "source: logistics", "source: logistic")
    config.replace(FLOW, "$[yyyy_MM]", "$[yyyy_MN]")
    config.replace(
        FLOW, COLUMNS, 'columns: [id, "upper(operation_type)", "count(*) AS n"]\nwhere: "d > $[yyyyMMdd-]"'
    )
    ran = dataplat("check")
    assert (ran.code, ran.out) == (1, "")
    golden(GOLDEN / "check_problems.txt", ran.err)


def test_an_expected_shard_that_nobody_can_mean_is_a_problem_at_its_line(
    dataplat: CommandLine, config: Config
) -> None:
    config.replace(FLOW, "expect: history", "expect: ['t_{9..1}', 't_$[yyyy_MN]']")
    ran = dataplat("check")
    assert ran.code == 1
    unreadable = "'M' is no date token; did you mean 'MM'? (character 8)"
    place = "  config/ods/ods_t_package_flow_log.yaml:10   from.shards.expect"
    assert sorted(ran.err.splitlines()[1:3]) == [
        f"{place}[0]: the range {{9..1}} ends before it begins",
        f"{place}[1]: date expression $[yyyy_MN] cannot be read: {unreadable}",
    ]


def test_json_lists_the_same_problems(dataplat: CommandLine, config: Config) -> None:
    config.replace(FLOW, "source: logistics", "source: logistic")
    document = dataplat("check", "--json").document
    assert document["error"]["facts"] == [
        {
            "label": "config/ods/ods_t_package_flow_log.yaml:3",
            "text": "source: there is no source 'logistic'; did you mean 'logistics'?",
        }
    ]


def test_json_counts_what_is_right(dataplat: CommandLine) -> None:
    assert dataplat("check", "--json", environ=SECRETS).document == {
        "ok": True,
        "config": "config",
        "layers": {
            "ods": {
                "tables": 2,
                "incremental": 2,
                "snapshot": 0,
                "models": 0,
                "checks": 3,
                "scheduled": 1,
            }
        },
        "sources": {
            "logistics": {"kind": "mysql", "host": "127.0.0.1", "port": 3306, "tables": 1},
            "market": {"kind": "mysql", "host": "127.0.0.1", "port": 3306, "tables": 1},
        },
        "missing_secrets": [],
    }


def test_a_folder_that_is_not_there_is_one_message(dataplat: CommandLine) -> None:
    dataplat.masks[str(dataplat.config.parent)] = "DIR"
    ran = dataplat("check", "--config", str(dataplat.config.parent / "nowhere"))
    assert (ran.code, ran.err) == (
        1,
        (
            "nowhere: 1 problem in 1 file\n"
            "  nowhere:1   there is no folder DIR/nowhere; see --config and DATAPLAT_CONFIG\n"
            "  effect      nothing was run\n"
            "  next        dataplat check\n"
        ),
    )
