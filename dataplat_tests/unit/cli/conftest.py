from datetime import UTC, datetime
from pathlib import Path

import pytest

from dataplat.cli.session import Session
from dataplat_tests.unit.cli.audit_world import World
from dataplat_tests.unit.cli.harness import CommandLine
from dataplat_tests.unit.specs.folder import Config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The examples of DESIGN as a configuration folder that a test may change."""
    return Config(tmp_path)


@pytest.fixture
def dataplat(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> CommandLine:
    """Runs commands in an 80-column terminal's environment, at 2026-03-20 09:00 in Shanghai."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(Session, "now", lambda _: datetime(2026, 3, 20, 1, 0, tzinfo=UTC))
    return CommandLine(config.dir, tmp_path / "home", capsys)


@pytest.fixture
def world(dataplat: CommandLine, config: Config, tmp_path: Path) -> World:
    """A scheduler with two configured tasks, and files of three of their partitions."""
    found = World(dataplat, config, tmp_path)
    found.file("orders/ds=20260319/part-0", 3)
    found.file("orders/ds=20260318/part-0", 4)
    found.file("hours/2026032005/part-0", 5)
    return found
