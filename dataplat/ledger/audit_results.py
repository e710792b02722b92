"""The results of audits: in the ledger, or in a table of a MySQL that others read and the old auditor filled.

A result is known by its key, so one that is written twice is one row, and the later count stands. Rows of the
old auditor have no key and stay as they are; readers take the newest row of a table, platform and date, as
they always did.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from dataplat.errors import LedgerError
from dataplat.ledger.audit_table import OURS, WallClock, audit_result, build_audit_table
from dataplat.ledger.database import Database, chunks
from dataplat.plan.audit_jobs import AuditDate
from dataplat.plan.audit_results import AuditResult

_FIELDS = tuple(field.name for field in fields(AuditResult))
_JOB = ("task_name", "table_name", "platform_id", "partner_id", "hdfs_path")
_DATE = ("data_date", "data_month", "data_hour")
_ROWS_A_DATE = 20


@dataclass(frozen=True, kw_only=True)
class ResultFilter:
    """Which results are wanted; what is empty does not matter. A month is ``202601``, a date ``20260109``."""

    table_name: str = ""
    task_name: str = ""
    platform_id: str = ""
    partner_id: str = ""
    batch_no: str = ""
    data_date: str = ""
    data_month: str = ""
    status: str = ""


class AuditResults:
    """Where results are kept.

    Every method raises LedgerError if the database refuses it; then nothing of it has happened.
    """

    def __init__(self, database: Database, table: sa.Table = audit_result) -> None:
        self._database, self._t = database, table

    @classmethod
    def connect(cls, url: sa.URL, zone: str) -> Self:
        """Return the results in a database of their own; nothing is connected yet.

        Args:
            url: Of MySQL, or of a file of SQLite.
            zone: Whose wall clock is in ``created_at``.
        """
        table = build_audit_table(sa.MetaData(), WallClock(zone))
        return cls(Database(url, "results"), table)

    @property
    def place(self) -> str:
        """Where it is, as it may be shown."""
        return self._database.subject

    def prepare(self, *, extend: bool = False) -> tuple[str, ...]:
        """Make the table if it is not there; return the columns that were added to one of the old auditor.

        Args:
            extend: Whether columns may be added.

        Raises:
            LedgerError: The table lacks columns and ``extend`` was not asked for, or the database refuses.
        """
        if self._t is audit_result:
            return ()  # opening the ledger made it

        def work(connection: Connection) -> tuple[str, ...]:
            inspector = sa.inspect(connection)
            if not inspector.has_table(self._t.name):
                self._t.create(connection, checkfirst=True)
                return ()
            known = {column["name"] for column in inspector.get_columns(self._t.name)}
            missing = tuple(name for name in _FIELDS if name not in known)
            if missing and (not extend or any(name not in OURS for name in missing)):
                raise self._lacks(missing)
            for name in missing:
                kind = self._t.c[name].type.compile(connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {self._t.name} ADD COLUMN {name} {kind}")
            if missing:
                existing = {index["name"] for index in inspector.get_indexes(self._t.name)}
                for index in self._t.indexes:
                    if index.name not in existing:
                        index.create(connection)
            return missing

        return self._database.write(work)

    def keep(self, results: Sequence[AuditResult]) -> None:
        """Keep results: a new row each, or the newer content for one that is there. All of them or none."""

        def work(connection: Connection) -> None:
            for some in chunks(results):
                self._keep(connection, {one.result_key: one for one in some})

        if results:
            self._database.write(work, again_on_conflict=True)

    def settled(self, result_keys: Iterable[str]) -> set[str]:
        """Return which of these results are there and leave nothing to ask."""
        found = self._where(self._t.c.result_key, result_keys)
        return {one.result_key for one in found if one.settled}

    def newest(self, job_keys: Iterable[str]) -> dict[str, AuditResult]:
        """Return the newest result of each of these jobs that has any."""
        found: dict[str, AuditResult] = {}
        for one in self._where(self._t.c.job_key, job_keys):  # oldest first
            found[one.job_key] = one
        return found

    def earlier(self, series_key: str, date: AuditDate, count: int) -> list[int]:
        """Return the rows of a series at its last dates before one, newest first, each as counted last."""
        t = self._t
        when = [(getattr(date, name), t.c[name]) for name in ("data_month", "data_date", "data_hour")]
        before = sa.or_(
            *(
                sa.and_(*(column == value for value, column in when[:level]), when[level][1] < when[level][0])
                for level in range(len(when))
            )
        )
        query = (
            sa.select(*(t.c[name] for name in (*_DATE, "row_count")))
            .where(t.c.series_key == series_key, t.c.status == "success", before)
            .order_by(*(column.desc() for _, column in when), t.c.created_at.desc(), t.c.id.desc())
            .limit(count * _ROWS_A_DATE)
        )
        found: dict[tuple[str, ...], int] = {}
        for row in self._rows(query):
            found.setdefault(tuple(row[name] for name in _DATE), row["row_count"])
        return list(found.values())[:count]

    def find(self, wanted: ResultFilter, *, every: bool = False, limit: int = 1000) -> list[AuditResult]:
        """Return results, the newest first: the newest of each job, or with ``every`` all of them."""
        query = self._matching(wanted, every).order_by(sa.desc("created_at"), sa.desc("id")).limit(limit)
        return [_result(row) for row in self._rows(query)]

    def totals(self, wanted: ResultFilter, by: str) -> list[RowMapping]:
        """Return sums over the newest results, with ``row_count``, ``file_count``, ``total_size_bytes``.

        Args:
            wanted: Which results.
            by: ``data_date`` or ``data_month``; the sums are of each table, platform and partner in it.
        """
        newest = self._matching(wanted, every=False).subquery()
        names = (by, "table_name", "platform_id", "partner_id")
        query = (
            sa.select(
                *(newest.c[name] for name in names),
                sa.func.count().label("results"),
                sa.func.sum(sa.case((newest.c.row_count > 0, newest.c.row_count), else_=0)).label(
                    "row_count"
                ),
                *(sa.func.sum(newest.c[name]).label(name) for name in ("file_count", "total_size_bytes")),
                sa.func.sum(sa.case((newest.c.status == "success", 0), else_=1)).label("not_counted"),
            )
            .group_by(*(newest.c[name] for name in names))
            .order_by(*(newest.c[name] for name in names))
        )
        return self._rows(query)

    def close(self) -> None:
        """Give back the connections."""
        self._database.close()

    def _matching(self, wanted: ResultFilter, every: bool) -> sa.Select[Any]:
        t = self._t
        conditions = [t.c[name] == value for name, value in asdict(wanted).items() if value]
        order = (t.c.created_at.desc(), t.c.id.desc())
        place = sa.func.row_number().over(
            partition_by=[t.c[name] for name in (*_JOB, *_DATE)], order_by=list(order)
        )
        columns = [t.c.id, *(t.c[name] for name in _FIELDS)]
        if every:
            return sa.select(*columns).where(*conditions)
        ranked = sa.select(*columns, place.label("place")).where(*conditions).subquery()
        names = ["id", *_FIELDS]
        return sa.select(*(ranked.c[name] for name in names)).where(ranked.c.place == 1)

    def _keep(self, connection: Connection, results: Mapping[str, AuditResult]) -> None:
        t = self._t
        query = sa.select(t.c.id, t.c.result_key, t.c.created_at).where(t.c.result_key.in_(list(results)))
        known = {row.result_key: row for row in connection.execute(query.with_for_update())}
        new = [asdict(one) for key, one in results.items() if key not in known]
        if new:
            connection.execute(t.insert(), new)
        for key, row in known.items():
            if results[key].created_at >= row.created_at:
                connection.execute(t.update().where(t.c.id == row.id).values(**asdict(results[key])))

    def _where(self, column: sa.Column[Any], values: Iterable[str]) -> list[AuditResult]:
        t, found = self._t, []
        for some in chunks(list(dict.fromkeys(values))):
            query = sa.select(*(t.c[name] for name in _FIELDS)).where(column.in_(some))
            found += [_result(row) for row in self._rows(query.order_by(t.c.created_at, t.c.id))]
        return found

    def _rows(self, query: sa.Select[Any]) -> list[RowMapping]:
        return self._database.read(lambda connection: list(connection.execute(query).mappings()))

    def _lacks(self, missing: Sequence[str]) -> LedgerError:
        foreign = [name for name in missing if name not in OURS]
        return LedgerError(
            self.place,
            f"the table {self._t.name} lacks columns",
            facts=[("expected", ", ".join(foreign or missing))],
            effect="nothing was audited and nothing was changed",
            next_steps=["name another database in `results`"] if foreign else ["dataplat audit init"],
        )


def _result(row: RowMapping) -> AuditResult:
    texts = {name for name in _FIELDS if name not in ("expected_rows", "created_at")}
    values = {name: row[name] for name in _FIELDS}
    numbers = {"row_count", "file_count", "total_size_bytes", "duration_ms"}
    for name in texts:
        if values[name] is None:
            values[name] = 0 if name in numbers else ""
    return AuditResult(**values)
