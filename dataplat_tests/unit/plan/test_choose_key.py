"""What a table is cut by: the primary key, a unique one, or what somebody wants; never what has no order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.plan.choose_key import SourceIndex, cannot_split, choose_split_key, choose_window_key
from dataplat.plan.layouts import SourceColumn
from dataplat.plan.split_keys import KeyColumn, SplitKey, at_least, below
from dataplat.specs import TableSpec
from dataplat_tests.unit.plan.models.builders import declared

PRIMARY = "PRIMARY"


def columns(**types: str) -> list[SourceColumn]:
    """Return columns; a type that ends with ``?`` may be NULL."""
    return [
        SourceColumn(name, kind.rstrip("?"), kind.endswith("?"), "", None) for name, kind in types.items()
    ]


def index(name: str, *names: str, unique: bool = False) -> SourceIndex:
    return SourceIndex(name, names, unique or name == PRIMARY)


def test_the_primary_key_comes_first() -> None:
    there = columns(id="bigint(20)", code="char(8)")

    key = choose_split_key(
        there, [index(PRIMARY, "id"), index("code", "code", unique=True)], declared=["code"]
    )

    assert key == SplitKey((KeyColumn("id", "number", nullable=False),), PRIMARY)
    assert (key.name, key.counted_column) == ("id", "id")


def test_a_unique_key_without_nulls_serves_where_there_is_no_primary_key() -> None:
    there = columns(loose="int?", code="varchar(9)", n="int")
    indexes = [
        index("loose", "loose", unique=True),
        index("both", "code", "n", unique=True),
        index("n", "n"),
    ]

    key = choose_split_key(there, indexes)

    assert key is not None
    assert (key.index, key.name, key.counted_column) == ("both", "code, n", None)


def test_the_declared_key_serves_where_the_source_declares_none() -> None:
    there = columns(id="int", at="datetime")

    assert choose_split_key(there, [], declared=["ID"]) == SplitKey(
        (KeyColumn("id", "number", nullable=False),)
    )
    assert choose_split_key(there, []) is None
    assert choose_split_key(there, [index("at", "at")]) is None


def test_what_somebody_wants_wins_and_may_hold_nulls() -> None:
    there = columns(id="int", at="datetime(6)?")

    key = choose_split_key(there, [index(PRIMARY, "id"), index("i_at", "at", "id")], wanted="at")

    assert key == SplitKey((KeyColumn("at", "time", nullable=True),), "i_at")


@pytest.mark.parametrize(
    "kind", ["enum('b','a')", "set('a')", "float", "double", "bit(8)", "json", "text", "time"]
)
def test_a_type_that_is_not_ordered_as_its_text_is_no_key(kind: str) -> None:
    there = columns(id=kind, n="int")

    assert choose_split_key(there, [index(PRIMARY, "id", "n")]) is None
    assert choose_split_key(there, [index(PRIMARY, "id", "n")], wanted="id") is None


def test_a_composite_key_ends_before_what_cannot_be_compared() -> None:
    there = columns(a="int", b="varchar(9)", c="float", d="int")

    key = choose_split_key(there, [index(PRIMARY, "a", "b", "c", "d")])

    assert key is not None
    assert key.name == "a, b"


def test_the_window_column_cuts_where_an_index_begins_with_it() -> None:
    there = columns(id="int", at="datetime", stamp="timestamp")
    indexes = [index("i", "at", "id"), index("s", "stamp")]

    found = choose_window_key(there, indexes, "AT", "Europe/London")

    assert found == SplitKey((KeyColumn("at", "time", nullable=False),), "i")
    assert choose_window_key(there, indexes, "id", "Asia/Shanghai") is None
    assert choose_window_key(there, indexes, None, "Asia/Shanghai") is None


def test_an_instant_is_not_cut_by_the_wall_clock_of_a_zone_that_changes() -> None:
    there, indexes = columns(stamp="timestamp(6)"), [index("s", "stamp")]

    assert choose_window_key(there, indexes, "stamp", "Europe/London") is None
    assert choose_window_key(there, indexes, "stamp", "Asia/Shanghai") is not None


@pytest.mark.parametrize(
    ("wanted", "found"), [("kind", "kind enum('a','b')"), ("kid", "id, kind")], ids=["type", "name"]
)
def test_somebody_who_wants_what_cannot_be_is_told(wanted: str, found: str) -> None:
    keys = {
        "table": "ods.orders",
        "source": "shop",
        "from": {"database": "shop", "table": "orders"},
        "load": "snapshot",
        "columns": "*",
    }
    spec = TableSpec.model_validate(keys).declared_in(declared("ods.orders"))

    error = cannot_split(spec, wanted, columns(id="int", kind="enum('a','b')"))

    assert str(error) == (
        f"ods.orders: reads cannot be split on '{wanted}'\n"
        "  expected   an indexed column of whole numbers, decimals, text, bytes, dates or times\n"
        f"  found      {found}\n"
        "  declared   config/ods/orders.yaml:1 split.column\n"
        "  effect     nothing was read; what was visible before is still visible\n"
        "  next       dataplat explain ods.orders"
    )


TUPLES = st.tuples(*[st.integers(0, 3)] * 3)


@given(row=TUPLES, bound=TUPLES, columns_compared=st.integers(1, 3))
def test_a_row_is_below_a_bound_or_not_as_tuples_are(
    row: tuple[int, ...], bound: tuple[int, ...], columns_compared: int
) -> None:
    names, literals = ["a", "b", "c"][:columns_compared], [str(one) for one in bound[:columns_compared]]
    values = dict(zip("abc", row, strict=True))

    def answer(sql: str) -> bool:
        text = sql.replace("`", "").replace("AND", "and").replace("OR", "or")
        return bool(eval(text, {}, values))

    smaller = row[:columns_compared] < bound[:columns_compared]
    assert answer(below(names, literals)) == smaller
    assert answer(at_least(names, literals)) != smaller


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        ("number", 18446744073709551615, "18446744073709551615"),
        ("time", "2026-01-09 00:00:00.000001", "'2026-01-09 00:00:00.000001'"),
        ("text", "SO-1", "'SO-1'"),
        ("text", "a' OR 1 -- \\", "_utf8mb4 X'6127204F522031202D2D205C'"),
        ("text", "名", "_utf8mb4 X'E5908D'"),
        ("text", "", "''"),
        ("binary", "", "X''"),
        ("uuid", "490c3527-e5e6-11f1-a7b5-02fc00000001", "'490c3527-e5e6-11f1-a7b5-02fc00000001'"),
    ],
)
def test_a_bound_is_sent_so_that_no_mode_of_the_server_reads_it_otherwise(
    kind: str, value: int | str, sent: str
) -> None:
    assert KeyColumn("k", kind).literal(value) == sent  # type: ignore[arg-type]
