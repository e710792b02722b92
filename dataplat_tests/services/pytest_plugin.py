"""Where every component must be there, a skipped test is a failed one; and Ctrl-C means what it means.

``make test`` loads this plugin and sets ``DATAPLAT_REQUIRE_ALL=1``: a component that cannot be had then
ends the run red instead of quietly making it smaller. An expected failure (xfail) is none of its business.

Where tests are dealt to several processes (``-n 2``) it says which of them stay together.

A shell that starts something in the background lets it ignore SIGINT, and every process below it inherits
that: servers and commands that the tests interrupt would go on for ever.
"""

import os
import signal
from collections.abc import Generator
from pathlib import PurePosixPath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling


def everything_is_required() -> bool:
    """Say whether skips count as failures in this run."""
    return os.environ.get("DATAPLAT_REQUIRE_ALL", "") == "1"


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run first what takes longest."""
    items.sort(key=lambda item: "e2e" not in item.path.parts)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Deal files to processes; all of ``e2e`` share one demo and stay together."""
    return FilesAndDemo(config, log)


class FilesAndDemo(LoadScopeScheduling):
    """Keeps the tests of a file in one process, where they share its servers, and all of ``e2e`` in one."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return "e2e" if "e2e" in PurePosixPath(path).parts else path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if everything_is_required():
        fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if everything_is_required():
        fail_if_skipped(report)
    return report


def fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure that names its reason; any other outcome stays as it is."""
    if report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid}: {reason}\nNothing may be skipped: DATAPLAT_REQUIRE_ALL=1."
