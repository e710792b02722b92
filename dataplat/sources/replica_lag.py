"""How far a replica is behind, in seconds, as the server or the user's own query says."""

from dataplat.errors import SourceError
from dataplat.sources.mysql_connection import SourceConnection

_COLUMNS = ("seconds_behind_source", "seconds_behind_master")
_REFUSED = "the account may not do this"


def replica_lag(connection: SourceConnection) -> float | None:
    """Return the lag in seconds; the largest of several channels. None: replication does not run.

    A server that is no replica is never behind.

    Raises:
        SourceError: The account may not ask, or the source's ``lag_query`` returned no number.
    """
    source = connection.source
    subject = f"source {source.name}: replica lag"
    if source.budget.lag_query is not None:
        return _asked(connection, source.budget.lag_query, subject)
    try:
        channels = _status(connection, subject)
    except SourceError as error:
        if error.problem != _REFUSED:
            raise
        raise SourceError(
            subject,
            "the account may not ask how far the server is behind",
            facts=[*error.facts[:2], ("declared", source.declared.at("budget", "replica_lag_seconds"))],
            effect="nothing was read",
            next_steps=[
                f"GRANT REPLICA MONITOR ON *.* TO {source.user} (MySQL: REPLICATION CLIENT)",
                "declare budget.lag_query",
            ],
        ) from error
    lags = [next(row[name] for name in _COLUMNS if name in row) for row in channels]
    if any(lag is None for lag in lags):
        return None
    return float(max((int(str(lag)) for lag in lags), default=0))


def _status(connection: SourceConnection, subject: str) -> list[dict[str, object]]:
    """Ask in the words that the server knows: MariaDB names all channels, MySQL does so by itself."""
    maria = "MariaDB" in str(connection.rows("SELECT VERSION()", subject=subject)[0][0])
    if maria:
        return connection.records("SHOW ALL SLAVES STATUS", subject=subject)
    try:
        return connection.records("SHOW REPLICA STATUS", subject=subject)
    except SourceError as error:
        if error.problem == _REFUSED:
            raise
        return connection.records("SHOW SLAVE STATUS", subject=subject)  # MySQL before 8.0.22


def _asked(connection: SourceConnection, query: str, subject: str) -> float | None:
    rows = connection.rows(query, subject=subject)
    value = rows[0][0] if len(rows) == 1 and rows[0] else "no row" if not rows else "several rows"
    if rows and len(rows) == 1 and value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        source = connection.source
        raise SourceError(
            subject,
            "the lag query returned no number",
            facts=[
                ("expected", "one row with the seconds, or NULL while replication does not run"),
                ("found", str(value)),
                ("declared", source.declared.at("budget", "lag_query")),
            ],
            effect="nothing was read",
            next_steps=["correct budget.lag_query"],
        ) from error
