"""Who holds how many connections of which source."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from dataplat.ledger.tables import UtcTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LONG = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MYSQL = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}
INDEXES = {"ix_source_connection_source": "source_name", "ux_source_connection_token": "token"}


def upgrade() -> None:
    op.create_table(
        "source_connection",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        _text("source_name", 255),
        _text("token", 64),
        sa.Column("connections", sa.Integer, nullable=False),
        *(_text(name, 255) for name in ("purpose", "host", "host_id")),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("pid_started", sa.Double, nullable=False),
        _text("run_id", 255),
        sa.Column("command", LONG, nullable=False),
        sa.Column("asked_at", UtcTime, nullable=False),
        sa.Column("granted_at", UtcTime),
        sa.Column("expires_at", UtcTime, nullable=False),
        if_not_exists=True,
        **MYSQL,
    )
    existing = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("source_connection")}
    for name, column in INDEXES.items():
        if name not in existing:
            op.create_index(name, "source_connection", [column], unique=name.startswith("ux_"))


def downgrade() -> None:
    op.drop_table("source_connection", if_exists=True)


def _text(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=False)
