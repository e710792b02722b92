"""Breaking the demo's source the way sources break, and putting it back exactly as it was.

Nothing here fakes a number. Every mishap is SQL that a real upstream team might run by accident, on the
source, while or after the platform reads it:

* ``delete_rows``: a day is being re-imported without a transaction and is half gone; or a purge.
* ``insert_rows``: an import ran twice.
* ``update_rows``: a correction moves rows to a later day, because ``update_time`` moves.
* ``repoint_rows``: a migration gives rows references that lead nowhere. No count can see it.
* ``rename_shard``: somebody archives a physical table.

The rows concerned are kept in a database of their own (``SHELF``), so ``undo`` restores the same bytes,
and ``undo_all`` does so even for a process that was killed in between.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

from dataplat.demo.bulk import Connection, ConnectionFactory, session
from dataplat.demo.schema import LOGISTICS, MARKET
from dataplat.lifecycle.report import Listener, Progress, Step

SHELF = "demo_shelf"
MONEY = f"{MARKET}.t_money_record"
ORDERS = f"{MARKET}.t_order"
_NOBODY = 900_000_000  # more than there will ever be accounts


@dataclass(frozen=True, eq=False)
class Mishap:
    """Something that was done to the source.

    As a context manager it is undone at the end. ``undo`` may be called twice.
    """

    what: str
    rows: int
    undo: Callable[[], None]

    def __enter__(self) -> "Mishap":
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()


def damage_day(connect: ConnectionFactory, day: date, rows: int = 213) -> Mishap:
    """Leave a day of money records as a re-import does that deletes first and inserts later.

    A count before and after it, and a read during it, do not agree. Fewer rows are taken when the day
    has fewer; ``Mishap.rows`` says how many.
    """
    gone = delete_rows(connect, day, rows)
    what = f"the settlement job re-imports {day}: {gone.rows:,} rows are deleted and not yet back"
    return Mishap(what, gone.rows, gone.undo)


@contextmanager
def reimport_during_read(connect: ConnectionFactory, day: date, rows: int = 213) -> Iterator[Listener]:
    """Give a load a listener that lets a re-import hit the day exactly between the two source counts.

    The rows vanish when staging begins and are back when counting begins: the source holds the same
    number before and after, and the read saw fewer. What that is in production is bad luck; here it
    happens every time. Whatever becomes of the load, the day is whole when the context ends.
    """
    damage: list[Mishap] = []

    def listen(progress: Progress) -> None:
        if progress.step is Step.STAGE:
            damage.append(damage_day(connect, day, rows))
        elif damage:
            damage.pop().undo()

    try:
        yield listen
    finally:
        for mishap in damage:
            mishap.undo()


def delete_rows(
    connect: ConnectionFactory, day: date, rows: int, *, table: str = MONEY, column: str = "update_time"
) -> Mishap:
    """Delete the first ``rows`` rows of a day by id; undo inserts them again."""
    with session(connect) as connection:
        shelf = _shelve(connection, "deleted", day, rows, table, column)
        taken = _run(connection, f"DELETE FROM {table} WHERE id IN (SELECT id FROM {shelf})")
    return _mishap(connect, f"{taken:,} rows of {day} were deleted from {table}", taken, shelf)


def insert_rows(
    connect: ConnectionFactory, day: date, rows: int, *, table: str = MONEY, column: str = "update_time"
) -> Mishap:
    """Insert copies of the first ``rows`` rows of a day under new ids; undo deletes them."""
    with session(connect) as connection:
        shelf = _shelve(connection, "inserted", day, rows, table, column)
        _run(connection, f"UPDATE {shelf} SET id = id + (SELECT max(id) FROM {table})")
        added = _run(connection, f"INSERT INTO {table} SELECT * FROM {shelf}")
    return _mishap(connect, f"{added:,} rows of {day} were imported twice into {table}", added, shelf)


def update_rows(
    connect: ConnectionFactory,
    day: date,
    rows: int,
    *,
    later_days: int = 1,
    table: str = MONEY,
    column: str = "update_time",
) -> Mishap:
    """Move the first ``rows`` rows of a day to a later one; undo moves them back."""
    with session(connect) as connection:
        shelf = _shelve(connection, "updated", day, rows, table, column)
        moved = _run(
            connection,
            f"UPDATE {table} t JOIN {shelf} s USING (id) "
            f"SET t.{column} = s.{column} + INTERVAL {later_days} DAY",
        )
    return _mishap(connect, f"{moved:,} rows of {day} in {table} moved {later_days} day(s) on", moved, shelf)


def repoint_rows(connect: ConnectionFactory, day: date, rows: int) -> Mishap:
    """Give the first orders of a day accounts that do not exist; undo gives them their own again.

    They keep their ``update_time``, and the first by number are those that were placed before the day.
    """
    with session(connect) as connection:
        shelf = _shelve(connection, "updated", day, rows, ORDERS, "update_time", restores="account_id")
        moved = _run(
            connection,
            f"UPDATE {ORDERS} t JOIN {shelf} s USING (id) SET t.account_id = s.account_id + {_NOBODY}",
        )
    what = f"an account migration gives {moved:,} orders of {day} accounts that do not exist"
    return _mishap(connect, what, moved, shelf)


def rename_shard(connect: ConnectionFactory, shard: str, to: str = "") -> Mishap:
    """Rename a physical table of the flow log, by default to a name no discovery finds."""
    new = to or f"zz_archived_{shard}"
    with session(connect) as connection:
        rows = _count(connection, f"SELECT count(*) FROM {LOGISTICS}.{shard}")
        _run(connection, f"RENAME TABLE {LOGISTICS}.{shard} TO {LOGISTICS}.{new}")

    def undo() -> None:
        with session(connect) as connection:
            if _exists(connection, LOGISTICS, new):
                _run(connection, f"RENAME TABLE {LOGISTICS}.{new} TO {LOGISTICS}.{shard}")

    return Mishap(f"{LOGISTICS}.{shard} was renamed to {new}", rows, undo)


def undo_all(connect: ConnectionFactory) -> int:
    """Undo every mishap that is still on the shelf, newest first, and return how many there were."""
    with session(connect) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", (SHELF,))
        shelves = sorted((f"{SHELF}.{name}" for (name,) in cursor.fetchall()), reverse=True)
        for shelf in shelves:
            _undo(connection, shelf)
    return len(shelves)


def _mishap(connect: ConnectionFactory, what: str, rows: int, shelf: str) -> Mishap:
    def undo() -> None:
        with session(connect) as connection:
            _undo(connection, shelf)

    return Mishap(what, rows, undo)


def _shelve(
    connection: Connection, kind: str, day: date, rows: int, table: str, column: str, restores: str = ""
) -> str:
    """Copy a day's first rows to a new shelf; its comment says what undo needs."""
    _run(connection, f"CREATE DATABASE IF NOT EXISTS {SHELF}")
    number = _count(
        connection,
        "SELECT 1 + coalesce(max(cast(left(table_name, 6) AS INT)), 0) "
        f"FROM information_schema.tables WHERE table_schema = '{SHELF}'",
    )
    shelf = f"{SHELF}.{number:06d}_{kind}"
    _run(connection, f"CREATE TABLE {shelf} LIKE {table}")
    _run(connection, f"ALTER TABLE {shelf} COMMENT = '{kind} {table} {restores or column}'")
    _run(
        connection,
        f"INSERT INTO {shelf} SELECT * FROM {table} WHERE {column} >= '{day}' "
        f"AND {column} < '{day + timedelta(days=1)}' ORDER BY id LIMIT {rows}",
    )
    return shelf


def _undo(connection: Connection, shelf: str) -> None:
    database, name = shelf.split(".")
    if not _exists(connection, database, name):
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_comment FROM information_schema.tables WHERE table_schema = %s AND table_name = %s",
            (database, name),
        )
        kind, table, column = cursor.fetchone()[0].split()
    statements = {
        "deleted": f"INSERT INTO {table} SELECT * FROM {shelf}",
        "inserted": f"DELETE FROM {table} WHERE id IN (SELECT id FROM {shelf})",
        "updated": f"UPDATE {table} t JOIN {shelf} s USING (id) SET t.{column} = s.{column}",
    }
    _run(connection, statements[kind])
    _run(connection, f"DROP TABLE {shelf}")


def _run(connection: Connection, statement: str) -> int:
    with connection.cursor() as cursor:
        return int(cursor.execute(statement))


def _count(connection: Connection, statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])


def _exists(connection: Connection, database: str, name: str) -> bool:
    return bool(
        _count(
            connection,
            "SELECT count(*) FROM information_schema.tables "
            f"WHERE table_schema = '{database}' AND table_name = '{name}'",
        )
    )
