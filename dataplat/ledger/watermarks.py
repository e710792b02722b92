"""The watermarks of audits in the ledger: for where several machines take turns, and none has the file."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dataplat.ledger.database import Database
from dataplat.ledger.tables import watermark as t
from dataplat.plan.watermark import Watermark


class WatermarkBook:
    """Part of ``Ledger``: how far the audits of each task source have come."""

    _database: Database

    def watermark(self, name: str) -> Watermark | None:
        """Return the watermark of a task source, ``None`` if it has none."""
        query = sa.select(t.c.last_end_time, t.c.updated_at).where(t.c.watermark_name == name)
        row = self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else Watermark(row.last_end_time, row.updated_at)

    def save_watermark(self, name: str, last_end_time: datetime, updated_at: datetime) -> None:
        """Keep the watermark of a task source in place of the one before, also an older one."""
        values = {"last_end_time": last_end_time, "updated_at": updated_at}

        def work(connection: Connection) -> None:
            found = connection.execute(sa.select(t).filter_by(watermark_name=name).with_for_update()).first()
            statement = t.insert() if found is None else t.update().where(t.c.watermark_name == name)
            connection.execute(statement.values({"watermark_name": name} | values))

        self._database.write(work, again_on_conflict=True)

    def clear_watermark(self, name: str) -> None:
        """Forget the watermark of a task source; none is fine."""
        statement = t.delete().where(t.c.watermark_name == name)
        self._database.write(lambda connection: connection.execute(statement))


class LedgerWatermark:
    """One watermark of a ledger as ``plan.watermark.WatermarkStore``, with its errors."""

    def __init__(self, book: WatermarkBook, name: str) -> None:
        self._book, self._name = book, name

    def read(self) -> Watermark | None:
        """Return the watermark, ``None`` if there is none."""
        return self._book.watermark(self._name)

    def save(self, watermark: Watermark) -> None:
        """Keep a watermark, wholly or not at all."""
        self._book.save_watermark(self._name, watermark.last_end_time, watermark.updated_at)

    def clear(self) -> None:
        """Forget it; none is fine."""
        self._book.clear_watermark(self._name)
