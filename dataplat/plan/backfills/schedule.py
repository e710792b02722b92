"""Which run of a backfill may begin next. Pure: who runs it, and how it ends, is told from outside.

A run begins when every partition that it waits for has ended, well or not. What follows from one that ended
badly is the gate's to say, so that one bad day holds what is made of it and nothing else.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dataplat.plan.backfills.runs import Place


class Ending(StrEnum):
    """How a partition of a backfill ended."""

    PUBLISHED = "published"
    FAILED = "failed"
    HELD = "held"


@dataclass(frozen=True)
class Ended:
    """A partition that ended, and in words why it was not published."""

    ending: Ending
    message: str = ""
    run_id: str = ""


@dataclass(frozen=True)
class Work:
    """One run: partitions of one table, neighbours unless some of them are left out."""

    table: str
    keys: tuple[str, ...]

    @property
    def places(self) -> list[Place]:
        """Its partitions, each with the table."""
        return [(self.table, key) for key in self.keys]


@dataclass
class Schedule:
    """The runs of a backfill that have not begun, and how partitions ended.

    Attributes:
        waiting: Runs that have not begun, in the order of the plan.
        waits: What each partition waits for.
        pools: The sources that a table is read from.
        places: How many runs may read from a source at once.
        ended: How partitions ended; those that were made before are there from the beginning.
    """

    waiting: list[Work]
    waits: Mapping[Place, Sequence[Place]]
    pools: Mapping[str, Sequence[str]]
    places: Mapping[str, int]
    ended: dict[Place, Ended] = field(default_factory=dict)
    under_way: list[Work] = field(default_factory=list)

    def next(self) -> Work | None:
        """Return the first run that may begin now, and take it for begun; none if there is none."""
        taken = Counter(pool for work in self.under_way for pool in self.pools.get(work.table, ()))
        for index, work in enumerate(self.waiting):
            pools = self.pools.get(work.table, ())
            if all(taken[pool] < self.places[pool] for pool in pools) and self._may_begin(work):
                del self.waiting[index]
                self.under_way.append(work)
                return work
        return None

    def without(self, work: Work, held: Mapping[str, str]) -> Work | None:
        """Return a run that was begun without the partitions that a gate holds; none if it holds all."""
        self.ended.update({(work.table, key): Ended(Ending.HELD, why) for key, why in held.items()})
        rest = Work(work.table, tuple(key for key in work.keys if key not in held))
        self.under_way.remove(work)
        if rest.keys:
            self.under_way.append(rest)
        return rest if rest.keys else None

    def end(self, work: Work, ended: Mapping[str, Ended]) -> None:
        """Hear how the partitions of a run ended.

        Those that are not named are tried again, in halves: something broke a run as a whole, and one bad
        partition is not to stop its neighbours.
        """
        self.under_way.remove(work)
        self.ended.update({(work.table, key): one for key, one in ended.items()})
        left = [key for key in work.keys if key not in ended]
        half = (len(left) + 1) // 2
        again = [Work(work.table, tuple(keys)) for keys in (left[:half], left[half:]) if keys]
        self.waiting[:0] = again

    @property
    def made(self) -> dict[Place, bool]:
        """Whether each partition that has ended was published."""
        return {place: one.ending is Ending.PUBLISHED for place, one in self.ended.items()}

    def count(self, ending: Ending) -> int:
        """Return how many partitions ended in one way."""
        return sum(1 for one in self.ended.values() if one.ending is ending)

    def _may_begin(self, work: Work) -> bool:
        own = set(work.places)
        return all(
            other in self.ended or other in own for place in own for other in self.waits.get(place, ())
        )


def left_to_do(runs: Iterable[Work], done: Iterable[Place]) -> list[Work]:
    """Return the runs without partitions that are done."""
    known = set(done)
    left = (
        Work(work.table, tuple(key for key in work.keys if (work.table, key) not in known)) for work in runs
    )
    return [work for work in left if work.keys]
