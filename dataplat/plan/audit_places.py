"""Where an audit asks and writes: the environment before the configuration, as the old auditor had it.

``CLICKHOUSE_HOST`` (several with commas), ``_PORT``, ``_DATABASE``, ``_USER`` and ``_PASSWORD`` stand before
the keys of ``tasks``; ``MYSQL_HOST``, ``_PORT``, ``_DATABASE``, ``_USER``, ``_PASSWORD`` and ``_CHARSET``
before those of ``results``. Where ``connect`` is given they say nothing: a URL is whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dataplat.errors import SelectionError
from dataplat.specs.audit_tasks import HTTP_PORT, HTTPS_PORT, ResultsSpec, TaskListSpec, http_port
from dataplat.specs.secrets import Secret

_EFFECT = "nothing was audited"


@dataclass(frozen=True)
class ClickHousePlace:
    """A ClickHouse: ``hosts`` are asked in this order until one answers."""

    hosts: tuple[tuple[str, int], ...]
    database: str
    user: str
    password: Secret | str


@dataclass(frozen=True)
class MySqlPlace:
    """A database on a MySQL."""

    host: str
    port: int
    database: str
    user: str
    password: Secret | str
    charset: str


def clickhouse_place(tasks: TaskListSpec, environ: Mapping[str, str], audit: str) -> ClickHousePlace:
    """Return which ClickHouse is asked. A host may bring its port, ``ch2:8124``.

    Raises:
        SelectionError: No host is named, or a port is none; says which variable and key would do.
    """
    subject = f"tasks of audit {audit}"
    named = _split(environ.get("CLICKHOUSE_HOST", "")) or [
        *tasks.hosts,
        *([tasks.host] if tasks.host else []),
    ]
    if not named:
        raise _missing(subject, "host", "CLICKHOUSE_HOST", "tasks.host or tasks.hosts")
    port = tasks.port or (HTTPS_PORT if tasks.secure else HTTP_PORT)
    port = _port(environ, "CLICKHOUSE_PORT", port, subject)
    return ClickHousePlace(
        tuple(_host(name, port, subject) for name in named),
        environ.get("CLICKHOUSE_DATABASE") or tasks.database,
        environ.get("CLICKHOUSE_USER") or tasks.user,
        environ.get("CLICKHOUSE_PASSWORD") or tasks.password or "",
    )


def mysql_place(results: ResultsSpec, environ: Mapping[str, str], audit: str) -> MySqlPlace:
    """Return into which MySQL results are written.

    Raises:
        SelectionError: Host, database or user is nowhere; says which variable and key would do.
    """
    subject = f"results of audit {audit}"

    def required(key: str, written: str | None) -> str:
        found = environ.get(f"MYSQL_{key.upper()}") or written
        if not found:
            raise _missing(subject, key, f"MYSQL_{key.upper()}", f"results.{key}")
        return found

    return MySqlPlace(
        host=required("host", results.host),
        port=_port(environ, "MYSQL_PORT", results.port, subject, http=False),
        database=required("database", results.database),
        user=required("user", results.user),
        password=environ.get("MYSQL_PASSWORD") or results.password or "",
        charset=environ.get("MYSQL_CHARSET") or results.charset,
    )


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _host(name: str, port: int, subject: str) -> tuple[str, int]:
    host, colon, own = name.rpartition(":")
    if not colon or ":" in host:  # none, or an IPv6 address
        return name, port
    return host, _as_port(own, name, subject, http=True)


def _port(environ: Mapping[str, str], variable: str, written: int, subject: str, *, http: bool = True) -> int:
    text = environ.get(variable)
    return _as_port(text, variable, subject, http=http) if text else written


def _as_port(text: str, where: str, subject: str, *, http: bool) -> int:
    try:
        port = int(text)
        if not 0 < port < 65536:
            raise ValueError(f"expected 1 to 65535, found {port}")
        return http_port(port) if http else port
    except ValueError as error:
        found = f"'{text}' is no number" if "invalid literal" in str(error) else str(error)
        raise SelectionError(
            subject, f"{where} is no port that can be used", facts=[("found", found)], effect=_EFFECT
        ) from None


def _missing(subject: str, key: str, variable: str, place: str) -> SelectionError:
    return SelectionError(
        subject,
        f"no {key} is named",
        facts=[("searched", f"environment variable {variable}\n{place} of the audit's file")],
        effect=_EFFECT,
        next_steps=[f"export {variable}=…"],
    )
