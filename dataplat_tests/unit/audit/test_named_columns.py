import pytest

from dataplat.audit.named_columns import require_named_columns
from dataplat.errors import SpecError
from dataplat_tests.unit.audit.builders import orders

CHECKS = [
    {"unique": ["idd"]},
    {"referential": {"columns": ["account"], "of": "ods.account"}},
    {"accepted_values": {"column": "ds", "values": ["2026-01-01"]}},
    {"share": {"by": "Status", "at_most": "50%"}},
]


def test_every_name_that_is_no_column_is_a_problem_at_its_line() -> None:
    spec = orders(CHECKS, key=["nr"], sensitive=["fone"])

    with pytest.raises(SpecError) as caught:
        require_named_columns(spec, ["id", "status", "phone", "account_id"], ["ds"])

    assert str(caught.value) == (
        "config: 4 problems in 1 file\n"
        "  config/ods/orders.yaml:1    key[0]: the key is 'nr', and ods.orders has no such column\n"
        "  config/ods/orders.yaml:1    sensitive[0]: sensitive is 'fone', and ods.orders has no such column;"
        " did you mean 'phone'?\n"
        "  config/ods/orders.yaml:10   checks[0].unique[0]: check unique_idd reads 'idd',"
        " and ods.orders has no such column; did you mean 'id'?\n"
        "  config/ods/orders.yaml:11   checks[1].referential.columns[0]:"
        " check referential_account_account reads 'account',"
        " and ods.orders has no such column; did you mean 'account_id'?\n"
        "  effect                      nothing was run\n"
        "  next                        dataplat check"
    )


def test_names_are_compared_as_hive_compares_them() -> None:
    require_named_columns(orders(CHECKS[2:], key=["ID"]), ["id", "status", "phone"], ["ds"])
