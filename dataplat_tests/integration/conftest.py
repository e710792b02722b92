"""Real servers, one of each for the whole test run, started when the first test asks for one.

They are shared: a test makes databases, folders and tables of its own name, and stops a server only if it
starts it again before it ends.
"""

from collections.abc import Iterator

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat_tests.services.process import die_with_parent


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateMariaDB]:
    """A MariaDB on loopback: ``mariadb.instance`` says where, ``mariadb.connect()`` logs in as root."""
    server = PrivateMariaDB(tmp_path_factory.mktemp("mariadb"), in_child=die_with_parent)
    with server:
        yield server
