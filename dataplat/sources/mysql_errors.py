"""What a MySQL or MariaDB server and its driver say -> one clear message.

The driver's number decides, never its text, which differs between servers and languages. The server's own
words are kept as a fact, because they name the column, the table or the account. No message holds a
password: servers do not echo one, and the statement shown is the one dataplat sent.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dataplat.errors import Facts, QueryTooLongError, SourceError, SourceUnavailableError
from dataplat.specs import SourceSpec

_SHOWN = 100
_NEAR = re.compile(r"near '(?P<near>.*)' at line (?P<line>\d+)\s*$", re.DOTALL)
_NAMED = re.compile(r"Unknown column '(?P<name>[^']+)'")


@dataclass(frozen=True)
class _Meaning:
    problem: str
    key: str = ""
    retryable: bool = False
    next_step: str = "dataplat check --connect"


_LOGIN = _Meaning("the server refused the login", "password")
_DENIED = _Meaning("the account may not do this", "user", next_step="grant SELECT to the account")
_UNREACHABLE = _Meaning("the server cannot be reached", "host", retryable=True)
_LOST = _Meaning("the connection was lost", retryable=True, next_step="run the command again")
_BUSY = _Meaning("the server has no connection left", "budget", True, "lower budget.connections")
_LOCKED = _Meaning("a lock at the source was not released in time", "", True, "run the command again")
_TOO_LONG = _Meaning(
    "the server ended the query, it took too long", next_step="raise budget.max_execution_seconds"
)
_WRITING = _Meaning("the statement would write, and sources are only read", next_step="dataplat check")
_NO_COLUMN = _Meaning("a column does not exist at the source", next_step="dataplat check --connect")
_NO_ZONE = _Meaning(
    "the server does not know the time zone",
    "timezone",
    next_step="load the zone names: mariadb-tzinfo-to-sql or mysql_tzinfo_to_sql",
)
_OTHER = _Meaning("the server refused the statement")

_MEANINGS: Mapping[int, _Meaning] = {
    1040: _BUSY,
    1044: _DENIED,
    1045: _LOGIN,
    1049: _Meaning("the database does not exist"),
    1053: _LOST,
    1054: _NO_COLUMN,
    1064: _Meaning("the server cannot read the SQL", next_step="dataplat check"),
    1129: _LOGIN,
    1130: _LOGIN,
    1142: _DENIED,
    1143: _DENIED,
    1146: _Meaning("the table does not exist"),
    1203: _BUSY,
    1205: _LOCKED,
    1213: _LOCKED,
    1226: _BUSY,
    1227: _DENIED,
    1290: _WRITING,
    1298: _NO_ZONE,
    1317: _LOST,
    1698: _LOGIN,
    1792: _WRITING,
    1836: _WRITING,
    1927: _LOST,
    1969: _TOO_LONG,
    2002: _UNREACHABLE,
    2003: _UNREACHABLE,
    2005: _UNREACHABLE,
    2006: _LOST,
    2013: _LOST,
    2026: _Meaning("the encrypted connection failed", "properties"),
    2055: _LOST,
    3024: _TOO_LONG,
    3118: _LOGIN,
    4151: _LOGIN,
}


def explain_error(
    source: SourceSpec,
    error: BaseException,
    *,
    subject: str = "",
    sql: str = "",
    effect: str = "nothing was read",
) -> SourceError:
    """Return the error to raise for what the driver raised.

    Args:
        source: Where it happened.
        error: The driver's own exception; its first argument is the server's number.
        subject: What the caller was reading; without it the source itself.
        sql: The statement sent; the line with the mistake is shown with a caret.
        effect: What has or has not happened, as the caller knows it.
    """
    code, said = _number_and_text(error)
    meaning = _MEANINGS.get(code, _OTHER)
    facts: list[tuple[str, str]] = [("server", f"{source.host}:{source.port}")]
    words = " ".join(said.split())
    facts.append(("found", f"{words} ({code})" if code else words))
    facts += _place(sql, said)
    if meaning.key:
        facts.append(("declared", source.declared.at(meaning.key)))
    if meaning is _TOO_LONG:
        facts += time_limits([source])
        kind: type[SourceError] = QueryTooLongError
    else:
        kind = SourceUnavailableError if meaning.retryable else SourceError
    return kind(
        subject or f"source {source.name}",
        meaning.problem,
        facts=facts,
        effect=effect,
        next_steps=[meaning.next_step],
    )


def time_limits(sources: Iterable[SourceSpec]) -> Facts:
    """Return how long queries may take at some sources, and where that is declared; for messages."""
    facts = []
    for source in sources:
        if (seconds := source.budget.max_execution_seconds) is not None:
            facts.append(("allowed", f"{seconds} s a query of {source.name}"))
            facts.append(("declared", source.declared.at("budget", "max_execution_seconds")))
    return facts or [("allowed", "what the server itself is set to")]


def _number_and_text(error: BaseException) -> tuple[int, str]:
    arguments = error.args
    if len(arguments) >= 2 and isinstance(arguments[0], int):
        return arguments[0], str(arguments[1])
    return 0, str(error) or type(error).__name__


def _place(sql: str, said: str) -> Facts:
    found = _find(sql, said)
    if found is None:
        return ()
    start = sql.rfind("\n", 0, found) + 1
    line = sql[start:].split("\n", 1)[0]
    column = found - start
    cut = max(0, column - _SHOWN // 2)
    lead, tail = "… " if cut else "", " …" if len(line) > cut + _SHOWN else ""
    shown = f"{lead}{line[cut : cut + _SHOWN]}{tail}"
    return [("sql", f"{shown}\n{' ' * (len(lead) + column - cut)}^")]


def _find(sql: str, said: str) -> int | None:
    near = _NEAR.search(said)
    if near is not None:
        lines = sql.split("\n")
        number = min(int(near["line"]), len(lines)) - 1
        start = sum(len(line) + 1 for line in lines[:number])
        found = sql.find(near["near"], start) if near["near"] else len(sql.rstrip())
        return found if found >= 0 else None
    named = _NAMED.search(said)
    found = sql.lower().find(named["name"].rsplit(".", 1)[-1].lower()) if named and sql else -1
    return found if found >= 0 else None
