"""When things happen in the demo business, and the random numbers behind it.

Everything is drawn from ``Story.draw(what, day)``: one generator for each table and day, seeded by
the seed, the table's name and the day. So a table does not change because another one was added, and
the third of January is the same whether three days are filled or fourteen, except that a longer
story lets more of its rows be updated later.

The calendar is fixed (it does not move with the clock): a run of the demo can be repeated and its
numbers can be written down. Days are days in Asia/Shanghai.
"""

import zlib
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

FIRST_DAY = date(2026, 1, 1)
DAYS = 14
SEED = 7
LEAD_IN_DAYS = 5  # orders from before the first day, whose packages and payments reach into it
QUIET_HOUR = (date(2026, 1, 8), 3)  # a maintenance window: the shop was closed, an hour without rows

Times = npt.NDArray[np.datetime64]
Ints = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]

_HOUR_WEIGHTS = np.array(
    [9, 5, 3, 2, 2, 3, 8, 18, 30, 42, 48, 46, 50, 44, 40, 41, 42, 44, 48, 58, 70, 72, 52, 25], dtype=float
)
_WEEKDAY_WEIGHTS = (0.95, 0.93, 0.96, 1.0, 1.06, 1.15, 1.12)
_LEAD_IN_WEIGHT = 0.4


@dataclass(frozen=True)
class Story:
    """The span, size and seed of one filled business."""

    seed: int = SEED
    days: int = DAYS
    scale: float = 1.0

    @property
    def first_day(self) -> date:
        return FIRST_DAY

    @property
    def last_day(self) -> date:
        return self.start_of(self.days - 1).astype("datetime64[D]").item()  # type: ignore[no-any-return]

    @property
    def now(self) -> np.datetime64:
        """The moment at which the business is observed: midnight after the last day."""
        return self.start_of(self.days)

    def start_of(self, day: int) -> np.datetime64:
        """Midnight of a day counted from the first; negative days are the lead-in."""
        return np.datetime64(FIRST_DAY, "s") + np.timedelta64(day, "D")

    def draw(self, what: str, day: int = 0) -> np.random.Generator:
        """Return the generator that belongs to this table and day, always from its beginning."""
        return np.random.default_rng([self.seed, zlib.crc32(what.encode()), day + 1_000])

    def size(self, per_day: int, day: int) -> int:
        """Return how many rows a day has, from its weekday and the scale; at least one."""
        weekday = self.start_of(day).astype("datetime64[D]").item().weekday()
        weight = _WEEKDAY_WEIGHTS[weekday] * (_LEAD_IN_WEIGHT if day < 0 else 1.0)
        return max(1, round(per_day * self.scale * weight))

    def moments(self, draw: np.random.Generator, day: int, rows: int) -> Times:
        """Return sorted times within a day, busy in the evening, none in the quiet hour."""
        hours = draw.choice(24, size=rows, p=_HOUR_WEIGHTS / _HOUR_WEIGHTS.sum())
        seconds = hours * 3600 + draw.integers(0, 3600, size=rows)
        quiet_day, quiet_hour = QUIET_HOUR
        if self.start_of(day).astype("datetime64[D]").item() == quiet_day:
            seconds = np.where(hours == quiet_hour, seconds + 3600, seconds)
        return self.start_of(day) + np.sort(seconds).astype("timedelta64[s]")


def after(draw: np.random.Generator, times: Times, low_minutes: int, high_minutes: int) -> Times:
    """Return each time moved on by a random number of seconds between the two bounds."""
    seconds = draw.integers(low_minutes * 60, high_minutes * 60, size=len(times))
    moved: Times = times + seconds.astype("timedelta64[s]")
    return moved


def with_milliseconds(draw: np.random.Generator, times: Times) -> Times:
    """Return the times with random milliseconds; no time leaves its second."""
    milliseconds = draw.integers(0, 1000, size=len(times)).astype("timedelta64[ms]")
    exact: Times = times.astype("datetime64[ms]") + milliseconds
    return exact
