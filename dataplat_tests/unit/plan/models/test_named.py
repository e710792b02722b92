"""What checks say about models: only the graph knows what these make, read and wait for."""

from typing import Any

from dataplat.plan.gate import closing_checks
from dataplat.plan.models.inspect import inspect_models
from dataplat.specs import ModelSpec, TableSpec
from dataplat_tests.unit.plan.models.builders import catalog, declared, loaded, model

DAY = "SELECT a.id, a.name AS called FROM ods.ods_t_account a WHERE a.ds = '{{ ds }}'"


def account(*checks: Any) -> TableSpec:
    spec = loaded("ods.ods_t_account", ["id", "name"])
    keys = spec.model_dump(by_alias=True, exclude={"check_entries"}) | {"checks": list(checks)}
    keys["from"] = {"database": "d", "table": "t"}
    return TableSpec.model_validate(keys).declared_in(declared(spec.table))


def problems(*specs: ModelSpec | TableSpec) -> list[str]:
    return [f"{one.at} {one.message}" for one in inspect_models(catalog(*specs))]


def test_a_downstream_that_reads_the_table_may_be_named() -> None:
    check = {"unique": {"columns": ["id"], "blocks": ["dw.day"]}}
    assert problems(account(check), model(DAY, "dw.day")) == []
    assert closing_checks(account(check), "dw.day") == ("unique_id",)
    assert closing_checks(account(check), "dw.other") == ()


def test_warnings_and_checks_that_block_all_or_none_close_no_single_gate() -> None:
    checks = [
        {"unique": {"columns": ["id"], "blocks": ["dw.day"], "severity": "warn"}},
        {"not_null": {"columns": ["id"], "blocks": "all"}},
        {"not_null": {"columns": ["name"], "blocks": "none"}},
    ]
    assert closing_checks(account(*checks), "dw.day") == ()


def test_a_downstream_that_does_not_read_the_table_cannot_wait_for_it() -> None:
    check = {"unique": {"columns": ["id"], "blocks": ["dw.days"]}}
    other = model("SELECT 1 AS one", "dw.days")
    assert problems(account(check), model(DAY, "dw.day"), other) == [
        (
            "config/ods/ods_t_account.yaml:1 checks[0].unique.blocks[0]: dw.days does not read"
            " ods.ods_t_account, so it cannot wait for it; did you mean 'dw.day'?"
        )
    ]


def test_a_table_that_nobody_reads_blocks_nobody() -> None:
    check = {"unique": {"columns": ["id"], "blocks": ["ads.quite_else"]}}
    other = model("SELECT 1 AS one", "ads.quite_else")
    assert problems(account(check), other) == [
        (
            "config/ods/ods_t_account.yaml:1 checks[0].unique.blocks[0]: ads.quite_else does not read"
            " ods.ods_t_account, so it cannot wait for it; it is read by no model"
        )
    ]


def test_who_reads_the_latest_partition_waits_for_none() -> None:
    check = {"unique": {"columns": ["id"], "blocks": ["dw.day"]}}
    latest = model("SELECT id FROM ods.ods_t_account", "dw.day", reads={"ods.ods_t_account": "latest"})
    assert problems(account(check), latest) == [
        (
            "config/ods/ods_t_account.yaml:1 checks[0].unique.blocks[0]: dw.day reads ods.ods_t_account as"
            " `latest`, so it waits for no partition of it"
        )
    ]


def test_a_fan_out_is_of_a_table_that_the_model_reads() -> None:
    day = model(DAY, "dw.day", checks=[{"fan_out": {"of": "ods.ods_t_acount"}}])
    assert problems(account(), loaded("ods.ods_t_acount"), day) == [
        (
            "config/dw/day.yaml:1 checks[0].fan_out.of: dw.day does not read ods.ods_t_acount, so it cannot"
            " multiply its rows; did you mean 'ods.ods_t_account'?"
        )
    ]
    far = model(DAY, "dw.day", checks=[{"fan_out": {"of": "x.y"}}])
    assert problems(account(), loaded("x.y"), far) == [
        (
            "config/dw/day.yaml:1 checks[0].fan_out.of: dw.day does not read x.y, so it cannot multiply its"
            " rows; it reads ods.ods_t_account"
        )
    ]


def test_a_column_of_another_model_must_be_one_that_it_makes() -> None:
    check = {"referential": {"columns": ["id"], "of": "dw.day", "to": ["idd"]}}
    assert problems(account(check), model(DAY, "dw.day")) == [
        (
            "config/ods/ods_t_account.yaml:1 checks[0].referential.to[0]: 'idd' is no column of dw.day;"
            " did you mean 'id'?"
        )
    ]


def test_a_check_may_read_the_partition_column_of_its_model_and_no_column_that_it_does_not_make() -> None:
    day = model(DAY, "dw.day", checks=[{"not_null": ["ds", "caled"]}])
    assert problems(account(), day) == [
        (
            "config/dw/day.yaml:1 checks[0].not_null[1]: 'caled' is not a column of the SQL;"
            " did you mean 'called'?"
        )
    ]
