"""Models on the command line: checked, planned, explained, rendered, and traced to where they come from."""

import pytest

from dataplat_tests.conftest import Golden
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.cli.test_main import GOLDEN, SLOW, modules_after
from dataplat_tests.unit.cli.warehouse import DAY, DIM, WEEK, add_models
from dataplat_tests.unit.specs.folder import FLOW, MONEY, Config

MODELS = GOLDEN / "models"
SECRETS = {"MARKET_PASSWORD": "a", "LOGISTICS_PASSWORD": "b"}


@pytest.fixture(autouse=True)
def _models(config: Config) -> None:
    add_models(config)


def shown(ran_out: str) -> str:
    """What was printed, if it fits a terminal of 80 columns."""
    assert max(map(len, ran_out.splitlines())) <= 80
    return ran_out


def test_check_counts_models_in_each_layer(dataplat: CommandLine, golden: Golden) -> None:
    ran = dataplat("check", environ=SECRETS)
    assert (ran.code, ran.err) == (0, "")
    golden(MODELS / "check.txt", shown(ran.out))


def test_check_tells_the_problems_of_models_beside_those_of_tables(
    dataplat: CommandLine, config: Config, golden: Golden
) -> None:
    config.replace(FLOW, "$[yyyy_MM]", "$[yyyy_MN]")
    config.replace("dw/dw_money_day.sql", "m.ds = '{{ ds }}' AND", "")
    config.replace("dw/dw_money_day.sql", "r.ds = m.ds", "r.id = m.id")
    config.replace("ads/ads_money_week.sql", f"FROM {DAY}", "FROM dw.dw_mony_day")
    config.replace("dim/dim_account.sql", "GROUP BY", "GRUP BY")
    ran = dataplat("check")
    assert (ran.code, ran.out) == (1, "")
    golden(MODELS / "check_problems.txt", ran.err)


def test_a_file_that_cannot_be_read_is_told_without_its_consequences(
    dataplat: CommandLine, config: Config
) -> None:
    config.replace(MONEY, "load: incremental", "lode: incremental")
    config.replace("dim/dim_account.sql", "GROUP BY", "GRUP BY")
    ran = dataplat("check")
    assert (ran.code, ran.out, ran.err) == (
        1,
        "",
        (
            "config: 2 problems in 1 file\n"
            "  config/ods/ods_t_money_record.yaml:2   load: is required, and missing\n"
            "  config/ods/ods_t_money_record.yaml:6   lode: unknown key; did you mean 'load'?\n"
            "  effect                                 nothing was run\n"
            "  next                                   dataplat check\n"
        ),
    )


