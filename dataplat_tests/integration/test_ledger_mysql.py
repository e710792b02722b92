"""The behaviour of the ledger, the same suite, on a real MariaDB whose own time zone is not UTC."""

from collections.abc import Iterator
from urllib.parse import quote_plus
from uuid import uuid4

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat_tests.unit.ledger.behaviour.counts import CountBehaviour
from dataplat_tests.unit.ledger.behaviour.gate import GateBehaviour
from dataplat_tests.unit.ledger.behaviour.locks import LockBehaviour
from dataplat_tests.unit.ledger.behaviour.versions import VersionBehaviour
from dataplat_tests.unit.ledger.fixtures import clock, ledger

__all__ = ["clock", "ledger"]

pytestmark = pytest.mark.integration


@pytest.fixture
def ledger_url(mariadb: PrivateMariaDB) -> Iterator[str]:
    """A URL of an empty database, as a server gives it: its character set is not ours."""
    name = f"ledger_{uuid4().hex[:12]}"
    where = mariadb.instance
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET latin1")
        yield f"mysql+pymysql://root:{quote_plus(where.root_password)}@{where.host}:{where.port}/{name}"
        cursor.execute(f"DROP DATABASE {name}")


class TestVersions(VersionBehaviour):
    pass


class TestLocks(LockBehaviour):
    pass


class TestGate(GateBehaviour):
    pass


class TestCounts(CountBehaviour):
    pass
