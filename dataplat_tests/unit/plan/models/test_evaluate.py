"""Conditions let through what Spark lets through; the golden file was compared with Spark 4.3 row by row.

Its last section holds conditions that are not evaluated. There Spark lets through less: never more, or a
partition would be read that nobody waited for.
"""

from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from dataplat.plan.models.evaluate import compile_condition, may_hold
from dataplat_tests.conftest import Golden

GOLDEN = Path(__file__).parents[3] / "golden" / "models" / "conditions.txt"
DAYS = [(date(2025, 11, 20) + timedelta(days=number)).isoformat() for number in range(120)]
ROWS = [(day, hour) for day in DAYS for hour in ("00", "05", "23")]


def let_through(condition: str) -> str:
    tree = sqlglot.parse_one(f"SELECT 1 FROM t WHERE {condition}", dialect="spark").args["where"].this
    for column in [*tree.find_all(exp.Column)]:
        column.set("table", exp.to_identifier("r"))
    holds = compile_condition(tree)
    kept = [row for row in ROWS if may_hold(holds({"r.ds": row[0], "r.hr": row[1]}))]
    if len(kept) == len(ROWS):
        return "everything"
    return f"{' '.join(kept[0])} .. {' '.join(kept[-1])} ({len(kept)})" if kept else "nothing"


def test_a_condition_lets_through_what_spark_lets_through(golden: Golden) -> None:
    conditions = [line.split("  =>")[0].rstrip() for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    lines = [f"{one:<84}  => {let_through(one)}" if one and one[0] != "#" else one for one in conditions]

    golden(GOLDEN, "\n".join([*lines, ""]))


@pytest.mark.parametrize("clock", ["current_date()", "current_date", "current_timestamp()", "now()"])
def test_the_clock_is_no_constant(clock: str) -> None:
    assert let_through(f"ds = {clock}") == "everything"


def test_a_column_that_is_no_partition_may_hold_anything() -> None:
    holds = compile_condition(sqlglot.parse_one("a.x = 1 AND r.ds = 'd'", dialect="spark"))

    assert may_hold(holds({"r.ds": "d"}))
    assert not may_hold(holds({"r.ds": "e"}))


def test_the_same_condition_is_asked_with_other_literals() -> None:
    tree = sqlglot.parse_one("SELECT 1 FROM t r WHERE r.ds = date_sub('2026-01-02', 1)", dialect="spark")
    text = tree.find(exp.Literal)
    assert text is not None
    start = next(node.meta["start"] for node in tree.find_all(exp.Literal) if node.name == "2026-01-02")
    holds = compile_condition(tree.args["where"].this, {start: "2026-03-01"})

    assert may_hold(holds({"r.ds": "2026-02-28"}))
    assert not may_hold(holds({"r.ds": "2026-01-01"}))
