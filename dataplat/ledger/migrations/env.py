"""Run by Alembic, on the connection that the caller holds and locks. There is no offline mode."""

from alembic import context

from dataplat.ledger.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
