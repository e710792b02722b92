import pickle
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dataplat.errors import SpecError
from dataplat.specs import RetentionSpec, load_catalog
from dataplat_tests.unit.specs.folder import FLOW, MARKET, MONEY, PLATFORM, Config

LONG_LEDGER = "ledger: sqlite:///${DATAPLAT_HOME:-.dataplat}/ledger.db"


def test_the_examples_of_the_design_load_as_they_are_written(config: Config) -> None:
    catalog = config.load()

    money = catalog.table("ods.ods_t_money_record")
    assert money.asset_path == ("ods", "ods", "ods_t_money_record")
    assert money.owner == ("team:warehouse",)
    assert (money.read_from.database, money.read_from.table) == ("market", "t_money_record")
    assert (money.window.column, money.window.grain, money.window.start) == (
        "update_time",
        "day",
        date(2026, 1, 1),
    )
    assert money.columns != "*"
    assert money.columns[5].text == "detail AS detail_json"
    assert [check.name for check in money.checks] == ["not_null_id_account_id", "unique_id", "volume"]
    assert [check.blocking for check in money.checks] == [True, True, False]
    flow = catalog.table("ods.ods_t_package_flow_log")
    shards = flow.read_from.shards
    assert shards is not None
    assert (shards.identity, shards.expect, shards.pattern) == ("shard_name", "history", None)
    assert shards.discover[0].endswith("LIKE 't_package_flow_log_%_$[yyyy_MM]'")
    assert catalog.platform.retention == RetentionSpec(versions=3, grace=timedelta(days=2))


def test_what_a_table_leaves_open_is_decided_by_its_platform_and_source(config: Config) -> None:
    config.replace(PLATFORM, "{column: ds, format: yyyy-MM-dd}", "{column: dt, hour_column: hh}")
    config.replace(PLATFORM, "versions: 3", "versions: 9")
    config.add(MONEY, "\npartition: {format: yyyyMMdd}\nretention: {grace: 1h}\ngroup: money\n")
    catalog = config.load()

    money, flow = catalog.table("ods.ods_t_money_record"), catalog.table("ods.ods_t_package_flow_log")
    assert (money.partition.column, money.partition.format) == ("dt", "yyyyMMdd")
    assert (flow.partition.hour_column, flow.partition.format) == ("hh", "yyyy-MM-dd")
    assert money.retention == RetentionSpec(versions=9, grace=timedelta(hours=1))
    assert (money.group, flow.group) == ("money", "logistics")
    assert flow.window.start == catalog.platform.start == date(2025, 1, 1)
    assert catalog.instances_of(money)[""].zone == ZoneInfo("Asia/Shanghai")


def test_a_source_may_keep_its_own_wall_clock(config: Config) -> None:
    config.add(MARKET, "\ntimezone: America/Los_Angeles\n")

    assert config.load().sources["market"].zone == ZoneInfo("America/Los_Angeles")


def test_relative_places_count_from_the_folder_that_holds_the_configuration(config: Config) -> None:
    root = config.dir.parent
    platform = config.load().platform

    assert platform.home == f"{root}/.dataplat"
    assert platform.warehouse == f"file://{root}/.dataplat/warehouse"
    assert str(platform.ledger) == f"sqlite:///{root}/.dataplat/ledger.db"


def test_absolute_and_remote_places_stay_as_they_are(config: Config) -> None:
    absolute = config.load({"DATAPLAT_HOME": "/srv/dp"}).platform
    config.replace(PLATFORM, "file://${DATAPLAT_HOME:-.dataplat}/warehouse", "hdfs://ns1/user/hive/warehouse")
    config.replace(PLATFORM, LONG_LEDGER, "ledger: mysql+pymysql://etl@db/dp")
    remote = config.load().platform

    assert (absolute.home, absolute.warehouse) == ("/srv/dp", "file:///srv/dp/warehouse")
    assert str(absolute.ledger) == "sqlite:////srv/dp/ledger.db"
    assert (remote.warehouse, str(remote.ledger)) == (
        "hdfs://ns1/user/hive/warehouse",
        "mysql+pymysql://etl@db/dp",
    )


def test_every_problem_of_every_file_is_in_one_error_by_file_and_line(config: Config) -> None:
    config.replace(MARKET, "port: 3306", "port: many")
    config.replace(MONEY, "load: incremental", "load: always")
    config.replace(MONEY, "window:", "windw:")
    config.write("ods/broken.yaml", "table: [\n")
    config.write("odss/lost.yaml", "table: a.b\n")
    config.write("ods/extra.txt", "")
    error = config.error()

    assert str(error) == (
        "config: 6 problems in 5 files\n"
        "  config/ods/broken.yaml:2               is not YAML: while parsing a flow node did not find"
        " expected node content\n"
        "  config/ods/extra.txt:1                 is not read by anything; expected *.yaml here\n"
        "  config/ods/ods_t_money_record.yaml:6   load: 'always' is unknown; allowed: incremental, snapshot\n"
        "  config/ods/ods_t_money_record.yaml:7   windw: unknown key; did you mean 'window'?\n"
        "  config/odss:1                          is not read by anything; did you mean 'ods'?\n"
        "  config/sources/market.yaml:4           port: expected a whole number, found 'many'\n"
        "  effect                                 nothing was run\n"
        "  next                                   dataplat check"
    )


