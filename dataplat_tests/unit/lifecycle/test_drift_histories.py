"""Load and drift over random histories: afterwards the target equals the source for every closed day.

With checksums it does so row by row. With numbers of rows alone it does as far as numbers tell: every day
holds as many rows, and the same ones where rows only ever came.
"""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from dataplat.specs import Catalog, TableSpec, load_catalog
from dataplat_tests.contract.dagster.night import PLATFORM, SOURCE, loaded
from dataplat_tests.services.effort import repetitions
from dataplat_tests.services.sqlite_source import StandInSource
from dataplat_tests.unit.lifecycle.drift_history import DAYS, History

HISTORIES = 2000
EVERYTHING = ("insert", "insert", "insert", "change", "move", "delete")
SHARDS = ("flow_0", "flow_1")
DISCOVER = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema='shop' AND table_name LIKE 'flow_%'"
)


class Worlds:
    """One stand-in source, and platforms in two zones: in one of them a clock changes among the days."""

    def __init__(self, root: Path, source: StandInSource) -> None:
        self.source = source
        self.catalogs = [self._catalog(root, zone) for zone in ("Asia/Shanghai", "Europe/Berlin")]
        source.make("shop", "orders", *SHARDS)

    def history(self, seed: int, *, hashes: bool, kinds: Sequence[str] = EVERYTHING) -> History:
        chosen = random.Random(-seed - 1)
        catalog = chosen.choice(self.catalogs)
        name, shards = chosen.choice((("orders", ("orders",)), ("flow", SHARDS)))
        spec: TableSpec = catalog.table(f"ods.{name}")
        found = History(seed, self.source, catalog, spec, shards, hashes=hashes, kinds=kinds)
        found.live()
        return found

    def _catalog(self, root: Path, zone: str) -> Catalog:
        shards = f'shards: {{discover: ["{DISCOVER}"]}}}}'
        sharded = loaded("flow")["ods/flow.yaml"].replace("table: flow}", shards)
        platform = PLATFORM.replace("Asia/Shanghai", zone).replace("start: 2026-03-01", "start: 2026-03-26")
        files = {"platform.yaml": platform, "sources/shop.yaml": SOURCE, **loaded("orders")}
        for path, text in {**files, "ods/flow.yaml": sharded}.items():
            file = root / zone / "config" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return load_catalog(root / zone / "config", {"DATAPLAT_HOME": str(root)})


@pytest.fixture
def worlds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Worlds:
    source = StandInSource()
    source.install(monkeypatch)
    return Worlds(tmp_path, source)


@pytest.mark.timeout(1200)
def test_after_the_repair_the_target_equals_the_source_for_every_closed_day(worlds: Worlds) -> None:
    repaired = unlike = 0
    for seed in range(repetitions(HISTORIES)):
        history = worlds.history(seed, hashes=True)
        unlike += history.target != history.source()
        history.repair(DAYS, missing=True)
        assert history.target == history.source(), f"history {seed}"
        repaired += history.repaired
    assert unlike > repetitions(HISTORIES) * 0.9, "most histories leave something to repair"
    assert repaired > repetitions(HISTORIES)


@pytest.mark.timeout(1200)
def test_with_numbers_alone_every_closed_day_has_as_many_rows(worlds: Worlds) -> None:
    hidden = 0
    for seed in range(repetitions(HISTORIES // 4)):
        history = worlds.history(seed, hashes=False)
        history.repair(DAYS, missing=True)
        source = history.source()
        totals = ({key: rows.total() for key, rows in some.items()} for some in (history.target, source))
        assert next(totals) == next(totals), f"history {seed}"
        hidden += history.target != source
    assert hidden > 0, "numbers do not see everything: that is what --checksum is for"


@pytest.mark.timeout(1200)
def test_with_numbers_alone_rows_that_only_come_late_are_all_there(worlds: Worlds) -> None:
    for seed in range(repetitions(HISTORIES // 4)):
        history = worlds.history(seed, hashes=False, kinds=["insert"])
        history.repair(DAYS, missing=True)
        assert history.target == history.source(), f"history {seed}"
