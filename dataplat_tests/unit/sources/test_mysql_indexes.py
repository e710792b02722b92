"""What the catalogs of two servers say of indexes, and how ranges of keys are asked for."""

from typing import Any

from dataplat.plan.choose_key import SourceIndex
from dataplat.plan.split_keys import KeyColumn, SplitKey
from dataplat.plan.sql import PhysicalTable
from dataplat.sources.mysql_indexes import RangeEstimate, describe_indexes, estimate_ranges

TABLE = PhysicalTable("shop", "t_order")


class Server:
    """Answers every statement with the same records, and remembers the statements."""

    def __init__(self, *records: dict[str, Any]) -> None:
        self.answer = list(records)
        self.sent: list[str] = []

    def records(self, sql: str, *, subject: str = "") -> list[dict[str, Any]]:
        self.sent.append(sql)
        return self.answer


def part(index: str, column: str | None, **changes: Any) -> dict[str, Any]:
    return {"index_name": index, "non_unique": 0, "column_name": column, "sub_part": None} | changes


def test_an_index_ends_before_a_column_that_is_only_indexed_in_part() -> None:
    server = Server(
        part("PRIMARY", "id"),
        part("by_name", "name", sub_part=10, non_unique=1),
        part("by_place", "city", non_unique=1),
        part("by_place", None, non_unique=1),  # an expression
        part("by_place", "street", non_unique=1),
    )

    assert describe_indexes(server, TABLE) == (  # type: ignore[arg-type]
        SourceIndex("PRIMARY", ("id",), unique=True),
        SourceIndex("by_name", (), unique=False),
        SourceIndex("by_place", ("city",), unique=False),
    )


def test_an_index_that_the_server_does_not_use_is_none() -> None:
    server = Server(
        part("PRIMARY", "id", ignored="NO"),
        part("tried_out", "code", ignored="YES"),
        part("on_its_way_out", "code", is_visible="NO"),
        part("used", "code", is_visible="YES"),
    )

    assert [index.name for index in describe_indexes(server, TABLE)] == ["PRIMARY", "used"]  # type: ignore[arg-type]


def test_ranges_are_asked_for_together_and_nothing_is_read() -> None:
    server = Server(
        {"table": "t_order", "rows": 7, "type": "range"},
        {"table": None, "rows": None, "type": None},  # impossible: no row can be in it
        {"table": "t_order", "rows": 900, "type": "ALL"},
        {"table": "<union1,2,3>", "rows": None, "type": "ALL"},
    )
    key = SplitKey((KeyColumn("id", "number"),), "PRIMARY")

    found = estimate_ranges(server, TABLE, key, [(None, "5"), ("5", "5"), ("5", None)])  # type: ignore[arg-type]

    assert found == [RangeEstimate(7, True), RangeEstimate(0, True), RangeEstimate(900, False)]
    (sent,) = server.sent
    assert sent == (
        "EXPLAIN SELECT `id` FROM `shop`.`t_order` FORCE INDEX (`PRIMARY`) WHERE `id` < 5"
        " UNION ALL SELECT `id` FROM `shop`.`t_order` FORCE INDEX (`PRIMARY`) WHERE `id` >= 5 AND `id` < 5"
        " UNION ALL SELECT `id` FROM `shop`.`t_order` FORCE INDEX (`PRIMARY`) WHERE `id` >= 5"
    )
