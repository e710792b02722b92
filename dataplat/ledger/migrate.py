"""Bring a ledger to the tables this code knows, once, however many processes open it together.

Opening is on the path of every command, so Alembic is imported only when something is to be done:
the revision is read with one SELECT and compared with ``HEAD``. A ledger that a newer dataplat has
migrated is refused, because this code would misread it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from dataplat.errors import LedgerError
from dataplat.ledger.database import Database
from dataplat.ledger.troubles import explain

HEAD = "0005"
MIGRATION_SECONDS = 120
_one_thread = threading.Lock()  # Alembic keeps the migration that runs in globals of its own


def migrate(database: Database) -> None:
    """Make the tables what this code expects; do nothing if they are.

    Raises:
        LedgerError: If the ledger is newer than this code, cannot be reached, or another process
            has been migrating it for two minutes. Tables are as they were.
    """
    if _found_revision(database) == HEAD:
        return
    _make_folder(database)
    try:
        with _one_thread, _migrating_alone(database) as connection:
            _upgrade(database, connection)
    except SQLAlchemyError as error:
        raise explain(database.subject, error) from error


def _found_revision(database: Database) -> str | None:
    if database.path is not None and not database.path.exists():
        return None
    return database.read(_read_revision)


def _read_revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _make_folder(database: Database) -> None:
    if database.path is None:
        return
    try:
        database.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            database.subject,
            "the folder of the ledger cannot be made",
            facts=[("found", str(error)), ("declared", "platform.yaml: ledger")],
            effect="the ledger was not opened",
            next_steps=["name another file in platform.yaml: ledger"],
        ) from error


@contextmanager
def _migrating_alone(database: Database) -> Iterator[Connection]:
    if database.path is None:
        with database.engine.connect() as connection, _named_lock(database, connection):
            yield connection
            return
    lock = FileLock(f"{database.path}.migrate.lock", timeout=MIGRATION_SECONDS)
    try:
        with lock, database.engine.connect() as connection:
            yield connection
    except Timeout as error:
        raise _someone_else_migrates(database) from error


@contextmanager
def _named_lock(database: Database, connection: Connection) -> Iterator[None]:
    name = f"dataplat migrates {database.url.database}"[:64]
    got = connection.execute(sa.select(sa.func.get_lock(name, MIGRATION_SECONDS))).scalar()
    connection.commit()
    if got != 1:
        raise _someone_else_migrates(database)
    try:
        yield
    finally:
        connection.execute(sa.select(sa.func.release_lock(name)))
        connection.commit()


def _someone_else_migrates(database: Database) -> LedgerError:
    return LedgerError(
        database.subject,
        f"another process has been migrating it for {MIGRATION_SECONDS} s",
        effect="the ledger was not opened",
        next_steps=["wait for the other process, then run the command again"],
    )


def _upgrade(database: Database, connection: Connection) -> None:
    from alembic import command  # 0.3 s, and needed once in a ledger's life
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    found = _read_revision(connection)
    connection.rollback()
    if found == HEAD:
        return
    config = Config()
    config.set_main_option("script_location", "dataplat.ledger:migrations")
    config.set_main_option("path_separator", "os")
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    if found is not None and found not in known:
        raise LedgerError(
            database.subject,
            "the ledger is newer than this dataplat",
            facts=[("expected", f"revision {HEAD} or older"), ("found", f"revision {found}")],
            effect="the ledger was not opened and not changed",
            next_steps=["install the dataplat that the others use"],
        )
    if database.is_sqlite:
        _let_readers_and_a_writer_work_together(connection)
    config.attributes["connection"] = connection.execution_options(ledger_write=True)
    command.upgrade(config, "head")


def _let_readers_and_a_writer_work_together(connection: Connection) -> None:
    # The mode stays in the file. SQLAlchemy would begin a transaction, in which SQLite refuses.
    raw = connection.connection.dbapi_connection
    assert raw is not None
    raw.cursor().execute("PRAGMA journal_mode=WAL")
