"""The behaviour of the ledger, on SQLite."""

import pytest

from dataplat_tests.unit.ledger.behaviour.audit_results import AuditResultBehaviour
from dataplat_tests.unit.ledger.behaviour.automation import AutomationBehaviour
from dataplat_tests.unit.ledger.behaviour.connections import ConnectionBehaviour
from dataplat_tests.unit.ledger.behaviour.counts import CountBehaviour
from dataplat_tests.unit.ledger.behaviour.gate import GateBehaviour
from dataplat_tests.unit.ledger.behaviour.locks import LockBehaviour
from dataplat_tests.unit.ledger.behaviour.migrations import MigrationBehaviour
from dataplat_tests.unit.ledger.behaviour.processes import ProcessBehaviour
from dataplat_tests.unit.ledger.behaviour.versions import VersionBehaviour
from dataplat_tests.unit.ledger.behaviour.watermarks import WatermarkBehaviour


class TestVersions(VersionBehaviour):
    pass


class TestLocks(LockBehaviour):
    pass


class TestConnections(ConnectionBehaviour):
    pass


class TestGate(GateBehaviour):
    pass


class TestCounts(CountBehaviour):
    pass


class TestAuditResults(AuditResultBehaviour):
    pass


class TestAutomation(AutomationBehaviour):
    pass


class TestWatermarks(WatermarkBehaviour):
    pass


class TestMigrations(MigrationBehaviour):
    pass


@pytest.mark.slow
class TestProcesses(ProcessBehaviour):
    pass
