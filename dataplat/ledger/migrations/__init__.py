"""Alembic's scripts for the ledger. They ship inside the package; there is no alembic.ini."""
