"""Visits to the shop: one row a page view, appended as it happens and never changed.

The table for hourly partitions and for daily active users: a quarter of the views have no account.
One hour of the story has no view at all (``story.QUIET_HOUR``): its partition must be empty, not
missing and not the hour before.
"""

import numpy as np

from dataplat.demo.bulk import Batch, Column, blank, choose
from dataplat.demo.market import Accounts, Products, addresses
from dataplat.demo.schema import MARKET
from dataplat.demo.story import Ints, Story, with_milliseconds
from dataplat.demo.trade import pick_accounts
from dataplat.demo.words import DEVICES, REFERRERS, SEARCHES

VIEWS_PER_DAY = 6_000
FIRST_VIEW_ID = 40_000_001


def draw_page_views(story: Story, accounts: Accounts, products: Products, day: int, first_id: int) -> Batch:
    """Return the page views of one day in the order in which they happened."""
    draw = story.draw("t_page_view", day)
    rows = story.size(VIEWS_PER_DAY, day)
    moments = with_milliseconds(draw, story.moments(draw, day, rows))
    who = pick_accounts(story, draw, accounts, day, rows)
    anonymous = draw.random(rows) < 0.25
    product_ids = products.ids[draw.choice(len(products.ids), size=rows, p=products.popularity)]
    page = draw.choice(5, size=rows, p=[0.18, 0.2, 0.45, 0.1, 0.07])
    columns: dict[str, Column] = {
        "id": first_id + np.arange(rows),
        "account_id": blank(accounts.ids[who], anonymous),
        "session_id": [f"{number:016x}" for number in draw.integers(0, 1 << 63, size=rows).tolist()],
        "url": _urls(draw, page, product_ids),
        "referrer": choose(REFERRERS, draw.integers(0, len(REFERRERS), size=rows)),
        "product_id": blank(product_ids, page != 2),
        "device": choose(DEVICES, draw.choice(4, size=rows, p=[0.3, 0.4, 0.12, 0.18])),
        "ip": addresses(draw, accounts.region_ids[who]),
        "duration_ms": blank(draw.integers(100, 600_000, size=rows), draw.random(rows) < 0.08),
        "event_time": np.sort(moments),
    }
    return Batch(f"{MARKET}.t_page_view", columns)


def _urls(draw: np.random.Generator, page: Ints, product_ids: Ints) -> list[str]:
    words = choose(SEARCHES, draw.integers(0, len(SEARCHES), size=len(page)))
    kinds = ("/", "/search?q={word}", "/product/{product}", "/cart", "/help")
    return [
        kinds[kind].format(word=word, product=product)
        for kind, word, product in zip(page.tolist(), words, product_ids.tolist(), strict=True)
    ]
