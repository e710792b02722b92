"""Any graph, any order of failures and repairs: nothing is built on what is not proven, nor waits for ever.

The SQL of random models, their graph, the mappings, the ledger on SQLite, the gate, the holds and the
re-check are the real ones; ``gate_world`` says what stands in for an engine. What must come out is known by a
model that maps by hand.
"""

import shutil
from collections.abc import Sequence
from datetime import timedelta
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from dataplat.errors import GateClosedError
from dataplat.lifecycle import model as making
from dataplat.lifecycle import recheck as rechecking
from dataplat.lifecycle.stations import RunInfo
from dataplat_tests.services.effort import repetitions
from dataplat_tests.unit.lifecycle.gate_world import DAYS, Node, World, partitions, read_by_hand

RUN = RunInfo("run", "ann", "dataplat load")


class Gate(World, RuleBasedStateMachine):
    """Loads, builds, holds, releases, re-checks and waives, in any order."""

    @initialize(data=st.data())
    def draw(self, data: st.DataObject) -> None:
        self.draw_world(data)
        if data.draw(st.booleans()):
            self._all_is_well()

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
