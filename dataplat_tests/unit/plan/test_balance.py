"""The balance names the first hop that loses a row, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.plan.balance import balance, first_break

WHOLE = {"source_before": 10, "source_after": 10, "read": 10, "written": 7, "quarantined": 3, "files": 7}


def texts(
    hops: dict[str, int], shards: dict[str, list[int]] | None = None, visible: int | None = 7
) -> list[str]:
    return [one.text for one in balance(hops, shards or {}, visible)]


def test_every_hop_is_an_equation() -> None:
    shards = {"source_before": [4, 6, 0], "source_after": [4, 6, 0]}
    assert texts(WHOLE, shards) == [
        "source before 10 = 10 in 3 shards",
        "source after 10 = 10 in 3 shards",
        "source 10 before, 10 after = read 10",
        "read 10 = written 7 + quarantined 3",
        "written 7 = files 7",
        "files 7 = visible 7",
    ]
    assert first_break(balance(WHOLE, shards, 7)) is None


@pytest.mark.parametrize(
    ("hop", "broken", "difference"),
    [
        ("source_after", None, 0),
        ("read", "source 10 before, 10 after = read 9", 1),
        ("written", "read 10 = written 6 + quarantined 3", 1),
        ("quarantined", "read 10 = written 7 + quarantined 2", 1),
        ("files", "written 7 = files 6", 1),
        ("visible", "files 7 = visible 6", 1),
    ],
)
def test_the_first_hop_that_lost_a_row_is_named(hop: str, broken: str | None, difference: int) -> None:
    hops, visible = dict(WHOLE), 7
    if hop == "visible":
        visible -= 1
    else:
        hops[hop] -= 1
    found = first_break(balance(hops, {}, visible))
    assert (found.text if found else None, found.difference if found else 0) == (broken, difference)


def test_a_shard_that_lost_a_row_is_seen_in_the_sum() -> None:
    found = first_break(balance(WHOLE, {"source_before": [4, 5]}, 7))
    assert found is not None
    assert found.text == "source before 10 = 9 in 2 shards"


def test_what_changed_during_the_read_is_no_loss() -> None:
    moving = {"source_before": 10, "source_after": 14, "written": 12, "files": 12}
    assert texts(moving, visible=None) == [
        "source 10 before, 14 after = read 12, +2 changed during the read",
        "written 12 = files 12",
    ]
    assert first_break(balance(moving, {}, None)) is None


def test_a_model_has_no_source() -> None:
    assert texts({"written": 5, "files": 5}, visible=5) == ["written 5 = files 5", "files 5 = visible 5"]


ROWS = st.integers(0, 10**6)


@given(before=ROWS, after=ROWS, read=ROWS)
def test_the_source_balances_exactly_where_the_read_lies_between_its_counts(
    before: int, after: int, read: int
) -> None:
    hops = {"source_before": before, "source_after": after, "read": read}
    (equation,) = balance(hops, {}, None)
    assert equation.holds is (min(before, after) <= read <= max(before, after))
    assert equation.difference == max(min(before, after) - read, 0) - max(read - max(before, after), 0)
