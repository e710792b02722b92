"""A table keeps its types: what is narrower is written in them, what is wider does not fit."""

from dataplat.plan.ddl import HiveColumn, SchemaChange
from dataplat.plan.fitting import fit_columns

TABLE = (
    HiveColumn("id", "BIGINT", "the key"),
    HiveColumn("fee", "decimal(10, 4)"),
    HiveColumn("note", "string"),
)


def planned(**types: str) -> tuple[HiveColumn, ...]:
    return tuple(HiveColumn(name, kind) for name, kind in types.items())


def test_narrower_columns_are_written_in_the_types_of_the_table() -> None:
    fit = fit_columns(TABLE, planned(note="string", id="int", fee="decimal(8,2)"))
    assert fit.columns == planned(note="string", id="bigint", fee="decimal(10,4)")
    assert fit.change == SchemaChange()


def test_wider_columns_and_other_kinds_are_changes() -> None:
    fit = fit_columns(TABLE, planned(id="decimal(20,0)", fee="decimal(10,6)", note="date"))
    assert [(name, there, now) for name, there, now in fit.change.changed] == [
        ("id", "BIGINT", "decimal(20,0)"),
        ("fee", "decimal(10, 4)", "decimal(10,6)"),
        ("note", "string", "date"),
    ]


def test_a_column_that_is_not_planned_is_missing_unless_the_table_may_lack_it() -> None:
    some = planned(id="bigint", fee="decimal(10,4)", more="date")
    assert fit_columns(TABLE, some).change == SchemaChange(added=some[2:], missing=TABLE[2:])
    assert fit_columns(TABLE, some, may_lack=True).change == SchemaChange(added=some[2:])


def test_what_sql_returns_is_not_widened() -> None:
    fit = fit_columns(TABLE[:1], planned(id="int"), widen_narrow=False)
    assert fit.columns == planned(id="int")
    assert fit.change.changed == (("id", "BIGINT", "int"),)
