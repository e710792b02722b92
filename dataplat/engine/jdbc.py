"""Reading a source through Spark's JDBC: planned relations in, one frame out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import DataFrame, SparkSession

from dataplat.engine.pacing import paced
from dataplat.plan.reads import JdbcRead

_FETCH_ROWS = 10_000


@dataclass(frozen=True)
class JdbcAccess:
    """How to reach a source, and what may be taken from it.

    Attributes:
        url: Without account and password.
        properties: Options of the reader; they hold the password and stay out of ``repr``.
        connections: How many may be open at once.
        rows_per_second: How many rows all of them together may read.
    """

    url: str
    properties: Mapping[str, str] = field(repr=False)
    connections: int = 4
    rows_per_second: float | None = None


def read_instances(
    session: SparkSession, reads: Sequence[JdbcRead], accesses: Mapping[str, JdbcAccess]
) -> DataFrame:
    """Return the union of the planned relations of all instances, which are read at once.

    Args:
        session: Where to read.
        reads: At least one.
        accesses: How to reach each instance, by the name that the reads call it.
    """
    by_instance = ([read for read in reads if read.source == name] for name in accesses)
    pairs = zip(by_instance, accesses.values(), strict=True)
    return reduce(DataFrame.union, [read_frame(session, here, access) for here, access in pairs if here])


def read_frame(session: SparkSession, reads: Sequence[JdbcRead], access: JdbcAccess) -> DataFrame:
    """Return the union of the planned relations of one instance; nothing is read yet but their schemas.

    At most ``access.connections`` tasks run at once: more tasks than that take turns.
    """
    frame = reduce(DataFrame.union, [_relation(session, read, access) for read in reads])
    tasks = sum(max(len(read.predicates), 1) for read in reads)
    at_once = min(tasks, access.connections)
    if tasks > at_once:
        frame = frame.coalesce(at_once)
    return paced(frame, access.rows_per_second / at_once) if access.rows_per_second else frame


def _relation(session: SparkSession, read: JdbcRead, access: JdbcAccess) -> DataFrame:
    table = f"({read.query}) AS dataplat_read"
    properties = {"fetchsize": str(_fetch_rows(access)), **access.properties}
    url = _for_mariadb_driver(access.url)
    if read.predicates:
        return session.read.jdbc(url, table, predicates=list(read.predicates), properties=properties)
    return session.read.jdbc(url, table, properties=properties)


def _fetch_rows(access: JdbcAccess) -> int:
    """Return how many rows a connection fetches at once: no more than a second's worth of a paced read."""
    if access.rows_per_second is None:
        return _FETCH_ROWS
    return min(max(int(access.rows_per_second / access.connections), 1), _FETCH_ROWS)


def _for_mariadb_driver(url: str) -> str:
    """Let MariaDB's driver take a ``jdbc:mysql:`` URL: it looks for this word in the URL itself.

    The scheme stays ``mysql`` because Spark chooses its dialect by it: under ``jdbc:mariadb:`` it would
    quote column names as strings, and read the names instead of the values.
    """
    if "permitMysqlScheme" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}permitMysqlScheme"
