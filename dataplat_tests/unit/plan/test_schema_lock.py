"""Each difference between a source, what was agreed to, and Hive has one class; and what a load does."""

from typing import Any

import pytest

from dataplat.errors import SchemaConflictError
from dataplat.plan.ddl import HiveColumn
from dataplat.plan.layouts import SourceColumn, group_layouts
from dataplat.plan.schema_lock import (
    SchemaDifference,
    compare_with_hive,
    compare_with_lock,
    names_used,
    refused,
    require_agreed,
    source_ddl,
)
from dataplat.plan.sql import PhysicalTable
from dataplat.specs import TableSpec
from dataplat_tests.unit.plan.models.builders import declared


def spec(**changes: Any) -> TableSpec:
    keys = {
        "table": "ods.t",
        "source": "shop",
        "from": {"database": "shop", "table": "t"},
        "load": "incremental",
        "window": {"column": "at"},
        "columns": "*",
    }
    return TableSpec.model_validate(keys | changes).declared_in(declared("ods.t"))


def classes(found: tuple[SchemaDifference, ...]) -> dict[str, tuple[str, str]]:
    return {one.column: (one.severity, one.reason) for one in found}


@pytest.mark.parametrize(
    ("was", "now", "severity", "reason"),
    [
        ("varchar(10)", "varchar(20)", "safe", "stored alike"),
        ("int(11)", "int", "safe", "stored alike"),
        ("enum('a')", "enum('a','b')", "safe", "stored alike"),
        ("datetime", "timestamp", "safe", "stored alike"),
        ("bigint(20)", "int(11)", "safe", "narrower"),
        ("decimal(10,4)", "decimal(8,2)", "safe", "narrower"),
        ("int(11)", "bigint(20)", "lossy", "int cannot hold every bigint"),
        ("int(11)", "int(10) unsigned", "lossy", "int cannot hold every bigint"),
        ("decimal(8,2)", "decimal(8,4)", "lossy", "decimal(8,2) cannot hold every decimal(8,4)"),
        ("int(11)", "varchar(9)", "breaking", "int becomes string"),
        ("date", "datetime", "breaking", "date becomes timestamp"),
        ("int(11)", "vector(3)", "breaking", "no Hive type holds it"),
        ("int(11)", "", "breaking", "gone"),
    ],
)
def test_a_change_of_a_column_has_a_class(was: str, now: str, severity: str, reason: str) -> None:
    (found,) = compare_with_lock({"c": was}, {"c": now} if now else {}, None)
    assert (found.was, found.now, found.severity, found.reason) == (was, now, severity, reason)


def test_what_is_as_agreed_is_no_difference_whatever_its_case_or_place() -> None:
    assert compare_with_lock({"id": "int(11)", "A": "text"}, {"a": "text", "ID": "int(11)"}, None) == ()


def test_a_column_that_is_not_read_never_stops_a_load() -> None:
    table = spec(columns=["id", "concat(first, last) AS name"], where="deleted = 0")
    used = names_used(table)
    locked = {"id": "int(11)", "first": "text", "last": "text", "deleted": "int(11)", "x": "int(11)"}
    found = compare_with_lock(locked, {"id": "int(11)", "first": "text", "new": "vector(3)"}, used)
    assert classes(found) == {
        "last": ("breaking", "gone"),
        "deleted": ("breaking", "gone"),
        "x": ("safe", "not read"),
        "new": ("safe", "new, not read"),
    }


def test_a_new_column_is_safe_unless_it_has_no_type() -> None:
    found = compare_with_lock({}, {"note": "text", "v": "vector(3)"}, None)
    assert classes(found) == {"note": ("safe", "new"), "v": ("breaking", "no Hive type holds it")}


def test_shards_of_a_partition_may_have_less_than_was_agreed() -> None:
    locked = {"id": "bigint(20) / int(11)", "note": "text"}
    assert compare_with_lock(locked, {"id": "int(11)"}, None, may_lack=True) == ()
    found = compare_with_lock(locked, {"id": "varchar(9) / int(11)"}, None, may_lack=True)
    assert classes(found) == {"id": ("breaking", "no Hive type holds it")}


def test_the_ddl_of_shards_names_every_type_of_a_column() -> None:
    def columns(**types: str) -> tuple[SourceColumn, ...]:
        return tuple(SourceColumn(name, kind, True, "", None) for name, kind in types.items())

    one, two = (PhysicalTable("d", name) for name in ("t_1", "t_2"))
    layouts = group_layouts({one: columns(id="int(11)", a="text"), two: columns(id="bigint(20)", b="date")})
    assert source_ddl(layouts) == {"id": "bigint(20) / int(11)", "a": "text", "b": "date"}


def test_hive_keeps_its_types_takes_new_columns_and_nothing_wider() -> None:
    hive = [HiveColumn("id", "bigint"), HiveColumn("fee", "decimal(8,2)"), HiveColumn("old", "string")]
    planned = [HiveColumn("id", "int"), HiveColumn("fee", "decimal(10,2)"), HiveColumn("note", "string")]
    assert classes(compare_with_hive(hive, planned)) == {
        "id": ("safe", "narrower than the table"),
        "fee": ("lossy", "decimal(8,2) cannot hold every decimal(10,2)"),
        "old": ("breaking", "not planned any more"),
        "note": ("safe", "will be added, NULL in older partitions"),
    }
    assert "old" not in classes(compare_with_hive(hive, planned, may_lack=True))
    assert compare_with_hive(None, planned) == ()


def test_evolve_takes_what_is_safe_and_refuse_takes_nothing_from_the_lock() -> None:
    differences = (
        *compare_with_lock({"a": "int(11)"}, {"a": "bigint(20)", "b": "text"}, None),
        *compare_with_hive(
            [HiveColumn("a", "bigint")], [HiveColumn("a", "bigint"), HiveColumn("b", "string")]
        ),
    )
    assert [one.column for one in refused(differences, "evolve")] == ["a"]
    assert [(one.column, one.against) for one in refused(differences, "refuse")] == [
        ("a", "lock"),
        ("b", "lock"),
    ]


def test_a_load_that_may_not_take_a_difference_names_all_of_them() -> None:
    differences = compare_with_lock({"a": "int(11)", "b": "text"}, {"a": "bigint(20)", "c": "date"}, None)
    with pytest.raises(SchemaConflictError) as caught:
        require_agreed(spec(), "schema.lock.yaml", differences)
    assert (
        str(caught.value)
        == """\
ods.t: the source is not what schema.lock.yaml agrees to
  column 'a'   int(11) as agreed, bigint(20) now: lossy, int cannot hold every bigint
  column 'b'   text as agreed, absent now: breaking, gone
  policy       evolve (config/ods/t.yaml:1 schema)
  effect       nothing was read, and what is visible stays visible
  next         dataplat schema diff ods.t   or   dataplat schema accept ods.t"""
    )
    require_agreed(spec(), "schema.lock.yaml", differences[2:])
    with pytest.raises(SchemaConflictError):
        require_agreed(spec(schema="refuse"), "schema.lock.yaml", differences[2:])
