"""Bounds of about equal rows, found from estimates of a fake index over sorted keys."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataplat.plan.cuts import Cut, Edges, cut_at, cut_by_width, cut_evenly, plan_positions

KEYS = st.integers(-(2**63), 2**64)


class Index:
    """Answers as a server does: in proportion, never exactly; counts how often it is asked."""

    def __init__(self, keys: Sequence[int], factor: float = 2.1) -> None:
        self.keys, self.factor = sorted(keys), factor
        self.calls = 0

    def between(self, ranges: Sequence[Edges]) -> list[int]:
        self.calls += 1
        return [max(1, round(self.factor * self.count(low, high))) for low, high in ranges]

    def count(self, low: int, high: int) -> int:
        return bisect_left(self.keys, high) - bisect_left(self.keys, low)


def cut(keys: Sequence[int], pieces: int) -> tuple[Cut, list[int], Index]:
    """Return the cut and how many keys are in each piece."""
    index = Index(keys)
    positions = plan_positions("number", index.keys[0], index.keys[-1])
    assert positions is not None
    found = cut_evenly(positions, pieces, index.between)
    edges = [index.keys[0], *(int(bound[0]) for bound in found.bounds), index.keys[-1] + 1]
    return found, [index.count(low, high) for low, high in pairwise(edges)], index


@given(keys=st.sets(KEYS, min_size=1, max_size=300), pieces=st.integers(2, 20))
def test_bounds_ascend_and_every_key_is_between_two_of_them(keys: set[int], pieces: int) -> None:
    found, rows, _ = cut(sorted(keys), pieces)

    assert list(found.bounds) == sorted(set(found.bounds))
    assert sum(rows) == len(keys)
    assert len(found.bounds) < pieces
    assert sum(found.shares) == pytest.approx(1)


def snowflakes() -> list[int]:
    """Ids of a quiet year and of one busy hour, by four workers."""
    quiet = [(second * 3600_000) << 22 | (second % 4) << 12 for second in range(5_000)]
    busy = [(31_536_000_000 + tick) << 22 | (tick % 4) << 12 for tick in range(15_000)]
    return quiet + busy


@pytest.mark.parametrize("pieces", [2, 4, 16])
@pytest.mark.parametrize(
    "keys",
    [range(20_000), snowflakes(), [number**5 for number in range(20_000)]],
    ids=["dense", "ids", "fifth"],
)
def test_holes_between_keys_do_not_make_pieces_uneven(keys: Sequence[int], pieces: int) -> None:
    found, rows, index = cut(keys, pieces)

    assert len(rows) == pieces
    assert max(rows) <= 1.3 * 20_000 / pieces
    assert found.is_even(pieces)
    assert index.calls <= 65


def test_one_key_is_not_cut() -> None:
    found, rows, _ = cut([7], 4)

    assert (found.bounds, rows) == ((), [1])


def test_values_are_half_way_between_others_of_their_kind() -> None:
    middles = {}
    for kind, low, high in [
        ("number", "-3.5", "8.25"),
        ("day", "2026-01-01", "2026-01-09"),
        ("time", "2026-01-01 00:00:00.250000", "2026-01-01 12:00:00"),
        ("text", "SO-2026-000017", "SO-2026-990000"),
        ("text", "DEAD", "FACE"),
        ("text", "anna", "zoe"),
        ("binary", "00AB01", "00AB99"),
    ]:
        positions = plan_positions(kind, low, high)  # type: ignore[arg-type]
        assert positions is not None
        middles[low] = positions.value((positions.low + positions.high) // 2)

    assert middles == {
        "-3.5": 3,
        "2026-01-01": "2026-01-05",
        "2026-01-01 00:00:00.250000": "2026-01-01 06:00:00",
        "SO-2026-000017": "SO-2026-80000000",
        "DEAD": "80000000",
        "anna": "i0000000",
        "00AB01": "00AB8000000000000000",
    }


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("number", None, None),
        ("uuid", "a", "b"),
        ("day", "0000-00-00", "2026-01-01"),
        ("time", "2026-01-00 00:00:00", "2026-01-01 00:00:00"),
    ],
)
def test_values_without_a_middle_have_no_positions(kind: str, low: str, high: str) -> None:
    assert plan_positions(kind, low, high) is None  # type: ignore[arg-type]


def test_text_has_open_ends_because_rows_may_begin_with_anything() -> None:
    positions = plan_positions("text", "a", "b")
    assert positions is not None

    assert (positions.value(positions.low), positions.value(positions.high)) == (None, None)


@given(low=KEYS, width=st.integers(1, 2**64), pieces=st.integers(2, 40))
def test_ranges_of_equal_width_are_equal_to_one(low: int, width: int, pieces: int) -> None:
    bounds = [int(bound[0]) for bound in cut_by_width(low, low + width, pieces).bounds]

    edges = [low, *bounds, low + width + 1]
    widths = [high - low for low, high in pairwise(edges)]
    assert max(widths) - min(widths) <= 1


def test_a_cut_without_any_estimate_has_equal_shares() -> None:
    assert cut_at([(1,), (2,)], [0, 0, 0]).shares == (1 / 3, 1 / 3, 1 / 3)
