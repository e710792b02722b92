"""Where the parcels are: a flow log that its owners shard by parcel and month, 28 tables in all.

A parcel lives in the shard of the month in which *it was created*; its later events follow it there,
whatever month they happen in. So the first days of January are in four shards (two parts, December and
January), and whoever derives the shard from an event's ``create_time`` loses the parcels of late December.

Each shard numbers its rows from one: ``id`` alone is no key, shard and ``id`` are.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from dataplat.demo.bulk import Batch, Column, blank, choose, decimals
from dataplat.demo.schema import FLOW_LOG, LOGISTICS
from dataplat.demo.story import Ints, Story, Times, after
from dataplat.demo.trade import Orders
from dataplat.demo.words import OPERATORS, ORDER_REMARKS, STATIONS

MONTHS_BEFORE = 13
PARTS = 2  # a parcel is in the part that its order number leaves over
OLD_EVENTS_PER_SHARD = 400
_STEPS = (  # operation, minutes after the step before, share of parcels that get this far
    (10, 2, 60, 1.0),
    (20, 30, 360, 0.995),
    (30, 20, 180, 0.99),
    (40, 60, 720, 0.98),
    (50, 240, 1_440, 0.97),
    (60, 240, 1_800, 0.95),
    (70, 60, 1_200, 0.93),
)
_EXCEPTION = 90


def shard_months(story: Story) -> list[np.datetime64]:
    """Return the months that have physical tables, oldest first."""
    first = story.start_of(0).astype("datetime64[M]") - np.timedelta64(MONTHS_BEFORE, "M")
    last = np.datetime64(story.last_day, "M")
    return list(np.arange(first, last + np.timedelta64(1, "M")))


def shard_name(part: int, month: np.datetime64) -> str:
    """Return the physical table of a part and month.

    >>> shard_name(1, np.datetime64("2026-01"))
    't_package_flow_log_1_2026_01'
    """
    return f"{FLOW_LOG}_{part}_{str(month).replace('-', '_')}"


def shard_names(story: Story) -> list[str]:
    """Return every physical table, month by month."""
    return [shard_name(part, month) for month in shard_months(story) for part in range(PARTS)]


def draw_shards(story: Story, orders: Sequence[Orders]) -> Iterator[Batch]:
    """Yield one batch for each physical table: the parcels of these orders, and old ones."""
    parcel_months, events = _events(story, orders)
    oldest_parcel = story.start_of(0).astype("datetime64[M]") - np.timedelta64(1, "M")
    for month in shard_months(story):
        for part in range(PARTS):
            name = shard_name(part, month)
            if month < oldest_parcel:
                yield _batch(story, name, _old_events(story, name, part, month))
            else:
                here = (parcel_months == month) & (events["order_id"] % PARTS == part)
                yield _batch(story, name, {key: values[here] for key, values in events.items()})


def _events(story: Story, orders: Sequence[Orders]) -> tuple[Times, dict[str, Ints]]:
    order_ids = np.concatenate([day.ids[day.paid_at < story.now] for day in orders])
    at: Times = np.concatenate([day.paid_at[day.paid_at < story.now] for day in orders])
    draw = story.draw(FLOW_LOG)
    luck = draw.random(len(order_ids))
    parts: list[tuple[Ints, Ints, Times]] = []
    month = np.empty(0, dtype="datetime64[M]")
    for operation, low, high, share in _STEPS:
        at = after(draw, at, low, high)
        if operation == _STEPS[0][0]:
            month = at.astype("datetime64[M]")
        reached = luck < share
        parts.append((np.flatnonzero(reached), np.full(int(reached.sum()), operation), at[reached]))
    lost = luck >= _STEPS[-2][3]
    parts.append((np.flatnonzero(lost), np.full(int(lost.sum()), _EXCEPTION), at[lost]))
    parcel, operation_type, moments = (np.concatenate(column) for column in zip(*parts, strict=True))
    seen = moments < story.now
    parcel, operation_type, moments = parcel[seen], operation_type[seen], moments[seen]
    order = np.argsort(moments, kind="stable")
    events = {"order_id": order_ids[parcel], "operation_type": operation_type, "create_time": moments}
    return month[parcel][order], {name: values[order] for name, values in events.items()}


def _old_events(story: Story, name: str, part: int, month: np.datetime64) -> dict[str, Ints]:
    draw = story.draw(name)
    rows = max(10, round(OLD_EVENTS_PER_SHARD * story.scale))
    start = month.astype("datetime64[s]")
    span = int(((month + 1).astype("datetime64[s]") - start) / np.timedelta64(1, "s"))
    operations = np.array([step[0] for step in _STEPS])
    return {
        "order_id": np.sort(draw.integers(1_000, 50_000, size=rows)) * PARTS + part,
        "operation_type": operations[draw.integers(0, len(operations), size=rows)],
        "create_time": start + np.sort(draw.integers(0, span, size=rows)).astype("timedelta64[s]"),
    }


def _batch(story: Story, name: str, events: dict[str, Ints]) -> Batch:
    draw = story.draw(f"{name} texts")
    rows = len(events["order_id"])
    weight = decimals(draw.integers(20, 30_000, size=rows), 3)
    columns: dict[str, Column] = {
        "id": 1 + np.arange(rows),
        "package_no": [f"PK{number:016d}" for number in events["order_id"].tolist()],
        **events,
        "station": choose(STATIONS, draw.integers(0, len(STATIONS), size=rows)),
        "operator": choose(OPERATORS, draw.integers(0, len(OPERATORS), size=rows)),
        "weight_kg": blank(weight, draw.random(rows) < 0.3),
        "is_exception": events["operation_type"] == _EXCEPTION,
        "remark": choose(ORDER_REMARKS, draw.integers(0, len(ORDER_REMARKS), size=rows)),
    }
    return Batch(f"{LOGISTICS}.{name}", columns)