def test_a_dry_run_puts_models_after_what_they_read(dataplat: CommandLine, golden: Golden) -> None:
    ran = dataplat("load", "*", "--date", "2026-03-05", "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    golden(MODELS / "dry_run.txt", ran.out)
    assert not dataplat.home.exists()


def test_json_of_a_dry_run_says_sql_and_no_source(dataplat: CommandLine) -> None:
    (table,) = dataplat("load", WEEK, "--dry-run", "--json").document["tables"]
    assert (table["load"], table["source"], table["partitions"]) == ("sql", None, ["2026-03-19"])


def test_a_load_with_a_model_that_is_wrong_runs_nothing(dataplat: CommandLine, config: Config) -> None:
    config.replace("ads/ads_money_week.sql", f"FROM {DAY}", "FROM dw.dw_mony_day")
    assert dataplat("load", "ods.*", "--dry-run").code == 0
    ran = dataplat("load", "*", "--dry-run")
    assert (ran.code, ran.out, ran.err.splitlines()[0]) == (1, "", "config: 1 problem in 1 file")


def test_explain_of_a_model_is_its_sql_and_what_it_reads(dataplat: CommandLine, golden: Golden) -> None:
    ran = dataplat("explain", DAY, "--date", "2026-03-01,2026-03-05")
    assert (ran.code, ran.err) == (0, "")
    golden(MODELS / "explain.txt", shown(ran.out))


def test_json_of_explain_has_every_partition(dataplat: CommandLine) -> None:
    document = dataplat("explain", WEEK, "--date", "2026-03-07", "--json").document
    (found,) = document["partitions"]
    assert document["sql_file"] == "config/ads/ads_money_week.sql"
    assert found["upstreams"] == {
        DIM: ["2026-03-07"],
        DAY: [f"2026-03-0{day}" for day in range(1, 8)],
    }
    assert "BETWEEN '2026-03-01' AND '2026-03-07'" in found["sql"]


def test_render_prints_the_sql_of_a_partition(dataplat: CommandLine) -> None:
    ran = dataplat("render", WEEK, "20260307")
    assert (ran.code, ran.err, ran.out) == (
        0,
        "",
        (
            "SELECT d.account_id, sum(d.money) AS money\n"
            "FROM dw.dw_money_day d JOIN dim.dim_account a"
            " ON a.account_id = d.account_id AND a.ds = '2026-03-07'\n"
            "WHERE d.ds BETWEEN '2026-03-01' AND '2026-03-07' GROUP BY d.account_id\n"
        ),
    )


def test_json_of_render_names_the_file(dataplat: CommandLine) -> None:
    document = dataplat("render", DIM, "20260307", "--json").document
    assert {name: document[name] for name in ("ok", "table", "partition", "sql_file")} == {
        "ok": True,
        "table": DIM,
        "partition": "2026-03-07",
        "sql_file": "config/dim/dim_account.sql",
    }


def test_a_loaded_table_has_no_sql_to_render(dataplat: CommandLine) -> None:
    ran = dataplat("render", "ods.ods_t_money_record", "20260307")
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


def test_lineage_of_a_table_follows_models_down_to_sources(dataplat: CommandLine, golden: Golden) -> None:
    golden(MODELS / "lineage_table.txt", shown(dataplat("lineage", WEEK).out))


def test_lineage_of_what_is_loaded_says_who_reads_it(dataplat: CommandLine) -> None:
    assert dataplat("lineage", "ods.ods_t_money_record").out == (
        "ods.ods_t_money_record, loaded from market\n\nread by dim.dim_account, dw.dw_money_day\n"
    )


def test_json_of_a_table_s_lineage_has_each_table_once(dataplat: CommandLine) -> None:
    document = dataplat("lineage", WEEK, "--json").document
    assert list(document["upstreams"]) == [WEEK, DIM, "ods.ods_t_money_record", DAY, "legacy.rates"]
    assert document["upstreams"][WEEK][1] == {
        "table": DAY,
        "grain": "day",
        "reads": "partitions",
        "partitions": ["-6..0 days"],
        "stated": False,
        "external": False,
    }
    assert document["downstreams"] == []


def test_lineage_of_a_column_follows_its_value(dataplat: CommandLine, golden: Golden) -> None:
    golden(MODELS / "lineage_column.txt", shown(dataplat("lineage", f"{WEEK}.money").out))


def test_a_column_of_no_column_says_so(dataplat: CommandLine) -> None:
    assert dataplat("lineage", f"{DIM}.records").out == f"{DIM}.records: made of no column\n"


def test_json_of_a_column_s_lineage(dataplat: CommandLine) -> None:
    document = dataplat("lineage", f"{WEEK}.money", "--json").document
    assert document == {
        "ok": True,
        "table": WEEK,
        "column": "money",
        "columns": {
            f"{WEEK}.money": {"sources": [f"{DAY}.money"], "complete": True},
            f"{DAY}.money": {
                "sources": ["legacy.rates.rate", "ods.ods_t_money_record.money"],
                "complete": True,
            },
        },
    }


def test_a_column_that_is_not_made_is_answered_with_the_nearest(dataplat: CommandLine) -> None:
    ran = dataplat("lineage", f"{DAY}.mony")
    assert (ran.code, ran.out, ran.err) == (
        2,
        "",
        (
            "dw.dw_money_day.mony: the model makes no such column; did you mean 'money'?\n"
            "  columns    account_id, type, money\n"
            "  declared   config/dw/dw_money_day.sql\n"
            "  effect     nothing was run\n"
            "  next       dataplat lineage dw.dw_money_day\n"
        ),
    )


@pytest.mark.parametrize("command", ["ledger", "versions"])
def test_a_model_that_was_never_made_says_how_to(dataplat: CommandLine, command: str) -> None:
    assert dataplat(command, DAY).out == f"{DAY} was never loaded: dataplat load {DAY}\n"


def test_there_is_nothing_to_collect_of_models_that_were_never_made(dataplat: CommandLine) -> None:
    assert dataplat("collect", "layer:dw", "--dry-run").out == "there is nothing to collect\n"


@pytest.mark.parametrize(
    "arguments",
    [["render", DAY, "20260307"], ["lineage", WEEK], ["load", "*", "--date", "20260307", "--dry-run"]],
)
def test_looking_at_models_imports_neither_spark_nor_dagster(
    dataplat: CommandLine, arguments: list[str]
) -> None:
    loaded = modules_after(dataplat, arguments)
    assert [name for name in SLOW if name in loaded] == []
