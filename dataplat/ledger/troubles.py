"""Database errors in the words of the person who runs the platform.

The driver's own text is shown, never SQLAlchemy's: that one repeats the statement and its parameters.
"""

from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from dataplat.errors import LedgerError


@dataclass(frozen=True)
class Trouble:
    """One way in which a database refuses, and what to say and do about it."""

    problem: str
    next_step: str
    retryable: bool = False


_CHECK = "dataplat check --connect"
_UNREACHABLE = Trouble("cannot be reached", _CHECK, retryable=True)
_LOST = Trouble("the connection was lost", _CHECK, retryable=True)
_REFUSED = Trouble("the user or the password was refused", _CHECK)
_NO_RIGHT = Trouble("the user may not do this", "GRANT ALL ON the ledger's database to the user")
_NO_DATABASE = Trouble("the database does not exist", "CREATE DATABASE … CHARACTER SET utf8mb4")
_FULL = Trouble("there is no space left", "free space on the ledger's disk")
_BUSY = Trouble("another process kept it locked for too long", _CHECK, retryable=True)
_OTHER = Trouble("the database refused", _CHECK)

_MYSQL = {
    2002: _UNREACHABLE,
    2003: _UNREACHABLE,
    2005: _UNREACHABLE,
    1040: _UNREACHABLE,
    2006: _LOST,
    2013: _LOST,
    1053: _LOST,
    1927: _LOST,
    1045: _REFUSED,
    1698: _REFUSED,
    1044: _NO_RIGHT,
    1142: _NO_RIGHT,
    1049: _NO_DATABASE,
    1021: _FULL,
    1114: _FULL,
    1205: _BUSY,
    1213: _BUSY,
    1290: Trouble("the server is read-only", _CHECK),
}
_CANNOT_OPEN = Trouble("the file cannot be opened", "make its folder writable, or name another file")
_NOT_SQLITE = Trouble("the file is not an SQLite database", "name another file in platform.yaml: ledger")
_DAMAGED = Trouble("the file is damaged", "restore it from a backup")
_READ_ONLY = Trouble("the file is read-only", "make the file and its folder writable")
_SQLITE = {
    "unable to open database file": _CANNOT_OPEN,
    "file is not a database": _NOT_SQLITE,
    "malformed": _DAMAGED,
    "disk is full": _FULL,
    "disk I/O error": _FULL,
    "readonly database": _READ_ONLY,
    "database is locked": _BUSY,
}


def is_deadlock(error: SQLAlchemyError) -> bool:
    """Whether MySQL chose this transaction as a victim, so that running it again is right."""
    return _mysql_code(error) in (1205, 1213)


def explain(subject: str, error: SQLAlchemyError) -> LedgerError:
    """Return what ``error`` means. ``retryable`` is set where the same call may succeed later."""
    trouble = _trouble(error)
    result = LedgerError(
        subject,
        trouble.problem,
        facts=[("found", _driver_text(error))],
        effect="nothing was recorded",
        next_steps=[trouble.next_step],
    )
    result.retryable = trouble.retryable
    return result


def _trouble(error: SQLAlchemyError) -> Trouble:
    code = _mysql_code(error)
    if code is not None:
        return _MYSQL.get(code, _OTHER)
    text = _driver_text(error)
    return next((trouble for piece, trouble in _SQLITE.items() if piece in text), _OTHER)


def _mysql_code(error: SQLAlchemyError) -> int | None:
    args = error.orig.args if isinstance(error, DBAPIError) and error.orig is not None else ()
    return args[0] if len(args) > 1 and isinstance(args[0], int) else None


def _driver_text(error: SQLAlchemyError) -> str:
    if not isinstance(error, DBAPIError) or error.orig is None:
        return f"{type(error).__name__}: {error}"
    args = error.orig.args
    return f"({args[0]}) {args[1]}" if len(args) > 1 else str(error.orig)
