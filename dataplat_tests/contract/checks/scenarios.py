"""For every kind of check: what it likes, what it refuses, and what it says of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dataplat.audit.kinds import Past, Published
from dataplat.specs import CheckSpec
from dataplat.specs.checks import CheckEntry
from dataplat_tests.contract.checks.desk import ZONE, Row, Surroundings, order

GOOD, BAD, EMPTY, NULLS = "2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"
ACCOUNTS = "(SELECT * FROM VALUES (1L, 1), (2L, 2), (3L, 3), (4L, 4) AS t(id, users))"


def good(**changes: Any) -> list[dict[str, Any]]:
    return [order(number, GOOD, **changes) for number in range(1, 5)]


def bad(*changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Four rows, of which the first ones are changed."""
    rows = [order(number, BAD) for number in range(1, 5)]
    return [row | change for row, change in zip(rows, [*changes, {}, {}, {}, {}], strict=False)]


def nothing(number: int) -> dict[str, Any]:
    return {"id": number}


@dataclass(frozen=True)
class Said:
    """What a check is to say of a partition."""

    passed: bool
    numbers: Mapping[str, Any]
    message: str = ""
    sample: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class Scenario:
    """One declared check, and four partitions: good, bad, without rows, and with NULL in all but the key."""

    declared: Mapping[str, Any]
    name: str
    bad_rows: Sequence[Row]
    good: Said
    bad: Said
    empty: Said
    nulls: Said
    good_rows: Sequence[Row] = field(default_factory=good)
    around: Surroundings = field(default_factory=Surroundings)
    title: str = ""

    @property
    def check(self) -> CheckSpec:
        return CheckEntry.model_validate(self.declared).check

    @property
    def days(self) -> dict[str, Sequence[Row]]:
        null_rows = [nothing(number) for number in range(1, 4)]
        return {GOOD: self.good_rows, BAD: self.bad_rows, EMPTY: [], NULLS: null_rows}

    def said_of(self, day: str) -> Said:
        return {GOOD: self.good, BAD: self.bad, EMPTY: self.empty, NULLS: self.nulls}[day]


def ids(*numbers: int, **more: str) -> tuple[dict[str, str], ...]:
    return tuple({"id": str(number)} | more for number in numbers)


def accounts(rows: int | None = 4, absent: tuple[str, ...] = ()) -> Surroundings:
    return Surroundings({"ods.account": Published("ods.account", ACCOUNTS, rows, absent)})


def week(rows: int, rate: float = 1.0) -> Surroundings:
    return Surroundings(
        past_rows=[Past(f"2026-01-0{day}", rows, lambda _: {"rate": rate}) for day in (4, 3, 2, 1)]
    )


