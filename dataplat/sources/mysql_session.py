"""How a session at a MySQL or MariaDB source is set up, for Python and for Spark alike. Pure text.

Both sides send ``session_statement`` first, so a count and a read can never differ in time zone. It makes
the session read-only. MySQL and MariaDB name some variables differently; the conditional comments let each
server see its own, so nobody has to know beforehand which of them answers.

The JDBC driver is MariaDB Connector/J. ``jdbc_url`` holds what the source's file says; what dataplat itself
needs is passed beside it, and the account is in neither.
"""

from collections.abc import Mapping
from types import MappingProxyType

from dataplat.plan.windows import session_time_zone
from dataplat.specs import SourceSpec

JDBC_DRIVER = "org.mariadb.jdbc.Driver"
NET_WRITE_TIMEOUT_SECONDS = 600
CONNECT_TIMEOUT_SECONDS = 20

# The account and the zone of a source are its own keys; a second zone would move every time of day.
_KEPT_OUT = frozenset({"user", "servertimezone", "connectiontimezone", "timezone"})
_REQUIRED: Mapping[str, str] = MappingProxyType(
    {
        "tinyInt1isBit": "false",
        "yearIsDateType": "false",
        # Every time is read as the wall clock of the session, and the engine's JVM runs in UTC, so the
        # driver must not shift it: the engine reads TIMESTAMP WITHOUT TIME ZONE and knows the zone.
        "preserveInstants": "false",
        "forceConnectionTimeZoneToSession": "false",
    }
)

# Any other level would see each statement's own view; a server's default may be another.
_REPEATABLE = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_SNAPSHOT = "START TRANSACTION WITH CONSISTENT SNAPSHOT"


def session_statement(source: SourceSpec) -> str:
    """Return the one statement that every connection to the source begins with.

    ``net_write_timeout`` is ten minutes instead of one: a reader that writes a large file meanwhile
    does not fetch, and the server would drop it. ``lock_wait_timeout`` is a minute instead of a day (a year
    in MySQL): a read that queues behind an ALTER TABLE ends with a message, and is tried again.
    """
    maria = ["tx_read_only = 1"]
    mysql = ["transaction_read_only = 1"]
    seconds = source.budget.max_execution_seconds
    if seconds is not None:
        maria.append(f"max_statement_time = {seconds}")
        mysql.append(f"max_execution_time = {seconds * 1000}")
    return (
        f"SET SESSION time_zone = '{session_time_zone(source.zone)}',"
        f" net_write_timeout = {NET_WRITE_TIMEOUT_SECONDS},"
        f" lock_wait_timeout = {source.budget.lock_wait_seconds}"
        f" /*M!100101 , {', '.join(maria)} */"
        f" /*!50720 , {', '.join(mysql)} */"
    )


def jdbc_url(source: SourceSpec, database: str) -> str:
    """Return ``jdbc:mysql://host:port/database?key=value&…`` with the properties as the file gives them.

    No question mark when there are none. Left out is what names an account or would change the values
    that are read. Passwords cannot stand in ``properties``: loading the file refuses them.
    """
    pairs = [
        f"{key}={value}"
        for key, value in source.properties.items()
        if _REQUIRED.get(key, value) == value and key.lower() not in _KEPT_OUT
    ]
    host = f"[{source.host}]" if ":" in source.host else source.host
    return f"jdbc:mysql://{host}:{source.port}/{database}" + ("?" + "&".join(pairs) if pairs else "")


def jdbc_properties(source: SourceSpec, tag: str = "", *, snapshot: bool = False) -> dict[str, str]:
    """Return the options of Spark's JDBC reader that dataplat needs, without the account.

    What the source's file says wins, except where it would change the values that are read. With a tag
    every query of the reader begins with it, also those by which Spark asks for columns. With ``snapshot``
    each connection begins a transaction before it reads, and sees what was committed then.
    """
    defaults = {
        "driver": JDBC_DRIVER,
        "sessionInitStatement": session_statement(source),
        "connectTimeout": str(CONNECT_TIMEOUT_SECONDS * 1000),
        "useServerPrepStmts": "true",
        **_REQUIRED,
        **({"prepareQuery": tag} if tag else {}),
    }
    if snapshot:
        # Spark sends one text: several statements in it need the driver's leave, and its client side.
        begin = [defaults["sessionInitStatement"], _REPEATABLE, _SNAPSHOT]
        defaults["sessionInitStatement"] = f"/*client prepare*/{'; '.join(begin)}"
        defaults["allowMultiQueries"] = "true"
    chosen = {key for key in source.properties if key not in _REQUIRED}
    return {key: value for key, value in defaults.items() if key not in chosen}
