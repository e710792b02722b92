"""The ledger as everybody else sees it: one object to open, with everything the platform remembers."""

from types import TracebackType
from typing import Self

from dataplat.ledger.audit_results import AuditResults
from dataplat.ledger.automation import AutomationBook
from dataplat.ledger.connections import ConnectionBook
from dataplat.ledger.counts import CountBook
from dataplat.ledger.database import Clock, Database, parse_url, utc_now
from dataplat.ledger.gate import GateBook
from dataplat.ledger.locks import LockBook
from dataplat.ledger.migrate import migrate
from dataplat.ledger.versions import VersionBook
from dataplat.ledger.watermarks import WatermarkBook


class Ledger(VersionBook, CountBook, GateBook, LockBook, ConnectionBook, AutomationBook, WatermarkBook):
    """The platform's memory. Safe to share between threads; a child process opens its own.

    Each method is one transaction and raises LedgerError if the database refuses it; then nothing of
    it has happened. ``retryable`` on that error says whether trying again may help.
    """

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database, self._clock = database, clock

    @classmethod
    def open(cls, url: str, *, clock: Clock = utc_now) -> Self:
        """Open the ledger at ``url``, and make or migrate its tables if they are not there or older.

        Args:
            url: ``sqlite:///path`` (folders are made) or ``mysql+pymysql://…``, secrets revealed.
            clock: Where all times come from: rows, leases, waivers.

        Raises:
            LedgerError: If it cannot be opened, or is newer than this code. It is as it was.
        """
        database = Database(parse_url(url))
        migrate(database)
        return cls(database, clock)

    @property
    def url(self) -> str:
        """The URL as it may be shown: the password is masked."""
        return self._database.subject.removeprefix("ledger ")

    @property
    def audit_results(self) -> AuditResults:
        """The results of audits that name no database of their own."""
        return AuditResults(self._database)

    def close(self) -> None:
        """Give back the connections. Locks that are held stay held, and are renewed."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
