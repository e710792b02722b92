"""Audit runs that crash anywhere, with a database that comes and goes: nothing is lost, nothing is twice.

The decisions alone are tried in ten thousand histories by ``test_watermark``; here the real run does what is
between them: a real task list, files, ledger, spool and watermark.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataplat.errors import LedgerError
from dataplat.ledger import Ledger, LedgerWatermark
from dataplat.ledger.audit_results import AuditResults, ResultFilter
from dataplat.lifecycle.audits.run import AuditReport, AuditRun
from dataplat.lifecycle.audits.setting import AuditSetting
from dataplat.plan.audit_selection import AuditRequest
from dataplat.plan.watermark import WatermarkOptions
from dataplat.settings import read_settings
from dataplat.specs import load_catalog
from dataplat.storage.result_spool import ResultSpool
from dataplat_tests.services.effort import repetitions
from dataplat_tests.unit.ledger.builders import DAY, load

START = datetime(2026, 1, 9, 0, 0, tzinfo=UTC)
PLATFORM = "timezone: UTC\nwarehouse: file:///w\nhome: {root}/home\nledger: sqlite:///{root}/l.db\n"
AUDIT = """\
tasks:
  connect: sqlite:///{root}/scheduler.db
  query_template: >
    SELECT task_name, period_type, batch_no, end_time FROM log
    WHERE end_time >= '{{start_time}}' AND end_time < '{{end_time}}'
schedules:
  - task_name: hourly
    period_type: {period}
    tables:
      - {{name: t, hdfs_path: "{root}/w/{folder}", format: textfile{more}}}
