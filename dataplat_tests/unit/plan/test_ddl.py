"""Hive statements are complete, repeatable, and no value can break out of them."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.errors import SchemaConflictError
from dataplat.plan.ddl import (
    HiveColumn,
    SchemaChange,
    compare_columns,
    quote_identifier,
    quote_literal,
    quote_table,
    render_add_columns,
    render_create_database,
    render_create_table,
    render_drop_partitions,
    render_publish,
    require_additive,
)
from dataplat_tests.conftest import Golden

GOLDEN = Path(__file__).parents[2] / "golden" / "ddl"
WAREHOUSE = "hdfs://ns1/user/hive/warehouse"
COLUMNS = (
    HiveColumn("id", "bigint", "the order's number"),
    HiveColumn("price", "decimal(20,0)"),
    HiveColumn("note", "string", "it's ${env:SECRET} \\ 备注"),
)


def day(text: str) -> tuple[tuple[str, str], ...]:
    return (("ds", text),)


def test_a_database_and_a_table_are_created_unless_they_exist(golden: Golden) -> None:
    table = render_create_table(
        "ods.orders",
        COLUMNS,
        ["ds", "hr"],
        "orc",
        f"{WAREHOUSE}/ods.db/orders",
        comment="Orders of the shop",
        properties={"dataplat.sha": "4f1c9a", "o'k": "yes"},
    )
    bare = render_create_table("ods.codes", COLUMNS[:1], [], "parquet", f"{WAREHOUSE}/ods.db/codes")
    statements = [render_create_database("ods", f"{WAREHOUSE}/ods.db"), table, bare]
    golden(GOLDEN / "create.sql", ";\n".join([*statements, ""]))


def test_columns_are_added_at_the_end(golden: Golden) -> None:
    golden(GOLDEN / "add_columns.sql", render_add_columns("ods.orders", COLUMNS) + ";\n")


def test_new_partitions_are_added_together_and_known_ones_moved_one_by_one(golden: Golden) -> None:
    targets = {
        (("ds", f"2026-01-{number:02}"), ("hr", "05")): f"{WAREHOUSE}/ods.db/orders/_versions/v1/ds={number}"
        for number in range(1, 6)
    }
    existing = [(("ds", "2026-01-02"), ("hr", "05")), (("ds", "2025-12-31"), ("hr", "05"))]
    golden(GOLDEN / "publish.sql", ";\n".join([*render_publish("ods.orders", existing, targets, 3), ""]))


@given(st.integers(0, 130), st.integers(0, 130), st.integers(1, 60))
def test_every_target_is_published_exactly_once(new: int, known: int, batch: int) -> None:
    targets = {day(f"d{number}"): f"/v/{number}" for number in range(new + known)}
    statements = render_publish("a.b", [day(f"d{number}") for number in range(known)], targets, batch)
    found = [place for text in statements for place in re.findall(r"LOCATION '(/v/\d+)'", text)]
    assert sorted(found) == sorted(targets.values())
    assert len(statements) == known + -(-new // batch)


def test_nothing_to_publish_sends_nothing() -> None:
    assert render_publish("ods.orders", [], {}) == []
    assert render_drop_partitions("ods.orders", []) == []


def test_partitions_are_dropped_in_batches() -> None:
    assert render_drop_partitions("ods.orders", [day("a"), day("b"), day("c'")], batch=2) == [
        "ALTER TABLE `ods`.`orders` DROP IF EXISTS PARTITION (`ds` = 'a'), PARTITION (`ds` = 'b')",
        "ALTER TABLE `ods`.`orders` DROP IF EXISTS PARTITION (`ds` = 'c\\'')",
    ]


def spark_reads(literal: str) -> str:
    """Read a literal as Spark's parser does: substitute variables first, then resolve escapes."""
    assert not re.search(r"\$\{", literal)
    assert re.fullmatch(r"'(?:[^'\\]|\\.)*'", literal, re.DOTALL)
    special = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "%": "\\%", "_": "\\_"}
    return re.sub(
        r"\\(u[0-9a-fA-F]{4}|.)",
        lambda match: chr(int(match[1][1:], 16)) if len(match[1]) == 5 else special.get(match[1], match[1]),
        literal[1:-1],
        flags=re.DOTALL,
    )


@given(st.text() | st.text(alphabet="\\'\"$`{}u0041%_n;-/*\n"))
def test_any_text_survives_as_a_literal(text: str) -> None:
    assert spark_reads(quote_literal(text)) == text


@given(st.text(min_size=1).filter(lambda text: "$" not in text))
def test_any_text_without_a_dollar_survives_as_an_identifier(text: str) -> None:
    quoted = quote_identifier(text)
    assert re.fullmatch(r"`(?:[^`]|``)*`", quoted, re.DOTALL)
    assert quoted[1:-1].replace("``", "`") == text


@pytest.mark.parametrize("name", ["", "a${env:HOME}", "a$b"])
def test_a_name_that_spark_would_rewrite_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be an identifier in Spark SQL"):
        quote_identifier(name)


def test_a_table_is_quoted_part_by_part() -> None:
    assert quote_table("ods.orders") == "`ods`.`orders`"


def test_case_order_comments_and_blanks_in_types_are_no_difference() -> None:
    hive = [HiveColumn("b", "DECIMAL(10, 2)", "x"), HiveColumn("a", "int")]
    assert compare_columns(hive, [HiveColumn("A", "int"), HiveColumn("b", "decimal(10,2)")]) == SchemaChange()


def test_a_table_that_only_grows_is_accepted() -> None:
    change = compare_columns([COLUMNS[0]], COLUMNS)
    assert change == SchemaChange(added=COLUMNS[1:])
    assert require_additive("ods.orders", change, "config/ods/orders.yaml:7 columns") is change


def test_a_column_that_changed_or_vanished_stops_the_load() -> None:
    planned = [HiveColumn("id", "decimal(20,0)"), HiveColumn("extra", "int")]
    change = compare_columns(COLUMNS[:2], planned)
    assert change.added == (HiveColumn("extra", "int"),)
    with pytest.raises(SchemaConflictError) as caught:
        require_additive("ods.orders", change, "config/ods/orders.yaml:7 columns")
    assert str(caught.value) == (
        "ods.orders: the table in Hive does not fit the plan\n"
        "  expected         every column of the Hive table, with its type\n"
        "  column 'id'      bigint in Hive, decimal(20,0) as planned\n"
        "  column 'price'   decimal(20,0) in Hive, not in the plan any more\n"
        "  declared         config/ods/orders.yaml:7 columns\n"
        "  effect           nothing was read, and what is visible stays visible\n"
        "  next             dataplat explain ods.orders   or   "
        "name the columns and cast them to the types in Hive"
    )
