"""Asking one question about one partition of somebody else's table: SQL, a path, or an HTTP address.

The answer is yes, or no with what was found; a server that cannot be asked is neither, and raises. With
``newest`` the query puts the newest row first and only that row counts: a task that failed and was run again
is done, whatever its older rows say, and a second success closes nothing.

SQL is asked through SQLAlchemy, so whatever has a dialect can be asked. Tested are MariaDB and SQLite; a
ClickHouse is asked through the dialect of clickhouse-connect, and no test has one.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from operator import eq, ge, gt, le, lt
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from dataplat.errors import SourceError, SourceUnavailableError
from dataplat.plan.dates import render_dates
from dataplat.specs import Catalog, ProbeSpec, ReadinessSpec, SecretResolver
from dataplat.storage.files import modified_at

_COMPARE = {">=": ge, "<=": le, "=": eq, ">": gt, "<": lt}
_MOST_ROWS = 1000
_GONE = frozenset({2002, 2003, 2006, 2013})  # MySQL: not there, or gone in the middle
_NOTHING = "nothing was decided; the partition stays as it was"


@dataclass(frozen=True)
class Finding:
    """What one probe found.

    Attributes:
        asked: The query, path or address, with its dates.
        expected: What would have been yes.
        found: What there was.
        ready: Whether it was yes.
        landed_at: When it landed, if the probe can tell.
    """

    asked: str
    expected: str
    found: str
    ready: bool
    landed_at: datetime | None = None


class Prober:
    """Asks the probes of one readiness.

    Args:
        subject: What errors are about.
        url: The SQLAlchemy URL that SQL is asked at, secrets revealed.
        zone: Of times without one: those in SQL results, and the dates of the questions.
        seconds: How long one question may take.
    """

    def __init__(self, subject: str, url: sa.URL | None, zone: ZoneInfo, seconds: float) -> None:
        self._subject, self._url, self._zone, self._seconds = subject, url, zone, seconds

    def ask(self, probe: ProbeSpec, base: datetime) -> Finding:
        """Ask one probe about the partition that begins at ``base``.

        Raises:
            SourceError: It refused the question.
            SourceUnavailableError: It could not be asked. Neither says anything about the partition.
        """
        asked = render_dates(probe.sql or probe.path or probe.url or "", base, subject=self._subject)
        if probe.sql is not None:
            return self._ask_sql(probe, asked, base)
        if probe.path is not None:
            return self._ask_path(asked)
        return self._ask_http(probe, asked, base)

    def _ask_sql(self, probe: ProbeSpec, asked: str, base: datetime) -> Finding:
        rows, columns = self._query(asked)
        first = dict(zip(columns, rows[0], strict=True)) if rows else {}
        self._require(columns, [*probe.newest, *([probe.landed] if probe.landed else [])], asked)
        wanted = {
            name: render_dates(text, base, subject=self._subject) for name, text in probe.newest.items()
        }
        sign, number = probe.rows or (">=", 1)
        good_rows = bool(_COMPARE[sign](len(rows), number))
        good_newest = all(str(first.get(name)) == text for name, text in wanted.items())
        expected = [f"{sign} {number} rows"] if probe.rows or not wanted else []
        expected += [f"newest {name} = {text}" for name, text in wanted.items()]
        found = [f"{len(rows)} {'row' if len(rows) == 1 else 'rows'}"]
        found += [f"newest {name} = {first[name]}" for name in wanted if first]
        landed = self._moment(first.get(probe.landed)) if probe.landed else None
        return Finding(asked, ", ".join(expected), ", ".join(found), good_rows and good_newest, landed)

    def _rendered(self, texts: Mapping[str, str], base: datetime) -> dict[str, str]:
        return {name: render_dates(text, base, subject=self._subject) for name, text in texts.items()}

    def _query(self, asked: str) -> tuple[Sequence[sa.Row[Any]], list[str]]:
        assert self._url is not None, "the spec requires a connection for SQL"
        with self._sql_errors(asked):
            engine = sa.create_engine(
                self._url, poolclass=NullPool, hide_parameters=True, connect_args=self._limits()
            )
            with engine.connect() as connection:
                result = connection.execute(sa.text(asked.replace(":", "\\:")))
                return result.fetchmany(_MOST_ROWS), list(result.keys())

    def _limits(self) -> dict[str, Any]:
        assert self._url is not None
        if self._url.get_driver_name() != "pymysql":
            return {}
        seconds = max(1, int(self._seconds))
        return {"connect_timeout": seconds, "read_timeout": seconds}

    def _require(self, columns: Sequence[str], wanted: Sequence[str], asked: str) -> None:
        absent = [name for name in wanted if name not in columns]
        if absent:
            raise SourceError(
                self._subject,
                f"the query returns no column '{absent[0]}'",
                facts=[("asked", asked), ("returned", ", ".join(columns))],
                effect=_NOTHING,
            )

    def _moment(self, value: Any) -> datetime | None:
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return None
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=self._zone)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=self._zone)
        return None

    def _ask_path(self, asked: str) -> Finding:
        landed = modified_at(asked)
        found = "absent" if landed is None else f"landed {landed.astimezone(self._zone):%Y-%m-%d %H:%M:%S}"
        return Finding(asked, "exists", found, landed is not None, landed)

    def _ask_http(self, probe: ProbeSpec, asked: str, base: datetime) -> Finding:
        try:
            answer = httpx.get(asked, timeout=self._seconds, follow_redirects=True)
        except httpx.HTTPError as error:
            raise self._unavailable(asked, f"{type(error).__name__}: {error}") from error
        if answer.status_code >= 500 and answer.status_code != probe.status:
            raise self._unavailable(asked, f"status {answer.status_code}")
        wanted = self._rendered(probe.body, base)
        expected = [f"status {probe.status}", *(f"{name} = {text}" for name, text in wanted.items())]
        there = _values(answer, wanted) if wanted else {}
        found = [f"status {answer.status_code}", *(f"{name} = {text}" for name, text in there.items())]
        ready = answer.status_code == probe.status and there == wanted
        return Finding(asked, ", ".join(expected), ", ".join(found), ready)

    @contextmanager
    def _sql_errors(self, asked: str) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
            text = " ".join(str(one) for one in cause.args) or type(cause).__name__
            code = cause.args[0] if cause.args else None
            if code in _GONE or "unable to open" in text or getattr(error, "connection_invalidated", False):
                raise self._unavailable(asked, text) from error
            raise SourceError(
                self._subject,
                "the query was refused",
                facts=[("asked", asked), ("found", text)],
                effect=_NOTHING,
            ) from error

    def _unavailable(self, asked: str, found: str) -> SourceUnavailableError:
        return SourceUnavailableError(
            self._subject,
            "it could not be asked",
            facts=[("asked", asked), ("found", found)],
            effect=_NOTHING,
        )


def probe_url(catalog: Catalog, secrets: SecretResolver, spec: ReadinessSpec) -> sa.URL | None:
    """Return where a readiness asks its SQL, with the secrets in it; none if it asks no SQL.

    Raises:
        MissingSecretError: A secret is in none of the places searched.
    """
    if spec.connect is not None:
        return sa.make_url(spec.connect.reveal(secrets))
    if spec.source is None:
        return None
    source = catalog.sources[spec.source]
    return sa.URL.create(
        "mysql+pymysql",
        username=source.user,
        password=source.password.reveal(secrets),
        host=source.host,
        port=source.port,
        database=spec.database,
        query={"charset": "utf8mb4"},
    )


def _values(answer: httpx.Response, wanted: Mapping[str, str]) -> dict[str, str]:
    """Return what an answer holds at each dotted path; a path that leads nowhere is absent."""
    try:
        document = answer.json()
    except ValueError:
        return {}
    found: dict[str, str] = {}
    for path in wanted:
        value: Any = document
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            found[path] = str(value).lower() if isinstance(value, bool) else str(value)
    return found
