"""How far the audits of each task source have come."""

import sqlalchemy as sa
from alembic import op

from dataplat.ledger.tables import UtcTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MYSQL = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}


def upgrade() -> None:
    op.create_table(
        "watermark",
        sa.Column("watermark_name", sa.String(255), primary_key=True),
        sa.Column("last_end_time", UtcTime, nullable=False),
        sa.Column("updated_at", UtcTime, nullable=False),
        if_not_exists=True,
        **MYSQL,
    )


def downgrade() -> None:
    op.drop_table("watermark", if_exists=True)
