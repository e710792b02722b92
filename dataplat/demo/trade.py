"""What happens in the shop: orders, their items, and the money that moves because of them.

The numbers hold together, so that a warehouse built on them has something to check:

* an order's ``amount`` is the sum of its items minus its ``discount``;
* every paid order has exactly one payment among the money records, of exactly its amount, and its id
  in ``detail``; every refunded order also one refund;
* ``update_time`` is the last thing that happened before the story's end. About a quarter of the
  orders and a sixth of the money records are updated on a later day than they were created, and one
  partition holds what was *updated* on its day.

Payments carry the time of payment, so one for an order of 23:59 is created on the next day.
"""

from dataclasses import dataclass

import numpy as np

from dataplat.demo.bulk import Batch, Column, Flags, blank, choose, decimals
from dataplat.demo.market import Accounts, Products
from dataplat.demo.schema import MARKET
from dataplat.demo.story import Ints, Story, Times, after, with_milliseconds
from dataplat.demo.words import ORDER_REMARKS, REASONS

ORDERS_PER_DAY = 1_000
OTHER_MONEY_PER_DAY = 2_600
NEW, PAID, SHIPPED, DONE, CANCELLED, REFUNDED = range(6)
RECHARGE, PAYMENT, REFUND, REWARD, WITHDRAWAL = range(1, 6)
_NEVER = np.datetime64("9999-12-31T00:00:00", "s")


@dataclass(frozen=True)
class Orders:
    """The orders of one day with their items; times that never come are the year 9999."""

    batch: Batch
    items: Batch
    ids: Ints
    account_ids: Ints
    amount_cents: Ints
    paid_at: Times
    refunded_at: Times


@dataclass(frozen=True)
class Numbers:
    """The next free id of each table; the tables number their rows in order of creation."""

    order: int = 100_001
    item: int = 500_001
    money: int = 2_000_001

    def past(self, orders: Orders, money: Batch) -> "Numbers":
        return Numbers(self.order + orders.batch.rows, self.item + orders.items.rows, self.money + money.rows)


def pick_accounts(story: Story, draw: np.random.Generator, accounts: Accounts, day: int, rows: int) -> Ints:
    """Return positions of accounts that existed before the day; some people come much more often."""
    existing = max(1, accounts.present(story.start_of(day)))
    return (existing * draw.random(rows) ** 1.7).astype(np.int64)


