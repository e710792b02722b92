"""SQLite files of others, written to a thousand times in a row: their commits need not wait for the disk."""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def quick_commits(files: Collection[Path]) -> Iterator[None]:
    """Make transactions of these files cheap inside the block, whoever of this process opens them.

    The files are in WAL mode. A power failure may cost their last transactions, never the files. Every other
    file, the ledger's first of all, waits for the disk as before.
    """
    chosen = {file.resolve() for file in files}

    def spare_the_disk(connection: Any, _: object) -> None:
        if isinstance(connection, sqlite3.Connection) and _file(connection) in chosen:
            connection.execute("PRAGMA synchronous = NORMAL")

    with ExitStack() as stack:
        for file in chosen:
            held = stack.enter_context(closing(sqlite3.connect(file)))
            held.execute("SELECT count(*) FROM sqlite_master").fetchone()  # connecting alone opens nothing
        event.listen(Engine, "connect", spare_the_disk)
        stack.callback(event.remove, Engine, "connect", spare_the_disk)
        yield


def _file(connection: sqlite3.Connection) -> Path:
    return Path(connection.execute("PRAGMA database_list").fetchone()[2]).resolve()
