"""Functions of a date in a condition: what is recognised, word for word, and what is left as it was."""

import pytest

from dataplat.plan.where_dates import Rewritten, rewrite_date_conditions

TYPES = {"at": "datetime(6)", "day": "date", "stamp": "timestamp", "text": "varchar(20)", "t": "time"}
DAY = "(`at` >= '2026-01-31' AND `at` < '2026-02-01')"


def sent(where: str, zone: str = "Asia/Shanghai") -> str:
    return rewrite_date_conditions(where, TYPES, zone).sql


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("date(at) = '2026-01-31'", DAY),
        ("DATE ( `AT` ) = '2026-01-31'", DAY.replace("at", "AT")),
        ("'2026-01-31' = date(at)", DAY),
        ('date(at) = "2026-01-31"', DAY),
        ("CAST(at AS DATE) = '2026-01-31'", DAY),
        ("DATE_FORMAT(at, '%Y-%m-%d') = '2026-01-31'", DAY),
        ("date(at) <> '2026-01-31'", "(`at` < '2026-01-31' OR `at` >= '2026-02-01')"),
        ("date(at) != '2026-01-31'", "(`at` < '2026-01-31' OR `at` >= '2026-02-01')"),
        ("date(at) < '2026-01-31'", "`at` < '2026-01-31'"),
        ("date(at) <= '2026-01-31'", "`at` < '2026-02-01'"),
        ("date(at) > '2026-01-31'", "`at` >= '2026-02-01'"),
        ("date(at) >= '2026-01-31'", "`at` >= '2026-01-31'"),
        ("'2026-01-31' > date(at)", "`at` < '2026-01-31'"),
        ("date(at) BETWEEN '2024-02-28' AND '2024-02-29'", "(`at` >= '2024-02-28' AND `at` < '2024-03-01')"),
        ("date(at) NOT BETWEEN '2026-01-31' AND '2026-01-31'", f"(NOT {DAY})"),
        ("date(at) IN ('2026-01-31')", f"({DAY})"),
        ("date(at) NOT IN ('2026-01-31')", f"(NOT ({DAY}))"),
        ("NOT date(at) = '2026-01-31'", f"NOT {DAY}"),
        ("n = 1 AND (date(at) = '2026-01-31' OR note = 'x')", f"n = 1 AND ({DAY} OR note = 'x')"),
        ("n BETWEEN 1 AND 2 AND date(at) = '2026-01-31'", f"n BETWEEN 1 AND 2 AND {DAY}"),
        ("if(date(at) = '2026-01-31', 1, 0) = 1", f"if({DAY}, 1, 0) = 1"),
        ("date(day) = '2026-01-31'", DAY.replace("at", "day")),
        ("date(stamp) >= '2026-01-31'", "`stamp` >= '2026-01-31'"),
        ("date(at)='2026-01-31'\nAND date(day)<'2026-01-31'", f"{DAY}\nAND `day` < '2026-01-31'"),
    ],
)
def test_a_function_of_a_date_becomes_a_half_open_range(where: str, wanted: str) -> None:
    assert sent(where) == wanted


@pytest.mark.parametrize(
    "where",
    [
        "at = '2026-01-31'",
        "date(text) = '2026-01-31'",  # text is compared as text
        "date(t) = '2026-01-31'",  # the date of a time of day is today
        "date(unknown) = '2026-01-31'",
        "date(x.at) = '2026-01-31'",
        "date(at) = '2026-02-30'",
        "date(at) = '9999-12-31'",
        "date(at) = '0000-00-00'",
        "date(at) = '20260131'",
        "date(at) = 20260131",
        "date(at) = '2026-01-31 10:00:00'",
        "date(at) = date('2026-01-31')",
        "date(at) = '2026-01-31' + INTERVAL 1 DAY",
        "date(at) = '2026-01-31' COLLATE utf8mb4_bin",
        "date(at) = '2026-01-31' IS TRUE",
        "date(at) = '2026-01-31' || x",  # some servers read || as concatenation
        "date(at) IN ('2026-01-31', day)",
        "date(at) <=> '2026-01-31'",
        "1 + date(at) = '2026-01-31'",
        "n BETWEEN 1 AND date(at) = '2026-01-31'",
        "date(at + INTERVAL 1 DAY) = '2026-01-31'",
        "date_format(at, '%Y%m%d') = '20260131'",
        "note = 'date(at) = ''2026-01-31'''",
        "date(at) = '2026-01-31' -- of January",
        "date(at) = 'never closed",
        "updated = 1",
        "date",
    ],
)
def test_anything_else_is_sent_as_it_was_written(where: str) -> None:
    assert rewrite_date_conditions(where, TYPES, "Asia/Shanghai") == Rewritten(where)


def test_an_instant_is_left_alone_where_midnight_may_come_twice() -> None:
    assert sent("date(stamp) = '2026-01-31'", zone="America/Havana") == "date(stamp) = '2026-01-31'"
    assert sent("date(at) = '2026-01-31'", zone="America/Havana") == DAY


def test_what_was_replaced_is_told() -> None:
    found = rewrite_date_conditions("n = 1 AND DATE(at) = '2026-01-31' OR day > 3", TYPES, "UTC")

    assert found.replaced == ("DATE(at) = '2026-01-31'",)
