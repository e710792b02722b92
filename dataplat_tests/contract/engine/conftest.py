"""The source that the engines read, and homes whose servers are stopped when their tests are over."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from dataplat.demo.every_type import fill_every_type
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat_tests.contract.engine.jobs import JARS, Client, Job
from dataplat_tests.services.process import DIES_WITH_US

ROWS = 70


@pytest.fixture(scope="session", autouse=True)
def _driver() -> None:
    if not list(JARS.glob("*mariadb*.jar")):
        pytest.skip(f"no JDBC driver in {JARS}: make setup")


@pytest.fixture(scope="session")
def engine_mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateMariaDB]:
    with PrivateMariaDB(tmp_path_factory.mktemp("mariadb"), launcher=DIES_WITH_US) as server:
        yield server


@pytest.fixture(scope="session")
def source_job(engine_mariadb: PrivateMariaDB) -> Job:
    """A job without a home, with a source that holds every type."""
    fill_every_type(engine_mariadb.connect, "engine_contract.t_every_type", rows=ROWS)
    instance = engine_mariadb.instance
    return Job(home="", port=instance.port, user="etl", password=instance.etl_password, rows=ROWS)


@pytest.fixture(scope="module")
def new_job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Job]]:
    """Make a job with a home of its own; whatever Spark servers live there are ended with the module."""
    homes: list[Path] = []

    def make(template: Job | None = None, **changes: object) -> Job:
        home = tmp_path_factory.mktemp("home")
        homes.append(home)
        return replace(template or Job(home=""), home=str(home), **changes)

    yield make
    _end_spark_of(homes)


@pytest.fixture(scope="module")
def new_client() -> Iterator[Callable[..., Client]]:
    """Start a process that holds an engine; it lets go of it when the module is over."""
    clients: list[Client] = []

    def start(job: Job, environ: dict[str, str] | None = None) -> Client:
        clients.append(Client(job, environ))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


def _end_spark_of(homes: list[Path]) -> None:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "java" and any(str(home) in " ".join(process.cmdline()) for home in homes):
                process.kill()
                process.wait(30)
