"""What the ledger says about many partitions, asked once a tick.

A tick of a thousand models asks about the same upstream partitions thousands of times. What the tick before
asked about is fetched at its start, by a few questions over all tables; only what is new is asked one by one.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataplat.ledger import Arrival, CheckResult, Ledger, PartitionStatus


class Standings:
    """The ledger as a gate asks it, with the answers of one moment."""

    def __init__(self, ledger: "Ledger") -> None:
        self._ledger = ledger
        self._moment: object = None
        self._asked: dict[str, set[str]] = {}
        self._known: dict[str, dict[str, PartitionStatus]] = {}

    def at(self, moment: object) -> "Standings":
        """Forget what was true before another moment, such as the next tick, and fetch it anew."""
        if moment is not self._moment:
            self._moment = moment
            self._known = self._ledger.statuses_of(self._asked)
            self._asked = {}
        return self

    def statuses(self, table: str, keys: Sequence[str]) -> "dict[str, PartitionStatus]":
        """As the ledger's."""
        known = self._known.setdefault(table, {})
        self._asked.setdefault(table, set()).update(keys)
        new = [key for key in keys if key not in known]
        if new:
            known.update(self._ledger.statuses(table, new))
        return {key: known[key] for key in keys}

    def failures(
        self, table: str, versions: Mapping[str, str], checks: Collection[str]
    ) -> "dict[str, tuple[CheckResult, ...]]":
        """As the ledger's; few tables have such checks, so each is asked."""
        return self._ledger.failures(table, versions, checks)

    def arrivals(self, table: str, keys: Sequence[str]) -> "dict[str, Arrival]":
        """As the ledger's; few models wait for external tables, so each asks."""
        return self._ledger.arrivals(table, keys)
