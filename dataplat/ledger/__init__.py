"""The platform's own tables: what was made, counted, checked, held, waived, and who holds what now.

The metastore is the truth about what is visible; the ledger is the truth about why.
"""

from dataplat.ledger.automation import Arrival, Lateness, Pause
from dataplat.ledger.connections import ConnectionTicket, HeldConnections
from dataplat.ledger.lock_rows import HeldLock, LockOwner
from dataplat.ledger.locks import PartitionLocks
from dataplat.ledger.rows import (
    CheckResult,
    Hold,
    Hop,
    HopCount,
    PartitionStatus,
    TableVersion,
    VersionCounts,
    VersionState,
    Waiver,
)
from dataplat.ledger.states import JUDGED, SUCCESSORS, UNFINISHED
from dataplat.ledger.store import Ledger
from dataplat.ledger.versions import by_age
from dataplat.ledger.watermarks import LedgerWatermark

__all__ = [
    "JUDGED",
    "SUCCESSORS",
    "UNFINISHED",
    "Arrival",
    "CheckResult",
    "ConnectionTicket",
    "HeldConnections",
    "HeldLock",
    "Hold",
    "Hop",
    "HopCount",
    "Lateness",
    "Ledger",
    "LedgerWatermark",
    "LockOwner",
    "PartitionLocks",
    "PartitionStatus",
    "Pause",
    "TableVersion",
    "VersionCounts",
    "VersionState",
    "Waiver",
    "by_age",
]
