"""Who and what the business is about: regions, accounts and products.

These are snapshots: one state, observed at the story's end. Accounts are numbered in the order in
which they registered, most before the first day, some on every day of the story, so an order can
only be placed by somebody who already exists.
"""

from dataclasses import dataclass

import numpy as np

from dataplat.demo.bulk import Batch, Column, blank, choose, decimals
from dataplat.demo.schema import MARKET
from dataplat.demo.story import Ints, Shares, Story, Times, with_milliseconds
from dataplat.demo.words import BRANDS, CATEGORIES, GIVEN_NAMES, NICKNAMES, REGIONS, SURNAMES

ACCOUNTS = 12_000
PRODUCTS = 800
FIRST_ACCOUNT_ID = 10_001
ZERO_DATE = "0000-00-00"
ZERO_TIME = "0000-00-00 00:00:00"

_REGION_IDS = np.array([code for code, _, _ in REGIONS], dtype=np.int64)
_REGION_WEIGHTS = np.array([people for _, _, people in REGIONS], dtype=float)
_INTERESTS = ("digital", "home", "food", "clothes", "baby", "books")


@dataclass(frozen=True)
class Accounts:
    """The account rows and what other tables need of them; position 0 is the first account."""

    batch: Batch
    ids: Ints
    region_ids: Ints
    registered: Times

    def present(self, at: np.datetime64) -> int:
        """Return how many accounts exist at this moment."""
        return int(np.searchsorted(self.registered, at))


@dataclass(frozen=True)
class Products:
    """The product rows, with prices in cents and how well each sells."""

    batch: Batch
    ids: Ints
    price_cents: Ints
    popularity: Shares


def regions() -> Batch:
    """Return the provinces, each with the address blocks that belong to it."""
    return Batch(
        f"{MARKET}.t_region",
        {
            "id": _REGION_IDS,
            "name": [name for _, name, _ in REGIONS],
            "population_ten_thousand": [str(people * 100) for _, _, people in REGIONS],
            "ip4_block": [f"10.{code // 10_000}.0.0/16" for code, _, _ in REGIONS],
            "ip6_block": [f"fd00:{code // 10_000}::/32" for code, _, _ in REGIONS],
        },
    )


def draw_accounts(story: Story) -> Accounts:
    """Return every account that registered before the story's end."""
    draw = story.draw("t_account")
    rows = max(1_000, round(ACCOUNTS * story.scale))
    registered = _registrations(story, draw, rows)
    ids = FIRST_ACCOUNT_ID + np.arange(rows)
    region_ids = draw.choice(_REGION_IDS, size=rows, p=_REGION_WEIGHTS / _REGION_WEIGHTS.sum())
    age = ((story.now - registered) / np.timedelta64(1, "s")).astype(np.int64)
    touched = registered + (age * draw.random(rows)).astype(np.int64).astype("timedelta64[s]")
    columns: dict[str, Column] = {
        "id": ids,
        "region_id": blank(region_ids, draw.random(rows) < 0.03),
        "create_time": registered,
        "update_time": with_milliseconds(draw, touched),
        "closed_at": _closed(draw, touched),
        **_person(draw, rows),
        **_standing(draw, ids),
        "register_ip": addresses(draw, region_ids),
    }
    return Accounts(Batch(f"{MARKET}.t_account", columns), ids, region_ids, registered)


