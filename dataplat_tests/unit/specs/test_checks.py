import pytest

from dataplat.specs import CheckSpec
from dataplat.specs.checks import CheckEntry
from dataplat_tests.unit.specs.folder import MONEY, Config


def check(text: dict[str, object]) -> CheckSpec:
    return CheckEntry.model_validate(text).check


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ({"not_null": ["id", "Account ID"]}, "not_null_id_account_id"),
        ({"unique": "id"}, "unique_id"),
        ({"accepted_values": {"column": "status", "values": [1, "b"]}}, "accepted_values_status"),
        ({"min_rows": 7}, "min_rows"),
        ({"volume": {"same_weekday": 4, "drop": "10%"}}, "volume"),
        ({"share": {"where": "gift", "at_most": "10%"}}, "share"),
        (
            {"share": {"by": "tag", "distinct": "user_id", "of": "dw.dau", "at_most": "10%"}},
            "share_tag_user_id",
        ),
        ({"match_rate": {"column": "url", "at_least": "95%"}}, "match_rate_url"),
        ({"fan_out": {"of": "ods.ods_t_account", "at_most": 1.0}}, "fan_out_ods_t_account"),
        ({"fan_out": {"of": "ods.t", "per": ["a", "b"]}}, "fan_out_a_b_t"),
        ({"referential": {"columns": "account_id", "of": "ods.t"}}, "referential_account_id_t"),
        ({"fresh": {"column": "at", "within": "6h"}}, "fresh_at"),
        ({"sql": {"query": "SELECT 1", "name": "no_negative_money"}}, "no_negative_money"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_name_of_a_check_follows_from_its_kind_and_columns(
    declared: dict[str, object], name: str
) -> None:
    assert check(declared).name == name


def test_a_name_that_is_given_is_the_name() -> None:
    assert check({"unique": {"columns": ["id"], "name": "ids_once"}}).name == "ids_once"


@pytest.mark.parametrize(
    ("blocks", "expected", "holds_all"),
    [
        ("all", "all", True),
        ("none", "none", False),
        ("dw.x", ("dw.x",), False),
        (["dw.x", "dw.y"], ("dw.x", "dw.y"), False),
    ],
)
def test_a_check_says_whom_it_holds_back(blocks: object, expected: object, holds_all: bool) -> None:
    found = check({"unique": {"columns": ["id"], "blocks": blocks}})

    assert (found.blocks, found.blocking) == (expected, holds_all)


def test_a_warning_holds_nobody_back_whatever_it_blocks() -> None:
    assert not check({"unique": {"columns": ["id"], "blocks": ["dw.x"], "severity": "warn"}}).blocking


def test_a_month_has_no_weekday(config: Config) -> None:
    config.replace(MONEY, "grain: day", "grain: month")
    config.replace(MONEY, "against: 7", "same_weekday: 4")

    text = "a month has no weekday; compare `against` earlier partitions"
    assert config.problems() == [f"config/{MONEY}:13  checks[2].volume.same_weekday: {text}"]


def test_while_another_table_is_broken_no_table_is_called_unknown(config: Config) -> None:
    config.replace(MONEY, "- unique: [id]", "- fan_out: {of: ods.ods_t_package_flow_log}")
    config.replace("ods/ods_t_package_flow_log.yaml", "load: incremental", "load: x")

    assert [text for text in config.problems() if "there is no table" in text] == []


def test_a_table_of_others_may_be_compared_with(config: Config) -> None:
    config.add("platform.yaml", "\nexternal: [crm.t, {table: crm.u, grain: day, columns: [id]}]\n")
    config.replace(
        MONEY, "- unique: [id]", "- fan_out: {of: crm.t}\n  - referential: {columns: [id], of: crm.u}"
    )

    names = [check.name for check in config.load().table("ods.ods_t_money_record").checks]
    assert names == ["not_null_id_account_id", "fan_out_t", "referential_id_u", "volume"]
