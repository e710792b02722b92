from collections.abc import Iterator
from pathlib import Path

import pytest

from dataplat.specs import TableSpec
from dataplat_tests.unit.lifecycle.fakes import FakePlatform
from dataplat_tests.unit.specs.folder import Config


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[FakePlatform]:
    """A real ledger and real files, with a metastore that is a dictionary."""
    fake = FakePlatform(tmp_path)
    yield fake
    fake.ledger.close()


@pytest.fixture
def spec(tmp_path: Path) -> TableSpec:
    """ods.ods_t_money_record: daily, three versions kept, two days of grace."""
    return Config(tmp_path).load().table("ods.ods_t_money_record")
