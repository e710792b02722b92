import pytest

from dataplat.errors import SelectionError
from dataplat_tests.unit.specs.folder import MARKET, MONEY, PLATFORM, Config

MONEY_NAME, FLOW_NAME = "ods.ods_t_money_record", "ods.ods_t_package_flow_log"


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        (MONEY_NAME, [MONEY_NAME]),
        ("*", [MONEY_NAME, FLOW_NAME]),
        ("ods.*", [MONEY_NAME, FLOW_NAME]),
        ("*flow*", [FLOW_NAME]),
        ("layer:ods", [MONEY_NAME, FLOW_NAME]),
        ("source:market", [MONEY_NAME]),
        (f"{FLOW_NAME}, ods.*", [MONEY_NAME, FLOW_NAME]),
    ],
)
def test_a_selection_names_each_table_once_in_order(
    config: Config, expression: str, names: list[str]
) -> None:
    assert [table.table for table in config.load().select(expression)] == names


@pytest.mark.parametrize(
    ("expression", "subject", "hint"),
    [
        ("ods.ods_t_mony_record", "ods.ods_t_mony_record", f"; did you mean '{MONEY_NAME}'?"),
        ("*,layer:odz", "layer:odz", "; did you mean 'layer:ods'?"),
        ("source:markets", "source:markets", "; did you mean 'source:market'?"),
        ("q*", "q*", ""),
        ("", "''", ""),
    ],
)
def test_a_selection_that_names_nothing_says_what_is_near(
    config: Config, expression: str, subject: str, hint: str
) -> None:
    with pytest.raises(SelectionError) as caught:
        config.load().select(expression)

    assert str(caught.value) == (
        f"{subject}: no such table{hint}\n"
        "  declared   2 tables in config/\n"
        "  effect     nothing was run\n"
        "  next       dataplat check"
    )


def test_one_table_is_named_exactly(config: Config) -> None:
    with pytest.raises(SelectionError):
        config.load().table("ods.*")


def test_the_sha_stays_when_nothing_about_the_rows_changes(config: Config) -> None:
    catalog = config.load()
    before = catalog.sha(catalog.table(MONEY_NAME))
    config.replace(MONEY, "owner: team:warehouse", "# moved down\nowner: team:other")
    config.replace(MONEY, "0 2 * * *", "0 3 * * *")
    config.replace(MARKET, "host: 127.0.0.1", "host: replica")
    again = config.load()

    assert again.sha(again.table(MONEY_NAME)) == before
    assert len(before) == 12


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (MONEY, "reason,", ""),
        (MONEY, "drop: 30%", "drop: 31%"),
        (PLATFORM, "timezone: Asia/Shanghai", "timezone: UTC"),
        (PLATFORM, "format: yyyy-MM-dd", "format: yyyyMMdd"),
        (MARKET, 'useSSL: "false"', 'useSSL: "true"'),
    ],
)
def test_the_sha_changes_with_what_is_loaded_or_checked(
    config: Config, file: str, old: str, new: str
) -> None:
    before = config.load()
    config.replace(file, old, new)
    after = config.load()

    assert after.sha(after.table(MONEY_NAME)) != before.sha(before.table(MONEY_NAME))
