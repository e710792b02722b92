"""Random graphs of tables, what is true of each partition, and what stands in for an engine.

``_life`` ends a load as the test says, and ``_answers`` gives the answers of a re-check; the ledger, the SQL
of the models and their graph are real.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from dataplat.audit.outcome import FILES, Outcome
from dataplat.ledger import LockOwner, TableVersion, VersionCounts
from dataplat.ledger import VersionState as S
from dataplat.lifecycle import recheck as rechecking
from dataplat.lifecycle.audit import check_results
from dataplat.lifecycle.holds import release_answered_holds
from dataplat.lifecycle.publish import publish_version, recover_partitions
from dataplat.plan.models.reading import build_graph
from dataplat.plan.partitions import partition_columns
from dataplat.specs import AnyTable, Catalog, ModelSpec, TableSpec
from dataplat.storage import FooterCount
from dataplat_tests.unit.lifecycle.fakes import FakePlatform
from dataplat_tests.unit.plan.models.builders import catalog, declared, model

DAYS = tuple(f"2026-01-0{day}" for day in (1, 2, 3))
READS = {
    "same": "ds = '{{ ds }}'",
    "before": "ds = '{{ prev_ds }}'",
    "trailing": "ds BETWEEN date_sub('{{ ds }}', 2) AND '{{ ds }}'",
}
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


class World:
    """Tables drawn at random, on a platform whose loads end as ``ending`` and ``failing`` say."""

    nodes: dict[str, Node]
    ending: str
    failing: set[str]

    def draw_world(self, data: st.DataObject) -> None:
        """Draw a graph, and give it a platform on which nothing has happened."""
        self.folder = tempfile.mkdtemp(prefix="gate")
        self.nodes = {}
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