"""


class CrashError(BaseException):
    """The process is killed here; nobody may handle it."""


class World:
    """A scheduler, files, and an auditor that may die."""

    def __init__(self, root: Path, more: str = "", period: str = "hourly") -> None:
        self.root, self.now = root, START
        for path, text in {"platform.yaml": PLATFORM, "audits/a.yaml": AUDIT}.items():
            file = root / "config" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            folder = "${data_date}" + "${data_hour}" * (period == "hourly")
            file.write_text(text.format(root=root, more=more, period=period, folder=folder))
        with sqlite3.connect(root / "scheduler.db") as connection:
            connection.execute("CREATE TABLE log (task_name, period_type, batch_no, end_time)")
        environ = {"DATAPLAT_CONFIG": str(root / "config"), "DATAPLAT_HOME": str(root / "home")}
        catalog = load_catalog(root / "config", environ)
        self.ledger = Ledger.open(f"sqlite:///{root}/l.db", clock=lambda: self.now)
        self.setting = AuditSetting(
            *(catalog.audits["a"], catalog, lambda: self.ledger, read_settings(environ), environ),
            clock=lambda: self.now,
        )
        self.period, self.overlap = period, timedelta(minutes=10)
        self.finished: set[str] = set()

    def finish(self, batch: str) -> None:
        """Let a batch end now, or again; every end leaves another number of rows."""
        place = self.root / "w" / batch / "part-0"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x\n" * (int((self.now - START).total_seconds()) % 977 + 1))
        self.finished.add(batch)
        with sqlite3.connect(self.root / "scheduler.db") as connection:
            at = f"{self.now:%Y-%m-%d %H:%M:%S}"
            connection.execute("INSERT INTO log VALUES ('hourly', ?, ?, ?)", [self.period, batch, at])

    def rows_of(self, batch: str) -> int:
        return (self.root / "w" / batch / "part-0").read_text().count("\n")

    def audit(self) -> AuditReport:
        options = WatermarkOptions(lookback=timedelta(hours=48), overlap=self.overlap)
        run = AuditRun(self.setting, options, LedgerWatermark(self.ledger, "audit a"))
        return run.count(run.plan(AuditRequest()), lambda job, found: None)

    def newest(self) -> dict[str, int]:
        return {one.batch_no: one.row_count for one in self.setting.results.find(ResultFilter())}


def down(*_: object, **__: object) -> None:
    error = LedgerError("results", "cannot be reached", effect="nothing was recorded")
    error.retryable = True
    raise error


def crash(*_: object, **__: object) -> None:
    raise CrashError


def afterwards(work: Callable[..., Any]) -> Callable[..., Any]:
    def done_and_killed(*given: Any) -> None:
        work(*given)
        raise CrashError

    return done_and_killed


TROUBLES: dict[str, tuple[tuple[type, str, Callable[..., Any]], ...]] = {
    "none": (),
    "before the results": ((AuditResults, "keep", crash),),
    "after the results": ((AuditResults, "keep", afterwards(AuditResults.keep)),),
    "before the watermark": ((LedgerWatermark, "save", crash),),
    "after the watermark": ((LedgerWatermark, "save", afterwards(LedgerWatermark.save)),),
    "database down": ((AuditResults, "keep", down), (AuditResults, "settled", down)),
    "down, killed after the spool": (
        (AuditResults, "keep", down),
        (ResultSpool, "add", afterwards(ResultSpool.add)),
    ),
    "killed between delivery and forgetting": ((ResultSpool, "remove", crash),),
}


@contextmanager
def trouble(name: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for owner, method, instead in TROUBLES[name]:
            patch.setattr(owner, method, instead)
        yield


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("finish"), st.sampled_from(["2026010901", "2026010902", "2026010903"])),
        st.tuples(st.just("audit"), st.sampled_from(sorted(TROUBLES))),
        st.tuples(st.just("wait"), st.integers(1, 900)),
    ),
    min_size=3,
    max_size=14,
)


@pytest.mark.slow
@given(STEPS)
@settings(
    max_examples=repetitions(120),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_crashes_every_end_is_in_the_results_and_none_twice(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]]
) -> None:
    world = World(tmp_path_factory.mktemp("world"))
    world.overlap = timedelta(seconds=1)  # nobody writes tasks down late here, so it hides nothing
    for step, what in steps:
        world.now += timedelta(seconds=1)
        if step == "finish":
            world.finish(what)
        elif step == "wait":
            world.now += timedelta(seconds=what)
        else:
            try:
                with trouble(what):
                    world.audit()
            except CrashError:
                continue
    for _ in range(2):
        world.now += timedelta(seconds=1)
        world.audit()
    assert world.newest() == {batch: world.rows_of(batch) for batch in world.finished}
    every = world.setting.results.find(ResultFilter(), every=True)
    assert len({one.result_key for one in every}) == len(every)
    assert not world.setting.spool.files()
    world.ledger.close()


ORDERS = """\
table: ods.orders
source: shop
from: {database: shop, table: orders}
load: snapshot
columns: [id]
key: [id]
"""
SHOP = "kind: mysql\nhost: h\nuser: u\npassword: ${P}\n"


def test_rows_are_compared_with_the_published_partition_of_our_own_table(tmp_path: Path) -> None:
    for path, text in {"ods/orders.yaml": ORDERS, "sources/shop.yaml": SHOP}.items():
        file = tmp_path / "config" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    world = World(tmp_path, ", expect: {ledger: ods.orders}", period="daily")
    world.finish("20260301")
    world.now += timedelta(seconds=1)
    report = world.audit()
    assert [(one.verdict, one.verdict_text) for one in report.results] == [
        ("unknown", "1 rows, compared with nothing: ods.orders[2026-03-01] is not known")
    ]
    assert report.exit_code == 1
    assert report.watermark is not None, "the count stands"
    load(world.ledger, "v1", [DAY], rows=1)
    report = world.audit()
    assert [(one.verdict, one.verdict_text) for one in report.results] == [
        ("passed", "1 rows, 1 of ods.orders[2026-03-01]")
    ], "what was not known is asked again when the overlap shows the batch again"
    assert [one.verdict for one in world.setting.results.find(ResultFilter(), every=True)] == ["passed"]
    world.ledger.close()
