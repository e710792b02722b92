"""Which tasks a scheduler has finished: asked of a ClickHouse over HTTP, or of any SQL database.

Several hosts of a ClickHouse are one cluster: each is asked in its turn until one answers. An answer that
refuses the query ends it, since the next host would refuse it too.

A ClickHouse gives times with the zone of the column or the server. The query compares its wall clock with
text, so the wall clock is what counts here, and the audit's zone says what it means.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from dataplat.errors import SourceError, SourceUnavailableError
from dataplat.plan.audit_places import ClickHousePlace, clickhouse_place
from dataplat.plan.finished_tasks import FinishedTask, distinct_tasks
from dataplat.plan.task_query import NOTHING_AUDITED, read_tasks, render_query
from dataplat.plan.watermark import ScanWindow
from dataplat.specs import SecretResolver
from dataplat.specs.audit_tasks import TaskListSpec

_GONE = frozenset({2002, 2003, 2005, 2006, 2013})
_CONNECT_SECONDS = 10
_QUIET = logging.NullHandler()  # the driver would print a line of its own beside the error

Rows = Sequence[Sequence[Any]]


class TaskList(Protocol):
    """Something that knows which tasks have ended."""

    def finished(self, window: ScanWindow, date_option: str | None = None) -> list[FinishedTask]:
        """Return the tasks that ended in a window, each batch once.

        Raises:
            SourceError: The query was refused, or its answer is no list of tasks.
            SourceUnavailableError: Nobody could be asked.
        """


class SqlTaskList:
    """A task list behind a query; see ``TaskList`` for what it promises.

    Args:
        spec: ``tasks`` of an audit.
        zone: Of the wall clocks in query and answer.
        environ: Stands before the configuration, see ``plan.audit_places``.
        audit: Whose list it is, for messages.
    """

    def __init__(self, spec: TaskListSpec, zone: ZoneInfo, environ: Mapping[str, str], audit: str) -> None:
        self._spec, self._zone, self._environ = spec, zone, environ
        self._subject = f"tasks of audit {audit}"
        self._audit = audit
        self._secrets = SecretResolver(environ)

    def finished(self, window: ScanWindow, date_option: str | None = None) -> list[FinishedTask]:
        """Return the tasks that ended in a window."""
        query = render_query(self._spec.query_template, window, self._zone, date_option)
        return distinct_tasks(read_tasks(self._rows(query), self._zone, self._subject))

    def _rows(self, query: str) -> Rows:
        if self._spec.connect is not None:
            return self._ask_sqlalchemy(query)
        return self._ask_clickhouse(query)

    def _ask_clickhouse(self, query: str) -> Rows:
        place = clickhouse_place(self._spec, self._environ, self._audit)
        password = place.password if isinstance(place.password, str) else place.password.reveal(self._secrets)
        troubles = []
        for host, port in place.hosts:
            try:
                return self._ask_host(place, host, port, password, query)
            except SourceUnavailableError as error:
                troubles.append(f"{host}:{port}: {dict(error.facts)['found']}")
        raise self._unavailable(query, "\n".join(troubles))

    def _ask_host(self, place: ClickHousePlace, host: str, port: int, password: str, query: str) -> Rows:
        import clickhouse_connect  # half a second
        from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
        from urllib3.exceptions import InsecureRequestWarning

        logging.getLogger("clickhouse_connect").addHandler(_QUIET)
        if not self._spec.verify:  # somebody has decided that
            warnings.simplefilter("ignore", InsecureRequestWarning)
        try:
            client = clickhouse_connect.get_client(
                host=host,
                port=port,
                username=place.user,
                password=password,
                database=place.database,
                interface="https" if self._spec.secure else "http",
                secure=self._spec.secure,
                verify=self._spec.verify,
                ca_cert=self._spec.ca_cert,
                connect_timeout=min(_CONNECT_SECONDS, self._spec.timeout_seconds),
                send_receive_timeout=self._spec.timeout_seconds,
                query_retries=0,
                autogenerate_session_id=False,
                tz_mode="aware",
            )
            with closing(client):
                return [[_wall(value) for value in row] for row in client.query(query).result_rows]
        except OperationalError as error:
            raise self._unavailable(query, _line(_reason(error))) from error
        except ClickHouseError as error:
            raise self._refused(query, _line(error)) from error

    def _ask_sqlalchemy(self, query: str) -> Rows:
        assert self._spec.connect is not None
        with self._sql_errors(query):
            url = sa.make_url(self._spec.connect.reveal(self._secrets))
            engine = sa.create_engine(
                url, poolclass=NullPool, hide_parameters=True, connect_args=self._limits(url)
            )
            with engine.connect() as connection:
                result = connection.execution_options(no_parameters=True).exec_driver_sql(query)
                return [tuple(row) for row in result]

    def _limits(self, url: sa.URL) -> dict[str, Any]:
        if url.get_driver_name() != "pymysql":
            return {}
        seconds = self._spec.timeout_seconds
        return {"connect_timeout": min(_CONNECT_SECONDS, seconds), "read_timeout": seconds}

    @contextmanager
    def _sql_errors(self, query: str) -> Iterator[None]:
        try:
            yield
        except (ArgumentError, NoSuchModuleError) as error:
            raise self._refused(query, f"tasks.connect is no URL that can be used: {_line(error)}") from None
        except SQLAlchemyError as error:
            cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
            text = " ".join(str(one) for one in cause.args) or type(cause).__name__
            code = cause.args[0] if cause.args else None
            if code in _GONE or "unable to open" in text:
                raise self._unavailable(query, text) from error
            raise self._refused(query, text) from error

    def _refused(self, query: str, found: str) -> SourceError:
        return SourceError(
            self._subject,
            "the query for finished tasks was refused",
            facts=[("asked", query), ("found", found)],
            effect=NOTHING_AUDITED,
            next_steps=["correct tasks.query_template", "dataplat audit run --skip-clickhouse"],
        )

    def _unavailable(self, query: str, found: str) -> SourceUnavailableError:
        return SourceUnavailableError(
            self._subject,
            "it could not be asked which tasks have ended",
            facts=[("asked", query), ("found", found)],
            effect=NOTHING_AUDITED,
            next_steps=["run the command again", "dataplat audit run --skip-clickhouse"],
        )


def _wall(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _reason(error: BaseException) -> BaseException:
    """Return what the system said, below what the drivers wrapped around it."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError):
            return inner
        inner = inner.__cause__ or inner.__context__
    return error


def _line(error: BaseException) -> str:
    text = str(error).strip()
    return " ".join(text.split())[:500] if text else type(error).__name__
