"""What automation remembers: tables that are paused, external partitions that arrived, and who was late."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from dataplat.ledger.tables import UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LONG = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MYSQL = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}


def upgrade() -> None:
    _pause()
    _arrival()
    _lateness()


def downgrade() -> None:
    for table in ("lateness", "arrival", "pause"):
        op.drop_table(table, if_exists=True)


def _text(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _string(name: str, length: int = 255) -> sa.Column[Any]:
    return _text(name, sa.String(length))


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcTime, nullable=nullable)


def _pause() -> None:
    mark = sa.Computed("CASE WHEN resumed_at IS NULL THEN 1 END", persisted=True)
    op.create_table(
        "pause",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        _string("table_name"),
        _text("reason", LONG),
        _string("actor"),
        _time("paused_at"),
        _time("resumed_at", nullable=True),
        _string("resumed_by"),
        sa.Column("active_mark", sa.SmallInteger, mark),
        if_not_exists=True,
        **MYSQL,
    )
    existing = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("pause")}
    if "ux_pause_active" not in existing:
        op.create_index("ux_pause_active", "pause", ["table_name", "active_mark"], unique=True)


def _arrival() -> None:
    op.create_table(
        "arrival",
        _string("table_name"),
        _string("partition_key", 64),
        sa.Column("ready", sa.SmallInteger, nullable=False),
        _time("landed_at", nullable=True),
        _time("changed_at"),
        _text("evidence", LONG),
        sa.PrimaryKeyConstraint("table_name", "partition_key", name="pk_arrival"),
        if_not_exists=True,
        **MYSQL,
    )


def _lateness() -> None:
    op.create_table(
        "lateness",
        _string("table_name"),
        _string("partition_key", 64),
        _time("deadline"),
        _time("raised_at"),
        _time("landed_at", nullable=True),
        _text("reason", LONG),
        sa.PrimaryKeyConstraint("table_name", "partition_key", name="pk_lateness"),
        if_not_exists=True,
        **MYSQL,
    )
