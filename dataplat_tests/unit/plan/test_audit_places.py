"""Where an audit asks and writes: environment before file, and messages that name both (A15, A43)."""

import pytest

from dataplat.errors import SelectionError
from dataplat.plan.audit_places import ClickHousePlace, MySqlPlace, clickhouse_place, mysql_place
from dataplat.specs.audit_tasks import ResultsSpec, TaskListSpec
from dataplat.specs.secrets import Secret

ASK = {"query_template": "SELECT 1"}


def tasks(**written: object) -> TaskListSpec:
    return TaskListSpec.model_validate({**ASK, **written})


@pytest.mark.parametrize(
    ("written", "environ", "hosts"),
    [
        ({"host": "a"}, {}, [("a", 8123)]),
        ({"host": "a", "secure": True}, {}, [("a", 8443)]),
        ({"hosts": ["a", "b:8124"], "port": 80}, {}, [("a", 80), ("b", 8124)]),
        ({"host": "a"}, {"CLICKHOUSE_HOST": "b, c"}, [("b", 8123), ("c", 8123)]),
        ({"host": "a", "port": 80}, {"CLICKHOUSE_PORT": "81"}, [("a", 81)]),
        ({"host": "::1"}, {}, [("::1", 8123)]),
        ({"host": "a"}, {"CLICKHOUSE_HOST": ""}, [("a", 8123)]),
    ],
)
def test_hosts_and_ports(written: dict[str, object], environ: dict[str, str], hosts: list[object]) -> None:
    assert list(clickhouse_place(tasks(**written), environ, "nightly").hosts) == hosts


def test_defaults_are_the_old_ones_a15() -> None:
    assert clickhouse_place(tasks(host="a"), {}, "n") == ClickHousePlace(
        (("a", 8123),), "default", "default", ""
    )


def test_the_environment_stands_before_the_file_a43() -> None:
    spec = ResultsSpec.model_validate({"host": "a", "database": "d", "user": "u", "password": "${P}"})
    assert mysql_place(spec, {}, "n") == MySqlPlace("a", 3306, "d", "u", Secret.parse("${P}"), "utf8mb4")
    names = ("HOST", "PORT", "DATABASE", "USER", "PASSWORD", "CHARSET")
    environ = {f"MYSQL_{name}": "7" if name == "PORT" else name.lower() for name in names}
    assert mysql_place(spec, environ, "n") == MySqlPlace("host", 7, "database", "user", "password", "charset")


def test_what_is_missing_is_told_with_its_variable_a43() -> None:
    with pytest.raises(SelectionError) as caught:
        mysql_place(ResultsSpec(host="a"), {}, "nightly")
    assert str(caught.value) == (
        "results of audit nightly: no database is named\n"
        "  searched   environment variable MYSQL_DATABASE\n"
        "             results.database of the audit's file\n"
        "  effect     nothing was audited\n"
        "  next       export MYSQL_DATABASE=…"
    )
    with pytest.raises(SelectionError, match="CLICKHOUSE_HOST"):
        clickhouse_place(tasks(), {}, "nightly")


@pytest.mark.parametrize(
    ("port", "found"),
    [
        (
            "9000",
            "9000 speaks ClickHouse's native protocol; expected the HTTP port, 8123 or with TLS 8443",
        ),
        ("http", "'http' is no number"),
        ("70000", "expected 1 to 65535, found 70000"),
    ],
)
def test_a_port_that_cannot_be_used_is_told(port: str, found: str) -> None:
    with pytest.raises(SelectionError) as caught:
        clickhouse_place(tasks(host="a"), {"CLICKHOUSE_PORT": port}, "nightly")
    assert str(caught.value) == (
        "tasks of audit nightly: CLICKHOUSE_PORT is no port that can be used\n"
        f"  found    {found}\n"
        "  effect   nothing was audited"
    )
