"""Coupons that people claim, and use a few days later or never.

The shipped configuration does not load this table: it is what `docs/adding-a-table.md` adds.
"""

import numpy as np

from dataplat.demo.bulk import Batch, Column, blank, choose
from dataplat.demo.market import Accounts
from dataplat.demo.schema import MARKET
from dataplat.demo.story import Story, after
from dataplat.demo.trade import pick_accounts

CLAIMS_PER_DAY = 300
FIRST_CLAIM_ID = 7_000_001
_FACE_VALUES = ("5.00", "10.00", "20.00", "100.00")


def draw_coupon_claims(story: Story, accounts: Accounts, day: int, first_id: int) -> Batch:
    """Return the coupons claimed on a day, as they stand at the story's end."""
    draw = story.draw("t_coupon_claim", day)
    rows = story.size(CLAIMS_PER_DAY, day)
    claimed = story.moments(draw, day, rows)
    used_at = after(draw, claimed, 10, 4 * 24 * 60)
    used = (draw.random(rows) < 0.4) & (used_at < story.now)
    who = pick_accounts(story, draw, accounts, day, rows)
    columns: dict[str, Column] = {
        "id": first_id + np.arange(rows),
        "account_id": accounts.ids[who],
        "code": [f"{number:012X}" for number in draw.integers(0, 1 << 48, size=rows).tolist()],
        "face_value": choose(_FACE_VALUES, draw.choice(4, size=rows, p=[0.4, 0.3, 0.25, 0.05])),
        "used": used,
        "note": blank(["新人礼🎁"] * rows, draw.random(rows) < 0.7),
        "claimed_at": claimed,
        "update_time": np.where(used, used_at, claimed),
    }
    return Batch(f"{MARKET}.t_coupon_claim", columns)
