"""Fixtures for any backend: whoever uses them gives ``ledger_url``."""

from collections.abc import Iterator

import pytest

from dataplat.ledger import Ledger
from dataplat_tests.unit.ledger.builders import FrozenClock


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def ledger(ledger_url: str, clock: FrozenClock) -> Iterator[Ledger]:
    with Ledger.open(ledger_url, clock=clock) as ledger:
        yield ledger
