"""The table ``audit_result``: the columns of the old auditor's, and after them ours, which may be empty.

In the ledger ``created_at`` is UTC like every time. In a table of its own, which the old auditor may have
filled, it is the wall clock of the business zone, or the newest row would not be the one that says so.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeDecorator, TypeEngine

from dataplat.ledger.tables import ID, LONG, MYSQL, UtcTime, metadata

KEY = sa.String(40)
OURS = ("series_key", "job_key", "result_key", "expected_rows", "verdict", "verdict_text")


class WallClock(TypeDecorator[datetime]):
    """An aware datetime, kept as the wall clock of one zone."""

    impl = sa.DateTime
    cache_ok = True

    def __init__(self, zone: str) -> None:
        super().__init__()
        self.zone = zone

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        """Return the column's type on ``dialect``."""
        kind = mysql.DATETIME(fsp=6) if dialect.name in ("mysql", "mariadb") else sa.DateTime()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        """Return ``value`` as the database keeps it."""
        return None if value is None else value.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """Return what the database keeps as an aware datetime."""
        return None if value is None else value.replace(tzinfo=ZoneInfo(self.zone))


def build_audit_table(within: sa.MetaData, time: TypeEngine[Any]) -> sa.Table:
    """Return the table; ``time`` is the type of ``created_at``."""

    def text(name: str, length: int) -> sa.Column[Any]:
        return sa.Column(name, sa.String(length), nullable=False, server_default="")

    def number(name: str) -> sa.Column[Any]:
        return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")

    return sa.Table(
        "audit_result",
        within,
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        text("task_name", 255),
        *(text(name, 64) for name in ("interface_id", "platform_id", "partner_id")),
        text("table_name", 255),
        text("hdfs_path", 1024),
        text("period_type", 16),
        text("batch_no", 64),
        *(text(name, length) for name, length in (("data_date", 8), ("data_month", 6), ("data_hour", 2))),
        *(number(name) for name in ("row_count", "file_count", "total_size_bytes")),
        text("status", 16),
        sa.Column("error_msg", LONG),
        number("duration_ms"),
        sa.Column("created_at", time, nullable=False),
        *(sa.Column(name, KEY) for name in ("series_key", "job_key", "result_key")),
        sa.Column("expected_rows", sa.BigInteger),
        sa.Column("verdict", sa.String(16)),
        sa.Column("verdict_text", LONG),
        sa.Index("ux_audit_result_key", "result_key", unique=True),
        sa.Index("ix_audit_result_job", "job_key"),
        sa.Index("ix_audit_result_series", "series_key", "data_date"),
        sa.Index("ix_audit_result_table", "table_name", "data_date"),
        sa.Index("ix_audit_result_month", "data_month", "table_name"),
        **MYSQL,
    )


audit_result = build_audit_table(metadata, UtcTime())
