"""Versions, hops, checks, holds, waivers and locks.

MySQL commits after each statement, so a migration that is killed half-way leaves some of the tables
behind. Each step therefore makes only what is missing, and the next open completes the rest.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from dataplat.ledger.tables import UtcTime

revision = "0001"
down_revision = None
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
    _table_version()
    _hop_count()
    _check_result()
    _hold()
    _waiver()
    _partition_lock()


def downgrade() -> None:
    for table in ("partition_lock", "waiver", "hold", "check_result", "hop_count", "table_version"):
        op.drop_table(table, if_exists=True)


def _text(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _string(name: str, length: int = 255) -> sa.Column[Any]:
    return _text(name, sa.String(length))


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcTime, nullable=nullable)


def _counts() -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger) for name in ("rows_count", "files_count", "bytes_count")]


def _partition_of(*rest: str) -> list[sa.Column[Any]]:
    columns = [_string("table_name"), _string("partition_key", 64)]
    return columns + [_string(name, 64) for name in rest]


def _id() -> sa.Column[Any]:
    return sa.Column("id", ID, primary_key=True, autoincrement=True)


def _create(name: str, *columns: Any) -> None:
    op.create_table(name, *columns, if_not_exists=True, **MYSQL)


def _index(name: str, table: str, *columns: str, unique: bool = False) -> None:
    existing = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
    if name not in existing:
        op.create_index(name, table, list(columns), unique=unique)


def _table_version() -> None:
    mark = sa.Computed("CASE WHEN state = 'published' THEN 1 END", persisted=True)
    _create(
        "table_version",
        *_partition_of("version"),
        _string("state", 16),
        *_counts(),
        _text("location", LONG),
        _string("run_id"),
        _string("actor"),
        _string("config_sha", 64),
        _time("created_at"),
        _time("ended_at", nullable=True),
        _time("published_at", nullable=True),
        _time("changed_at"),
        _string("changed_by"),
        _text("reason", LONG),
        sa.Column("published_mark", sa.SmallInteger, mark),
        sa.PrimaryKeyConstraint("table_name", "partition_key", "version", name="pk_table_version"),
    )
    key = ("table_name", "partition_key")
    _index("ux_table_version_published", "table_version", *key, "published_mark", unique=True)
    _index("ix_table_version_state", "table_version", "table_name", "state")
    _index("ix_table_version_created", "table_version", "table_name", "created_at")


def _hop_count() -> None:
    _create(
        "hop_count",
        _id(),
        *_partition_of("version"),
        _string("hop", 16),
        _string("shard"),
        _string("target"),
        *_counts(),
        _time("at"),
    )
    _index("ix_hop_count_version", "hop_count", "table_name", "partition_key", "version")


def _check_result() -> None:
    _create(
        "check_result",
        _id(),
        *_partition_of("version"),
        _string("check_name"),
        sa.Column("passed", sa.SmallInteger, nullable=False),
        _string("severity", 16),
        sa.Column("blocking", sa.SmallInteger, nullable=False),
        _text("numbers", LONG),
        _text("message", LONG),
        _time("at"),
    )
    _index("ix_check_result_version", "check_result", "table_name", "partition_key", "version")


def _hold() -> None:
    mark = sa.Computed("CASE WHEN released_at IS NULL THEN 1 END", persisted=True)
    _create(
        "hold",
        _id(),
        *_partition_of(),
        _string("check_name"),
        _text("reason", LONG),
        _string("actor"),
        _time("held_at"),
        _time("released_at", nullable=True),
        _string("released_by"),
        _text("release_reason", LONG),
        sa.Column("active_mark", sa.SmallInteger, mark),
    )
    key = ("table_name", "partition_key", "check_name", "active_mark")
    _index("ux_hold_active", "hold", *key, unique=True)


def _waiver() -> None:
    _create(
        "waiver",
        _id(),
        *_partition_of(),
        _string("check_name"),
        _text("reason", LONG),
        _string("actor"),
        _time("created_at"),
        _time("until"),
        _time("used_at", nullable=True),
        _string("used_by"),
    )
    _index("ix_waiver_partition", "waiver", "table_name", "partition_key")


def _partition_lock() -> None:
    _create(
        "partition_lock",
        *_partition_of("token"),
        _string("host"),
        _string("host_id"),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("pid_started", sa.Double, nullable=False),
        _string("run_id"),
        _text("command", LONG),
        _time("acquired_at"),
        _time("expires_at"),
        sa.PrimaryKeyConstraint("table_name", "partition_key", name="pk_partition_lock"),
    )
    _index("ix_partition_lock_token", "partition_lock", "token")
