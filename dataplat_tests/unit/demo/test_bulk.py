"""Rows as SQL text: what the server gets is what was drawn."""

from typing import Any

import numpy as np
import pymysql
import pytest

from dataplat.demo import bulk
from dataplat.demo.bulk import Batch, blank, decimals, load_batch, render_inserts
from dataplat.errors import DemoError


def test_every_kind_of_column_becomes_the_literal_that_stores_it() -> None:
    batch = Batch(
        "d.t",
        {
            "number": np.array([1, -2]),
            "flag": np.array([True, False]),
            "at": np.array(["2026-01-05T10:00:00.500", "NaT"], dtype="datetime64[ms]"),
            "text": ["a'b\\c\0d", None],
            "maybe": blank(np.array([7, 8]), np.array([False, True])),
        },
    )
    (statement,) = render_inserts(batch)
    assert statement == (
        "INSERT INTO d.t (`number`, `flag`, `at`, `text`, `maybe`) VALUES\n"
        "(1,1,'2026-01-05T10:00:00.500','a''b\\\\c\\0d',7),\n"
        "(-2,0,NULL,NULL,NULL)"
    )


def test_a_long_batch_is_several_statements_and_loses_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "ROWS_PER_STATEMENT", 2)
    statements = list(render_inserts(Batch("t", {"id": np.arange(5)})))
    assert [statement.count("(") - 1 for statement in statements] == [2, 2, 1]


def test_an_empty_batch_sends_nothing() -> None:
    assert list(render_inserts(Batch("t", {"id": np.arange(0)}))) == []


def test_decimals_are_exact_where_floats_are_not() -> None:
    units = np.array([10**17 + 1, -1, -10_000, 0])
    assert decimals(units, 4) == ["10000000000000.0001", "-0.0001", "-1.0000", "0.0000"]


def test_a_refused_row_is_one_message_and_a_rollback() -> None:
    connection = _Refusing()
    with pytest.raises(DemoError) as raised:
        load_batch(connection, Batch("market.t_order", {"id": np.arange(1200)}))  # type: ignore[arg-type]
    assert str(raised.value) == (
        "demo table market.t_order: the server did not store the rows\n"
        "  rows     1,200\n"
        "  server   Out of range value for column 'id' at row 7\n"
        "  effect   the demo business is incomplete\n"
        "  next     make demo"
    )
    assert connection.calls == ["begin", "rollback"]


class _Refusing:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def begin(self) -> None:
        self.calls.append("begin")

    def rollback(self) -> None:
        self.calls.append("rollback")

    def cursor(self) -> "_Refusing":
        return self

    def __enter__(self) -> "_Refusing":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def execute(self, *_: Any) -> int:
        raise pymysql.err.DataError(1264, "Out of range value for column 'id' at row 7")
