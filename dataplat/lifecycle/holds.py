"""Holds: who closes a published partition, what that looks like as a check, and what ends it by itself.

A hold is a person's or a check's. A person's ends when a person releases it, whatever is loaded meanwhile:
who held knows something that no check does. A check's hold comes from a re-check that failed; it ends as soon
as the check no longer fails, in a new version or in the next re-check, or is no longer declared.
"""

from collections.abc import Iterable, Mapping, Sequence

from dataplat.audit.outcome import NOT_HELD, Outcome
from dataplat.ledger import Hold, Ledger


def describe_holds(holds: Iterable[Hold]) -> str:
    """Return who holds and why, as the gate and the check ``not_held`` say it."""
    return "; ".join(
        f"held by check {hold.check}: {hold.reason}" if hold.check else f"held by {hold.actor}: {hold.reason}"
        for hold in holds
    )


def hold_outcomes(ledger: Ledger, table: str, keys: Sequence[str]) -> dict[str, Outcome]:
    """Return the answer of the check ``not_held`` for each partition, as of now."""
    active: dict[str, list[Hold]] = {key: [] for key in keys}
    for hold in ledger.holds(table, keys):
        active[hold.partition].append(hold)
    return {
        key: Outcome(NOT_HELD, not holds, numbers={"holds": len(holds)}, message=describe_holds(holds))
        for key, holds in active.items()
    }


def release_answered_holds(
    ledger: Ledger, table: str, outcomes: Mapping[str, Sequence[Outcome]], *, actor: str, reason: str
) -> list[Hold]:
    """End the holds of checks that no longer fail, and return them. Holds of people stay.

    Args:
        ledger: Where they are recorded.
        table: The table.
        outcomes: Every check of what is visible now, by partition.
        actor: Who loaded or checked again.
        reason: Why they end, for the ledger.
    """
    failed = {key: {one.check for one in some if one.blocks} for key, some in outcomes.items()}
    released: list[Hold] = []
    for hold in ledger.holds(table, outcomes):
        if hold.check and hold.check not in failed[hold.partition]:
            released += ledger.release_hold(table, hold.partition, actor, reason=reason, check=hold.check)
    return released