def test_a_folder_that_is_not_there_is_a_problem_that_says_how_to_name_another(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_catalog(tmp_path / "conf", {})

    expected = f"there is no folder {tmp_path}/conf; see --config and DATAPLAT_CONFIG"
    assert caught.value.facts == (("conf:1", expected),)


def test_a_missing_platform_file_is_a_problem(config: Config) -> None:
    (config.dir / PLATFORM).unlink()

    assert config.problems() == ["config/platform.yaml:1  is required, and missing"]


def test_a_broken_source_is_not_reported_again_by_its_tables(config: Config) -> None:
    config.write(MARKET, "")

    assert config.problems() == ["config/sources/market.yaml:1  expected keys and values, found nothing"]


def test_a_file_that_is_not_utf_8_is_a_problem_at_its_line(config: Config) -> None:
    (config.dir / MONEY).write_bytes(b"table: ods.x\nowner: \xff\n")

    assert config.problems() == [f"config/{MONEY}:2  is not UTF-8 text"]


def test_a_file_that_cannot_be_read_is_a_problem(config: Config) -> None:
    (config.dir / MONEY).unlink()
    (config.dir / MONEY).mkdir()

    assert config.problems() == [f"config/{MONEY}:1  cannot be read: Is a directory"]


def test_files_of_other_kinds_are_left_alone(config: Config) -> None:
    for file in ("ods/schema.lock.yaml", ".git/x", "ods/.x.yaml.swp", "README.md"):
        config.write(file, "whatever")
    for file in (
        "deliveries/x.yaml",
        "alerts.yaml",
        "schemas/table.json",
        "udfs/places.csv",
    ):
        config.write(file, "whatever")

    assert len(config.load().tables) == 2


def test_two_files_cannot_declare_one_table(config: Config) -> None:
    config.replace(FLOW, "table: ods.ods_t_package_flow_log", "table: ods.ods_t_money_record")

    assert config.problems() == [
        f"config/{FLOW}:2  table: 'ods.ods_t_money_record' is already declared in config/{MONEY}:2"
    ]


def test_two_tables_cannot_differ_by_case_alone(config: Config) -> None:
    config.replace(FLOW, "table: ods.ods_t_package_flow_log", "table: ODS.ods_t_money_record")

    same = "'ODS.ods_t_money_record' is 'ods.ods_t_money_record'"
    assert config.problems() == [
        f"config/{FLOW}:2  table: {same} of config/{MONEY}:2 to Hive, which ignores upper and lower case"
    ]


def test_a_column_cannot_be_there_twice_or_be_the_partition(config: Config) -> None:
    config.replace(MONEY, "type, money", "ID, now() AS `Ds`")

    assert config.problems() == [
        f"config/{MONEY}:8  columns[2]: 'id' is already columns[0]; Hive ignores upper and lower case",
        f"config/{MONEY}:8  columns[3]: 'ds' is the partition column; give it another name with AS",
    ]


def test_an_hourly_table_needs_two_partition_columns(config: Config) -> None:
    config.replace(MONEY, "grain: day", "grain: hour")
    config.add(MONEY, "\npartition: {column: hr}\n")

    assert config.problems() == [
        f"config/{MONEY}:16  partition.column: the day and the hour cannot both be in column 'hr'"
    ]


def test_an_invisible_character_is_shown_by_its_number(config: Config) -> None:
    config.replace(MONEY, "source: market", "source: market\u200b")

    assert config.problems() == [
        f"config/{MONEY}:4  source: there is no source 'market\\u200b'; did you mean 'market'?"
    ]


def test_columns_whose_name_only_sql_knows_stop_no_check(config: Config) -> None:
    config.replace(MONEY, '"detail AS detail_json"', '"max(detail) other"')
    config.replace(MONEY, "key: [id]", "key: [other]")

    assert config.load().table("ods.ods_t_money_record").key == ("other",)


def test_a_source_is_named_by_its_file_in_letters_digits_and_underscores(config: Config) -> None:
    config.write("sources/my-db.yaml", config.read(MARKET))

    problem = "the name 'my-db', taken from the file, may hold letters, digits and _ only"
    assert config.problems() == [f"config/sources/my-db.yaml:2  {problem}"]


def test_a_catalog_survives_a_pickle_with_its_lines(config: Config) -> None:
    catalog = pickle.loads(pickle.dumps(config.load()))

    table = catalog.table("ods.ods_t_money_record")
    assert table.declared.at("checks", 1) == f"config/{MONEY}:12 checks[1]"
    assert table.check_at("volume") == f"config/{MONEY}:13 checks[2].volume"
    assert table.check_at("row_count_matches_source") == f"config/{MONEY}:2"
    assert table.declared.path == config.dir / MONEY