SCENARIOS = (
    Scenario(
        {"not_null": ["status", "url"]},
        "not_null_status_url",
        bad({"status": None}, {"status": None, "url": None}),
        Said(True, {"null_status": 0, "null_url": 0}),
        Said(
            False,
            {"null_status": 2, "null_url": 1},
            "status is NULL in 2 rows, url is NULL in 1 row (id=1; id=2)",
            ids(1, 2),
        ),
        Said(True, {"null_status": 0, "null_url": 0}),
        Said(
            False,
            {"null_status": 3, "null_url": 3},
            "status is NULL in 3 rows, url is NULL in 3 rows (id=1; id=2; id=3)",
            ids(1, 2, 3),
        ),
    ),
    Scenario(
        {"unique": ["status", "url"]},
        "unique_status_url",
        bad({"url": "a"}, {"url": "a"}, {"url": "a"}),
        Said(True, {"duplicates": 0}),
        Said(
            False,
            {"duplicates": 2},
            "2 rows repeat status, url (status=paid, url=a, rows=3)",
            ({"status": "paid", "url": "a", "rows": "3"},),
        ),
        Said(True, {"duplicates": 0}),
        Said(
            False,
            {"duplicates": 2},
            "2 rows repeat status, url (status=NULL, url=NULL, rows=3)",
            ({"status": "NULL", "url": "NULL", "rows": "3"},),
        ),
    ),
    Scenario(
        {"accepted_values": {"column": "status", "values": ["paid", "it's", 7]}},
        "accepted_values_status",
        bad({"status": "lost"}, {"status": "it's"}, {"status": None}, {"status": "7"}),
        Said(True, {"rejected": 0}),
        Said(
            False,
            {"rejected": 1},
            "status is none of the 3 accepted values in 1 row (id=1, status=lost)",
            ids(1, status="lost"),
        ),
        Said(True, {"rejected": 0}),
        Said(True, {"rejected": 0}),
    ),
    Scenario(
        {"min_rows": 3},
        "min_rows",
        bad()[:2],
        Said(True, {"rows": 4, "at_least": 3}),
        Said(False, {"rows": 2, "at_least": 3}, "expected at least 3 rows, found 2"),
        Said(False, {"rows": 0, "at_least": 3}, "expected at least 3 rows, found 0"),
        Said(True, {"rows": 3, "at_least": 3}),
    ),
    Scenario(
        {"volume": {"against": 3, "drop": "25%", "rise": "25%"}},
        "volume",
        bad()[:1],
        Said(True, {"rows": 4, "usual": 4.0, "compared": 3}),
        Said(
            False,
            {"rows": 1, "usual": 4.0, "compared": 3},
            "expected 3 to 5 rows (average of 3: 4), found 1",
        ),
        Said(
            False,
            {"rows": 0, "usual": 4.0, "compared": 3},
            "expected 3 to 5 rows (average of 3: 4), found 0",
        ),
        Said(True, {"rows": 3, "usual": 4.0, "compared": 3}),
        around=week(4),
    ),
    Scenario(
        {"share": {"where": "status = 'paid'", "at_least": "60%"}},
        "share",
        bad({"status": "lost"}, {"status": None}),
        Said(True, {"count": 4, "total": 4, "share": 1.0}),
        Said(False, {"count": 2, "total": 4, "share": 0.5}, "2 of 4 is 50%, expected at least 60%"),
        Said(True, {"count": 0, "total": 0}, "no row to take a share of"),
        Said(False, {"count": 0, "total": 3, "share": 0.0}, "0 of 3 is 0%, expected at least 60%"),
        title="of a group",
    ),
    Scenario(
        {"share": {"by": "status", "distinct": "account_id", "at_least": "20%", "at_most": "60%"}},
        "share_status_account_id",
        bad({"status": "lost", "account_id": 4}, {}, {}, {"status": "lost"}),
        Said(True, {"groups": 2, "outside": 0, "least": 0.5, "greatest": 0.5}),
        Said(
            False,
            {"groups": 2, "outside": 1, "least": 0.333333, "greatest": 0.666667},
            "1 of 2 values of status are outside, shares from 33.33% to 66.67%, expected 20% to 60%"
            " (status=paid, count=2, share=66.67%)",
            ({"status": "paid", "count": "2", "share": "66.67%"},),
        ),
        Said(True, {"groups": 0, "outside": 0}),
        Said(
            False,
            {"groups": 1, "outside": 1},
            "1 of 1 values of status are a share of 0 (status=NULL, count=0, share=NULL)",
            ({"status": "NULL", "count": "0", "share": "NULL"},),
        ),
        good_rows=[*good()[:2], *good(status="sent")[2:]],
        title="of each group, in distinct accounts",
    ),
    Scenario(
        {
            "share": {
                "where": "status = 'paid'",
                "of": {"table": "ods.account", "sum": "users"},
                "at_most": "40%",
            }
        },
        "share",
        [*bad(), order(5, BAD)],
        Said(True, {"count": 4, "total": 10, "share": 0.4}),
        Said(False, {"count": 5, "total": 10, "share": 0.5}, "5 of 10 is 50%, expected at most 40%"),
        Said(True, {"count": 0, "total": 10, "share": 0.0}),
        Said(True, {"count": 0, "total": 10, "share": 0.0}),
        around=accounts(),
        title="of a sum in another table",
    ),
    Scenario(
        {"share": {"by": "status", "of": "ods.account", "at_most": "50%"}},
        "share_status",
        bad({"status": "sent"}),
        Said(True, {"groups": 2, "outside": 0, "least": 0.5, "greatest": 0.5}),
        Said(
            False,
            {"groups": 2, "outside": 1, "least": 0.25, "greatest": 0.75},
            "1 of 2 values of status are outside, shares from 25% to 75%, expected at most 50%"
            " (status=paid, count=3, share=75.0%)",
            ({"status": "paid", "count": "3", "share": "75.0%"},),
        ),
        Said(True, {"groups": 0, "outside": 0}),
        Said(
            False,
            {"groups": 1, "outside": 1, "least": 0.75, "greatest": 0.75},
            "1 of 1 values of status are outside, shares from 75% to 75%, expected at most 50%"
            " (status=NULL, count=3, share=75.0%)",
            ({"status": "NULL", "count": "3", "share": "75.0%"},),
        ),
        good_rows=[*good()[:2], *good(status="sent")[2:]],
        around=accounts(),
        title="of each group, in the rows of another table",
    ),
    Scenario(
        {"match_rate": {"column": "url", "pattern": "^https://shop/\\d+$", "at_least": "75%"}},
        "match_rate_url",
        bad({"url": "ftp://x"}, {"url": None}),
        Said(True, {"rows": 4, "matched": 4, "rate": 1.0}),
        Said(
            False,
            {"rows": 4, "matched": 2, "rate": 0.5},
            "2 of 4 rows match in url: 50%, expected at least 75% (id=1, url=ftp://x; id=2, url=NULL)",
            ({"id": "1", "url": "ftp://x"}, {"id": "2", "url": "NULL"}),
        ),
        Said(True, {"rows": 0, "matched": 0}, "no row to match"),
        Said(
            False,
            {"rows": 3, "matched": 0, "rate": 0.0},
            "0 of 3 rows match in url: 0%, expected at least 75%"
            " (id=1, url=NULL; id=2, url=NULL; id=3, url=NULL)",
            ids(1, 2, 3, url="NULL"),
        ),
        title="of a pattern",
    ),
    Scenario(
        {"match_rate": {"column": "url", "drop": "10%", "against": 2}},
        "match_rate_url",
        bad({"url": None}),
        Said(True, {"rows": 4, "matched": 4, "rate": 1.0, "usual": 0.9, "compared": 2}),
        Said(
            False,
            {"rows": 4, "matched": 3, "rate": 0.75, "usual": 0.95, "compared": 2},
            "3 of 4 rows have a value in url: 75%, expected at least 85.5% (average of 2: 95%)"
            " (id=1, url=NULL)",
            ids(1, url="NULL"),
        ),
        Said(True, {"rows": 0, "matched": 0}, "no row to match"),
        Said(
            False,
            {"rows": 3, "matched": 0, "rate": 0.0, "usual": 1.0, "compared": 1},
            "0 of 3 rows have a value in url: 0%, expected at least 90% (average of 1: 100%)"
            " (id=1, url=NULL; id=2, url=NULL; id=3, url=NULL)",
            ids(1, 2, 3, url="NULL"),
        ),
        around=week(4, 0.9),
        title="of any value, against earlier partitions",
    ),
    Scenario(
        {"fan_out": {"of": "ods.account", "at_most": 1.0}},
        "fan_out_account",
        [*bad(), order(5, BAD)],
        Said(True, {"rows": 4, "base": 4, "ratio": 1.0}),
        Said(
            False,
            {"rows": 5, "base": 4, "ratio": 1.25},
            "5 rows for 4 rows of ods.account: 1.25, expected at most 1",
        ),
        Said(True, {"rows": 0, "base": 4}),
        Said(True, {"rows": 3, "base": 4, "ratio": 0.75}),
        around=accounts(),
        title="rows for one row of a table",
    ),
    Scenario(
        {"fan_out": {"of": "ods.account", "at_most": 1.0, "name": "inflated"}},
        "inflated",
        [*bad(), order(5, BAD)],
        Said(True, {"rows": 4, "base": 4, "ratio": 1.0}),
        Said(
            False,
            {"rows": 5, "base": 4, "ratio": 1.25},
            "5 rows for 4 rows of ods.account: 1.25, expected at most 1",
        ),
        Said(True, {"rows": 0, "base": 4}),
        Said(True, {"rows": 3, "base": 4, "ratio": 0.75}),
        around=accounts(rows=None),
        title="rows for one row of a table that nobody counted",
    ),
    Scenario(
        {"fan_out": {"per": ["account_id"], "at_most": 1.5, "at_least": 0.5}},
        "fan_out_account_id",
        bad({}, {"account_id": 1}, {"account_id": 1}, {"account_id": 1}),
        Said(True, {"rows": 4, "base": 4, "ratio": 1.0}),
        Said(
            False,
            {"rows": 4, "base": 1, "ratio": 4.0},
            "4 rows for 1 distinct account_id: 4, expected 0.5 to 1.5",
        ),
        Said(True, {"rows": 0, "base": 0}),
        Said(
            False,
            {"rows": 3, "base": 1, "ratio": 3.0},
            "3 rows for 1 distinct account_id: 3, expected 0.5 to 1.5",
        ),
        title="rows for one key",
    ),
    Scenario(
        {"fan_out": {"of": "ods.account", "per": "id", "at_most": 1.0}},
        "fan_out_id_account",
        bad({}, {"id": 1}),
        Said(True, {"rows": 4, "base": 4, "ratio": 1.0}),
        Said(
            False,
            {"rows": 4, "base": 3, "ratio": 1.333333},
            "4 rows for 3 distinct id, against 4 rows for 4 in ods.account: 1.333, expected at most 1",
        ),
        Said(True, {"rows": 0, "base": 0}),
        Said(True, {"rows": 3, "base": 3, "ratio": 1.0}),
        around=accounts(),
        title="rows for one key against the same there",
    ),
    Scenario(
        {"referential": {"columns": ["account_id"], "of": "ods.account", "to": ["id"], "missing": "20%"}},
        "referential_account_id_account",
        bad({"account_id": 77}, {"account_id": None}),
        Said(True, {"rows": 4, "missing": 0, "share": 0.0}),
        Said(
            False,
            {"rows": 3, "missing": 1, "share": 0.333333},
            "account_id of 1 in 3 rows is not in ods.account(id): 33.33%, allowed 20% (id=1, account_id=77)",
            ids(1, account_id="77"),
        ),
        Said(True, {"rows": 0, "missing": 0, "share": 0.0}),
        Said(True, {"rows": 0, "missing": 0, "share": 0.0}),
        around=accounts(),
    ),
    Scenario(
        {"fresh": {"column": "at", "within": "2h"}},
        "fresh_at",
        bad(*[{"at": datetime(2026, 1, 6, 17, 12, number, tzinfo=ZONE)} for number in range(4)]),
        Said(True, {"newest": "2026-01-05 22:30:00", "age_seconds": 5400}),
        Said(
            False,
            {"newest": "2026-01-06 17:12:03", "age_seconds": 24477},
            "the newest at is 2026-01-06 17:12:03, 6 h 47 min before the partition ends, allowed 2 h",
        ),
        Said(False, {}, "no value of at is a time"),
        Said(False, {}, "no value of at is a time"),
    ),
    Scenario(
        {
            "sql": {
                "name": "amounts_of_the_day",
                "query": "SELECT s.id, s.amount FROM {{ staged }} s\n"
                "WHERE s.amount < 0 AND s.ds = '{{ ds }}' AND s.ds = '$[yyyy-MM-dd]' -- of the day",
            }
        },
        "amounts_of_the_day",
        bad({"amount": -1}, {}, {"amount": -2}),
        Said(True, {"found": 0}),
        Said(False, {"found": 2}, "2 rows found (id=1; id=3)", ids(1, 3)),
        Said(True, {"found": 0}),
        Said(True, {"found": 0}),
    ),
)
