"""The balance of a version, with what its files hold now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dataplat.errors import StorageError
from dataplat.ledger import HopCount, TableVersion, VersionState
from dataplat.plan.balance import Equation, balance, first_break
from dataplat.storage import count_partitions


@dataclass(frozen=True)
class VersionBalance:
    """What adds up in one version.

    Attributes:
        equations: From the source to the reader.
        problem: Why the files that readers see could not be counted; empty where they were, or need not be.
    """

    equations: tuple[Equation, ...]
    problem: str = ""

    @property
    def holds(self) -> bool:
        """Whether every row is accounted for as far as the numbers go."""
        return not self.problem and first_break(self.equations) is None

    def document(self) -> dict[str, Any]:
        """Return it as JSON shows it."""
        lines = [{"equation": one.text, "difference": one.difference} for one in self.equations]
        return {"holds": self.holds, "equations": lines, "problem": self.problem}

    def lines(self) -> Iterator[str]:
        """Yield it for people: each equation, then the first that does not hold."""
        if self.equations:
            yield "\n  balance"
        broken = first_break(self.equations)
        for one in self.equations:
            yield f"  {'=' if one.holds else '!'} {one.text}"
            if one is broken:
                what = "missing" if one.difference > 0 else "too many"
                yield f"    {abs(one.difference):,} {what}: the first hop that does not balance"
        if self.problem:
            yield f"  the files that readers see could not be counted: {self.problem}"


def balance_of(row: TableVersion, hops: Sequence[HopCount], data_format: str) -> VersionBalance:
    """Return the balance of one version of a partition; of a visible one the files are counted now.

    Args:
        row: The version.
        hops: Counts of the partition, of any version.
        data_format: ``parquet`` or ``orc``.
    """
    here = [hop for hop in hops if hop.version == row.version and hop.rows is not None and not hop.target]
    whole = {str(hop.hop): hop.rows or 0 for hop in here if not hop.shard}
    shards: dict[str, list[int]] = {}
    for hop in here:
        if hop.shard:
            shards.setdefault(str(hop.hop), []).append(hop.rows or 0)
    visible, problem = _visible(row, data_format)
    return VersionBalance(balance(whole, shards, visible), problem)


def _visible(row: TableVersion, data_format: str) -> tuple[int | None, str]:
    if row.state is not VersionState.PUBLISHED or not row.location:
        return None, ""
    try:
        counts, _ = count_partitions(row.location, [""], data_format)
    except StorageError as error:
        return None, error.problem
    broken = counts[""].broken
    return counts[""].rows, f"{broken[0][0]}: {broken[0][1]}" if broken else ""