def draw_orders(story: Story, accounts: Accounts, products: Products, day: int, numbers: Numbers) -> Orders:
    """Return the orders placed on a day, as they stand at the story's end."""
    draw = story.draw("t_order", day)
    rows = story.size(ORDERS_PER_DAY, day)
    ids = numbers.order + np.arange(rows)
    created = story.moments(draw, day, rows)
    who = pick_accounts(story, draw, accounts, day, rows)
    items, gross = _items(draw, products, ids, created, numbers.item)
    discount = np.where(draw.random(rows) < 0.2, gross // 10, 0)
    paid, refunded, status, updated = _fates(story, draw, created)
    day_text = str(story.start_of(day).astype("datetime64[D]")).replace("-", "")
    columns: dict[str, Column] = {
        "id": ids,
        "order_no": [f"{day_text}{number:012d}" for number in ids.tolist()],
        "account_id": accounts.ids[who],
        "region_id": blank(accounts.region_ids[who], draw.random(rows) < 0.02),
        "status": status,
        "item_count": np.bincount(np.asarray(items.columns["order_id"]) - numbers.order, minlength=rows),
        "amount": decimals(gross - discount, 2),
        "discount": decimals(discount, 2),
        "is_gift": draw.random(rows) < 0.06,
        "remark": choose(ORDER_REMARKS, draw.integers(0, len(ORDER_REMARKS), size=rows)),
        "paid_at": np.where(paid < story.now, paid, np.datetime64("NaT", "s")),
        "create_time": created,
        "update_time": with_milliseconds(draw, updated),
    }
    return Orders(
        Batch(f"{MARKET}.t_order", columns), items, ids, accounts.ids[who], gross - discount, paid, refunded
    )


def draw_money(story: Story, accounts: Accounts, orders: Orders, day: int, numbers: Numbers) -> Batch:
    """Return the payments and refunds of a day's orders and the day's other movements."""
    draw = story.draw("t_money_record", day)
    rows = story.size(OTHER_MONEY_PER_DAY, day)
    who = accounts.ids[pick_accounts(story, draw, accounts, day, rows)]
    kind = draw.choice([RECHARGE, REWARD, WITHDRAWAL], size=rows, p=[0.5, 0.3, 0.2])
    money = np.rint(np.exp(draw.normal(11.5, 1.4, size=rows))).astype(np.int64).clip(1, 10**10)
    money = np.where(kind == WITHDRAWAL, -money, money)
    paid, refunded = orders.paid_at < story.now, orders.refunded_at < story.now
    parts = [
        (who, kind, money, story.moments(draw, day, rows), np.zeros(rows, dtype=np.int64)),
        _of_orders(orders, paid, PAYMENT, -100, orders.paid_at),
        _of_orders(orders, refunded, REFUND, 100, orders.refunded_at),
    ]
    account, kind, money, created, order_id = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(created, kind="stable")
    return _money_batch(
        story, draw, numbers.money, account[order], kind[order], money[order], created[order], order_id[order]
    )


def _money_batch(
    story: Story,
    draw: np.random.Generator,
    first_id: int,
    account: Ints,
    kind: Ints,
    money: Ints,
    created: Times,
    order_id: Ints,
) -> Batch:
    rows = len(account)
    settled = after(draw, created, 24 * 60, 3 * 24 * 60)
    late = (draw.random(rows) < 0.16) & (settled < story.now)
    channels = choose(("alipay", "wechat", "银行卡"), draw.integers(0, 3, size=rows))
    details = [
        f'{{"channel": "{channel}", "order_id": {number or "null"}}}'
        for channel, number in zip(channels, order_id.tolist(), strict=True)
    ]
    columns: dict[str, Column] = {
        "id": first_id + np.arange(rows),
        "account_id": account,
        "type": kind,
        "money": decimals(money, 4),
        "reason": choose(REASONS, draw.integers(0, len(REASONS), size=rows)),
        "detail": blank(details, (draw.random(rows) < 0.1) & (order_id == 0)),
        "create_time": created,
        "update_time": np.where(late, settled, created),
        "deleted": late & (draw.random(rows) < 0.08),
    }
    return Batch(f"{MARKET}.t_money_record", columns)


def _of_orders(
    orders: Orders, mask: Flags, kind: int, factor: int, at: Times
) -> tuple[Ints, Ints, Ints, Times, Ints]:
    kinds = np.full(int(mask.sum()), kind)
    return orders.account_ids[mask], kinds, orders.amount_cents[mask] * factor, at[mask], orders.ids[mask]


def _items(
    draw: np.random.Generator, products: Products, order_ids: Ints, created: Times, first_id: int
) -> tuple[Batch, Ints]:
    counts = draw.choice([1, 2, 3, 4, 6], size=len(order_ids), p=[0.52, 0.26, 0.13, 0.06, 0.03])
    owner = np.repeat(np.arange(len(order_ids)), counts)
    picked = draw.choice(len(products.ids), size=len(owner), p=products.popularity)
    quantity = draw.choice([1, 2, 3, 10], size=len(owner), p=[0.8, 0.13, 0.06, 0.01])
    price = products.price_cents[picked]
    gross = np.bincount(owner, weights=(price * quantity).astype(float)).astype(np.int64)
    columns: dict[str, Column] = {
        "id": first_id + np.arange(len(owner)),
        "order_id": order_ids[owner],
        "product_id": products.ids[picked],
        "quantity": quantity,
        "price": decimals(price, 2),
        "create_time": created[owner],
    }
    return Batch(f"{MARKET}.t_order_item", columns), gross


def _fates(story: Story, draw: np.random.Generator, created: Times) -> tuple[Times, Times, Ints, Times]:
    fate = draw.random(len(created))
    paid = np.where(fate < 0.92, after(draw, created, 1, 25), _NEVER)
    cancelled = np.where(fate >= 0.95, after(draw, created, 30, 26 * 60), _NEVER)
    shipped = np.where(fate < 0.92, after(draw, created, 3 * 60, 30 * 60), _NEVER)
    done = np.where(fate < 0.86, after(draw, created, 32 * 60, 96 * 60), _NEVER)
    refunded = np.where((fate >= 0.86) & (fate < 0.89), after(draw, created, 32 * 60, 80 * 60), _NEVER)
    status, updated = np.zeros(len(created), dtype=np.int64), created
    steps = ((PAID, paid), (SHIPPED, shipped), (DONE, done), (CANCELLED, cancelled), (REFUNDED, refunded))
    for state, at in steps:
        happened = at < story.now
        status, updated = np.where(happened, state, status), np.where(happened, at, updated)
    return paid, refunded, status, updated
