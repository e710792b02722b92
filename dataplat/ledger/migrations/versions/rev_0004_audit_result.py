"""The results of audits."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from dataplat.ledger.tables import UtcTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LONG = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MYSQL = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}
TEXTS = {
    "task_name": 255,
    "interface_id": 64,
    "platform_id": 64,
    "partner_id": 64,
    "table_name": 255,
    "hdfs_path": 1024,
    "period_type": 16,
    "batch_no": 64,
    "data_date": 8,
    "data_month": 6,
    "data_hour": 2,
}
INDEXES = {
    "ux_audit_result_key": ["result_key"],
    "ix_audit_result_job": ["job_key"],
    "ix_audit_result_series": ["series_key", "data_date"],
    "ix_audit_result_table": ["table_name", "data_date"],
    "ix_audit_result_month": ["data_month", "table_name"],
}


def upgrade() -> None:
    op.create_table(
        "audit_result",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        *(_text(name, length) for name, length in TEXTS.items()),
        *(_number(name) for name in ("row_count", "file_count", "total_size_bytes")),
        _text("status", 16),
        sa.Column("error_msg", LONG),
        _number("duration_ms"),
        sa.Column("created_at", UtcTime, nullable=False),
        *(sa.Column(name, sa.String(40)) for name in ("series_key", "job_key", "result_key")),
        sa.Column("expected_rows", sa.BigInteger),
        sa.Column("verdict", sa.String(16)),
        sa.Column("verdict_text", LONG),
        if_not_exists=True,
        **MYSQL,
    )
    existing = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("audit_result")}
    for name, columns in INDEXES.items():
        if name not in existing:
            op.create_index(name, "audit_result", columns, unique=name.startswith("ux_"))


def downgrade() -> None:
    op.drop_table("audit_result", if_exists=True)


def _text(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=False, server_default="")


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
