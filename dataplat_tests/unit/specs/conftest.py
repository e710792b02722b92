"""A configuration folder made of the examples, to be changed by each test."""

from pathlib import Path

import pytest

from dataplat_tests.unit.specs.folder import Config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path)
