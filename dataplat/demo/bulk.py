"""How the demo's rows get into MariaDB: one text file a batch, one LOAD DATA LOCAL a file.

Multi-row INSERT through a Python driver spends its time escaping. Here each column is turned into
text as a whole, the file is read by the server in one statement, and what the server changed on the
way in (a value cut off, a number out of range) is an error and not a warning: a demo that compares
counts and checksums must know exactly what it stored.

Times are numpy ``datetime64`` without a zone: the wall clock of the business, as a MySQL DATETIME
holds it. TIMESTAMP columns are stored correctly because every session here says ``+08:00``.
"""

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pymysql

from dataplat.errors import DemoError

Connection = pymysql.connections.Connection[Any]
Progress = Callable[[str, int, int], None]
Texts = Sequence[str | None]
Column = npt.NDArray[Any] | Texts

SESSION = (
    "SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION', time_zone = '+08:00', "
    "foreign_key_checks = 0, unique_checks = 0"
)
_SPECIAL = re.compile(r"[\\\t\n\r\0]")
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"}


class ServerAddress(Protocol):
    """Where a MariaDB listens and who may write there. ``PrivateMariaDB`` is one."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def user(self) -> str: ...
    @property
    def password(self) -> str: ...


@dataclass(frozen=True)
class Batch:
    """Rows for one table, column by column; all columns have the same length."""

    table: str
    columns: Mapping[str, Column]

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))


def connect(server: ServerAddress) -> Connection:
    """Open an autocommit session that stores values as they are, zero dates included.

    Raises:
        DemoError: If the server cannot be reached or refuses the user.
    """
    try:
        return pymysql.connect(
            host=server.host,
            port=server.port,
            user=server.user,
            password=server.password,
            charset="utf8mb4",
            autocommit=True,
            local_infile=True,
            init_command=SESSION,
        )
    except pymysql.err.OperationalError as error:
        raise DemoError(
            f"demo database {server.host}:{server.port}",
            "cannot be used",
            facts=[("user", server.user), ("server", str(error.args[-1]))],
            effect="nothing was written",
            next_steps=["start the demo's MariaDB and fill it again"],
        ) from error


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


def blank(values: Column, mask: npt.NDArray[np.bool_]) -> list[Any]:
    """Return the values with None where the mask is true."""
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    return [None if hide else value for value, hide in zip(plain, mask.tolist(), strict=True)]


def render_rows(batch: Batch) -> bytes:
    """Return the batch as LOAD DATA reads it: tabs, newlines, ``\\N`` for NULL, UTF-8.

    >>> render_rows(Batch("t", {"id": np.array([1, 2]), "name": ["a\\tb", None]}))
    b'1\\ta\\\\tb\\n2\\t\\\\N\\n'
    """
    columns = [_fields(values) for values in batch.columns.values()]
    lines = ["\t".join(row) for row in zip(*columns, strict=True)]
    lines.append("")
    return "\n".join(lines).encode()


def load_batch(connection: Connection, batch: Batch) -> int:
    """Append the batch to its table in one transaction and return the number of rows.

    Raises:
        DemoError: If the server refuses the file or had to change a value to store it.
    """
    if batch.rows == 0:
        return 0
    names = ", ".join(f"`{name}`" for name in batch.columns)
    with tempfile.NamedTemporaryFile(prefix="dataplat-demo-", suffix=".tsv") as file:
        file.write(render_rows(batch))
        file.flush()
        with connection.cursor() as cursor:
            try:
                loaded = cursor.execute(
                    f"LOAD DATA LOCAL INFILE %s INTO TABLE {batch.table} CHARACTER SET utf8mb4 ({names})",
                    (file.name,),
                )
            except (pymysql.err.OperationalError, pymysql.err.ProgrammingError) as error:
                raise _refused(batch, str(error.args[-1])) from error
            cursor.execute("SHOW WARNINGS LIMIT 1")
            warning = cursor.fetchone()
    if warning is not None:
        raise _refused(batch, str(warning[2]))
    if loaded != batch.rows:
        raise _refused(batch, f"{loaded} of {batch.rows} rows were stored")
    return loaded


def _refused(batch: Batch, reply: str) -> DemoError:
    return DemoError(
        f"demo table {batch.table}",
        "the server did not store the rows as they are",
        facts=[("rows", f"{batch.rows:,}"), ("server", reply)],
        effect="the demo business is incomplete",
        next_steps=["see that the server has local_infile=ON, then fill it again"],
    )


def _fields(values: Column) -> list[str]:
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return np.where(np.isnat(values), "\\N", np.datetime_as_string(values)).tolist()
    if isinstance(values, np.ndarray) and values.dtype.kind == "b":
        return [str(value) for value in values.astype(np.int8).tolist()]
    if isinstance(values, np.ndarray):
        return [str(value) for value in values.tolist()]
    return [_escaped(value) for value in values]


def _escaped(value: str | None) -> str:
    if value is None:
        return "\\N"
    text = str(value)
    return _SPECIAL.sub(lambda match: _ESCAPES[match[0]], text) if _SPECIAL.search(text) else text
