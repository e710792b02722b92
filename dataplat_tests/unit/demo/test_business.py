"""The business as drawn, before any database: repeatable, and true in itself."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from dataplat.demo.bulk import render_inserts
from dataplat.demo.business import draw_business
from dataplat.demo.logistics import shard_names
from dataplat.demo.schema import FLOW_LOG_COLUMNS, MARKET_TABLES
from dataplat.demo.story import Story
from dataplat.demo.words import REASONS

Rows = Mapping[str, np.ndarray[Any, Any]]


@pytest.fixture(scope="module")
def tables() -> dict[str, Rows]:
    return _tables(Story())


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert _digest(Story(scale=0.05)) == _digest(Story(scale=0.05))


def test_another_seed_gives_another_business() -> None:
    assert _digest(Story(scale=0.05)) != _digest(Story(seed=8, scale=0.05))


def test_a_day_is_drawn_the_same_however_many_days_are_filled() -> None:
    short, long = (_tables(Story(days=days, scale=0.05))["market.t_page_view"] for days in (2, 14))
    two_days = long["event_time"] < np.datetime64("2026-01-03")
    assert (long["url"][two_days] == short["url"]).all()


def test_fourteen_days_are_about_three_hundred_thousand_rows(tables: dict[str, Rows]) -> None:
    assert 290_000 < sum(len(rows["id"]) for rows in tables.values()) < 340_000


def test_scale_multiplies_the_rows_of_a_day() -> None:
    one, three = (len(_tables(Story(scale=s))["market.t_order"]["id"]) for s in (0.1, 0.3))
    assert abs(three / one - 3) < 0.05


def test_every_column_of_the_schema_is_filled_but_the_currency(tables: dict[str, Rows]) -> None:
    declared = {f"market.{name}": text for name, text in MARKET_TABLES.items()}
    declared |= {name: FLOW_LOG_COLUMNS for name in tables if "flow_log" in name}
    for table, rows in tables.items():
        missing = [column for column in _columns(declared[table]) if column not in rows]
        assert missing == (["currency"] if table == "market.t_order" else []), table


def test_ids_are_unique_and_grow_with_the_days(tables: dict[str, Rows]) -> None:
    for table, rows in tables.items():
        if table != "market.t_region":
            assert (np.diff(rows["id"].astype(np.int64)) == 1).all(), table


def test_the_amount_of_an_order_is_its_items_less_the_discount(tables: dict[str, Rows]) -> None:
    items, orders = tables["market.t_order_item"], tables["market.t_order"]
    gross: Counter[int] = Counter()
    for order, price, quantity in zip(items["order_id"], items["price"], items["quantity"], strict=True):
        gross[int(order)] += Decimal(price) * int(quantity)  # type: ignore[assignment]
    expected = [Decimal(a) + Decimal(d) for a, d in zip(orders["amount"], orders["discount"], strict=True)]
    assert [gross[int(number)] for number in orders["id"]] == expected


def test_every_paid_order_has_one_payment_of_its_amount(tables: dict[str, Rows]) -> None:
    orders, money = tables["market.t_order"], tables["market.t_money_record"]
    paid = {
        (int(number), Decimal(amount))
        for number, amount, at in zip(orders["id"], orders["amount"], orders["paid_at"], strict=True)
        if not np.isnat(at)
    }
    payments = [
        (int(detail.split('"order_id": ')[1].rstrip("}")), -Decimal(amount))
        for detail, amount, kind in zip(money["detail"], money["money"], money["type"], strict=True)
        if kind == 2
    ]
    assert len(payments) == len(paid)
    assert set(payments) == paid


def test_nothing_happens_after_the_last_day(tables: dict[str, Rows]) -> None:
    for table, rows in tables.items():
        for column, values in rows.items():
            if values.dtype.kind == "M":
                assert not (values >= np.datetime64("2026-01-15")).any(), (table, column)


def test_nobody_acts_before_registering(tables: dict[str, Rows]) -> None:
    accounts = tables["market.t_account"]
    registered = dict(zip(accounts["id"].tolist(), accounts["create_time"], strict=True))
    orders = tables["market.t_order"]
    pairs = zip(orders["account_id"].tolist(), orders["create_time"], strict=True)
    assert all(registered[account] < at for account, at in pairs)


def test_a_sixth_of_the_money_records_is_late_by_one_to_three_days(tables: dict[str, Rows]) -> None:
    money = tables["market.t_money_record"]
    lag = (money["update_time"] - money["create_time"]).astype("timedelta64[s]").astype(np.int64)
    late = lag[lag > 0]
    assert 0.1 < len(late) / len(lag) < 0.2
    assert late.min() >= 86_400
    assert late.max() <= 3 * 86_400


def test_the_quiet_hour_is_empty_and_its_neighbours_are_not(tables: dict[str, Rows]) -> None:
    hours = tables["market.t_page_view"]["event_time"].astype("datetime64[h]")
    quiet = np.datetime64("2026-01-08T03")
    assert [int((hours == quiet + step).sum()) > 0 for step in (-1, 0, 1)] == [True, False, True]


def test_texts_come_with_null_empty_quotes_controls_and_four_byte_characters() -> None:
    assert {None, "", "NULL", "tab\tinside", "two\nlines", "C:\\temp"} <= set(REASONS)
    assert any(ord(character) > 0xFFFF for text in REASONS if text for character in text)


def test_the_flow_log_has_28_shards_and_january_begins_in_december_s(tables: dict[str, Rows]) -> None:
    names = shard_names(Story())
    assert (len(names), names[0], names[-1]) == (
        28,
        "t_package_flow_log_0_2024_12",
        "t_package_flow_log_1_2026_01",
    )
    december = tables["hydra_production_flow.t_package_flow_log_0_2025_12"]["create_time"]
    assert (december >= np.datetime64("2026-01-01")).sum() > 1_000


def _tables(story: Story) -> dict[str, Rows]:
    parts: dict[str, dict[str, list[np.ndarray[Any, Any]]]] = {}
    for batch in draw_business(story):
        columns = parts.setdefault(batch.table, {})
        for name, values in batch.columns.items():
            columns.setdefault(name, []).append(np.asarray(values))
    return {
        table: {name: np.concatenate(values) for name, values in columns.items()}
        for table, columns in parts.items()
    }


def _digest(story: Story) -> str:
    digest = hashlib.sha256()
    for batch in draw_business(story):
        for statement in render_inserts(batch):
            digest.update(statement.encode())
    return digest.hexdigest()


def _columns(declaration: str) -> list[str]:
    words = [line.split()[0] for line in declaration.splitlines() if line.strip()]
    return [word for word in words if word not in ("KEY", "UNIQUE", "COMMENT")]
