"""One engine for all checks; its home and its server go with the tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dataplat_tests.contract.checks.desk import Desk
from dataplat_tests.contract.engine.jobs import Job


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home: Path = tmp_path_factory.mktemp("checks")
    engine = Job(home=str(home / "home")).engine()
    yield Desk(engine, home / "staged")
    engine.stop()