def addresses(draw: np.random.Generator, region_ids: Ints) -> list[str]:
    """Return an address in each region's block, one in twelve of them IPv6."""
    low = draw.integers(0, 1 << 16, size=len(region_ids)).tolist()
    six = (draw.random(len(region_ids)) < 1 / 12).tolist()
    blocks = (region_ids // 10_000).tolist()
    return [
        f"fd00:{block}::{part:x}" if wide else f"10.{block}.{part >> 8}.{part & 255}"
        for block, part, wide in zip(blocks, low, six, strict=True)
    ]


def draw_products(story: Story) -> Products:
    """Return the goods on offer; a few sell very well and most hardly at all."""
    draw = story.draw("t_product")
    rows = max(100, round(PRODUCTS * min(story.scale, 10.0)))
    ids = 1 + np.arange(rows)
    kinds = [(category, noun) for category, nouns in CATEGORIES for noun in nouns]
    picked = [kinds[i] for i in draw.integers(0, len(kinds), size=rows).tolist()]
    brands = choose(BRANDS, draw.integers(0, len(BRANDS), size=rows))
    price_cents = (
        np.rint(np.exp(draw.normal(4.2, 1.1, size=rows)) * 100).astype(np.int64).clip(100, 9_999_900)
    )
    created = story.start_of(0) - draw.integers(86_400, 600 * 86_400, size=rows).astype("timedelta64[s]")
    cost = decimals((price_cents * draw.integers(40, 90, size=rows)).astype(np.int64), 4)
    columns: dict[str, Column] = {
        "id": ids,
        "sku": [f"SKU-{number:06d}" for number in ids.tolist()],
        "name": [f"{brand} {noun}" for brand, (_, noun) in zip(brands, picked, strict=True)],
        "category": [category for category, _ in picked],
        "price": decimals(price_cents, 2),
        "cost": blank(cost, draw.random(rows) < 0.1),
        "weight_grams": draw.integers(5, 30_000, size=rows),
        "on_sale": draw.random(rows) < 0.93,
        "attributes": [
            f'{{"brand": "{brand}", "tags": ["{noun}"]}}'
            for brand, (_, noun) in zip(brands, picked, strict=True)
        ],
        "description": blank([f"{noun}。\n产地：见包装" for _, noun in picked], draw.random(rows) < 0.3),
        "create_time": created,
        "update_time": created + draw.integers(0, 86_400, size=rows).astype("timedelta64[s]"),
    }
    popularity = 1.0 / (1.0 + draw.permutation(rows)) ** 0.8
    return Products(Batch(f"{MARKET}.t_product", columns), ids, price_cents, popularity / popularity.sum())


def _registrations(story: Story, draw: np.random.Generator, rows: int) -> Times:
    fresh = rows // 12
    span = story.days * 86_400
    before = -draw.integers(1, 730 * 86_400, size=rows - fresh)
    during = draw.integers(0, span, size=fresh)
    seconds = np.sort(np.concatenate([before, during]))
    return story.start_of(0) + seconds.astype("timedelta64[s]")


def _closed(draw: np.random.Generator, touched: Times) -> list[str | None]:
    fate = draw.random(len(touched))
    texts = np.datetime_as_string(touched).tolist()
    return [
        text if share < 0.03 else None if share < 0.15 else ZERO_TIME
        for text, share in zip(texts, fate.tolist(), strict=True)
    ]


def _person(draw: np.random.Generator, rows: int) -> dict[str, Column]:
    surnames = choose(SURNAMES, draw.integers(0, len(SURNAMES), size=rows))
    given = choose(GIVEN_NAMES, draw.integers(0, len(GIVEN_NAMES), size=rows))
    birthdays = np.datetime64("1950-01-01") + draw.integers(0, 365 * 58, size=rows).astype("timedelta64[D]")
    unknown = draw.random(rows)
    return {
        "name": [f"{first}{second}" for first, second in zip(surnames, given, strict=True)],
        "nickname": choose(NICKNAMES, draw.integers(0, len(NICKNAMES), size=rows)),
        "phone": blank(
            [f"1{n:010d}" for n in draw.integers(3 * 10**9, 10**10, size=rows).tolist()], unknown < 0.2
        ),
        "gender": choose(("unknown", "female", "male"), draw.choice(3, size=rows, p=[0.2, 0.42, 0.38])),
        "birthday": [
            ZERO_DATE if share < 0.25 else None if share < 0.4 else text
            for share, text in zip(unknown.tolist(), np.datetime_as_string(birthdays).tolist(), strict=True)
        ],
    }


def _standing(draw: np.random.Generator, ids: Ints) -> dict[str, Column]:
    rows = len(ids)
    level = np.minimum(255, draw.geometric(0.12, size=rows))
    vip = level > 20
    interests = draw.random((rows, len(_INTERESTS))) < 0.25
    profiles = [
        f'{{"lang": "zh-CN", "seen": {n}, "vip": {"true" if v else "false"}}}'
        for n, v in zip(draw.integers(0, 5_000, size=rows).tolist(), vip.tolist(), strict=True)
    ]
    return {
        "is_vip": vip,
        "is_active": blank(draw.integers(0, 2, size=rows), draw.random(rows) < 0.05),
        "level": level,
        "credit": draw.integers(-500, 1_000, size=rows),
        "balance": decimals(np.rint(draw.gamma(0.7, 4e6, size=rows)).astype(np.int64) - 20_000, 4),
        "interests": [
            ",".join(name for name, chosen in zip(_INTERESTS, row, strict=True) if chosen)
            for row in interests.tolist()
        ],
        "profile": blank(profiles, draw.random(rows) < 0.15),
    }
