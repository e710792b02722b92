"""How the demo's rows get into MariaDB: INSERT statements of a few thousand rows each.

Escaping row by row in a driver is what makes bulk inserts slow. Here each column is turned into SQL
literals as a whole, and a statement is one join. LOAD DATA would be little faster and needs
``local_infile``, which a careful server refuses.

The session is strict, so a value that does not fit is an error and never cut off: a demo that compares
counts and checksums must know exactly what it stored. Zero dates are let in, as the sources do.

Times are numpy ``datetime64`` without a zone: the wall clock of the business, as a MySQL DATETIME
holds it. TIMESTAMP columns are right because every session here says ``+08:00``.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pymysql

from dataplat.errors import DemoError

Connection: TypeAlias = "pymysql.connections.Connection[Any]"
ConnectionFactory = Callable[[], Connection]
Progress = Callable[[str, int, int], None]
Texts = Sequence[str | None]
Flags = npt.NDArray[np.bool_]
Column = npt.NDArray[Any] | Texts

SESSION = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+08:00', "
    "foreign_key_checks = 0, unique_checks = 0"
)
ROWS_PER_STATEMENT = 4_000
_SPECIAL = re.compile(r"[\\'\0]")
_ESCAPES = {"\\": "\\\\", "'": "''", "\0": "\\0"}


@dataclass(frozen=True)
class Batch:
    """Rows for one table, column by column; all columns have the same length."""

    table: str
    columns: Mapping[str, Column]

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))


@contextmanager
def session(connect: ConnectionFactory) -> Iterator[Connection]:
    """Open a strict, autocommitting session that lets zero dates in, and close it at the end.

    The factory must connect with ``utf8mb4``: ``PrivateMariaDB.connect`` does.
    """
    connection = connect()
    try:
        connection.autocommit(True)
        with connection.cursor() as cursor:
            cursor.execute(SESSION)
        yield connection
    finally:
        connection.close()


def decimals(units: npt.NDArray[np.int64], scale: int) -> list[str]:
    """Return exact decimal texts of numbers counted in units of ``10 ** -scale``.

    >>> decimals(np.array([5, -1250]), 2)
    ['0.05', '-12.50']
    """
    base = 10**scale
    signs = np.where(units < 0, "-", "").tolist()
    whole, part = np.divmod(np.abs(units), base)
    rows = zip(signs, whole.tolist(), part.tolist(), strict=True)
    return [f"{sign}{left}.{right:0{scale}d}" for sign, left, right in rows]


def choose(values: Sequence[str | None], picks: npt.NDArray[np.int64]) -> list[str | None]:
    """Return ``values[i]`` for each pick."""
    return [values[i] for i in picks.tolist()]


def blank(values: Column, mask: Flags) -> list[Any]:
    """Return the values with None where the mask is true."""
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    return [None if hide else value for value, hide in zip(plain, mask.tolist(), strict=True)]


def render_inserts(batch: Batch) -> Iterator[str]:
    r"""Yield the INSERT statements that store the batch; none when it has no rows.

    >>> list(render_inserts(Batch("t", {"id": np.array([1, 2]), "name": ["it's", None]})))
    ["INSERT INTO t (`id`, `name`) VALUES\n(1,'it''s'),\n(2,NULL)"]
    """
    names = ", ".join(f"`{name}`" for name in batch.columns)
    columns = [_literals(values) for values in batch.columns.values()]
    for first in range(0, batch.rows, ROWS_PER_STATEMENT):
        part = [column[first : first + ROWS_PER_STATEMENT] for column in columns]
        rows = ",\n".join(f"({','.join(row)})" for row in zip(*part, strict=True))
        yield f"INSERT INTO {batch.table} ({names}) VALUES\n{rows}"


def load_batch(connection: Connection, batch: Batch) -> int:
    """Append the batch to its table in one transaction and return the number of rows.

    Raises:
        DemoError: If a value does not fit its column. Nothing of the batch was stored.
    """
    connection.begin()
    try:
        with connection.cursor() as cursor:
            for statement in render_inserts(batch):
                cursor.execute(statement)
    except pymysql.err.MySQLError as error:
        connection.rollback()
        raise DemoError(
            f"demo table {batch.table}",
            "the server did not store the rows",
            facts=[("rows", f"{batch.rows:,}"), ("server", str(error.args[-1]))],
            effect="the demo business is incomplete",
            next_steps=["make demo"],
        ) from error
    connection.commit()
    return batch.rows


def _literals(values: Column) -> list[str]:
    if not isinstance(values, np.ndarray):
        return [_literal(value) for value in values]
    if values.dtype.kind == "M":
        texts = np.datetime_as_string(values).tolist()
        return ["NULL" if text == "NaT" else f"'{text}'" for text in texts]
    if values.dtype.kind == "b":
        return ["1" if value else "0" for value in values.tolist()]
    return [str(value) for value in values.tolist()]


def _literal(value: str | int | None) -> str:
    if value is None:
        return "NULL"
    if not isinstance(value, str):
        return str(value)
    text = _SPECIAL.sub(lambda match: _ESCAPES[match[0]], value) if _SPECIAL.search(value) else value
    return f"'{text}'"
