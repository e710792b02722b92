"""Where every component must be there, a skipped test is a failed one.

``make test`` loads this plugin and sets ``DATAPLAT_REQUIRE_ALL=1``: a component that cannot be had then
ends the run red instead of quietly making it smaller. An expected failure (xfail) is none of its business.
"""

import os
from collections.abc import Generator

import pytest


def everything_is_required() -> bool:
    """Say whether skips count as failures in this run."""
    return os.environ.get("DATAPLAT_REQUIRE_ALL", "") == "1"


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
