"""Making staged partitions visible, and repairing what a crash left half-way.

The metastore decides what is visible; the ledger says why. Between the two lies one crash, and the
state ``publishing`` marks it: whoever finds it asks the metastore where the partition points and
records what is true. Nothing is ever guessed from the ledger alone.
"""

from collections.abc import Mapping, Sequence

from dataplat.engine.hive import PartitionStore, Values
from dataplat.errors import LostLockError
from dataplat.ledger import Ledger, PartitionLocks, TableVersion, VersionState


def publish_version(
    ledger: Ledger,
    store: PartitionStore,
    locks: PartitionLocks,
    table: str,
    version: str,
    targets: Mapping[str, tuple[Values, str]],
    *,
    reason: str = "",
    actor: str = "",
) -> None:
    """Point partitions at their folders of ``version`` and record it.

    Args:
        ledger: Where it is recorded.
        store: The metastore.
        locks: Proof that no other load of these partitions is under way.
        table: The table.
        version: A version whose partitions are ``staged``, or ``superseded`` for a rollback.
        targets: Values in Hive and location of each partition, by key.
        reason: Why, for the ledger; empty for a load.
        actor: Who, where it is not who began the version.

    Raises:
        LostLockError: Another load took over. Nothing moved, or it was moved back.
        EngineError: The metastore refused. Each partition shows its old or its new version entirely;
            the ledger records which.
    """
    if not targets:
        return
    keys = list(targets)
    ledger.advance(table, version, keys, VersionState.PUBLISHING, reason=reason, actor=actor, locks=locks)
    try:
        store.publish(table, dict(targets.values()))
    except BaseException:
        _record_truth(ledger, store, locks, table, {key: (version, *targets[key]) for key in keys})
        raise
    try:
        ledger.publish(table, version, keys, locks, reason=reason, actor=actor)
    except LostLockError:
        _give_back(ledger, store, table, targets)
        raise


def recover_partitions(
    ledger: Ledger,
    store: PartitionStore,
    locks: PartitionLocks,
    table: str,
    values: Mapping[str, Values],
) -> list[TableVersion]:
    """Settle what earlier loads of these partitions left unfinished, and return those versions.

    The caller holds the locks, so whoever began them is dead. A version that was only staged is
    abandoned; one that was being published is what the metastore says it is: a new version that did not
    get there is abandoned, one that was visible before stays proven and can be rolled back to.
    """
    unfinished = ledger.in_state(
        table, (VersionState.STAGING, VersionState.STAGED, VersionState.PUBLISHING), list(values)
    )
    publishing: dict[str, list[TableVersion]] = {}
    for row in unfinished:
        if row.state is VersionState.PUBLISHING:
            publishing.setdefault(row.version, []).append(row)
        else:
            _abandon(ledger, row.table, row.version, [row.partition], "interrupted before it was published")
    for version, rows in publishing.items():
        claims = {row.partition: (version, values[row.partition], row.location) for row in rows}
        _record_truth(ledger, store, locks, table, claims)
    return list(unfinished)


def _record_truth(
    ledger: Ledger,
    store: PartitionStore,
    locks: PartitionLocks,
    table: str,
    claims: Mapping[str, tuple[str, Values, str]],
) -> None:
    found = store.locations(table, [values for _, values, _ in claims.values()])
    proven = {
        (row.partition, row.version)
        for row in ledger.in_state(table, {VersionState.PUBLISHING}, list(claims))
        if row.published_at is not None
    }
    for key, (version, values, location) in claims.items():
        if same_location(found.get(values, ""), location):
            ledger.publish(table, version, [key], locks)
        elif (key, version) in proven:
            reason = "interrupted while it was rolled back to"
            ledger.advance(table, version, [key], VersionState.SUPERSEDED, reason=reason)
        else:
            _abandon(ledger, table, version, [key], "interrupted while it was published")


def _give_back(
    ledger: Ledger, store: PartitionStore, table: str, targets: Mapping[str, tuple[Values, str]]
) -> None:
    """Undo a move that came too late: this process had stalled, and others have settled its partitions.

    The metastore knows no fence, so the move itself could not be refused. What the ledger says is visible
    is what the others left; a partition that was never published is taken out again.
    """
    visible = ledger.visible(table, targets)
    found = store.locations(table, [values for values, _ in targets.values()])
    back, gone = {}, []
    for key, (values, location) in targets.items():
        if not same_location(found.get(values, ""), location):
            continue
        if key not in visible:
            gone.append(values)
        elif not same_location(visible[key].location, location):
            back[values] = visible[key].location
    if back:
        store.publish(table, back)
    if gone:
        store.drop(table, gone)


def _abandon(ledger: Ledger, table: str, version: str, keys: Sequence[str], reason: str) -> None:
    ledger.advance(table, version, keys, VersionState.ABANDONED, reason=reason)


def same_location(one: str, other: str) -> bool:
    """Say whether two URIs name one folder; metastores drop the empty authority of ``file:///``.

    >>> same_location("file:/a/b", "file:///a/b/")
    True
    """
    return _plain(one) == _plain(other)


def _plain(uri: str) -> str:
    uri = uri.rstrip("/")
    return uri.replace("file:///", "file:/", 1) if uri.startswith("file:///") else uri
