"""What ``--select``, ``--from`` and ``--to`` mean."""

import pytest

from dataplat.errors import SelectionError
from dataplat.plan.backfills.selection import WHOLE_GRAPH, Pick, parse_picks, parse_range, span_keys
from dataplat_tests.unit.plan.backfills.graphs import in_zone, reader, source_table

FOUND = in_zone("Asia/Shanghai", source_table("ods.a"), source_table("ods.b"), reader("dw.c", "ods.a"))


@pytest.mark.parametrize(
    ("expression", "picks"),
    [
        ("ods.a", [Pick(("ods.a",))]),
        ("ods.a+", [Pick(("ods.a",), down=WHOLE_GRAPH)]),
        ("ods.a*", [Pick(("ods.a",), down=WHOLE_GRAPH)]),
        ("ods.a+2", [Pick(("ods.a",), down=2)]),
        ("+dw.c", [Pick(("dw.c",), up=WHOLE_GRAPH)]),
        ("*dw.c", [Pick(("dw.c",), up=WHOLE_GRAPH)]),
        ("1+dw.c", [Pick(("dw.c",), up=1)]),
        ("+dw.c+", [Pick(("dw.c",), WHOLE_GRAPH, WHOLE_GRAPH)]),
        ("ods.*", [Pick(("ods.a", "ods.b"))]),
        ("ods.*+", [Pick(("ods.a", "ods.b"), down=WHOLE_GRAPH)]),
        ("layer:ods+1", [Pick(("ods.a", "ods.b"), down=1)]),
        ("source:s", [Pick(("ods.a", "ods.b"))]),
        ("*", [Pick(("dw.c", "ods.a", "ods.b"))]),
        ("*.c", [Pick(("dw.c",))]),
        ("ods.b, 1+dw.c", [Pick(("ods.b",)), Pick(("dw.c",), up=1)]),
    ],
)
def test_a_term_is_tables_and_how_far_from_them(expression: str, picks: list[Pick]) -> None:
    assert parse_picks(FOUND, expression) == tuple(picks)


def test_a_name_that_is_nothing_is_refused_with_the_nearest() -> None:
    with pytest.raises(SelectionError) as caught:
        parse_picks(FOUND, "ods.a, dw.x+")
    assert str(caught.value) == (
        "dw.x: no such table; did you mean 'dw.c'?\n"
        "  declared   3 tables in config/\n"
        "  effect     nothing was run\n"
        "  next       dataplat check"
    )


@pytest.mark.parametrize(
    ("first", "last", "grain", "expected"),
    [
        ("2026-01-30", "20260201", "day", ["2026-01-30", "2026-01-31", "2026-02-01"]),
        ("2024-02-28", "2024-03-01", "day", ["2024-02-28", "2024-02-29", "2024-03-01"]),
        ("2026-02-28", "2026-03-01", "day", ["2026-02-28", "2026-03-01"]),
        ("2026-01-31", "2026-02-01", "month", ["2026-01", "2026-02"]),
        ("2026-02", "", "month", ["2026-02"]),
        ("2026-12-31", "2027-01-01", "day", ["2026-12-31", "2027-01-01"]),
        ("2026010922", "2026-01-10 00", "hour", [f"2026-01-{at}:00" for at in ("09-22", "09-23", "10-00")]),
        ("2026010922", "2026-01-10 00", "day", ["2026-01-09", "2026-01-10"]),
        ("2026-01-09", "", "day", ["2026-01-09"]),
    ],
)
def test_both_ends_of_a_range_are_in_it(first: str, last: str, grain: str, expected: list[str]) -> None:
    assert span_keys(parse_range(first, last), grain) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "days"), [("2024-02", 29), ("2026-02", 28), ("2026-04", 30), ("202612", 31)]
)
def test_a_month_is_all_of_its_days(text: str, days: int) -> None:
    keys = span_keys(parse_range(text, ""), "day")
    assert (len(keys), keys[0][-2:], keys[-1][-2:]) == (days, "01", str(days))


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        (
            "2026-01-09",
            "2026-01-08",
            (
                "backfill: the range 2026-01-09~2026-01-08 ends before it starts\n"
                "  effect   nothing was planned\n"
                "  next     --from 2026-01-08 --to 2026-01-09"
            ),
        ),
        (
            "2026-01-09",
            "2026-01-32",
            (
                "--to: '2026-01-32' is no date that can be read\n"
                "  expected   2026-03-31, 20260331, 2026033105, '2026-03-31 05', 2026-03 or 202603\n"
                "  effect     nothing was planned"
            ),
        ),
    ],
)
def test_a_range_that_is_none_is_refused(first: str, last: str, message: str) -> None:
    with pytest.raises(SelectionError) as caught:
        parse_range(first, last)
    assert str(caught.value) == message
