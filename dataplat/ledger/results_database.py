"""Where the results of an audit are written, if that is not the ledger."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from dataplat.errors import SelectionError
from dataplat.ledger.audit_results import AuditResults
from dataplat.plan.audit_places import mysql_place
from dataplat.specs import SecretResolver
from dataplat.specs.audit import AuditSpec
from dataplat.specs.secrets import SecretText

_DRIVERS = ("sqlite", "mysql+pymysql", "mariadb+pymysql")


def connect_results(
    audit: AuditSpec, environ: Mapping[str, str], secrets: SecretResolver, zone: str
) -> AuditResults:
    """Return the results in a database of their own; nothing is connected yet.

    Args:
        audit: Whose they are.
        environ: Stands before the configuration, see ``plan.audit_places``.
        secrets: Where passwords are found.
        zone: Whose wall clock is in ``created_at``.

    Raises:
        SelectionError: It is not said where, or the URL is of no database that can be used.
        MissingSecretError: A password is nowhere.
    """
    spec = audit.results
    assert spec is not None, "without it the ledger keeps them"
    if spec.connect is not None:
        return AuditResults.connect(_given_url(audit, spec.connect, secrets), zone)
    place = mysql_place(spec, environ, audit.name)
    password = place.password if isinstance(place.password, str) else place.password.reveal(secrets)
    url = sa.URL.create(
        *("mysql+pymysql", place.user, password, place.host, place.port, place.database),
        query={"charset": place.charset},
    )
    return AuditResults.connect(url, zone)


def _given_url(audit: AuditSpec, connect: SecretText, secrets: SecretResolver) -> sa.URL:
    try:
        url = sa.make_url(connect.reveal(secrets))
    except ArgumentError:
        url = None
    if url is None or url.drivername not in _DRIVERS:
        raise SelectionError(
            f"results of audit {audit.name}",
            "connect is no URL that can be used",
            facts=[
                ("expected", "mysql+pymysql://user:${NAME}@host/data_audit or sqlite:///path"),
                ("declared", audit.declared.at("results", "connect")),
            ],
            effect="nothing was audited",
        )
    return url
