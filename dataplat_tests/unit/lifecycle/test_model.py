"""Which partitions of a model are made together, and what one that cannot be made does to the others.

The life of a partition is stood in for by a list: what is asked of it is what matters here.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from dataplat.errors import DataplatError, EngineError, EngineLostError, GateClosedError
from dataplat.lifecycle import model as lifecycle_model
from dataplat.lifecycle.model import make_partitions
from dataplat.lifecycle.report import LoadReport
from dataplat.lifecycle.stations import RunInfo
from dataplat.plan.models.reading import build_graph
from dataplat.plan.widths import MAX_PARTITIONS_A_WRITE
from dataplat.specs import ModelSpec
from dataplat_tests.unit.lifecycle.fakes import FakePlatform
from dataplat_tests.unit.plan.models.builders import catalog, loaded, model

VERSION = "20260302T020000-aaaaaa"
DAYS = [f"2026-01-{day:02}" for day in range(1, 15)]
UPSTREAM = loaded("ods.orders", ["id", "amount"])
SQL = "SELECT id, amount FROM ods.orders WHERE ds = '{{ ds }}'"
PLAIN = model(SQL, "dw.plain")
RUNNING = model(
    f"{SQL} UNION ALL SELECT id, amount FROM dw.running WHERE ds = '{{{{ prev_ds }}}}'", "dw.running"
)
PATIENT = model(SQL, "dw.patient", depends_on_past=True, start="2026-01-01")


class Lives:
    """Stands in for ``live``: remembers what is made together, and breaks on the days it is told."""

    def __init__(self) -> None:
        self.made: list[list[str]] = []
        self.breaks: dict[str, DataplatError] = {}

    def __call__(self, platform: Any, spec: ModelSpec, keys: Sequence[str], *_: Any) -> LoadReport:
        self.made.append([*keys])
        for key in keys:
            if key in self.breaks:
                raise self.breaks[key]
        return LoadReport(spec.table, "v", (), {}, (), ())


@pytest.fixture
def lives(monkeypatch: pytest.MonkeyPatch) -> Lives:
    stand_in = Lives()
    monkeypatch.setattr(lifecycle_model, "live", stand_in)
    return stand_in


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[FakePlatform]:
    fake = FakePlatform(tmp_path)
    found = catalog(PLAIN, RUNNING, PATIENT, UPSTREAM)
    cast("Any", fake).catalog, cast("Any", fake).graph = found, build_graph(found)
    yield fake
    fake.ledger.close()


def make(platform: FakePlatform, spec: ModelSpec, *keys: str) -> list[LoadReport]:
    run = RunInfo("run-7", "bob", "dataplat load")
    return list(make_partitions(cast("Any", platform), spec, keys or DAYS, run))


def test_some_partitions_are_one_write(platform: FakePlatform, lives: Lives) -> None:
    platform.load(UPSTREAM, VERSION, DAYS)
    reports = make(platform, PLAIN)
    assert [day for made in lives.made for day in made] == DAYS
    assert {len(made) for made in lives.made[:-1]} == {MAX_PARTITIONS_A_WRITE}
    assert len(reports) == len(lives.made)


@pytest.mark.parametrize("spec", [RUNNING, PATIENT], ids=["reads itself", "depends on its past"])
def test_a_model_that_builds_on_its_past_is_made_one_by_one(
    platform: FakePlatform, lives: Lives, spec: ModelSpec
) -> None:
    platform.load(UPSTREAM, VERSION, DAYS)
    platform.load(cast("Any", spec), VERSION, ["2025-12-31", *DAYS])
    make(platform, spec, *DAYS[:3])
    assert lives.made == [[day] for day in DAYS[:3]]


def test_a_closed_gate_holds_back_its_own_day_and_is_told_when_the_others_are_made(
    platform: FakePlatform, lives: Lives
) -> None:
    platform.load(UPSTREAM, VERSION, [*DAYS[:1], *DAYS[2:]])
    with pytest.raises(GateClosedError) as caught:
        make(platform, PLAIN)
    assert [day for made in lives.made for day in made] == [*DAYS[:1], *DAYS[2:]]
    assert (
        str(caught.value)
        == """\
dw.plain[2026-01-02]: the gate is closed by 1 upstream partition
  expected                 every upstream published
  ods.orders[2026-01-02]   absent: never loaded
  effect                   nothing was read; what was visible before is still visible
  next                     dataplat ledger ods.orders 2026-01-02   or   \
dataplat waive dw.plain 2026-01-02 --reason … --until …"""
    )


def test_many_closed_gates_are_one_message(platform: FakePlatform, lives: Lives) -> None:
    platform.load(UPSTREAM, VERSION, DAYS[:6])
    with pytest.raises(GateClosedError) as caught:
        make(platform, PLAIN)
    assert [day for made in lives.made for day in made] == DAYS[:6]
    assert (
        str(caught.value)
        == """\
dw.plain[2026-01-07]: the gate is closed by 1 upstream partition
  expected                 every upstream published
  ods.orders[2026-01-07]   absent: never loaded
  closed too               dw.plain[2026-01-08]
                           dw.plain[2026-01-09]
                           dw.plain[2026-01-10]
                           dw.plain[2026-01-11]
                           dw.plain[2026-01-12]
                           and 2 more
  effect                   nothing was read for them; what was visible before is still visible
  next                     dataplat ledger ods.orders 2026-01-07   or   \
dataplat waive dw.plain 2026-01-07 --reason … --until …"""
    )


def test_one_partition_that_breaks_does_not_hold_back_those_before_it(
    platform: FakePlatform, lives: Lives
) -> None:
    platform.load(UPSTREAM, VERSION, DAYS)
    lives.breaks[DAYS[2]] = EngineError("dw.plain", "a value cannot be cast")
    with pytest.raises(EngineError):
        make(platform, PLAIN, *DAYS[:4])
    assert lives.made == [DAYS[:4], DAYS[:1], DAYS[1:2], DAYS[2:3]]


def test_a_lost_engine_is_not_asked_again_one_by_one(platform: FakePlatform, lives: Lives) -> None:
    platform.load(UPSTREAM, VERSION, DAYS)
    lives.breaks[DAYS[2]] = EngineLostError("dw.plain", "the engine is gone")
    with pytest.raises(EngineLostError):
        make(platform, PLAIN, *DAYS[:4])
    assert lives.made == [DAYS[:4]]
