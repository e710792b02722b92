"""One demo for all tests of this folder: it is run as a newcomer runs it, and its home is used on."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat_tests.e2e.shell import Done, Shell


@dataclass(frozen=True)
class DemoRun:
    """The demo, and what was true at the moment it ended.

    Attributes:
        shell: Where it was typed.
        done: What it said.
        left_running: Command lines of processes that were still there.
        strays: Files outside its home.
    """

    shell: Shell
    done: Done
    left_running: list[str]
    strays: list[str]


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    """``dataplat demo`` on a fresh home, ended."""
    shell = Shell(tmp_path_factory.mktemp("demo"))
    done = shell.run("dataplat demo")
    left = [" ".join(process.cmdline())[:200] for process in shell.processes()]
    yield DemoRun(shell, done, left, shell.strays())
    shell.run("dataplat demo --stop")


@pytest.fixture(scope="session")
def demo_home(demo_run: DemoRun) -> Iterator[Shell]:
    """The demo's home with its MariaDB running, as after ``dataplat demo --keep``."""
    assert demo_run.done.code == 0, demo_run.done.said
    database = PrivateMariaDB(demo_run.shell.home)
    instance = database.ensure_running()
    demo_run.shell.environ |= {
        "DATAPLAT_DEMO_PORT": str(instance.port),
        "MARKET_PASSWORD": instance.etl_password,
        "LOGISTICS_PASSWORD": instance.etl_password,
    }
    yield demo_run.shell
    database.stop()
