"""Any graph, any order of failures and repairs: nothing is built on what is not proven, nor waits for ever.

The SQL of random models, their graph, the mappings, the ledger on SQLite, the gate, the holds and the
re-check are the real ones. Two things stand in for an engine: ``_life`` ends a load as the test says, and
``_answers`` gives the answers of a re-check. What must come out is known by a model that maps by hand.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from dataplat.audit.outcome import FILES, Outcome
from dataplat.errors import GateClosedError
from dataplat.ledger import LockOwner, TableVersion, VersionCounts
from dataplat.ledger import VersionState as S
from dataplat.lifecycle import model as making
from dataplat.lifecycle import recheck as rechecking
from dataplat.lifecycle.audit import check_results
from dataplat.lifecycle.holds import release_answered_holds
from dataplat.lifecycle.publish import publish_version, recover_partitions
from dataplat.lifecycle.stations import RunInfo
from dataplat.plan.models.reading import build_graph
from dataplat.plan.partitions import partition_columns
from dataplat.specs import AnyTable, Catalog, ModelSpec, TableSpec
from dataplat.storage import FooterCount
from dataplat_tests.services.effort import repetitions
from dataplat_tests.unit.lifecycle.fakes import FakePlatform
from dataplat_tests.unit.plan.models.builders import catalog, declared, model

DAYS = tuple(f"2026-01-0{day}" for day in (1, 2, 3))
READS = {
    "same": "ds = '{{ ds }}'",
    "before": "ds = '{{ prev_ds }}'",
    "trailing": "ds BETWEEN date_sub('{{ ds }}', 2) AND '{{ ds }}'",
}
RUN = RunInfo("run", "ann", "dataplat load")
ALL = "for_everybody"


def partitions(grain: str) -> tuple[str, ...]:
    if grain == "day":
        return DAYS
    return tuple(f"{day}-{hour:02d}:00" for day in DAYS for hour in range(24))


def read_by_hand(how: str, key: str, grain: str, upstream: str) -> set[str]:
    """The partitions that one of a model reads, of those that exist."""
    day = date.fromisoformat(key[:10])
    days = {
        "same": [day],
        "before": [day - timedelta(days=1)],
        "trailing": [day - timedelta(days=back) for back in range(3)],
    }[how]
    if grain == upstream == "hour" and how == "same":
        return {key}
    wanted = {str(one) for one in days}
    return {one for one in partitions(upstream) if one[:10] in wanted}


@dataclass
class Node:
    """A table as the test knows it: what it reads, and what is true of each partition."""

    name: str
    grain: str
    reads: dict[str, str]
    trigger: str = "all_success"
    state: dict[str, str] = field(default_factory=dict)
    visible: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    persons: set[str] = field(default_factory=set)
    checks: set[str] = field(default_factory=set)
    named: dict[str, set[str]] = field(default_factory=dict)
    waived: set[str] = field(default_factory=set)

    def is_good_for(self, key: str, reader: "Node") -> bool:
        held = key in self.visible and key in (self.persons | self.checks)
        blocked = reader.name in self.named.get(key, ())
        if reader.trigger == "all_done":
            return key in self.visible or self.state.get(key) in ("rejected", "failed")
        return key in self.visible and not held and key not in self.rejected and not blocked


class Gate(RuleBasedStateMachine):
    """Loads, builds, holds, releases, re-checks and waives, in any order."""

    @initialize(data=st.data())
    def draw(self, data: st.DataObject) -> None:
        self.folder = tempfile.mkdtemp(prefix="gate")
        self.nodes: dict[str, Node] = {}
        for number in range(data.draw(st.integers(1, 2))):
            grain = data.draw(st.sampled_from(["day", "hour"]))
            self._add(Node(f"ods.t{number}", grain, {}))
        for number in range(data.draw(st.integers(1, 3))):
            self._add(self._drawn_model(data, f"dw.m{number}"))
        specs = [self._spec(node) for node in self.nodes.values()]
        self.platform: Any = FakePlatform(Path(self.folder))
        self.catalog: Catalog = catalog(*specs)
        self.platform.catalog, self.platform.graph = self.catalog, build_graph(self.catalog)
        self.made = 0
        if data.draw(st.booleans()):
            self._all_is_well()

    def _add(self, node: Node) -> None:
        self.nodes[node.name] = node

    def _drawn_model(self, data: st.DataObject, name: str) -> Node:
        grain = data.draw(st.sampled_from(["day", "day", "day", "hour"]))
        others = data.draw(st.sets(st.sampled_from(sorted(self.nodes)), min_size=1, max_size=2))
        modes = ("same",) if grain == "hour" else tuple(READS)
        reads = {other: data.draw(st.sampled_from(modes)) for other in sorted(others)}
        if grain == "day" and data.draw(st.booleans()):
            reads[name] = "before"
        return Node(
            name, grain, reads, data.draw(st.sampled_from(["all_success", "all_success", "all_done"]))
        )

    def _readers(self, node: Node) -> list[str]:
        return [one.name for one in self.nodes.values() if node.name in one.reads and one is not node]

    def _spec(self, node: Node) -> TableSpec | ModelSpec:
        checks: list[Any] = [{"min_rows": {"rows": 1, "name": ALL}}]
        for reader in self._readers(node):
            name = f"for_{reader[3:]}"
            checks.append({"min_rows": {"rows": 1, "name": name, "blocks": [reader.upper()]}})
        if not node.reads:
            keys = {"table": node.name, "source": "s", "from": {"database": "d", "table": "t"}}
            keys |= {"load": "snapshot", "columns": ["a"], "checks": checks}
            keys |= {"window": {"grain": node.grain, "start": DAYS[0]}}
            return TableSpec.model_validate(keys).declared_in(declared(node.name))
        selects = [
            f"SELECT 1 AS a FROM {table} WHERE {self._filter(node, table, how)}"
            for table, how in node.reads.items()
        ]
        keys = {"grain": node.grain, "start": DAYS[0], "trigger": node.trigger, "checks": checks}
        return model(" UNION ALL ".join(selects), node.name, **keys)

    def _filter(self, node: Node, table: str, how: str) -> str:
        hours = node.grain == self.nodes[table].grain == "hour"
        return READS[how] + (" AND hr = '{{ hour }}'" if hours else "")

    # What the engine would do.

    def _life(self, _: Any, spec: AnyTable, keys: Sequence[str], *__: Any) -> str:
        """Stand in for ``live``: one write that ends as the test has said."""
        ledger, table, version = self.platform.ledger, spec.table, f"v{self.made:05d}"
        self.made += 1
        self.platform.clock.move(minutes=1)
        values = {key: partition_columns(key, spec.window.grain, spec.partition) for key in keys}
        with ledger.lock_partitions(table, keys, LockOwner.current()) as locks:
            recover_partitions(ledger, self.platform.metastore, locks, table, values)
            places = {key: f"file:///w/{table}/{version}/{key}" for key in keys}
            ledger.begin(
                TableVersion(table=table, partition=key, version=version, location=places[key])
                for key in keys
            )
            if self.ending == "crashes":
                return version
            counts = dict.fromkeys(keys, VersionCounts(rows=1, files=1, bytes=1))
            ledger.advance(table, version, keys, S.STAGED, counts=counts)
            outcomes = self._outcomes(spec, self.ending != "is rejected")
            for key in keys:
                ledger.record(checks=check_results(table, key, version, outcomes))
            if self.ending == "is rejected":
                ledger.advance(table, version, keys, S.REJECTED, reason=f"{ALL}: no rows")
                return version
            targets = {key: (values[key], places[key]) for key in keys}
            publish_version(ledger, self.platform.metastore, locks, table, version, targets)
            release_answered_holds(
                ledger, table, dict.fromkeys(keys, outcomes), actor="ann", reason="published"
            )
        return version

    def _outcomes(self, spec: AnyTable, good: bool) -> tuple[Outcome, ...]:
        return tuple(
            Outcome(
                check.name,
                good if check.name == ALL else check.name not in self.failing,
                message="0 rows",
                downstream=check.blocks,
            )
            for check in spec.checks
        )

    def _answers(self, _: Any, spec: AnyTable, visible: Mapping[str, Any]) -> dict[str, Any]:
        """Stand in for what Spark and the footers answer in a re-check."""
        outcomes = (Outcome(FILES, True), *self._outcomes(spec, self.ending != "is rejected"))
        return {key: rechecking._Answer(FooterCount(1, 1, 1), outcomes) for key in visible}

    # What happens.

    def _ended(self, node: Node, keys: Sequence[str]) -> None:
        for key in keys:
            if self.ending == "crashes":
                node.state[key] = "running"
            elif self.ending == "is rejected":
                node.state[key] = "rejected"
                node.rejected.add(key)
            else:
                node.state[key] = "published"
                node.visible.add(key)
                node.rejected.discard(key)
                node.checks.discard(key)
                node.named[key] = {f"dw.{name.removeprefix('for_')}" for name in self.failing}

    def _script(self, node: Node, ending: str, failing: set[int]) -> None:
        self.ending = ending
        readers = self._readers(node)
        self.failing = {f"for_{readers[index % len(readers)][3:]}" for index in failing} if readers else set()

    def _some(self, node: Node, places: Sequence[int]) -> list[str]:
        known = partitions(node.grain)
        if node.grain == "hour" and places[0] % 2:  # a whole day of hours, but for one perhaps
            day = DAYS[places[0] % 3]
            hours = [key for key in known if key.startswith(day)]
            return hours[:-1] if len(places) > 1 else hours
        return sorted({known[place % len(known)] for place in places})

    places = st.lists(st.integers(0, 71), min_size=1, max_size=3)
    endings = st.sampled_from(["is published", "is published", "is rejected", "crashes"])
    strikes = st.sampled_from(
        [
            *("hold", "release", "recheck fails", "recheck passes"),
            *("is published", "is rejected", "crashes", "a named check fails", "is rejected, then crashes"),
        ]
    )
    failing = st.sets(st.integers(0, 2), max_size=1)

    @rule(table=st.integers(0, 9), places=places, ending=endings, failing=failing)
    def load(self, table: int, places: list[int], ending: str, failing: set[int]) -> None:
        node = [one for one in self.nodes.values() if not one.reads][table % 2 - 1]
        keys = self._some(node, places)
        self._script(node, ending, failing)
        self._life(None, self.catalog.any_table(node.name), keys)
        self._ended(node, keys)

    @rule(table=st.integers(0, 9), place=st.integers(0, 71), ending=endings, failing=failing)
    def build(self, table: int, place: int, ending: str, failing: set[int]) -> None:
        models = [one for one in self.nodes.values() if one.reads]
        node = models[table % len(models)]
        self._script(node, ending, failing)
        self._make(node, self._key(node, place))

    @rule(
        table=st.integers(0, 9),
        place=st.integers(0, 8),
        strike=strikes,
        target_=st.integers(0, 99),
        waived=st.sampled_from([False, False, True]),
    )
    def strike_an_upstream_and_build(
        self, table: int, place: int, strike: str, target_: int, waived: bool
    ) -> None:
        """Do something to one partition that a model reads, and try to make the model."""
        models = [one for one in self.nodes.values() if one.reads]
        node = models[table % len(models)]
        key = self._key(node, place)
        read = sorted(
            (name, one)
            for name, how in node.reads.items()
            for one in read_by_hand(how, key, node.grain, self.nodes[name].grain)
        )
        if read:
            name, hit = read[target_ % len(read)]
            self._strike(self.nodes[name], hit, strike, node)
        if waived:
            self._waive(node, key)
        self.ending, self.failing = "is published", set()
        self._make(node, key)
        if waived:
            self._make(node, key)

    def _strike(self, upstream: Node, key: str, strike: str, reader: Node) -> None:
        self.ending, self.failing = "is published", set()
        if strike == "hold":
            self.platform.ledger.hold(upstream.name, key, "odd", "ann")
            upstream.persons.add(key)
        elif strike == "release":
            self.platform.ledger.release_hold(upstream.name, key, "ann")
            upstream.persons.discard(key)
            upstream.checks.discard(key)
        elif strike.startswith("recheck"):
            self.ending = "is rejected" if strike == "recheck fails" else "is published"
            self._recheck(upstream, key)
        elif not upstream.reads:
            if strike == "a named check fails" and upstream is not reader:
                self.failing = {f"for_{reader.name[3:]}"}
            for ending in strike.split(", then "):
                self.ending = ending if ending in ("is rejected", "crashes") else "is published"
                self._life(None, self.catalog.any_table(upstream.name), [key])
                self._ended(upstream, [key])

    def _make(self, node: Node, key: str) -> None:
        proven = all(
            self.nodes[table].is_good_for(one, node)
            for table, how in node.reads.items()
            for one in read_by_hand(how, key, node.grain, self.nodes[table].grain)
        )
        waived = key in node.waived
        before = self.made
        with patch.object(making, "live", self._life):
            steps = making.make_partitions(self.platform, self.catalog.models[node.name], [key], RUN)
            if proven or waived:
                [_] = steps
                node.waived -= set() if proven else {key}
                self._ended(node, [key])
            else:
                with pytest.raises(GateClosedError):
                    next(steps)
        assert self.made - before == int(proven or waived), "nothing is written behind a closed gate"

    @rule(table=st.integers(0, 9), place=st.integers(0, 71))
    def hold(self, table: int, place: int) -> None:
        node, key = self._one(table, place)
        self.platform.ledger.hold(node.name, key, "odd", "ann")
        node.persons.add(key)

    @rule(table=st.integers(0, 9), place=st.integers(0, 71))
    def release(self, table: int, place: int) -> None:
        node, key = self._one(table, place)
        self.platform.ledger.release_hold(node.name, key, "ann")
        node.persons.discard(key)
        node.checks.discard(key)

    @rule(table=st.integers(0, 9), place=st.integers(0, 71), good=st.booleans(), failing=failing)
    def recheck(self, table: int, place: int, good: bool, failing: set[int]) -> None:
        node, key = self._one(table, place)
        self._script(node, "is published" if good else "is rejected", failing)
        self._recheck(node, key)

    def _recheck(self, node: Node, key: str) -> None:
        spec = self.catalog.any_table(node.name)
        with patch.object(rechecking, "_answers", self._answers):
            [[report]] = rechecking.recheck_partitions(self.platform, spec, [key], RUN)
        assert (report.standing is rechecking.Standing.ABSENT) == (key not in node.visible)
        if node.state.get(key) == "running":  # whoever takes the lock settles what a crash left
            node.state[key] = "failed"
        if key not in node.visible:
            return
        node.named[key] = {f"dw.{name.removeprefix('for_')}" for name in self.failing}
        (node.checks.add if self.ending == "is rejected" else node.checks.discard)(key)

    @rule(table=st.integers(0, 9), place=st.integers(0, 71), over=st.booleans())
    def waive(self, table: int, place: int, over: bool) -> None:
        node, key = self._one(table, place)
        self._waive(node, key)
        if over:
            self.platform.clock.move(days=31)
            for one in self.nodes.values():
                one.waived.clear()

    def _waive(self, node: Node, key: str) -> None:
        until = self.platform.clock() + timedelta(days=30)
        if key not in node.waived:
            self.platform.ledger.waive(node.name, key, reason="known", actor="ann", until=until)
            node.waived.add(key)

    def _one(self, table: int, place: int) -> tuple[Node, str]:
        node = list(self.nodes.values())[table % len(self.nodes)]
        return node, self._key(node, place)

    def _key(self, node: Node, place: int) -> str:
        """One of few partitions, so that those who act at random meet."""
        day = DAYS[place % 3]
        return day if node.grain == "day" else f"{day}-{(0, 5, 23)[place % 2]:02d}:00"

    def _all_is_well(self) -> None:
        """Load and make everything: nobody waits for ever, and no waiver is needed."""
        self.ending, self.failing = "is published", set()
        for node in self.nodes.values():
            if not node.reads:
                self._life(None, self.catalog.any_table(node.name), partitions(node.grain))
                self._ended(node, partitions(node.grain))
                continue
            for key in partitions(node.grain):
                before = self.made
                self._make(node, key)
                assert self.made == before + 1, f"{node.name}[{key}] waits for ever"

    def teardown(self) -> None:
        if not hasattr(self, "made"):
            return
        self.platform.clock.move(days=31)
        for node in self.nodes.values():
            node.waived.clear()
            for key in node.persons:
                self.platform.ledger.release_hold(node.name, key, "ann", check="")
            node.persons.clear()
        self._all_is_well()
        assert self.platform.ledger.holds(None) == ()
        self.platform.ledger.close()
        shutil.rmtree(self.folder)


Gate.TestCase.settings = settings(
    max_examples=repetitions(10),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestGate = Gate.TestCase
