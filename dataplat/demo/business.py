"""The demo's business: a shop with its money, its visitors and its parcels, 300,000 rows in 14 days.

What it is for: everything the platform promises must be shown on rows that look like somebody's
production database, and the same rows every time, so that a count in a document stays true. The
same seed, days and scale give the same bytes.

* ``market``: accounts, products, regions, orders with items, money records, page views, coupons.
* ``hydra_production_flow``: one flow log in 28 physical tables: two parts, fourteen months.

The days are 2026-01-01 to 2026-01-14 in Asia/Shanghai, whatever today is. Five days before them have
orders too, so that the first day already receives updates of older rows. See ``trade`` for what is
late, ``logistics`` for the shards, ``story`` for the calendar, ``mishaps`` for breaking things.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from dataplat.demo import coupons, logistics, market, mishaps, schema, trade, traffic
from dataplat.demo.bulk import Batch, Connection, ConnectionFactory, Progress, load_batch, session
from dataplat.demo.story import DAYS, LEAD_IN_DAYS, SEED, Story

DATABASES = (schema.MARKET, schema.LOGISTICS)


@dataclass(frozen=True)
class BusinessSummary:
    """What was filled: rows by ``database.table``, shards one by one, and the span of days."""

    tables: Mapping[str, int]
    first_day: date
    last_day: date

    @property
    def rows(self) -> int:
        return sum(self.tables.values())


def fill(
    connect: ConnectionFactory,
    *,
    seed: int = SEED,
    days: int = DAYS,
    scale: float = 1.0,
    progress: Progress = lambda table, done, total: None,
) -> BusinessSummary:
    """Drop the demo's databases and fill them again.

    Args:
        connect: Opens a connection of a user who may create databases: ``PrivateMariaDB.connect``.
        seed: Another seed is another business of the same shape.
        days: How many days from 2026-01-01; more than 14 adds shards as months go by.
        scale: Multiplies accounts and rows a day.
        progress: Called with the table just written, batches done and batches in all.

    Raises:
        DemoError: If the server did not store a row as it is. The databases are then incomplete;
            calling again repairs them.
    """
    story = Story(seed, days, scale)
    total = 3 + 3 * (days + LEAD_IN_DAYS) + 2 * days + len(logistics.shard_names(story))
    tables: dict[str, int] = {}
    with session(connect) as connection:
        _recreate(connection, story)
        for done, batch in enumerate(draw_business(story), start=1):
            tables[batch.table] = tables.get(batch.table, 0) + load_batch(connection, batch)
            progress(batch.table, done, total)
        _analyze(connection, list(tables))
    return BusinessSummary(tables, story.first_day, story.last_day)


def draw_business(story: Story) -> Iterator[Batch]:
    """Yield every batch of the business in the order of loading. Touches nothing."""
    accounts, products = market.draw_accounts(story), market.draw_products(story)
    yield market.regions()
    yield accounts.batch
    yield products.batch
    numbers, all_orders = trade.Numbers(), []
    for day in range(-LEAD_IN_DAYS, story.days):
        orders = trade.draw_orders(story, accounts, products, day, numbers)
        money = trade.draw_money(story, accounts, orders, day, numbers)
        yield orders.batch
        yield orders.items
        yield money
        numbers = numbers.past(orders, money)
        all_orders.append(orders)
    view_id, claim_id = traffic.FIRST_VIEW_ID, coupons.FIRST_CLAIM_ID
    for day in range(story.days):
        views = traffic.draw_page_views(story, accounts, products, day, view_id)
        claims = coupons.draw_coupon_claims(story, accounts, day, claim_id)
        yield views
        yield claims
        view_id, claim_id = view_id + views.rows, claim_id + claims.rows
    yield from logistics.draw_shards(story, all_orders)


def _recreate(connection: Connection, story: Story) -> None:
    with connection.cursor() as cursor:
        for database in (*DATABASES, mishaps.SHELF):
            cursor.execute(f"DROP DATABASE IF EXISTS {database}")
        for database in DATABASES:
            cursor.execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb4")
        for name, columns in schema.MARKET_TABLES.items():
            cursor.execute(schema.create_table(f"{schema.MARKET}.{name}", columns))
        for name in logistics.shard_names(story):
            cursor.execute(schema.create_table(f"{schema.LOGISTICS}.{name}", schema.FLOW_LOG_COLUMNS))


def _analyze(connection: Connection, tables: list[str]) -> None:
    """Give the optimizer real statistics: without them it may prefer a scan to the time index."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE " + ", ".join(tables))
