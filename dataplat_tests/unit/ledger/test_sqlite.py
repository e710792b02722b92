"""The behaviour of the ledger, on SQLite."""

from dataplat_tests.unit.ledger.behaviour.counts import CountBehaviour
from dataplat_tests.unit.ledger.behaviour.gate import GateBehaviour
from dataplat_tests.unit.ledger.behaviour.locks import LockBehaviour
from dataplat_tests.unit.ledger.behaviour.versions import VersionBehaviour


class TestVersions(VersionBehaviour):
    pass


class TestLocks(LockBehaviour):
    pass


class TestGate(GateBehaviour):
    pass


class TestCounts(CountBehaviour):
    pass
