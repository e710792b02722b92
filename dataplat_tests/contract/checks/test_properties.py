"""The aggregates say of random rows what plain Python says of them."""

import re
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataplat_tests.contract.checks.desk import Desk, Row, order

DAYS = [f"2026-01-{day:02}" for day in range(1, 8)]
CHECKS: list[dict[str, Any]] = [
    {"not_null": ["status", "url"]},
    {"unique": ["status", "account_id"]},
    {"accepted_values": {"column": "status", "values": ["a", "it's"]}},
    {"share": {"where": "status = 'a' OR url IS NULL", "at_most": "50%"}},
    {"share": {"where": "status = 'a'", "distinct": "account_id", "at_most": "50%", "name": "distinct"}},
    {"share": {"by": "status", "at_least": "20%", "at_most": "60%"}},
    {"match_rate": {"column": "url", "pattern": "^h[t\\\\]", "at_least": "50%"}},
    {"fan_out": {"per": ["account_id", "status"], "at_most": 1.4}},
]
texts = st.none() | st.sampled_from(["a", "b", "it's", "ht", "h\\x", "xht", "", "\u2028"])
numbers = st.none() | st.integers(0, 3)


@st.composite
def days_of_rows(draw: st.DrawFn) -> dict[str, list[Row]]:
    row = st.fixed_dictionaries({"status": texts, "url": texts, "account_id": numbers})
    return {
        day: [order(index, day) | one for index, one in enumerate(draw(st.lists(row, max_size=7)))]
        for day in DAYS
    }


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(days=days_of_rows())
def test_numbers_are_those_of_plain_python(desk: Desk, days: dict[str, list[Row]]) -> None:
    found = desk.evaluate(CHECKS, days)

    for day, rows in days.items():
        assert [dict(outcome.numbers) for outcome in found[day]] == expected(rows)
        assert [outcome.passed for outcome in found[day]] == verdicts(rows)


def expected(rows: Sequence[Row]) -> list[dict[str, Any]]:
    total = len(rows)
    accounts = {row["account_id"] for row in rows} - {None}
    of_a = {row["account_id"] for row in rows if row["status"] == "a"} - {None}
    pairs = {(row["account_id"], row["status"]) for row in rows}
    shares = by_status(rows)
    return [
        {"null_status": nulls(rows, "status"), "null_url": nulls(rows, "url")},
        {"duplicates": total - len(pairs)},
        {"rejected": sum(row["status"] not in ("a", "it's", None) for row in rows)},
        share(sum(row["status"] == "a" or row["url"] is None for row in rows), total),
        share(len(of_a), len(accounts)),
        {"groups": len(shares), "outside": sum(not 0.2 <= one <= 0.6 for one in shares)}
        | ({"least": round(min(shares), 6), "greatest": round(max(shares), 6)} if shares else {}),
        {"rows": total, "matched": matched(rows)}
        | ({"rate": round(matched(rows) / total, 6)} if total else {}),
        {"rows": total, "base": len(pairs)} | ({"ratio": round(total / len(pairs), 6)} if total else {}),
    ]


def verdicts(rows: Sequence[Row]) -> list[bool]:
    said = expected(rows)
    return [
        not any(said[0].values()),
        not said[1]["duplicates"],
        not said[2]["rejected"],
        said[3].get("share", 0) <= 0.5,
        said[4].get("share", 0) <= 0.5,
        not said[5]["outside"],
        not rows or matched(rows) / len(rows) >= 0.5,
        not rows or len(rows) / said[7]["base"] <= 1.4,
    ]


def nulls(rows: Sequence[Row], column: str) -> int:
    return sum(row[column] is None for row in rows)


def share(count: int, total: int) -> dict[str, Any]:
    return {"count": count, "total": total} | ({"share": round(count / total, 6)} if total else {})


def by_status(rows: Sequence[Row]) -> list[float]:
    statuses = [row["status"] for row in rows]
    return [statuses.count(status) / len(rows) for status in set(statuses)]


def matched(rows: Sequence[Row]) -> int:
    return sum(bool(re.search(r"^h[t\\]", row["url"] or "")) for row in rows)
