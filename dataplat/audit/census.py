"""The census of a partition's shards as checks: is anything missing that should be read, are all alike?"""

from collections.abc import Sequence

from dataplat.audit.outcome import ALIKE, SHARDS, Number, Outcome
from dataplat.plan.census import Census
from dataplat.plan.sql import PhysicalTable

_NAMED = 5


def check_shards(census: Census, declared: str = "") -> Outcome:
    """Say whether every shard that is expected is there; what is new is told and does no harm.

    >>> from dataplat.plan.census import Expectation, take_census
    >>> both = [PhysicalTable("shop", name) for name in ("t_0", "t_1")]
    >>> census = take_census("2026-01-09", both[:1], Expectation(tuple(both), because="expect"))
    >>> check_shards(census).message
    'missing 1 of 2 (expect): shop.t_1'
    """
    numbers: dict[str, Number] = {"found": len(census.found)}
    expectation = census.expectation
    if expectation.because:
        known = expectation.shards
        numbers["expected"] = expectation.at_least if known is None else len(known)
    if census.lacking:
        numbers["missing"] = census.lacking
    if census.new:
        numbers["new"] = len(census.new)
    return Outcome(SHARDS, not census.lacking, numbers=numbers, message=_message(census), declared=declared)


def check_alike(differences: Sequence[str], *, refuse: bool, declared: str = "") -> Outcome:
    """Say whether the shards have the same columns; a difference warns, or blocks where it is refused.

    >>> check_alike(["note is not in t_0"], refuse=False).severity
    'warn'
    """
    shown = "; ".join(differences[:_NAMED])
    more = f"; and {len(differences) - _NAMED:,} more" if len(differences) > _NAMED else ""
    return Outcome(
        ALIKE,
        not differences,
        severity="error" if refuse else "warn",
        numbers={"different": len(differences)},
        message=shown + more,
        declared=declared,
    )


def _message(census: Census) -> str:
    expectation = census.expectation
    because = f" ({expectation.because})" if expectation.because else ""
    if census.missing and expectation.shards is not None:
        named = shards_text(census.missing)
        return f"missing {len(census.missing):,} of {len(expectation.shards):,}{because}: {named}"
    if census.lacking:
        return f"expected at least {expectation.at_least:,}{because}, found {len(census.found):,}"
    return f"new: {shards_text(census.new)}" if census.new else ""


def shards_text(shards: Sequence[PhysicalTable]) -> str:
    """Return the first few names, and how many more there are.

    >>> shards_text([PhysicalTable("d", str(number)) for number in range(7)])
    'd.0, d.1, d.2, d.3, d.4 and 2 more'
    """
    more = f" and {len(shards) - _NAMED:,} more" if len(shards) > _NAMED else ""
    return ", ".join(map(str, shards[:_NAMED])) + more
