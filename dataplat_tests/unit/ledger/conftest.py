"""The ledger's unit tests run on SQLite, each in a folder of its own."""

from pathlib import Path

import pytest

from dataplat_tests.unit.ledger.fixtures import clock, ledger

__all__ = ["clock", "ledger"]


@pytest.fixture
def ledger_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/home/ledger.db"
