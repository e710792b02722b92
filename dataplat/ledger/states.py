"""The life of a version as a pure table: which state may follow which.

``published`` is entered by ``Ledger.publish`` alone, because it must happen together with the older
version leaving it, under the lock. ``superseded -> publishing`` is a rollback, and ``publishing ->
superseded`` one that did not happen: the version is proven and can be rolled back to later.
"""

from collections.abc import Mapping

from dataplat.errors import LedgerError
from dataplat.ledger.rows import VersionState as S

SUCCESSORS: Mapping[S, frozenset[S]] = {
    S.STAGING: frozenset({S.STAGED, S.REJECTED, S.ABANDONED}),
    S.STAGED: frozenset({S.PUBLISHING, S.REJECTED, S.ABANDONED}),
    S.PUBLISHING: frozenset({S.PUBLISHED, S.SUPERSEDED, S.ABANDONED}),
    S.PUBLISHED: frozenset({S.SUPERSEDED}),
    S.SUPERSEDED: frozenset({S.PUBLISHING, S.COLLECTED}),
    S.REJECTED: frozenset({S.COLLECTED}),
    S.ABANDONED: frozenset({S.COLLECTED}),
    S.COLLECTED: frozenset(),
}
UNFINISHED = frozenset({S.STAGING, S.STAGED, S.PUBLISHING})
ENDED = frozenset({S.REJECTED, S.ABANDONED, S.SUPERSEDED})
JUDGED = frozenset({S.PUBLISHED, S.SUPERSEDED, S.REJECTED})


def refuse_illegal(table: str, partition: str, version: str, found: S, to: S) -> None:
    """Return if ``to`` may follow ``found``.

    Raises:
        LedgerError: If it may not. The caller must not have changed anything yet.
    """
    if to in SUCCESSORS[found]:
        return
    allowed = " or ".join(state for state in S if state in SUCCESSORS[found])
    raise LedgerError(
        f"{table}[{partition}]",
        f"version {version} is {found} and cannot become {to}",
        facts=[("expected", f"{allowed}, after {found}" if allowed else f"nothing: {found} is the end")],
        effect="the ledger was not changed",
        next_steps=[f"dataplat ledger {table} {partition}"],
    )
