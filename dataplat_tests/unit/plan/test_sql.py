"""Names, texts and windows of MySQL: quoted so that nothing in them is read as SQL."""

import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from dataplat.plan.sql import PhysicalTable, quote_name, quote_text, window_predicate
from dataplat.plan.windows import Window
from dataplat_tests.unit.plan.shapes import ZONE, targets

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)


def windows(*days: str) -> list[Window]:
    return [target.window for target in targets(*days) if target.window is not None]


def test_a_physical_table_is_quoted_in_sql_and_plain_for_people() -> None:
    table = PhysicalTable("sh`op", "t.order")

    assert table.sql == "`sh``op`.`t.order`"
    assert str(table) == "sh`op.t.order"


def test_one_window_is_a_pair_of_comparisons_on_the_bare_column() -> None:
    assert window_predicate("at", windows("2026-01-01"), ZONE) == (
        "(`at` >= '2026-01-01 00:00:00' AND `at` < '2026-01-02 00:00:00')"
    )


def test_several_windows_are_alternatives_in_one_pair_of_brackets() -> None:
    assert window_predicate("at", windows("2026-01-01", "2026-02-01"), "UTC") == (
        "((`at` >= '2025-12-31 16:00:00' AND `at` < '2026-01-01 16:00:00')"
        " OR (`at` >= '2026-01-31 16:00:00' AND `at` < '2026-02-01 16:00:00'))"
    )


@given(TEXT.filter(lambda text: "\\" not in text))
def test_a_quoted_text_reads_back_as_itself(text: str) -> None:
    """SQLite knows the doubled quote and no backslash, so texts with one are the next test's."""
    with closing(sqlite3.connect(":memory:")) as connection:
        assert connection.execute(f"SELECT {quote_text(text)}").fetchone() == (text,)


@given(TEXT)
def test_no_text_ends_its_literal_early(text: str) -> None:
    inner = quote_text(text)[1:-1]

    assert inner.replace("\\\\", "").replace("''", "").count("'") == 0
    assert inner.replace("\\\\", "\\").replace("''", "'") == text or "\\" in text


@given(TEXT.filter(bool))
def test_a_quoted_name_reads_back_as_itself(name: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        found = connection.execute(f"SELECT 1 AS {quote_name(name)}")
        assert found.description[0][0] == name
